"""A relay on a real port of this process: the real handler, hub and provider, a fake at the end.

`async with ServedRelay() as relay:` starts it. Clients come to `relay.port` with the headers of
their user; what a provider answers is in `relay.provider`, whose models are `mine/…`.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType

from jupyter_server.auth import AllowAllAuthorizer, IdentityProvider, User
from jupyter_server.base.handlers import JupyterHandler
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler
from typing_extensions import Self

from streamchat_relay.hosts.websocket import RelayHandler, Sockets
from streamchat_relay.providers import ProviderRegistry, RegistrySettings
from streamchat_relay.relay.hub import Hub
from streamchat_relay.stores import MemoryStore
from tests.fakes.provider_server import ProviderServer

_LATER_S = 3600.0


class ServedRelay:
    """The relay; `async with` starts and stops it."""

    path = "/streamchat/ws"

    def __init__(self) -> None:
        self.port = 0
        self.provider = ProviderServer()
        self.hub: Hub
        self._stack = AsyncExitStack()

    @staticmethod
    def headers(user: str) -> dict[str, str]:
        """What this user's clients show."""
        return {"Authorization": f"token {user}"}

    async def forgotten(self) -> None:
        """Return when the hub holds no conversation any more."""
        while self.hub._live:  # noqa: ASYNC110 - sockets have yet to hear that they are closed
            await asyncio.sleep(0)

    async def __aenter__(self) -> Self:
        log = logging.getLogger(__name__)
        stack = self._stack
        await stack.enter_async_context(self.provider)
        registry = ProviderRegistry(
            RegistrySettings(providers={"mine": {"base_url": self.provider.openai_url}}),
            environ={},
            config_dir=Path("nowhere"),
            log=log,
        )
        stack.push_async_callback(registry.close)
        self.hub = Hub(MemoryStore(), registry, log=log)
        stack.push_async_callback(self.hub.close)
        sockets = Sockets(self.hub, log)
        stack.push_async_callback(sockets.close)
        application = Application(
            [(self.path, RelayHandler, {"sockets": sockets, "recheck_s": _LATER_S})],
            identity_provider=_Names(),
            authorizer=AllowAllAuthorizer(),
            base_url="/",
            cookie_secret=b"s" * 32,
            log_function=_say_nothing,
        )
        server = HTTPServer(application)
        listening = bind_sockets(0, "127.0.0.1")
        server.add_sockets(listening)
        stack.push_async_callback(server.close_all_connections)
        stack.callback(server.stop)
        self.port = listening[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()


class _Names(IdentityProvider):
    """Everybody's token is their name."""

    async def get_user(self, handler: JupyterHandler) -> User | None:
        token = self.get_token(handler)
        return User(token) if token else None

    def is_token_authenticated(self, handler: JupyterHandler) -> bool:
        return True


def _say_nothing(_handler: RequestHandler) -> None:
    pass
