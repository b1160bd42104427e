"""Server-sent events, bytes in and payloads out, as WHATWG HTML 9.2.6 says."""

from __future__ import annotations

MAX_EVENT = 32 * 1024 * 1024
"""Bytes of one event; more is no token but a fault."""

_BOM = b"\xef\xbb\xbf"


class EventTooLarge(ValueError):
    """An event is longer than `MAX_EVENT`."""


class SseDecoder:
    r"""Cuts a stream of bytes into events, however the network cut it before.

    >>> decoder = SseDecoder()
    >>> decoder.feed(b'data: {"a"')
    []
    >>> decoder.feed(b": 1}\n\nevent: error\ndata: x\ndata: y\n\n")
    [(b'', b'{"a": 1}'), (b'error', b'x\ny')]

    An event is `(name, data)`; the name is empty where the stream gave none. What follows the
    last blank line is no event, and is dropped with the decoder.
    """

    __slots__ = ("_last", "_parts", "_size", "_skip_newline", "_start")

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._last = b""
        self._size = 0
        self._skip_newline = False
        self._start: bytes | None = b""

    @property
    def untouched(self) -> bool:
        """True while no byte came."""
        return self._start == b""

    def feed(self, chunk: bytes) -> list[tuple[bytes, bytes]]:
        """The events that this chunk completes; raises `EventTooLarge`."""
        parts = self._parts
        if (
            chunk[:6] == b"data: " and chunk.find(b"\n") == len(chunk) - 2 and chunk[-1:] == b"\n"
            and not parts and not self._start and not self._skip_newline and b"\r" not in chunk
        ):  # fmt: skip
            # What servers mostly send: one event of one line a read.
            self._start = None
            return [(b"", chunk[6:-2])]
        if self._start is not None:
            chunk = self._without_bom(chunk)
        if self._skip_newline and chunk:
            # The carriage return that ended the last chunk was the first half of a CRLF.
            self._skip_newline = False
            if chunk[:1] == b"\n":
                chunk = chunk[1:]
        if b"\r" in chunk:
            self._skip_newline = chunk.endswith(b"\r")
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if not chunk:
            return []
        if b"\n\n" not in chunk and not (self._last == b"\n" and chunk[:1] == b"\n"):
            # No event ends here; not joined yet, so that a long event costs linear time.
            parts.append(chunk)
            self._last = chunk[-1:]
            self._size += len(chunk)
            if self._size > MAX_EVENT:
                raise EventTooLarge
            return []
        if parts:
            parts.append(chunk)
            chunk = b"".join(parts)
            parts.clear()
        blocks = chunk.split(b"\n\n")
        rest = blocks.pop()
        self._last = rest[-1:]
        self._size = len(rest)
        if rest:
            parts.append(rest)
        events = []
        for block in blocks:
            if block.startswith(b"data: ") and b"\n" not in block:
                events.append((b"", block[6:]))
            elif block:
                event = _event(block)
                if event is not None:
                    events.append(event)
        return events

    def _without_bom(self, chunk: bytes) -> bytes:
        # One leading byte order mark is ignored, also when it comes in pieces.
        start = (self._start or b"") + chunk
        if len(start) < len(_BOM) and _BOM.startswith(start):
            self._start = start
            return b""
        self._start = None
        return start.removeprefix(_BOM)


def _event(block: bytes) -> tuple[bytes, bytes] | None:
    name = b""
    data: list[bytes] = []
    for line in block.split(b"\n"):
        field, _, value = line.partition(b":")
        # "If value starts with a U+0020 SPACE character, remove it": one, not all.
        if field == b"data":
            data.append(value.removeprefix(b" "))
        elif field == b"event":
            name = value.removeprefix(b" ")
    # A block without a data line dispatches nothing.
    return (name, b"\n".join(data)) if data else None
