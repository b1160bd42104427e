"""The relay in a kernel, for hosts without the server extension."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
from collections.abc import Mapping
from contextlib import AsyncExitStack

from streamchat_relay import __version__
from streamchat_relay.model import Overview, Spendings
from streamchat_relay.protocol.frames import WINDOW_BYTES
from streamchat_relay.protocol.server import ServerSession
from streamchat_relay.providers import ProviderRegistry, RegistrySettings
from streamchat_relay.relay.budget import Budget
from streamchat_relay.relay.connection import Connection
from streamchat_relay.relay.hub import Hub
from streamchat_relay.relay.ports import Registry, Transport
from streamchat_relay.relay.rules import Rules
from streamchat_relay.stores import MemoryLedger, MemoryStore

OWNER = "owner"
"""There is one user, who runs this process; Jupyter's server, which knows others, is not loaded."""


class KernelRelay:
    """A relay that lives and ends with this process; everything happens on one event loop.

    Conversations and what was used are kept in memory. The keys are those of `environ`, by default
    this process's own, read at each use: what runs here can read them, too. The configuration of
    the Jupyter server and its key file are not looked at.
    """

    def __init__(
        self,
        *,
        environ: Mapping[str, str] | None = None,
        registry: Registry | None = None,
        log: logging.Logger | None = None,
    ) -> None:
        self._log = log or logging.getLogger(__name__)
        self._cleanup = AsyncExitStack()
        self._warming: asyncio.Task[None] | None = None
        if registry is None:
            registry = self._registry(os.environ if environ is None else environ)
        rules = Rules(budget=Budget(MemoryLedger()))
        self._hub = Hub(MemoryStore(), registry, rules=rules, log=self._log)
        self._cleanup.push_async_callback(self._hub.close)

    def connect(self, transport: Transport, *, window: int = WINDOW_BYTES) -> Connection:
        """A connection for a link that was just opened.

        Up to `window` bytes of a conversation's events leave without being acknowledged.
        """
        session = ServerSession(session=secrets.token_hex(8), user=OWNER, version=__version__)
        return Connection(self._hub, OWNER, transport, session, window=window, log=self._log)

    async def spendings(self, conversation: str) -> Spendings:
        """What was used in this process today, and in a conversation."""
        return await self._hub.spendings(OWNER, conversation)

    async def overview(
        self, limit: int, before: tuple[float, str] | None, search: str = ""
    ) -> Overview:
        """The conversations of this process, the one used last first."""
        return await self._hub.shelf.overview(OWNER, limit=limit, before=before, search=search)

    async def close(self) -> None:
        """End every run, and leave nothing behind."""
        await self._cleanup.aclose()

    def _registry(self, environ: Mapping[str, str]) -> ProviderRegistry:
        registry = ProviderRegistry(RegistrySettings(), environ=environ, log=self._log)
        self._cleanup.push_async_callback(registry.close)
        # The first prompt should not wait for the SDKs.
        self._warming = asyncio.ensure_future(self._warm(registry))
        self._cleanup.push_async_callback(self._cooled)
        return registry

    async def _warm(self, registry: ProviderRegistry) -> None:
        try:
            await registry.warm()
        except Exception:  # noqa: BLE001 - what it failed with, the first prompt will meet again
            self._log.debug("Providers could not be prepared", exc_info=True)

    async def _cooled(self) -> None:
        if self._warming is not None:
            self._warming.cancel()
            await asyncio.gather(self._warming, return_exceptions=True)
