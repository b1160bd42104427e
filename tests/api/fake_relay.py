"""A relay for the kernel's half: real frames over real sockets, and a script instead of a model.

`with FakeRelay(runtime_dir, kernel) as relay:` listens on a free port, answers the probes of
discovery for that kernel, and leaves a door's file in `runtime_dir`. Every frame that a kernel
sends is in `relay.frames`; `relay.next_send()` waits for the next prompt. What the relay then says
is up to the test: `accept` and `emit` append events to the conversation's log and send them on in
one frame a call; `answer` does a whole answer. `refuse` fails the next prompt. `cut` drops the
sockets; the log stays, so a client that comes back resumes. `forget` begins a new epoch.

To extend it, add a method that builds events with `streamchat_relay.model` and calls `emit`.
"""

from __future__ import annotations

import asyncio
import json
import os
import queue
from collections.abc import Iterable
from http import HTTPStatus
from pathlib import Path
from typing import Any

from typing_extensions import Self
from websockets.asyncio.server import Request, Response, Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from jupyter_streamchat.loop import BackgroundLoop
from streamchat_relay.model import (
    Abort,
    AbortReason,
    Conversation,
    ErrorEvent,
    ErrorInfo,
    Event,
    Finish,
    Message,
    MessageAdded,
    ModelInfo,
    Start,
    StartedMessage,
    Status,
    TextDelta,
    TextEnd,
    TextStart,
    Timing,
    Usage,
    fold,
)
from streamchat_relay.protocol.codec import EventsEncoder, decode_client_frame, encode
from streamchat_relay.protocol.frames import (
    ClientFrame,
    Fail,
    Hello,
    Leave,
    LeaveOk,
    Limits,
    Models,
    ModelsOk,
    Open,
    OpenOk,
    Ping,
    Pong,
    Send,
    SendOk,
    ServerFrame,
    Snapshot,
    Stop,
    StopOk,
    Welcome,
)

CAPABILITY = "c" * 43
PATIENCE_S = 20.0


class FakeRelay:
    """One relay in a thread of its own; also a context manager."""

    def __init__(self, runtime_dir: Path, kernel: str, *, heartbeat_s: float = 15.0) -> None:
        self.path = runtime_dir / "streamchat-1.json"
        self.kernel = kernel
        self.frames: list[ClientFrame] = []
        self.probes: list[str] = []
        self.logs: dict[str, list[Event]] = {}
        self.silent = False
        self._heartbeat_s = heartbeat_s
        self._epoch = 1
        self._loop = BackgroundLoop()
        self._sockets: set[ServerConnection] = set()
        self._closed = asyncio.Event()
        self._server: Server | None = None
        self._followers: dict[str, set[ServerConnection]] = {}
        self._sends: queue.Queue[Send] = queue.Queue()
        self._stops: queue.Queue[Stop] = queue.Queue()
        self._connected: queue.Queue[str] = queue.Queue()
        self._pinged: queue.Queue[Ping] = queue.Queue()
        self._refusal: ErrorInfo | None = None

    # What happened.

    def next_send(self) -> Send:
        """Wait for the next prompt."""
        return self._sends.get(timeout=PATIENCE_S)

    def next_stop(self) -> Stop:
        """Wait for the next stop."""
        return self._stops.get(timeout=PATIENCE_S)

    def next_connection(self) -> str:
        """Wait for the next `hello`; returns the client's name."""
        return self._connected.get(timeout=PATIENCE_S)

    def next_ping(self) -> Ping:
        """Wait for the next ping, answered or not."""
        return self._pinged.get(timeout=PATIENCE_S)

    # What the relay says.

    def accept(self, send: Send) -> None:
        """Append what a run begins with."""
        assert send.message is not None
        prompt = Message(
            id=f"u-{send.run}", role="user", parts=send.message.parts, parent=None, run=send.run
        )
        self.emit(
            send.conversation,
            MessageAdded(t=0, message=prompt),
            Start(
                run=send.run,
                t=0,
                message=StartedMessage(id=f"a-{send.run}", role="assistant", parent=prompt.id),
                model=send.model or "fake/model",
                provider="fake",
            ),
            Status(run=send.run, t=0, state="running"),
            TextStart(run=send.run, t=1, part="1"),
        )

    def say(self, send: Send, *deltas: str) -> None:
        """Append deltas, all in one frame."""
        self.emit(
            send.conversation,
            *(TextDelta(run=send.run, t=1, part="1", delta=delta) for delta in deltas),
        )

    def finish(self, send: Send) -> None:
        """Append a good end."""
        self.emit(send.conversation, *ending(send))

    def abort(self, send: Send, reason: AbortReason = "user") -> None:
        """Append the end of a run that was ended from outside."""
        end = TextEnd(run=send.run, t=2, part="1")
        self.emit(send.conversation, end, Abort(run=send.run, t=2, reason=reason))

    def error(self, send: Send, info: ErrorInfo) -> None:
        """Append the end of a run that failed."""
        end = TextEnd(run=send.run, t=2, part="1")
        self.emit(send.conversation, end, ErrorEvent(run=send.run, t=2, error=info))

    def answer(self, send: Send, deltas: Iterable[str]) -> None:
        """A whole answer, one frame a delta."""
        self.accept(send)
        for delta in deltas:
            self.say(send, delta)
        self.finish(send)

    def emit(self, conversation: str, *events: Event) -> None:
        """Append events and send them to who follows, in one frame."""
        self._loop.run(self._emit(conversation, events))

    def damage(self, conversation: str) -> None:
        """Append an event that is wrong in a way that no release can read."""
        broken: Any = {"type": "text-delta", "run": "r", "t": 0, "part": "1", "delta": 7}
        self.emit(conversation, broken)

    def refuse(self, info: ErrorInfo) -> None:
        """Let the next prompt fail before it is accepted."""
        self._refusal = info

    def cut(self) -> None:
        """Drop every socket without a goodbye."""
        self._loop.run(self._cut())

    def forget(self) -> None:
        """Begin a new epoch with empty logs."""
        self._epoch += 1
        self.logs.clear()

    def close(self) -> None:
        """Be gone, with the door's file left behind as a killed server leaves it."""
        self._loop.run(self._stop_listening())

    def reopen(self) -> None:
        """Be back on another port."""
        self._loop.run(self._listen())

    def __enter__(self) -> Self:
        self._loop.run(self._listen())
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.run(self._stop_listening())
        self._loop.close()

    # On the loop.

    async def _listen(self) -> None:
        self._server = await serve(
            self._serve,
            "127.0.0.1",
            0,
            process_request=self._admit,
            subprotocols=["streamchat.v1"],  # type: ignore[list-item]
            compression=None,
            max_size=None,
            create_connection=self._connection(),
        )
        port = next(iter(self._server.sockets)).getsockname()[1]
        door = {"url": f"http://127.0.0.1:{port}", "capability": CAPABILITY, "pid": os.getpid()}
        self.path.write_text(json.dumps(door), "utf-8")
        self.path.chmod(0o600)

    def _connection(relay) -> type[ServerConnection]:  # noqa: N805 - `self` is the connection
        class Counted(ServerConnection):
            def connection_made(self, transport: Any) -> None:
                relay._sockets.add(self)
                super().connection_made(transport)

            def connection_lost(self, exc: Exception | None) -> None:
                super().connection_lost(exc)
                relay._sockets.discard(self)
                relay._closed.set()

        return Counted

    async def _stop_listening(self) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()
        # Of one whose request was refused, the handler ends before the socket is closed.
        while self._sockets:
            self._closed.clear()
            await self._closed.wait()

    async def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        if request.headers.get("Authorization") != f"streamchat {CAPABILITY}":
            return connection.respond(HTTPStatus.FORBIDDEN, "")
        if request.path.startswith("/streamchat/kernel/"):
            self.probes.append(request.path.rsplit("/", 1)[1])
            known = request.path.endswith(f"/{self.kernel}")
            return connection.respond(HTTPStatus.NO_CONTENT if known else HTTPStatus.NOT_FOUND, "")
        assert request.path == f"/streamchat/ws?kernel_id={self.kernel}"
        assert "Origin" not in request.headers
        return None

    async def _serve(self, connection: ServerConnection) -> None:
        try:
            async for data in connection:
                frame = decode_client_frame(data)
                self.frames.append(frame)
                if not self.silent:
                    await self._take(connection, frame)
                if isinstance(frame, Ping):
                    self._pinged.put(frame)
        except ConnectionClosed:
            pass
        finally:
            for followers in self._followers.values():
                followers.discard(connection)

    async def _take(self, connection: ServerConnection, frame: ClientFrame) -> None:
        match frame:
            case Hello(client=client):
                welcome = Welcome(
                    session="s1",
                    user="ada",
                    heartbeat_s=self._heartbeat_s,
                    limits=Limits(),
                    version="0",
                )
                await _write(connection, welcome)
                self._connected.put(client)
            case Open():
                await self._open(connection, frame)
            case Leave(id=frame_id, conversation=conversation):
                self._followers[conversation].discard(connection)
                await _write(connection, LeaveOk(id=frame_id))
            case Models(id=frame_id):
                model = ModelInfo(id="fake/model", provider="fake", name="model")
                ok = ModelsOk(id=frame_id, models=(model,), default=model.id, problems=())
                await _write(connection, ok)
            case Send():
                if self._refusal is not None:
                    await _write(connection, Fail(id=frame.id, error=self._refusal))
                    self._refusal = None
                else:
                    ok_ = SendOk(
                        id=frame.id, run=frame.run, message=f"a-{frame.run}", duplicate=False
                    )
                    await _write(connection, ok_)
                    self._sends.put(frame)
            case Stop(id=frame_id):
                await _write(connection, StopOk(id=frame_id, state="stopping"))
                self._stops.put(frame)
            case Ping(t=t):
                await _write(connection, Pong(t=t))
            case _:
                return

    async def _open(self, connection: ServerConnection, frame: Open) -> None:
        log = self.logs.setdefault(frame.conversation, [])
        epoch = f"e{self._epoch}"
        ok = OpenOk(id=frame.id, conversation=frame.conversation, epoch=epoch, head=len(log))
        await _write(connection, ok)
        if frame.after is None or frame.epoch != epoch:
            state = fold(Conversation(), log)
            await _write(
                connection,
                Snapshot(conversation=frame.conversation, epoch=epoch, seq=len(log), state=state),
            )
        elif frame.after < len(log):
            await self._send_events(connection, frame.conversation, frame.after)
        self._followers.setdefault(frame.conversation, set()).add(connection)

    async def _emit(self, conversation: str, events: tuple[Event, ...]) -> None:
        log = self.logs.setdefault(conversation, [])
        after = len(log)
        log.extend(events)
        for follower in list(self._followers.get(conversation, ())):
            await self._send_events(follower, conversation, after)

    async def _send_events(
        self, connection: ServerConnection, conversation: str, after: int
    ) -> None:
        encoded = [encode(event) for event in self.logs[conversation][after:]]
        frame = EventsEncoder(conversation, f"e{self._epoch}").joined(after + 1, encoded)
        await connection.send(frame, text=True)

    async def _cut(self) -> None:
        assert self._server is not None
        for connection in list(self._server.connections):
            connection.transport.abort()


async def _write(connection: ServerConnection, frame: ServerFrame) -> None:
    await connection.send(encode(frame), text=True)


def ending(send: Send) -> tuple[Event, ...]:
    """The events with which a run ends well."""
    return (
        TextEnd(run=send.run, t=2, part="1"),
        Finish(
            run=send.run,
            t=2,
            finish_reason="stop",
            raw_reason="stop",
            usage=Usage(input=1, output=2),
            timing=Timing(total_ms=2, ttft_ms=1),
        ),
    )


def problem(code: Any, message: str) -> ErrorInfo:
    """An error as the relay sends it."""
    return ErrorInfo(code=code, message=message, retryable=False)
