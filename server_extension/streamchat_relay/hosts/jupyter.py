"""The Jupyter server extension: composes the relay and hangs it into the server."""

from __future__ import annotations

import asyncio
import os
import threading
from contextlib import AsyncExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Any

from jupyter_core.paths import jupyter_config_dir
from jupyter_server.auth import IdentityProvider
from jupyter_server.extension.application import ExtensionApp
from traitlets import Bool, Dict, Float, Unicode

from streamchat_relay.hosts import process
from streamchat_relay.hosts.audit import Audit
from streamchat_relay.hosts.blobs import BlobHandler
from streamchat_relay.hosts.door import Door
from streamchat_relay.hosts.identity import kernel_user_key, saver_key
from streamchat_relay.hosts.openai_api import BASE, CompletionsHandler, OpenAIModelsHandler
from streamchat_relay.hosts.rest import ConversationsHandler, ModelsHandler, UsageHandler
from streamchat_relay.hosts.rules import RulesTraits
from streamchat_relay.hosts.saving import Saving
from streamchat_relay.hosts.websocket import RelayHandler, Sockets
from streamchat_relay.model import Conversation, Internal
from streamchat_relay.providers import ProviderRegistry, RegistrySettings
from streamchat_relay.relay.files import MOST_BYTES
from streamchat_relay.relay.hub import Hub
from streamchat_relay.relay.ports import Blobs, Keeper
from streamchat_relay.stores import (
    FileBlobs,
    MemoryBlobs,
    MemoryStore,
    SQLiteLedger,
    SQLiteStore,
    UnavailableStore,
)
from streamchat_relay.stores.blobs import blob_directory
from streamchat_relay.stores.database import database_path
from streamchat_relay.stores.sqlite import REPLAY_S

IN_MEMORY = ":memory:"
USAGE = "usage.sqlite3"
"""Beside the conversations: who deletes these does not get back what they cost."""


class StreamChat(RulesTraits, ExtensionApp):
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
    max_file_mib = Float(
        20.0,
        min=0.0,
        max=MOST_BYTES / 2**20,
        help="MiB that a file may have that is put into a prompt in the chat. 0: files travel "
        "inside their prompts, which are at most 9.9 MiB.",
    ).tag(config=True)
    max_files_mib = Float(
        2048.0,
        min=0.0,
        help="MiB that all files of one user may have together. 0: no limit.",
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
    replay_hours = Float(
        REPLAY_S / 3600,
        min=0,
        help="Hours that an answer replays delta by delta after its end; later it is kept as its "
        "text.",
    ).tag(config=True)
    login_recheck = Float(
        30.0,
        min=0.01,
        help="Seconds between two looks at whether the login of an open chat still stands.",
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
        # While the server goes on to start: the first prompt may come as soon as it answers.
        threading.Thread(target=self._preload, name="streamchat-preload", daemon=True).start()
        if self.hide_keys_from_kernels:
            for variable in self._registry.hidden_variables():
                os.environ.pop(variable, None)
        ledger = self._ledger()
        self._cleanup.push_async_callback(ledger.close)
        self._blobs = self._file_store()
        self._hub = Hub(
            self._store(),
            self._registry,
            blobs=self._blobs,
            rules=self.rules(ledger, self.log),
            observer=Audit(),
            log=self.log,
        )
        self._sockets = Sockets(
            self._hub,
            self.log,
            requests_per_s=self.requests_per_second,
            max_blob_bytes=self._max_blob_bytes,
        )
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
        saving = Saving(partial(_known, self._hub, server.identity_provider))
        server.contents_manager.register_pre_save_hook(saving.write)  # type: ignore[no-untyped-call]
        server.io_loop.add_callback(self._warm)

    def initialize_handlers(self) -> None:
        """Add the routes."""
        self.handlers.extend(
            [
                (
                    r"/streamchat/ws",
                    RelayHandler,
                    {"sockets": self._sockets, "recheck_s": self.login_recheck},
                ),
                (r"/streamchat/models", ModelsHandler, {"hub": self._hub}),
                (r"/streamchat/usage", UsageHandler, {"hub": self._hub}),
                (r"/streamchat/conversations", ConversationsHandler, {"hub": self._hub}),
                (
                    r"/streamchat/blobs/([0-9a-f]{64})",
                    BlobHandler,
                    {"blobs": self._blobs, "most_bytes": self._max_blob_bytes},
                ),
                (f"{BASE}/chat/completions", CompletionsHandler, {"hub": self._hub}),
                (f"{BASE}/models", OpenAIModelsHandler, {"hub": self._hub}),
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

    @property
    def _max_blob_bytes(self) -> int:
        return int(self.max_file_mib * 2**20)

    def _file_store(self) -> Blobs:
        most_bytes = int(self.max_files_mib * 2**20) or None
        if self.database == IN_MEMORY:
            return MemoryBlobs(most_bytes=most_bytes)
        return FileBlobs(blob_directory(database_path(self.database)), most_bytes=most_bytes)

    def _store(self) -> Keeper:
        if self.database == IN_MEMORY:
            return MemoryStore()
        try:
            return SQLiteStore(
                database_path(self.database),
                replay_s=self.replay_hours * 3600,
                forget=FileBlobs(blob_directory(database_path(self.database))).forget,
                log=self.log,
            )
        except Internal as error:
            self.log.error("%s", error.message)  # noqa: TRY400 - the words say it all
            # Not a store in memory: nobody should lose what they believe is kept.
            return UnavailableStore(error)

    def _ledger(self) -> SQLiteLedger:
        if self.database == IN_MEMORY:
            return SQLiteLedger(log=self.log)
        path = database_path(self.database).with_name(USAGE)
        try:
            return SQLiteLedger(path, log=self.log)
        except Internal as error:
            self.log.error("%s", error.message)  # noqa: TRY400 - the words say it all
            return SQLiteLedger(log=self.log)

    def _preload(self) -> None:
        # What it failed with, the first prompt will meet again.
        with suppress(Exception):
            self._registry.preload()

    async def _warm(self) -> None:
        """Import the SDKs now, beside the loop: the first prompt should not wait for them."""
        assert self.serverapp is not None, "an extension is warmed by its server"
        process.make_room(self.serverapp.http_server)
        process.shorten_turns()
        try:
            await self._registry.warm()
        except asyncio.CancelledError:
            raise
        except Exception:
            self.log.exception("Providers could not be prepared")
        process.settle()


def _known(hub: Hub, provider: IdentityProvider, conversation: str) -> Conversation | None:
    return hub.known(saver_key(provider), conversation)
