"""The only place that decides how this process reaches a relay: for now, its Jupyter server's."""

from __future__ import annotations

import os
import threading

from jupyter_streamchat import discovery
from jupyter_streamchat.client import RelayClient
from jupyter_streamchat.discovery import Address
from jupyter_streamchat.errors import RelayNotFound
from jupyter_streamchat.loop import background

_HOW = (
    "Run `pip install jupyter-streamchat` in the environment of the Jupyter *server*, then restart "
    "the server and this kernel, and open the notebook in its JupyterLab or Notebook 7: a kernel "
    "that was started in another way has no relay. JupyterHub works, too; VS Code, Colab and other "
    "hosts without a Jupyter server of their own come later."
)
NO_KERNEL = f"No jupyter_streamchat relay found: this is not a kernel of a Jupyter server. {_HOW}"
NO_SERVER = (
    "No jupyter_streamchat relay found: no running Jupyter server with the jupyter_streamchat "
    f"extension says that this kernel is its own. {_HOW}"
)

_guard = threading.Lock()
_client: RelayClient | None = None


def connect() -> RelayClient:
    """The connection of this process, made when first asked for.

    Looks for the relay, which takes milliseconds when there is one and at most about two seconds
    when there is none. Raises `RelayNotFound`, whose message says what to install or start.
    """
    global _client  # noqa: PLW0603 - one connection a process, shared by all chats
    with _guard:
        if _client is not None and _client.usable:
            return _client
        kernel = discovery.kernel_id()
        if kernel is None:
            raise RelayNotFound(NO_KERNEL)

        async def resolve() -> Address | None:
            return await discovery.find(kernel)

        loop = background()
        if loop.run(resolve()) is None:
            raise RelayNotFound(NO_SERVER)
        _client = RelayClient(loop, resolve)
        return _client


def disconnect() -> None:
    """Close the connection, if there is one; the next use makes a new one."""
    global _client  # noqa: PLW0603 - see `connect`
    with _guard:
        if _client is not None:
            _client.close()
            _client = None


def _after_fork() -> None:
    # The guard may have been held by a thread that does not exist in the child.
    global _guard  # noqa: PLW0603
    _guard = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
