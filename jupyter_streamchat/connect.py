"""The only place that decides how this process reaches a relay: its server's, or one of its own."""

from __future__ import annotations

import os
import threading

from jupyter_streamchat import discovery
from jupyter_streamchat.client import RelayClient
from jupyter_streamchat.discovery import Address
from jupyter_streamchat.errors import RelayNotFound
from jupyter_streamchat.loop import BackgroundLoop, background
from jupyter_streamchat.transports.relay import Relay

PLACE_VARIABLE = "JUPYTER_STREAMCHAT_RELAY"
"""`server`: never one of this process. `kernel`: no other. Unset: the server's, if it has one."""

_HOW = (
    "Run `pip install jupyter-streamchat` in the environment of the Jupyter *server*, then restart "
    "the server and this kernel, and open the notebook in its JupyterLab or Notebook 7: a kernel "
    "that was started in another way has no server's relay."
)
_OWN = f"Or unset {PLACE_VARIABLE}, and the relay runs in this process, with the keys that it has."
NO_KERNEL = (
    "No jupyter_streamchat relay found: this is not a kernel of a Jupyter server, and "
    f"{PLACE_VARIABLE} asks for the server's. {_HOW} {_OWN}"
)
NO_SERVER = (
    "No jupyter_streamchat relay found: no running Jupyter server with the jupyter_streamchat "
    f"extension says that this kernel is its own, and {PLACE_VARIABLE} asks for that one. {_HOW} "
    f"{_OWN}"
)
AWAY = (
    "The relay of this kernel's Jupyter server does not answer. Is the server still running? "
    "Once it is again, try again; if it was restarted, restart this kernel, too."
)

_guard = threading.Lock()
_client: RelayClient | None = None
_own: tuple[BackgroundLoop, Relay] | None = None
_had_server = False


def connect() -> RelayClient:
    """The connection of this process, made when first asked for.

    Looks for the relay of this kernel's server, which takes milliseconds when there is one and at
    most about two seconds when there is none. Then the relay is one in a thread of this process,
    with the keys of its environment. `JUPYTER_STREAMCHAT_RELAY` can ask for one of the two. Raises
    `RelayNotFound`, whose message says what to do, where the server's is away or asked for in vain.
    """
    global _client, _had_server  # noqa: PLW0603 - one connection a process, shared by all chats
    with _guard:
        if _client is not None and _client.usable:
            return _client
        loop = background()
        place = os.environ.get(PLACE_VARIABLE, "")
        kernel = None if place == "kernel" else discovery.kernel_id()
        if kernel is None:
            if place == "server":
                raise RelayNotFound(NO_KERNEL)
            _client = RelayClient(loop, _own_relay(loop))
            return _client

        async def resolve() -> Address | None:
            return await discovery.find(kernel)

        if loop.run(resolve()) is not None:
            _had_server = True
            _client = RelayClient(loop, resolve)
        elif place == "server":
            raise RelayNotFound(NO_SERVER)
        elif _had_server or loop.run(discovery.expected(kernel)):
            # A chat must not go on without its conversation, because its server was slow.
            raise RelayNotFound(AWAY)
        else:
            _client = RelayClient(loop, _own_relay(loop))
        return _client


def own_relay() -> Relay | None:
    """The relay that runs in this process, if that is the one that is connected."""
    return None if _client is None else _client.relay


def disconnect() -> None:
    """Close the connection, if there is one; the next use makes a new one.

    A relay of this process ends with it, and so do its conversations.
    """
    global _client, _own, _had_server  # noqa: PLW0603 - see `connect`
    with _guard:
        if _client is not None:
            _client.close()
            _client = None
        _had_server = False
        own, _own = _own, None
    if own is not None:
        loop, relay = own
        if loop.usable:
            loop.run(relay.close())


def _own_relay(loop: BackgroundLoop) -> Relay:
    global _own  # noqa: PLW0603 - as long as the loop lives, so do the conversations
    if _own is None or _own[0] is not loop:
        # The engine is imported only where it is to run: a server's kernel has no use for it.
        from streamchat_relay.hosts.comm import KernelRelay  # noqa: PLC0415

        async def made() -> Relay:
            return KernelRelay()

        _own = (loop, loop.run(made()))
    return _own[1]


def _after_fork() -> None:
    # The guard may have been held by a thread that does not exist in the child.
    global _guard  # noqa: PLW0603
    _guard = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
