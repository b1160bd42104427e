"""The Jupyter server extension: composes the relay and hangs it into the server."""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from jupyter_core.paths import jupyter_config_dir
from jupyter_server.extension.application import ExtensionApp
from traitlets import Bool, Dict, Float, Integer, Unicode

from streamchat_relay.hosts.audit import Audit
from streamchat_relay.hosts.door import Door
from streamchat_relay.hosts.identity import kernel_user_key
from streamchat_relay.hosts.rest import ModelsHandler
from streamchat_relay.hosts.websocket import RelayHandler, Sockets
from streamchat_relay.model import Internal
from streamchat_relay.providers import ProviderRegistry, RegistrySettings
from streamchat_relay.relay.connection import REQUESTS_PER_S
from streamchat_relay.relay.hub import Hub
from streamchat_relay.relay.ports import Store
from streamchat_relay.relay.retries import MOST, Retries
from streamchat_relay.relay.runs import MAX_RUNS, MAX_RUNS_PER_USER, Limits
from streamchat_relay.relay.slots import Slots
from streamchat_relay.stores import MemoryStore, SQLiteStore, UnavailableStore
from streamchat_relay.stores.database import database_path

IN_MEMORY = ":memory:"


class StreamChat(ExtensionApp):
    """Streams LLM answers from providers to browsers and kernels, and keeps the keys."""

    name = "streamchat"
    description = "Streaming LLM chat for notebooks"
    load_other_extensions = True

    default_model = Unicode(
        "", help="`provider/model` for chats that name none. Empty: the first that is found."
    ).tag(config=True)
    database = Unicode(
        "",
        help="The file that keeps the conversations. Empty: `streamchat/conversations.sqlite3` in "
        f"Jupyter's data directory; `{IN_MEMORY}`: kept nowhere.",
    ).tag(config=True)
    keys = Dict(
        key_trait=Unicode(),
        value_trait=Unicode(),
        help="Keys by provider, before those of the environment: {'openai': '…'}.",
    ).tag(config=True)
    base_urls = Dict(
        key_trait=Unicode(),
        value_trait=Unicode(),
        help="Addresses by provider, before those of the environment: {'vllm': 'http://…/v1'}.",
    ).tag(config=True)
    providers = Dict(
        key_trait=Unicode(),
        value_trait=Dict(),
        help="More servers that speak OpenAI's API, by name: "
        "{'mine': {'base_url': '…', 'key_variable': '…', 'headers': {…}}}.",
    ).tag(config=True)
    connect_timeout = Float(10.0, help="Seconds to reach a provider.").tag(config=True)
    first_byte_timeout = Float(
        120.0, help="Seconds that a provider may think before it begins to answer."
    ).tag(config=True)
    stall_timeout = Float(
        60.0, help="Seconds that a provider may be silent in the middle of an answer."
    ).tag(config=True)
    total_timeout = Float(
        Limits().answer_s, min=1, help="Seconds that an answer may take in all."
    ).tag(config=True)
    max_answer_mib = Integer(
        Limits().answer_bytes // 2**20, min=1, help="MiB that an answer may take in the log."
    ).tag(config=True)
    retries = Integer(
        MOST,
        min=0,
        help="How often a provider that failed before its first token is asked again.",
    ).tag(config=True)
    login_recheck = Float(
        30.0,
        min=0.01,
        help="Seconds between two looks at whether the login of an open chat still stands.",
    ).tag(config=True)
    requests_per_second = Float(
        REQUESTS_PER_S,
        min=0.1,
        help="Prompts, openings and questions for models that one connection may send.",
    ).tag(config=True)
    max_runs = Integer(
        MAX_RUNS, min=1, help="Answers that are written at once; further ones wait in line."
    ).tag(config=True)
    max_runs_per_user = Integer(
        MAX_RUNS_PER_USER, min=1, help="Answers of one user that are written at once."
    ).tag(config=True)
    hide_keys_from_kernels = Bool(
        default_value=False,
        help="Take the providers' key variables out of the environment of new kernels and "
        "terminals. Notebooks can then use the keys only through the chat.",
    ).tag(config=True)

    _hub: Hub | None = None
    _cleanup: AsyncExitStack | None = None

    def initialize_settings(self) -> None:
        """Build the relay. Called once, before the handlers."""
        server = self.serverapp
        assert server is not None, "an extension is initialized by its server"
        environ = dict(os.environ)
        # Entered as things are made, so that a start that fails half-way leaves nothing behind.
        self._cleanup = AsyncExitStack()
        self._registry = ProviderRegistry(
            RegistrySettings(
                default_model=self.default_model,
                keys=dict(self.keys),
                base_urls=dict(self.base_urls),
                providers=dict(self.providers),
                connect_timeout_s=self.connect_timeout,
                first_byte_timeout_s=self.first_byte_timeout,
                stall_timeout_s=self.stall_timeout,
            ),
            environ=environ,
            config_dir=Path(jupyter_config_dir()),
            log=self.log,
        )
        self._cleanup.push_async_callback(self._registry.close)
        if self.hide_keys_from_kernels:
            for variable in self._registry.hidden_variables():
                os.environ.pop(variable, None)
        slots = Slots(in_all=self.max_runs, per_user=self.max_runs_per_user)
        self._hub = Hub(
            self._store(),
            self._registry,
            slots=slots,
            retries=Retries(self.retries),
            observer=Audit(),
            limits=Limits(self.total_timeout, self.max_answer_mib * 2**20),
            log=self.log,
        )
        self._sockets = Sockets(self._hub, self.log, requests_per_s=self.requests_per_second)
        door = Door(
            self._sockets,
            lambda kernel_id: kernel_id in server.kernel_manager,
            kernel_user_key(server.identity_provider),
            log=self.log,
        )
        try:
            door.open()
        except OSError as error:
            self.log.error(  # noqa: TRY400 - words; a traceback says nothing more
                "Notebooks cannot use the chat from code, only its widget: the file %s cannot be "
                "written (%s). Make its directory writable and restart the server.",
                door.path,
                error,
            )
        self._cleanup.push_async_callback(door.close)
        self._cleanup.push_async_callback(self._sockets.close)
        self._cleanup.push_async_callback(self._hub.close)
        server.io_loop.add_callback(self._warm)

    def initialize_handlers(self) -> None:
        """Add the two routes."""
        self.handlers.extend(
            [
                (
                    r"/streamchat/ws",
                    RelayHandler,
                    {"sockets": self._sockets, "recheck_s": self.login_recheck},
                ),
                (r"/streamchat/models", ModelsHandler, {"hub": self._hub}),
            ]
        )

    async def stop_extension(self) -> None:
        """End every run, say goodbye, and leave nothing behind."""
        if self._cleanup is not None:
            await self._cleanup.aclose()

    def current_activity(self) -> dict[str, Any] | None:
        """Keep the server from being culled while a run goes on."""
        runs = 0 if self._hub is None else self._hub.active_runs
        return {"streamchat runs": runs} if runs else None

    def _store(self) -> Store:
        if self.database == IN_MEMORY:
            return MemoryStore()
        try:
            return SQLiteStore(database_path(self.database), log=self.log)
        except Internal as error:
            self.log.error("%s", error.message)  # noqa: TRY400 - the words say it all
            # Not a store in memory: nobody should lose what they believe is kept.
            return UnavailableStore(error)

    async def _warm(self) -> None:
        """Import the SDKs now, beside the loop: the first prompt should not wait for them."""
        try:
            await self._registry.warm()
        except asyncio.CancelledError:
            raise
        except Exception:
            self.log.exception("Providers could not be prepared")
