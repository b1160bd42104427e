"""Summaries: what a list tells of a conversation, gathered from its events as they are written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from streamchat_relay.model import ConversationInfo

TITLE_LENGTH = 120
"""Characters of a title, beyond which it is cut."""

_MESSAGE, _START, _TITLE = (b'{"type":"message"', b'{"type":"start"', b'{"type":"title"')


class _Part(msgspec.Struct):
    text: str = ""
    name: str | None = None


class _Message(msgspec.Struct):
    role: str
    parts: list[_Part] = []


class _Told(msgspec.Struct):
    """What is read of such an event; of a prompt's files nothing but their names."""

    message: _Message | None = None
    model: str = ""
    title: str = ""


_told = msgspec.json.Decoder(_Told)


class Summary(NamedTuple):
    """The title that was given, the first line of the first prompt, and what was counted."""

    title: str = ""
    asked: str = ""
    messages: int = 0
    model: str = ""

    def info(self, conversation: str, used: float) -> ConversationInfo:
        """As it stands in a list."""
        return ConversationInfo(
            id=conversation,
            title=self.title or self.asked,
            used=used,
            messages=self.messages,
            model=self.model,
        )


def tells(lines: bytes) -> bool:
    """Whether these events, a line each, may change a summary: most are deltas, and do not."""
    return any(mark in lines for mark in (_MESSAGE, _START, _TITLE))


def summarized(summary: Summary, lines: bytes) -> Summary:
    """The summary after these events, a line each.

    >>> prompt = b'{"type":"message","message":{"role":"user","parts":[{"text":"Why? And how?"}]}}'
    >>> summarized(Summary(), prompt)
    Summary(title='', asked='Why? And how?', messages=1, model='')
    """
    title, asked, messages, model = summary
    for event in _events(lines, _MESSAGE):
        messages += 1
        if not asked:
            asked = _first_line(_read(event).message)
    for event in _events(lines, _START):
        messages += 1
        model = _read(event).model or model
    for event in _events(lines, _TITLE):
        title = _cut(_read(event).title)
    return Summary(title, asked, messages, model)


def _events(lines: bytes, mark: bytes) -> Iterator[bytes]:
    """The events that begin so. Within an event there is no line feed, so it is a search."""
    lines = b"\n%s\n" % lines
    at = lines.find(b"\n" + mark)
    while at >= 0:
        yield lines[at + 1 : lines.index(b"\n", at + 1)]
        at = lines.find(b"\n" + mark, at + 1)


def _read(event: bytes) -> _Told:
    try:
        return _told.decode(event)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        # An event that is damaged costs a title, not the file.
        return _Told()


def _first_line(message: _Message | None) -> str:
    if message is None or message.role != "user":
        return ""
    texts = (line for part in message.parts for line in part.text.split("\n"))
    names = (part.name for part in message.parts if part.name)
    return next(filter(None, map(_cut, texts)), "") or next(map(_cut, names), "")


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= TITLE_LENGTH else f"{line[: TITLE_LENGTH - 1]}…"
