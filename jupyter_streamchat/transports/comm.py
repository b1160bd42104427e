"""The kernel's end of a widget's comm: the frames of its pages to and from the relay beside it.

The carriage is described in `docs/PROTOCOL.md`; `js/src/transport/comm.ts` is the other end.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import json
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import msgspec

from jupyter_streamchat.transports.relay import Connected, Relay
from streamchat_relay.protocol.frames import JOIN_BYTES

LINK = "link"
"""The `type` of the custom messages that are ours."""

PACE_S = 1 / 30
"""Between two messages of a widget: jupyter_server drops what is beyond 1,000 a second in all."""

SIGN_S = 5.0
"""A link that has nothing to say says so, since a message that was lost shows by the next one."""

SILENT_S = 180.0
"""A page says something every 30 s, or every minute where its tab is hidden. One that is silent for
so long, while others are heard, is gone."""

GRACE_S = 5.0
"""While the kernel computed nobody was heard; what waited then arrives within this."""

WINDOW_BYTES = 4 * 2**20
"""A kernel that computes may hear no acknowledgement for minutes, and the answer should go on."""

_log = logging.getLogger(__name__)

Call = Callable[[Callable[[], object]], None]
"""Runs a function on the relay's event loop soon."""


class _Said(msgspec.Struct, frozen=True):
    """What a page sends."""

    link: str
    n: int = 0
    frames: tuple[dict[str, Any], ...] = ()
    closed: bool = False


class WidgetLinks:
    """The links of all pages that show one widget, each with a connection of its own.

    `send` sends a custom message to all of them, from any thread. What a page sends goes into
    `received`. Everything else happens on the relay's loop, so that answers reach the pages while
    the kernel computes.
    """

    def __init__(
        self,
        relay: Relay,
        send: Callable[[dict[str, Any]], object],
        *,
        call: Call,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._relay = relay
        self._send = send
        self._call = call
        self._clock = clock
        self._links: dict[str, _Link] = {}
        self._closed = False
        self._look: asyncio.TimerHandle | None = None

    def received(self, content: object) -> None:
        """Take what a page sent; returns at once, from any thread."""
        try:
            said = msgspec.convert(content, _Said)
        except msgspec.ValidationError:
            return
        self._call_if_open(partial(self._take, said))

    def close(self) -> None:
        """The widget is gone; from any thread."""
        self._call_if_open(self._close)

    def _call_if_open(self, function: Callable[[], object]) -> None:
        # A widget may outlive the loop, when the process ends.
        with contextlib.suppress(RuntimeError):
            self._call(function)

    # Everything below runs on the loop.

    def tell(self, message: dict[str, Any]) -> None:
        """Send a message to the pages."""
        try:
            self._send({"type": LINK, **message})
        except Exception:  # noqa: BLE001 - whatever the host's comm does when it is closed
            _log.debug("A message to a widget was lost", exc_info=True)

    def pace(self) -> float:
        """Seconds between two messages of one link."""
        # Of many, most belong to pages that are gone.
        return PACE_S * min(max(1, len(self._links)), 3)

    def drop(self, name: str, code: int | None) -> None:
        """Close a link, and tell its page why."""
        self.tell({"link": name, "closed": code})
        self._forget(name)

    def _take(self, said: _Said) -> None:
        if self._closed:
            return
        now = self._clock()
        link = self._links.get(said.link)
        if said.closed:
            self._forget(said.link)
        elif link is None and said.n != 1:
            # A page that believes in a link of before: it begins another.
            self.tell({"link": said.link, "closed": None})
        else:
            if link is None:
                link = self._links[said.link] = _Link(said.link, self, self._relay)
            link.heard_at = now
            if not link.take(said.n, said.frames):
                self.drop(said.link, None)
        if self._look is None and len(self._links) > 1:
            self._look = asyncio.get_running_loop().call_later(GRACE_S, self._drop_silent)

    def _drop_silent(self) -> None:
        self._look = None
        now = self._clock()
        for name, link in list(self._links.items()):
            if now - link.heard_at > SILENT_S:
                self.drop(name, None)

    def _forget(self, name: str) -> None:
        link = self._links.pop(name, None)
        if link is not None:
            link.end()

    def _close(self) -> None:
        self._closed = True
        if self._look is not None:
            self._look.cancel()
        for name in list(self._links):
            self._forget(name)


class _State(enum.Enum):
    """What a link waits for before its next message."""

    NOTHING = "nothing"
    """For something to say."""
    TURN = "turn"
    """For the end of this turn of the loop: what is said in one goes into one message."""
    PACE = "pace"
    """For its time to come."""


class _Link:
    """One page's link: the relay's transport on one side, numbered messages on the other.

    While a link waits for its time it is busy, so that the relay leaves what is appended meanwhile
    in the log, and gives it joined afterwards.
    """

    def __init__(self, name: str, owner: WidgetLinks, relay: Relay) -> None:
        self.heard_at = 0.0
        self._name = name
        self._owner = owner
        self._loop = asyncio.get_running_loop()
        self._state = _State.NOTHING
        self._next: asyncio.Handle | None = None
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._sent = 0
        # The page's last message, and the last that the page knows to be taken.
        self._got = 0
        self._told = 0
        self._inbox: asyncio.Queue[str] = asyncio.Queue()
        self._connection: Connected = relay.connect(self, window=WINDOW_BYTES)
        self._carrying = asyncio.ensure_future(self._carry())

    # What a page said.

    def take(self, number: int, frames: Sequence[dict[str, Any]]) -> bool:
        """Take the page's next message; false where one before it is missing, or none is read."""
        if number > self._got + 1:
            return False
        if number == self._got + 1:
            try:
                texts = [_text(frame) for frame in frames]
            except RecursionError:
                return False
            self._got = number
            for text in texts:
                self._inbox.put_nowait(text)
            self._say_soon()
        return True

    async def _carry(self) -> None:
        while True:
            await self._connection.receive(await self._inbox.get())

    # What the relay says.

    @property
    def busy(self) -> bool:
        """Whether the next message has to wait, or is full."""
        return self._state is _State.PACE or self._size >= JOIN_BYTES

    def write(self, frames: Sequence[bytes]) -> None:
        """Put frames into the next message."""
        self._waiting.extend(frames)
        self._size += sum(map(len, frames))
        self._say_soon()

    def close(self, code: int, _reason: str) -> None:
        """Close after what was written."""
        while self._waiting:
            self._say()
        self._owner.drop(self._name, code)

    def end(self) -> None:
        """Say nothing more."""
        if self._next is not None:
            self._next.cancel()
        self._carrying.cancel()
        self._connection.closed()

    def _say_soon(self) -> None:
        if self._state is _State.NOTHING:
            self._wait(_State.TURN, self._loop.call_soon(self._say))

    def _say(self) -> None:
        frames: list[Any] = []
        size = 0
        while self._waiting and (not frames or size + len(self._waiting[0]) <= JOIN_BYTES):
            frame = self._waiting.popleft()
            size += len(frame)
            frames.append(msgspec.json.decode(frame))
        self._size -= size
        self._sent += 1
        self._told = self._got
        self._owner.tell(
            {"link": self._name, "n": self._sent, "got": self._got, "frames": frames},
        )
        self._wait(_State.PACE, self._loop.call_later(self._owner.pace(), self._go_on))

    def _go_on(self) -> None:
        self._state = _State.TURN
        self._connection.drained()
        if self._waiting or self._got != self._told:
            self._say()
        else:
            self._wait(_State.NOTHING, self._loop.call_later(SIGN_S, self._say))

    def _wait(self, state: _State, until: asyncio.Handle) -> None:
        if self._next is not None:
            self._next.cancel()
        self._state, self._next = state, until


def _text(frame: dict[str, Any]) -> str:
    try:
        return msgspec.json.encode(frame).decode()
    except UnicodeEncodeError:
        # Half of a surrogate pair, as where an emoji was cut: the relay says that it is that.
        return json.dumps(frame)


def listen_while_busy(comm: Any) -> None:
    """Let what a page sends over a comm reach us while the kernel computes, where that can be.

    JupyterLab sends it to a sub-shell, a thread of the kernel's. ipykernel from 7.4 on would answer
    in the shell that used the comm last, which is the one that computes. And what a page sends is
    no cell: IPython's hooks around cells would draw the figures of one that still runs.
    """
    if hasattr(comm, "_reply_subshell_for"):
        comm._reply_subshell_for = _as_addressed  # noqa: SLF001 - a test pins it
    if hasattr(comm, "handle_msg") and hasattr(comm, "_msg_callback"):
        comm.handle_msg = partial(_handle, comm)


def _as_addressed(_data: object, addressed: str | None) -> str | None:
    return addressed


def _handle(comm: Any, message: Any) -> None:
    callback = comm._msg_callback  # noqa: SLF001 - as the method does
    if callback is not None:
        callback(message)
