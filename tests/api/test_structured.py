"""Structured answers: the schema that travels, the value that comes back, and what does not fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
import pydantic
import pytest

from jupyter_streamchat import AnswerMismatch, BadRequest, Chat
from jupyter_streamchat.structured import Shape
from tests.api.fake_relay import FakeRelay


class Point(msgspec.Struct):
    x: int
    y: float = 0.0


class Named(pydantic.BaseModel):
    name: str
    points: list[tuple[int, int]]


@dataclass
class Data:
    value: str


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (Point, '{"x": 1}', Point(1)),
        (Named, '{"name": "n", "points": [[1, 2]]}', Named(name="n", points=[(1, 2)])),
        (Data, '{"value": "v"}', Data("v")),
        (list[Point], '{"value": [{"x": 1}]}', [Point(1)]),
        (list[int], "[1, 2]", [1, 2]),
        (int, "7", 7),
        ({"type": "object"}, '{"any": "thing"}', {"any": "thing"}),
        (dict[str, int], '{"value": 1}', {"value": 1}),
        (Point, 'Of course!\n\n```json\n{"x": 3, "y": 1.5}\n```\nThere.', Point(3, 1.5)),
    ],
)
def test_an_answer_is_read_as_a_value_of_the_type(kind: Any, text: str, value: Any) -> None:
    assert Shape(kind).read(text) == value


@pytest.mark.parametrize("kind", [Point, Named, Data, list[Point], int, dict[str, int]])
def test_a_schema_has_an_object_and_no_reference_at_its_root(kind: Any) -> None:
    spec = Shape(kind).spec
    assert spec["schema"]["type"] == "object"
    assert "$ref" not in spec["schema"]
    assert spec["name"]


@pytest.mark.parametrize("text", ["no JSON at all", '{"x": "three"}', "[1]", "", "```json\n{\n```"])
def test_an_answer_that_does_not_fit_is_kept_in_the_error(text: str) -> None:
    with pytest.raises(AnswerMismatch, match="The answer is not Point") as mismatch:
        Shape(Point).read(text)
    assert mismatch.value.text == text


def test_a_type_that_json_cannot_hold_is_refused_before_anything_is_sent(
    relay: FakeRelay,
) -> None:
    with pytest.raises(BadRequest, match="must be a type that JSON can hold"):
        Chat().send("hi", schema=3)
    assert relay.frames == []


def test_the_schema_travels_with_its_prompt_alone_and_json_reads_the_answer(
    relay: FakeRelay,
) -> None:
    chat = Chat("fake/model")
    reply = chat.send("hi", schema=Point)
    send = relay.next_send()
    assert send.params is not None
    assert send.params["response_schema"]["name"] == "Point"
    relay.answer(send, ['{"x"', ": 4}"])
    assert reply.json() == Point(4)
    assert reply.json(schema=dict) == {"x": 4}
    chat.send("again")
    assert relay.next_send().params == {}
