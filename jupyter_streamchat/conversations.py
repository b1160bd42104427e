"""The conversations that the relay keeps, as a list that reads well in a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, overload

from jupyter_streamchat.connect import connect
from streamchat_relay.model import BadRequest, ConversationInfo, Overview
from streamchat_relay.model.markdown import table_cell
from streamchat_relay.model.visible import visible

if TYPE_CHECKING:
    from jupyter_streamchat.chat import Chat

MOST = 1000
"""Conversations that the relay lists at once."""
_NONE = "No conversations yet."
_OLDER = "There are older ones: `Chat.list(before=…)` with the last of these goes on."


class _Opens(Protocol):
    def __call__(self, *, conversation: str) -> Chat: ...


class KeptChat:
    """One conversation of the list; `open` goes on with it.

    `title` is its own, else the first line of its first prompt; `used` when something was last
    said, in this machine's time; `messages` counts those of all branches; `model` answered last;
    `found` is where a search found its first word, unless that is the title.
    """

    def __init__(self, info: ConversationInfo, opens: _Opens) -> None:
        self.id = info.id
        self.title = info.title
        self.messages = info.messages
        self.model = info.model
        self.found = info.found
        self.used = datetime.fromtimestamp(info.used).astimezone()
        self._opens = opens
        self._cursor = (info.used, info.id)

    def open(self) -> Chat:
        """The chat, which goes on where it was."""
        return self._opens(conversation=self.id)

    def delete(self) -> None:
        """Delete it, as `Chat.delete` does; for ten minutes `restore` takes that back."""
        connect().delete(self.id)

    def restore(self) -> None:
        """Take its deletion back; raises `NotFound` where it is too late."""
        connect().restore(self.id)

    def __repr__(self) -> str:
        return f"<{self.id} {visible(self.title)!r}, used {_when(self.used)}>"


class Conversations(Sequence[KeptChat]):
    """A user's conversations, the one used last first, as a read-only list.

    `more` says that there are older ones than the last of these.
    """

    def __init__(self, told: Overview, opens: _Opens) -> None:
        self.more = told.more
        self._kept = tuple(KeptChat(one, opens) for one in told.conversations)

    @overload
    def __getitem__(self, index: int) -> KeptChat: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[KeptChat]: ...
    def __getitem__(self, index: int | slice) -> KeptChat | Sequence[KeptChat]:
        return self._kept[index]

    def __len__(self) -> int:
        return len(self._kept)

    def __repr__(self) -> str:
        if not self._kept:
            return _NONE
        rows = [("", "last used", "messages", "model", "title"), *self._rows()]
        widths = [max(len(row[at]) for row in rows) for at in range(4)]
        lines = [
            f"{row[0]:>{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]:>{widths[2]}}  "
            f"{row[3]:<{widths[3]}}  {row[4]}".rstrip()
            for row in rows
        ]
        return "\n".join([*lines, _OLDER] if self.more else lines)

    def _repr_markdown_(self) -> str:
        if not self._kept:
            return _NONE
        lines = ["|  | title | last used | messages | model |", "|--:|:--|:--|--:|:--|"]
        for number, used, messages, model, title in self._rows():
            cells = [number, table_cell(title), used, messages, table_cell(model)]
            lines.append(f"| {' | '.join(cells)} |")
        return "\n".join([*lines, "", _OLDER] if self.more else lines)

    def _rows(self) -> list[tuple[str, str, str, str, str]]:
        return [
            (str(at), _when(one.used), f"{one.messages:,}", _line(one.model), _line(one.title))
            for at, one in enumerate(self._kept)
        ]


def overview(limit: int, before: KeptChat | None, search: str = "") -> Overview:
    """What the relay tells; raises `BadRequest` for what it would not take."""
    if not isinstance(limit, int) or not 1 <= limit <= MOST:
        raise BadRequest(f"`limit` must be a whole number from 1 to {MOST:,}, not {limit!r}.")
    if before is not None and not isinstance(before, KeptChat):
        raise BadRequest("`before` must be one of an earlier list: `Chat.list()[-1]`.")
    if not isinstance(search, str):
        raise BadRequest(f"`search` must be a str, not {type(search).__name__}.")
    return connect().overview(limit, None if before is None else before._cursor, search)  # noqa: SLF001


def _line(text: str) -> str:
    return " ".join(visible(text).split())


def _when(used: datetime) -> str:
    return f"{used:%Y-%m-%d %H:%M}"
