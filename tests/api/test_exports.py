"""What is written of a conversation, without a kernel."""

from __future__ import annotations

import json
from pathlib import Path

from jupyter_streamchat.exports import write
from streamchat_relay.model import Conversation, Feedback, Start, StartedMessage, fold


def test_json_lines_tell_what_a_person_thinks_of_an_answer(tmp_path: Path) -> None:
    events = [
        *(
            Start(
                t=0,
                run=f"r{number}",
                message=StartedMessage(id=f"a{number}", role="assistant", parent=parent),
                model="demo/fast",
                provider="demo",
            )
            for number, parent in enumerate([None, "a0"])
        ),
        Feedback(t=0, message="a1", value="down"),
    ]
    path = write(fold(Conversation(), events), None, tmp_path / "chat.jsonl")
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert [line.get("feedback") for line in lines] == [None, "down"]
