"""The calls that a library makes of its own tools, each shown with what came of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from jupyter_streamchat.functions import ToolCall, ToolResult
from jupyter_streamchat.tools import sendable
from streamchat_relay.model import MAX_RESULT

NO_RESULT = "Nothing came of it."
FAILED = "It failed, and did not say why."
_TEXT_AT_MOST = MAX_RESULT // 4
"""Characters, of which each takes four bytes at most."""


@dataclass
class _Open:
    call: ToolCall
    shown: bool


class Calls:
    """Pairs calls with their results by the library's ids.

    A call that is shown has to get a result, for the relay would have the chat's own tools run one
    without: so `rest` ends what the library left open. With `at_once=False`, for what may never
    run the calls that it makes, each is shown only together with its result.

    >>> calls = Calls()
    >>> (call,) = calls.begin("1", "add", {"a": 1})
    >>> (result,) = calls.end("1", 2)
    >>> result.call is call, result.output
    (True, 2)
    """

    def __init__(self, *, at_once: bool = True) -> None:
        self._at_once = at_once
        # In turn: some libraries give calls of one name the same id.
        self._open: dict[str, list[_Open]] = {}

    def begin(self, library_id: str, name: str, arguments: dict[str, Any]) -> Iterator[ToolCall]:
        """The library has a tool run."""
        held = as_json(arguments)
        call = ToolCall(name, held if isinstance(held, dict) else {"arguments": held})
        self._open.setdefault(library_id, []).append(_Open(call, self._at_once))
        if self._at_once:
            yield call

    def end(
        self, library_id: str, output: Any, *, text: str = "", failed: bool = False
    ) -> Iterator[ToolCall | ToolResult]:
        """The tool has returned, or `failed` as `text` says; nothing for a call that is unknown.

        `text` is also what is shown of an output that JSON cannot hold; by default its `str`.
        """
        waiting = self._open.get(library_id)
        if not waiting:
            return
        found = waiting.pop(0)
        if not found.shown:
            yield found.call
        if failed:
            yield ToolResult(found.call, error=_cut(text) or FAILED)
        else:
            yield ToolResult(found.call, as_json(output, text))

    def rest(self) -> Iterator[ToolResult]:
        """The library has ended: what it began and never told the result of."""
        for waiting in self._open.values():
            for found in waiting:
                if found.shown:
                    yield ToolResult(found.call, error=NO_RESULT)
        self._open.clear()


def as_json(value: Any, text: str = "") -> Any:
    """The value as JSON has it, and as text where JSON cannot hold it or it is too large.

    >>> as_json({"when": (1, 2)}), as_json(type)
    ({'when': [1, 2]}, "<class 'type'>")
    """
    try:
        return sendable("It", value)
    except Exception:  # noqa: BLE001 - objects of others say in their own way what they are
        return _cut(text or str(value))


def _cut(text: str) -> str:
    # Half of a surrogate pair would not travel.
    sound = text[:_TEXT_AT_MOST].encode("utf-8", "replace").decode()
    return sound if len(text) <= _TEXT_AT_MOST else f"{sound}…"
