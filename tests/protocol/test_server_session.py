"""The server's session answers every text, and only a text that is no object ends it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamchat_relay.protocol.frames import (
    Ack,
    Fail,
    Leave,
    Models,
    Open,
    Pong,
    Send,
    Stop,
)
from streamchat_relay.protocol.server import Action, Close, ServerSession

TRANSCRIPTS = sorted((Path(__file__).parent.parent / "transcripts").glob("server-*.jsonl"))


def shown(action: Action) -> dict[str, Any]:
    if isinstance(action, Close):
        return {"close": int(action.code)}
    kind = "request" if isinstance(action, Models | Open | Leave | Send | Stop | Ack) else "write"
    return {kind: json.loads(msgspec.json.encode(action))}


def new_session() -> ServerSession:
    return ServerSession(session="s1", user="ada", version="0")


def take(session: ServerSession, step: dict[str, Any]) -> list[Action]:
    if "hello_timed_out" in step:
        return session.hello_timed_out()
    if "going_away" in step:
        return session.going_away()
    frame = step["in"]
    return session.receive(frame if isinstance(frame, str) else json.dumps(frame))


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_the_server_session_follows_the_transcript(path: Path) -> None:
    session = new_session()
    for number, line in enumerate(path.read_text("utf-8").splitlines()[1:], start=2):
        step = json.loads(line)
        assert [shown(one) for one in take(session, step)] == step["out"], f"{path.name}:{number}"


def test_there_are_transcripts_for_the_server() -> None:
    assert len(TRANSCRIPTS) >= 2


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=9,
)
kinds = st.sampled_from(
    ["hello", "models", "open", "leave", "send", "stop", "ack", "ping", "pong", "nope"]
)
names = st.sampled_from(
    [
        "id",
        "client",
        "conversation",
        "run",
        "model",
        "message",
        "parent",
        "params",
        "seq",
        "t",
        "after",
    ]
)


@given(st.text(max_size=40) | json_values.map(json.dumps))
def test_any_text_gets_an_answer_or_ends_the_connection(text: str) -> None:
    session = new_session()
    session.receive('{"type":"hello","client":"t/1"}')
    out = [shown(action) for action in session.receive(text)]
    try:
        is_object = isinstance(json.loads(text), dict)
    except ValueError:
        is_object = False
    if is_object:
        assert all("close" not in one for one in out)
    else:
        assert out == [{"close": 4400}]
        assert session.receive('{"type":"ping","t":1}') == []


@given(kinds, st.dictionaries(names, json_values, max_size=6))
def test_an_object_of_wrong_types_hurts_nothing(kind: str, fields: dict[str, Any]) -> None:
    session = new_session()
    session.receive('{"type":"hello","client":"t/1"}')
    for action in session.receive(json.dumps({**fields, "type": kind})):
        assert not isinstance(action, Close)
        one = shown(action)
        if one.get("write", {}).get("type") == "fail":
            assert one["write"]["error"]["code"] in {"bad_request", "bad_cursor"}
            frame_id = fields.get("id")
            # Others are none of ours, and are not said again.
            if isinstance(frame_id, str) and len(frame_id) <= 64 and frame_id.isascii():
                assert one["write"]["id"] == frame_id
    assert [shown(one) for one in session.receive('{"type":"ping","t":7}')] == [
        {"write": {"type": "pong", "t": 7}}
    ]


def test_json_that_is_a_hundred_thousand_deep_ends_only_its_connection() -> None:
    session = new_session()
    deep = '{"type":"hello","client":' + "[" * 100_000 + "]" * 100_000 + "}"
    assert [shown(one) for one in session.receive(deep)] == [{"close": 4400}]


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ('{"system": "\\ud83d"}', "half of a character"),
        ('{"seed": 1e999}', "number is too large"),
        (f'{{"seed": {"9" * 5000}}}', "number is too large"),
    ],
)
def test_what_is_json_but_no_text_or_number_is_refused_without_losing_the_connection(
    params: str, words: str
) -> None:
    session = new_session()
    session.receive('{"type":"hello","client":"test/1"}')
    text = '{"type":"send","id":"q1","conversation":"c1","run":"r1","params":%s}'
    (fail,) = session.receive(text % params)
    assert isinstance(fail, Fail)
    assert (fail.id, fail.error.code) == ("q1", "bad_request")
    assert words in fail.error.message
    assert session.receive('{"type":"ping","t":1}') == [Pong(t=1)]


def test_a_model_name_that_is_no_name_is_refused_and_not_repeated() -> None:
    session = new_session()
    session.receive('{"type":"hello","client":"test/1"}')
    send = {"type": "send", "id": "q1", "conversation": "c1", "run": "r1"}
    (fail,) = session.receive(json.dumps({**send, "model": "z" * 1_000_000}))
    assert isinstance(fail, Fail)
    assert (fail.id, fail.error.code) == ("q1", "bad_request")
    assert "model" in fail.error.message
    assert len(fail.error.message) < 200


@pytest.mark.parametrize("text", ['{"type":"x","id":"\\ud83d"}', '{"type":"\\ud83d","id":"q1"}'])
def test_every_answer_to_half_a_character_can_be_written(text: str) -> None:
    (fail,) = new_session().receive(text)
    assert isinstance(fail, Fail)
    assert b"bad_request" in msgspec.json.encode(fail)


@pytest.mark.parametrize("text", ['{"type":"ping","t":NaN}', '{"type":"ping","t":1}x', "[1e999]"])
def test_what_is_not_a_json_object_ends_the_connection(text: str) -> None:
    (close,) = new_session().receive(text)
    assert isinstance(close, Close)
    assert close.code == 4400
