"""The WebSocket: frames over tornado, and the rules for who may open it."""

from __future__ import annotations

import asyncio
import hmac
import logging
import secrets
from typing import Any, Protocol

from jupyter_server.auth import User
from jupyter_server.auth.decorator import ws_authenticated
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.base.websocket import WebSocketMixin
from jupyter_server.utils import ensure_async
from tornado import web
from tornado.websocket import WebSocketHandler, WebSocketProtocol13

from streamchat_relay import __version__
from streamchat_relay.hosts.deflate import SmallDeflate
from streamchat_relay.hosts.identity import user_key
from streamchat_relay.hosts.transport import TornadoTransport
from streamchat_relay.protocol.frames import MAX_FRAME_BYTES, SUBPROTOCOL
from streamchat_relay.protocol.server import HELLO_TIMEOUT_S, CloseCode, ServerSession
from streamchat_relay.relay.connection import REQUESTS_PER_S, Connection
from streamchat_relay.relay.hub import Hub

RESOURCE = "streamchat"
ACTION = "execute"
"""What the authorizer is asked: may this user *execute* on *streamchat*?"""

PING_S = 15.0
"""Seconds after which a client is pinged: a proxy that drops what is silent for 60 s never does."""

PONG_S = 10.0
"""Seconds that it has to answer. tornado then waits 5 more for a farewell, which makes 30."""


class Sockets:
    """The open sockets of one relay, so that all of them hear when the server stops."""

    def __init__(
        self,
        hub: Hub,
        log: logging.Logger,
        *,
        requests_per_s: float = REQUESTS_PER_S,
        max_blob_bytes: int = 0,
    ) -> None:
        self.hub = hub
        self._requests_per_s = requests_per_s
        self._max_blob_bytes = max_blob_bytes
        self.log = log
        self._connections: set[Connection] = set()

    def connect(self, user: str, transport: TornadoTransport) -> Connection:
        """A connection for a socket that was just opened."""
        session = ServerSession(
            session=secrets.token_hex(8),
            user=user,
            version=__version__,
            max_blob_bytes=self._max_blob_bytes,
        )
        connection = Connection(
            self.hub, user, transport, session, requests_per_s=self._requests_per_s, log=self.log
        )
        transport.on_drained = connection.drained
        self._connections.add(connection)
        return connection

    def disconnect(self, connection: Connection) -> None:
        """Its socket is gone."""
        self._connections.discard(connection)
        connection.closed()

    async def close(self) -> None:
        """Say goodbye on every socket."""
        for connection in list(self._connections):
            await connection.going_away()


class KernelCheck(Protocol):
    """Says whether this server runs a kernel."""

    def __call__(self, kernel_id: str, /) -> bool:
        """True if it does."""
        ...


class _RelaySocket(WebSocketHandler):
    """What the browser's socket and the kernel's have in common once they are let in."""

    _connection: Connection | None = None
    sockets: Sockets

    def relay_user(self) -> str:
        """The key of the user whose conversations this socket may see."""
        raise NotImplementedError

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        """Speak `streamchat.v1` with who offers it."""
        return SUBPROTOCOL if SUBPROTOCOL in subprotocols else None

    @property
    def max_message_size(self) -> int:
        """Bytes; above it tornado resets with bytes unread, which may overtake the close code."""
        return 2 * MAX_FRAME_BYTES

    @property
    def ping_interval(self) -> float:
        """Seconds. Jupyter's mixin has milliseconds here, which tornado takes for seconds."""
        return PING_S

    @property
    def ping_timeout(self) -> float:
        """Seconds."""
        return PONG_S

    def open(self, *_args: str, **_kwargs: str) -> None:
        """Start the session; deliberately without Jupyter's own ping."""
        # tornado turns it off after the handshake; a token is a small packet that must not wait.
        self.set_nodelay(True)
        self._transport = TornadoTransport(self)
        self._connection = self.sockets.connect(self.relay_user(), self._transport)
        self._hello_timer = asyncio.get_running_loop().call_later(
            HELLO_TIMEOUT_S, self._hello_timed_out
        )

    async def on_message(self, message: str | bytes) -> None:
        """One frame; the next is not read before this one is done."""
        if self._connection is None:
            return
        if _is_too_large(message):
            self.close(CloseCode.TOO_LARGE, "a frame is at most 10 MiB")
            self.on_close()
            return
        await self._connection.receive(message)
        await self._transport.room()

    def on_close(self) -> None:
        """The runs go on."""
        if self._connection is not None:
            # The timer would keep all of this alive until it runs.
            self._hello_timer.cancel()
            self.sockets.disconnect(self._connection)
            self._connection = None

    def _hello_timed_out(self) -> None:
        if self._connection is not None:
            self._timeout = asyncio.ensure_future(self._connection.hello_timed_out())


def _is_too_large(message: str | bytes) -> bool:
    # A character is four bytes at most, so that most frames need not be encoded again.
    if len(message) <= MAX_FRAME_BYTES // 4:
        return False
    size = len(message.encode()) if isinstance(message, str) else len(message)
    return size > MAX_FRAME_BYTES


class RelayHandler(WebSocketMixin, _RelaySocket, JupyterHandler):
    """The browser's socket at `streamchat/ws`, behind Jupyter's login and authorizer.

    Who is let in is asked again while the socket is open.
    """

    _watch: asyncio.Task[None] | None = None
    # Jupyter's mixin comes first and has others: a ping of its own, found wanting after 90 s.
    ping_interval = _RelaySocket.ping_interval
    ping_timeout = _RelaySocket.ping_timeout

    def initialize(self, sockets: Sockets, recheck_s: float) -> None:
        """Take what the composition root gives."""
        self.sockets = sockets
        self._recheck_s = recheck_s

    def open(self, *args: str, **kwargs: str) -> None:
        """Start the session, and look again from time to time who it belongs to."""
        _RelaySocket.open(self, *args, **kwargs)
        self._watch = asyncio.ensure_future(self._watch_login())

    def on_close(self) -> None:
        """The runs go on."""
        if self._watch is not None:
            self._watch.cancel()
        super().on_close()

    async def _watch_login(self) -> None:
        """Close the socket when its login has ended, or is another's, or may not chat any more."""
        while True:
            await asyncio.sleep(self._recheck_s)
            try:
                user = await ensure_async(self.identity_provider.get_user(self))
                allowed = user is not None and self._is_mine(user) and await self._may_chat(user)
            except web.HTTPError:
                allowed = False
            except Exception:  # noqa: BLE001 - it has revoked nothing
                # Without its words: they may hold a token.
                self.log.warning("A login could not be checked again; its chat stays open")
                continue
            if not allowed:
                self.close(CloseCode.UNAUTHENTICATED, "Your login has ended. Log in again.")
                return

    def _is_mine(self, user: User) -> bool:
        return user_key(self.identity_provider, user) == self.relay_user()

    async def _may_chat(self, user: User) -> bool:
        return bool(await ensure_async(self.authorizer.is_authorized(self, user, ACTION, RESOURCE)))

    def get_compression_options(self) -> dict[str, Any]:
        """Compress for clients that offer it; see `get_websocket_protocol`."""
        return {}

    def get_websocket_protocol(self) -> SmallDeflate | None:
        """Give tornado's own, with a compression that costs little.

        A kernel's socket stays without: it never leaves the machine.
        """
        protocol = super().get_websocket_protocol()
        if not isinstance(protocol, WebSocketProtocol13):
            return None
        return SmallDeflate(self, mask_outgoing=False, params=protocol.params)

    def set_default_headers(self) -> None:
        """No headers: the answer to a handshake has its own."""

    def relay_user(self) -> str:
        """The key of the logged-in user."""
        return user_key(self.identity_provider, self.current_user)

    @ws_authenticated
    async def get(self, *args: str, **kwargs: str) -> None:
        """Check everything before the upgrade, then upgrade."""
        user = self.current_user
        if not await self._may_chat(user):
            raise web.HTTPError(403, "You may not use the chat relay of this server.")
        if not self._origin_is_sound():
            raise web.HTTPError(403, "This page may not open the chat relay of this server.")
        await super().get(*args, **kwargs)

    def _origin_is_sound(self) -> bool:
        """A browser sends a cookie by itself, so a cookie must come with an Origin of ours."""
        if self.token_authenticated or not self.identity_provider.auth_enabled:
            return bool(self.check_origin())
        return self.get_origin() is not None and bool(self.check_origin())


class DoorHandler(_RelaySocket):
    """The kernel's socket: loopback only, never a browser's, opened with a capability."""

    def initialize(
        self, sockets: Sockets, capability: str, runs_kernel: KernelCheck, user: str
    ) -> None:
        """Take what the composition root gives."""
        self.sockets = sockets
        self._capability = capability
        self._runs_kernel = runs_kernel
        self._user = user

    def relay_user(self) -> str:
        """A kernel acts for the server's owner."""
        return self._user

    def check_origin(self, origin: str) -> bool:  # noqa: ARG002
        """Only browsers send an Origin, and no browser comes through this door."""
        return False

    async def get(self, *args: str, **kwargs: str) -> None:
        """Check everything before the upgrade, then upgrade."""
        check_kernel(
            self, self._capability, self._runs_kernel, self.get_query_argument("kernel_id", "")
        )
        await super().get(*args, **kwargs)


def check_kernel(
    handler: web.RequestHandler, capability: str, runs_kernel: KernelCheck, kernel_id: str
) -> None:
    """Raise 403 or 404 unless the request comes from a kernel of this server."""
    # Clients of OpenAI's show it as they show a key.
    _, _, given = handler.request.headers.get("Authorization", "").partition(" ")
    if "Origin" in handler.request.headers or not hmac.compare_digest(
        given.encode(), capability.encode()
    ):
        raise web.HTTPError(403)
    if not runs_kernel(kernel_id):
        raise web.HTTPError(404)
