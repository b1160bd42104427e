"""The client's session replays the transcripts that its TypeScript mirror replays too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from streamchat_relay.model import TextPart
from streamchat_relay.protocol import outcomes
from streamchat_relay.protocol.client import ClientSession
from streamchat_relay.protocol.frames import MAX_FRAME_BYTES, Before, Prompt
from streamchat_relay.protocol.outcomes import Answer

TRANSCRIPTS = sorted((Path(__file__).parent.parent / "transcripts").glob("client-*.jsonl"))


def plain(value: Any) -> Any:
    return json.loads(msgspec.json.encode(value))


def shown(outcome: outcomes.Outcome) -> dict[str, Any]:
    match outcome:
        case outcomes.Write(frame=frame):
            return {"write": plain(frame)}
        case outcomes.Answer(id=frame_id, ok=ok, error=error):
            answer = {"id": frame_id}
            if ok is not None:
                answer["ok"] = plain(ok)
            if error is not None:
                answer["error"] = plain(error)
            return {"answer": answer}
        case outcomes.Deliver():
            return {"deliver": plain(outcome)}
        case outcomes.Replace():
            return {"replace": plain(outcome)}
        case outcomes.Gone():
            return {"gone": plain(outcome)}
        case outcomes.Outdated():
            return {"outdated": True}
        case outcomes.Drop(reason=reason):
            return {"drop": reason}
        case outcomes.Retry(delay_s=delay):
            return {"retry": delay}
        case outcomes.Ended(error=error):
            return {"ended": plain(error)}
        case outcomes.Live():
            return {"live": True}


def take(session: ClientSession, step: dict[str, Any]) -> list[outcomes.Outcome]:
    if "connected" in step:
        return session.connected(step["connected"])
    if "disconnected" in step:
        return session.disconnected(step["disconnected"])
    if "tick" in step:
        return session.tick(step["tick"])
    if "received" in step:
        frame = step["received"]
        text = frame if isinstance(frame, str) else json.dumps(frame)
        return session.received(text, step["now"])
    arguments = dict(step.get("args", {}))
    if "message" in arguments:
        arguments["message"] = msgspec.convert(arguments["message"], Prompt)
    if "before" in arguments:
        arguments["before"] = msgspec.convert(arguments["before"], Before)
    return getattr(session, step["call"])(**arguments)[1]


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_the_client_session_follows_the_transcript(path: Path) -> None:
    session = ClientSession("test/1", jitter=lambda: 0.5)
    lines = path.read_text("utf-8").splitlines()
    for number, line in enumerate(lines[1:], start=2):
        step = json.loads(line)
        out = [shown(outcome) for outcome in take(session, step)]
        assert out == step["out"], f"{path.name}:{number}"
        if "deadline" in step:
            assert session.deadline() == step["deadline"], f"{path.name}:{number}"


def test_there_are_transcripts_for_the_client() -> None:
    assert len(TRANSCRIPTS) >= 5


@pytest.mark.parametrize(
    ("size", "fits"), [(MAX_FRAME_BYTES - 1000, True), (MAX_FRAME_BYTES, False)]
)
def test_a_prompt_that_no_frame_holds_fails_here_and_is_never_sent(size: int, fits: bool) -> None:
    session = ClientSession("test/1", jitter=lambda: 0)
    session.connected(0)
    message = Prompt(parts=(TextPart(text="x" * size),))
    asked, outcomes = session.send("c1", "r1", message=message)
    if fits:
        # It goes out after the greeting.
        assert outcomes == []
        return
    (answer,) = outcomes
    assert isinstance(answer, Answer)
    assert answer.id == asked
    assert answer.error is not None
    assert answer.error.code == "too_large"
