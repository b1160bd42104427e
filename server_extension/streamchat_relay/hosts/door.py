"""The side door: a loopback listener through which kernels reach the relay of their server."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import secrets
from pathlib import Path

from jupyter_core.paths import jupyter_runtime_dir, secure_write
from tornado import httpserver, netutil, web

from streamchat_relay.hosts.openai_api import (
    BASE,
    DoorCompletionsHandler,
    DoorModelsHandler,
)
from streamchat_relay.hosts.rest import (
    DoorConversationsHandler,
    DoorUsageHandler,
    KernelHandler,
)
from streamchat_relay.hosts.websocket import DoorHandler, KernelCheck, Sockets

DOOR_VARIABLE = "JUPYTER_STREAMCHAT_DOOR"
"""Names the file with the door's address in the environment that kernels inherit."""


class Door:
    """A second listener on 127.0.0.1, for kernels.

    A kernel has no cookie and often no token, and its server may speak TLS under another name. The
    door asks for none of that: it wants the capability from a file that only the owner can read.
    """

    def __init__(
        self,
        sockets: Sockets,
        runs_kernel: KernelCheck,
        user: str,
        *,
        runtime_dir: Path | None = None,
        log: logging.Logger | None = None,
    ) -> None:
        self._capability = secrets.token_urlsafe(32)
        self._log = log or logging.getLogger(__name__)
        pid = os.getpid()
        self.path = (runtime_dir or Path(jupyter_runtime_dir())) / f"streamchat-{pid}.json"
        secret = {"capability": self._capability, "runs_kernel": runs_kernel}
        at_hub = {**secret, "hub": sockets.hub, "user": user}
        kernel = r"/kernel/([^/]+)"
        application = web.Application(
            [
                (r"/streamchat/ws", DoorHandler, {**secret, "sockets": sockets, "user": user}),
                (r"/streamchat/usage", DoorUsageHandler, at_hub),
                (r"/streamchat/conversations", DoorConversationsHandler, at_hub),
                (r"/streamchat/kernel/([^/]+)", KernelHandler, secret),
                (rf"{kernel}{BASE}/chat/completions", DoorCompletionsHandler, at_hub),
                (rf"{kernel}{BASE}/models", DoorModelsHandler, at_hub),
            ],
            log_function=_quiet,
        )
        self._server = httpserver.HTTPServer(application)
        self.url = ""

    def open(self) -> None:
        """Listen on a free port and leave the address where kernels look."""
        listening = netutil.bind_sockets(0, "127.0.0.1")
        self._server.add_sockets(listening)
        self.url = f"http://127.0.0.1:{listening[0].getsockname()[1]}"
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with secure_write(str(self.path)) as file:
            json.dump({"url": self.url, "capability": self._capability, "pid": os.getpid()}, file)
        os.environ[DOOR_VARIABLE] = str(self.path)

    async def close(self) -> None:
        """Stop listening and take the address away."""
        self._server.stop()
        # A file that is left behind names a listener that is gone; kernels look past it.
        with contextlib.suppress(OSError):
            self.path.unlink()
        if os.environ.get(DOOR_VARIABLE) == str(self.path):
            del os.environ[DOOR_VARIABLE]
        await self._server.close_all_connections()


def _quiet(_handler: web.RequestHandler) -> None:
    """Say nothing of single requests: they are kernels looking for their server."""
