"""A loopback server that speaks OpenAI's and Anthropic's real wire, and owns every byte.

    async with ProviderServer() as server:              # on the test's own loop
        server.answers.append(Answer(deltas=["Hi"]))
        ... server.openai_url, server.anthropic_url ...
        await server.requests[0].wait_closed()

    with running_provider_server() as server: ...       # in a thread, for other processes

A call is answered by the answer `for_model` its model, else by the next of `answers`, else by
`default`. What came is in `requests`. To extend what an answer can be, see `provider_wires.py`;
to answer another path, add it to `_Connection._respond`.
"""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import struct
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from typing_extensions import Self

from tests.fakes.gate import Gate
from tests.fakes.provider_wires import Answer, anthropic_events, openai_events

__all__ = ["Answer", "Gate", "ProviderServer", "Request", "running_provider_server"]

_OPENAI_MODELS = [
    {"id": "text-embedding-3-small", "object": "model", "created": 9, "owned_by": "fake"},
    {"id": "fake-old", "object": "model", "created": 1, "owned_by": "fake"},
    {"id": "fake-1", "object": "model", "created": 5, "owned_by": "fake"},
]
_ANTHROPIC_MODELS = [
    {"id": "claude-fake-2", "type": "model", "display_name": "Two", "lifecycle": "active"},
    {"id": "claude-fake-1", "type": "model", "display_name": "One", "lifecycle": "deprecated"},
]


@dataclass
class Request:
    """What came, and what became of it. Readable from any thread."""

    method: str
    target: str
    headers: dict[str, str]
    json: Any
    connection: int
    sent: int = 0
    """Writes of the body that went out."""
    closed: Future[None] = field(default_factory=Future)
    """Done when the connection that carried it is gone; `closed.result(5)` waits in a thread."""

    async def wait_closed(self) -> None:
        """Wait, on any loop, until the connection is gone."""
        await asyncio.shield(asyncio.wrap_future(self.closed))


class ProviderServer:
    """The server; `async with` starts and stops it. `tls` makes it speak https."""

    def __init__(self, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> None:
        self.answers: deque[Answer] = deque()
        self.for_model: dict[str, Answer] = {}
        self.default = Answer()
        self.requests: list[Request] = []
        self.connections = 0
        self.openai_models: list[dict[str, Any]] = list(_OPENAI_MODELS)
        self.anthropic_models: list[dict[str, Any]] = list(_ANTHROPIC_MODELS)
        self.port = 0
        self._tls = tls
        self._host = host
        self._server: asyncio.Server | None = None
        self._open: set[_Connection] = set()
        self._waiting: list[tuple[int, Future[None]]] = []
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        """Scheme, host and port."""
        return f"{'https' if self._tls else 'http'}://{self._host}:{self.port}"

    @property
    def openai_url(self) -> str:
        """The base URL for whatever speaks Chat Completions."""
        return f"{self.url}/v1"

    @property
    def anthropic_url(self) -> str:
        """The base URL for whatever speaks Messages."""
        return self.url

    @property
    def calls(self) -> list[Request]:
        """The generations that were asked for."""
        return [request for request in self.requests if request.method == "POST"]

    @property
    def open_connections(self) -> int:
        """Connections that are open now."""
        return len(self._open)

    def arrived(self, count: int = 1) -> Future[None]:
        """Done when so many requests came, from the start."""
        future: Future[None] = Future()
        with self._lock:
            self._waiting.append((count, future))
        self._tell()
        return future

    async def wait_requests(self, count: int = 1) -> None:
        """Wait, on any loop, until so many requests came, from the start."""
        await asyncio.shield(asyncio.wrap_future(self.arrived(count)))

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _Connection(self), self._host, 0, ssl=self._tls, backlog=4096
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        gone = [connection.stop() for connection in list(self._open)]
        await asyncio.gather(*gone, return_exceptions=True)
        await asyncio.sleep(0)

    def note(self, request: Request) -> None:
        """Keep a request, and wake who waits for it."""
        self.requests.append(request)
        self._tell()

    def _tell(self) -> None:
        with self._lock:
            for entry in list(self._waiting):
                count, future = entry
                if len(self.requests) >= count:
                    self._waiting.remove(entry)
                    future.set_result(None)


class _Connection(asyncio.Protocol):
    def __init__(self, server: ProviderServer) -> None:
        self._server = server
        self._buffer = bytearray()
        self._arrived = asyncio.Event()
        self._requests: list[Request] = []
        self._transport: asyncio.Transport
        self._task: asyncio.Task[None]
        server.connections += 1
        self._number = server.connections

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._server._open.add(self)
        self._task = asyncio.get_running_loop().create_task(self._serve())

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._arrived.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self._server._open.discard(self)
        self._task.cancel()
        for request in self._requests:
            request.closed.set_result(None)

    async def stop(self) -> None:
        self._transport.abort()
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def _serve(self) -> None:
        while True:
            head = (await self._until(b"\r\n\r\n")).decode("latin-1")
            first, *lines = head.split("\r\n")
            method, target, _ = first.split(" ", 2)
            headers = {
                name.lower(): value.strip()
                for name, _, value in (line.partition(":") for line in lines if line)
            }
            body = await self._exactly(int(headers.get("content-length", "0")))
            request = Request(
                method, target, headers, json.loads(body) if body else None, self._number
            )
            self._requests.append(request)
            self._server.note(request)
            if not await self._respond(request):
                return

    async def _until(self, mark: bytes) -> bytes:
        while (at := self._buffer.find(mark)) < 0:
            await self._more()
        return await self._exactly(at + len(mark))

    async def _exactly(self, size: int) -> bytes:
        while len(self._buffer) < size:
            await self._more()
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken

    async def _more(self) -> None:
        self._arrived.clear()
        await self._arrived.wait()

    async def _respond(self, request: Request) -> bool:
        path = request.target.partition("?")[0]
        if path.startswith("http://"):
            path = "/" + path.split("/", 3)[3]
        server = self._server
        if request.method == "GET" and path.endswith("/models"):
            if "anthropic-version" in request.headers:
                models = server.anthropic_models
            else:
                models = server.openai_models
            return self._whole(200, {"object": "list", "data": models, "has_more": False}, {})
        model = str((request.json or {}).get("model"))
        if model in server.for_model:
            answer = server.for_model[model]
        else:
            answer = server.answers.popleft() if server.answers else server.default
        if answer.drop:
            self._transport.close()
            return False
        if answer.before_headers is not None:
            await answer.before_headers.passed()
        if path.endswith("/chat/completions"):
            events = openai_events(answer, model)
        elif path.endswith("/messages"):
            events = anthropic_events(answer, model)
        else:
            return self._whole(404, {"error": {"message": "Unknown path"}}, {})
        if answer.status != 200 or answer.body is not None:
            return self._whole(answer.status, answer.body, answer.headers)
        return await self._stream(request, answer, events)

    def _whole(self, status: int, body: Any, headers: dict[str, str]) -> bool:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        fields = {"content-type": "application/json", "content-length": str(len(raw)), **headers}
        self._transport.write(_head(status, fields) + raw)
        return True

    async def _stream(self, request: Request, answer: Answer, events: list[bytes]) -> bool:
        stream = answer.wire if answer.wire is not None else b"".join(events)
        if answer.pieces is not None:
            pieces = list(answer.pieces(stream))
        else:
            pieces = [stream] if answer.wire is not None else events
        fields = {"content-type": "text/event-stream; charset=utf-8"}
        chunked = answer.framing == "chunked"
        if chunked:
            fields["transfer-encoding"] = "chunked"
        elif answer.framing == "length":
            fields["content-length"] = str(sum(map(len, pieces)))
        else:
            fields["connection"] = "close"
        self._transport.write(_head(200, {**fields, **answer.headers}))
        loop = asyncio.get_running_loop()
        begin = loop.time()
        for index, piece in enumerate(pieces):
            if answer.gate is not None:
                await answer.gate.passed()
            if answer.rate is not None:
                await asyncio.sleep(max(0.0, begin + index / answer.rate - loop.time()))
            self._transport.write(_chunk(piece) if chunked else piece)
            request.sent += 1
            # One piece is one read at the other side, as far as that can be made so.
            await asyncio.sleep(0)
        return await self._end(answer, chunked=chunked)

    async def _end(self, answer: Answer, *, chunked: bool) -> bool:
        if answer.ending == "hang":
            await asyncio.Event().wait()
        elif answer.ending == "pings":
            while True:
                self._transport.write(_chunk(b": ping\n\n") if chunked else b": ping\n\n")
                await asyncio.sleep(0.01)
        elif answer.ending == "reset":
            # With a linger of zero, a close sends RST.
            linger = struct.pack("ii", 1, 0)
            sock = self._transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self._transport.abort()
            return False
        elif answer.ending == "close":
            self._transport.close()
            return False
        elif chunked:
            self._transport.write(b"0\r\n\r\n")
        elif answer.framing == "close":
            self._transport.close()
            return False
        return True


def _chunk(piece: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(piece), piece) if piece else b""


def _head(status: int, fields: dict[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} Whatever", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join([*lines, "", ""]).encode()


@contextmanager
def running_provider_server() -> Iterator[ProviderServer]:
    """The server in a thread with its own loop; its `requests` may be read from here."""
    server = ProviderServer()
    ready = threading.Event()
    done: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def serve() -> None:
        stop = asyncio.Event()
        async with server:
            done.append((asyncio.get_running_loop(), stop))
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),), daemon=True)
    thread.start()
    if not ready.wait(10):
        raise RuntimeError("the fake provider did not start")
    try:
        yield server
    finally:
        loop, stop = done[0]
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
