"""Calls that a library makes of its own tools: each gets one result, of what JSON can hold."""

from __future__ import annotations

import dataclasses
from typing import Any

import msgspec
import pytest
from pydantic import BaseModel

from jupyter_streamchat.functions import ToolCall, ToolResult
from jupyter_streamchat.integrations.calls import FAILED, NO_RESULT, Calls, as_json
from jupyter_streamchat.tools import MAX_RESULT


class Point(BaseModel):
    """A result of pydantic's."""

    x: int


@dataclasses.dataclass
class Place:
    """A result of the standard library's."""

    name: str


class Nothing:
    """JSON has no form for it."""

    def __repr__(self) -> str:
        return "nothing"


class Broken:
    """It fails when it is asked for its form."""

    def model_dump(self, **_: Any) -> None:
        raise RuntimeError("no")

    def __repr__(self) -> str:
        return "broken"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("text", "text"),
        ({"a": (1, None)}, {"a": [1, None]}),
        (Point(x=1), {"x": 1}),
        ([Place("Bern")], [{"name": "Bern"}]),
        (2**70, 2**70),
        (Nothing(), "nothing"),
        ({"deep": Nothing()}, "{'deep': nothing}"),
        (Broken(), "broken"),
        ("half \ud83d", "half ?"),
    ],
)
def test_a_result_is_shown_as_json_and_as_text_where_there_is_none(value: Any, shown: Any) -> None:
    assert as_json(value) == shown
    msgspec.json.encode(as_json(value))


def test_a_result_that_holds_itself_is_text() -> None:
    loop: list[Any] = []
    loop.append(loop)
    assert as_json(loop) == "[[...]]"


def test_what_is_too_large_is_shown_in_part() -> None:
    shown = as_json(["é" * MAX_RESULT])
    assert shown.startswith("['éé")
    assert shown.endswith("é…")
    assert len(msgspec.json.encode(shown)) <= MAX_RESULT
    (call,) = Calls().begin("1", "add", {"text": "x" * MAX_RESULT})
    assert list(call.arguments) == ["arguments"]


def test_results_find_their_calls_and_calls_of_one_id_are_answered_in_turn() -> None:
    calls = Calls()
    made = [
        next(calls.begin(name, "add", {"n": n})) for n, name in enumerate(("1", "", "", "1"), 1)
    ]
    assert len({call.id for call in made}) == 4
    results = [next(calls.end(name, name)) for name in ("", "1", "1", "")]
    assert [made.index(one.call) for one in results if isinstance(one, ToolResult)] == [1, 0, 3, 2]
    assert list(calls.end("1", "again")) == []
    assert list(calls.rest()) == []


def test_a_failure_is_an_error_also_where_nothing_is_said_of_it() -> None:
    calls = Calls()
    said: list[Any] = []
    for text in ("No city.", ""):
        (call,) = calls.begin("1", "add", {})
        said += calls.end("1", 3, text=text, failed=True)
        assert said[-1].call is call
    assert [(one.output, one.error) for one in said] == [(None, "No city."), (None, FAILED)]


def test_what_stays_open_gets_a_result_at_the_end() -> None:
    calls = Calls()
    (call,) = calls.begin("1", "add", {})
    assert list(calls.rest()) == [ToolResult(call, error=NO_RESULT)]
    assert list(calls.rest()) == []


def test_what_may_never_run_its_calls_shows_them_with_their_results_alone() -> None:
    calls = Calls(at_once=False)
    assert list(calls.begin("1", "add", {})) == []
    assert list(calls.begin("2", "add", {"a": 2})) == []
    call, result = calls.end("2", 3)
    assert isinstance(call, ToolCall)
    assert isinstance(result, ToolResult)
    assert (call.arguments, result.call, result.output) == ({"a": 2}, call, 3)
    assert list(calls.rest()) == []
