"""Ports: what the relay asks of providers, stores, transports and clocks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import date
from typing import Any, NamedTuple, Protocol

import msgspec

from streamchat_relay.model import Catalog, ConversationInfo, Message, Output, ToolSpec

RESTORE_S = 600.0
"""Seconds in which the deletion of a conversation can be taken back."""


class Source(Protocol):
    """What an answer is read from: slowed down while everybody who reads the answer lags."""

    def pause(self) -> None:
        """Read no more for now; whoever sends has to wait then."""
        ...

    def resume(self) -> None:
        """Read on."""
        ...


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One generation to ask of a provider.

    `model` is the provider's own name for it; `messages` the path from the root to the prompt;
    `params` what the client set: `system`, `temperature`, `max_tokens` and whatever else the
    provider takes; `tools` what the model may call, the calls being `ToolCallOutput`s and so on.
    After calls the last message is the answer so far, with their results, to be gone on with. A
    provider that can wait enters `drawing` with what it reads the answer from,
    and stays in there while it reads.
    """

    model: str
    messages: tuple[Message, ...]
    params: dict[str, Any] = {}
    tools: tuple[ToolSpec, ...] = ()
    drawing: Callable[[Source], AbstractContextManager[object]] = nullcontext


class Sink(Protocol):
    """Where a provider pushes what it got, the moment it got it."""

    def push(self, outputs: Sequence[Output], /) -> None:
        """Take the outputs of one read from the provider's socket; never blocks, never raises."""
        ...


class Provider(Protocol):
    """Somebody who answers. One object serves all runs and keeps no state of any of them."""

    @property
    def name(self) -> str:
        """The first half of its models' ids."""
        ...

    def context(self, model: str, /) -> int | None:
        """How many tokens its model reads at once, where that is known by now."""
        ...

    async def stream(self, call: Call, sink: Sink, /) -> None:
        """Ask, and push outputs into the sink until the answer is complete.

        Returns after a `FinishOutput` was pushed; raises a `StreamChatError` otherwise.
        Cancelling it closes the connection, in every phase, before the cancellation leaves it.
        """
        ...


class Registry(Protocol):
    """All providers under their names."""

    def resolve(self, model: str, /) -> tuple[Provider, str]:
        """Split `provider/name`; raises `ModelUnknown` with the near ones named."""
        ...

    async def catalog(self) -> Catalog:
        """Ask every provider for its models; one that fails becomes a problem, not an error."""
        ...

    async def default_model(self) -> str:
        """The model for who names none."""
        ...


class StoredLog(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation as a store kept it: the epoch, and encoded events from `seq` 1.

    Each of `lines` is some of the events, a line each; best some 64 KiB together. One that is
    `deleted` and has no events is gone for good; others may be restored.
    """

    epoch: str
    lines: list[bytes]
    deleted: bool = False

    @property
    def events(self) -> list[bytes]:
        """One by one."""
        return [event for lines in self.lines for event in lines.split(b"\n")]


class Store(Protocol):
    """Where logs survive the process."""

    async def load(self, user: str, conversation: str, /) -> StoredLog | None:
        """The log with everything appended so far, or None where there is none."""
        ...

    def append(
        self, user: str, conversation: str, epoch: str, first: int, events: Sequence[bytes], /
    ) -> None:
        """Keep encoded events, the first of them numbered `first`; returns at once."""
        ...

    async def saved(self) -> None:
        """Return when everything appended so far survives the process.

        Also when that cannot be: a full disk must not end a chat. The store's log says so.
        """
        ...

    async def find_run(self, user: str, run: str, /) -> str | None:
        """The conversation that holds this run."""
        ...

    async def close(self) -> None:
        """Write what is outstanding, then let go of the file."""
        ...


class Directory(Protocol):
    """Which conversations there are; told without reading them."""

    async def conversations(
        self,
        user: str,
        /,
        *,
        limit: int,
        before: tuple[float, str] | None = None,
        search: str = "",
    ) -> Sequence[ConversationInfo]:
        """A user's conversations, the one used last first, and at most `limit`.

        `before` is where to go on: the `used` and the `id` of the last one that is known. With
        `search` those that hold all of its words, in their title, a prompt or an answer.
        """
        ...

    async def delete(self, user: str, conversation: str, /) -> bool:
        """Hide a conversation now, and let go of it when `RESTORE_S` are over.

        Again it changes nothing. False where there is none.
        """
        ...

    async def restore(self, user: str, conversation: str, /) -> bool:
        """Take a deletion back; False where there is nothing, or nothing left, to restore."""
        ...


class Keeper(Store, Directory, Protocol):
    """A store that knows what it keeps."""


class Blob(NamedTuple):
    """A kept file: `text/plain`, or the type of picture or PDF that it is, and its bytes."""

    media_type: str
    size: int


class Blobs(Protocol):
    """Where the files of prompts are kept, by user and by the SHA-256 of their bytes."""

    async def find(self, user: str, sha256: str, /) -> Blob | None:
        """What is kept, or None; it then stays long enough for a prompt that refers to it."""
        ...

    async def read(self, user: str, sha256: str, /) -> bytes | None:
        """Its bytes, or None where it is not kept."""
        ...

    async def keep(self, user: str, sha256: str, data: bytes, /) -> None:
        """Keep it; raises `TooLarge` where that is too much, `Internal` where it cannot be."""
        ...


class Account(NamedTuple):
    """Whom a call is charged to: a user's day, and a conversation."""

    user: str
    day: date
    conversation: str
    run: str


class Amount(NamedTuple):
    """Tokens, and billionths of a US dollar."""

    tokens: int = 0
    nano_usd: int = 0


class Taken(NamedTuple):
    """What was used, and what calls that go on hold."""

    used: Amount = Amount()
    held: Amount = Amount()

    @property
    def tokens(self) -> int:
        """Both."""
        return self.used.tokens + self.held.tokens

    @property
    def nano_usd(self) -> int:
        """Both."""
        return self.used.nano_usd + self.held.nano_usd


class Ledger(Protocol):
    """Where what was used is written down, so that a restart forgets nothing."""

    async def hold(self, account: Account, decide: Callable[[Taken, Taken], Amount], /) -> Amount:
        """Hold what `decide` says of the day's and the conversation's; nobody comes between.

        What it raises is raised, and nothing is held. What was held is safe before this returns.
        """
        ...

    def settle(self, account: Account, held: Amount, used: Amount, /) -> None:
        """Charge what a call used instead of what it held; returns at once."""
        ...

    async def taken(self, user: str, day: date, conversation: str, /) -> tuple[Taken, Taken]:
        """A user's day, and a conversation."""
        ...

    async def close(self) -> None:
        """Write what is outstanding, then let go of the file."""
        ...


class Transport(Protocol):
    """How frames reach one client."""

    @property
    def busy(self) -> bool:
        """True while earlier frames have not left this process."""
        ...

    def write(self, frames: Sequence[bytes], /) -> None:
        """Send each of these encoded frames as a frame of its own; never blocks."""
        ...

    def close(self, code: int, reason: str, /) -> None:
        """Close after what was written; `code` is a WebSocket close code."""
        ...


class Clock(Protocol):
    """Time that tests can own."""

    def now(self) -> float:
        """Seconds that never go back."""
        ...

    async def sleep(self, seconds: float, /) -> None:
        """Return so many seconds later."""
        ...
