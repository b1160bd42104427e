"""The frames are defined once: schema, TypeScript and transcripts agree with them."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from streamchat_relay.protocol import schema

ROOT = Path(__file__).parents[2]
TRANSCRIPTS = sorted((ROOT / "tests" / "transcripts").glob("*.jsonl"))


@pytest.mark.parametrize("path", schema.files(ROOT), ids=lambda path: path.name)
def test_generated_files_are_those_of_the_frames(path: Path) -> None:
    assert path.read_text("utf-8") == schema.files(ROOT)[path], "run `make schema`"


def validator(name: str) -> jsonschema.Draft202012Validator:
    whole = schema.json_schema()
    return jsonschema.Draft202012Validator({**whole, "$ref": f"#/$defs/{name}"})


def test_every_frame_of_the_transcripts_fits_the_schema() -> None:
    server, client, event = map(validator, ("ServerFrame", "ClientFrame", "Event"))
    seen = 0
    for path in TRANSCRIPTS:
        if "later-versions" in path.name:
            continue
        for line in path.read_text("utf-8").splitlines()[1:]:
            step = json.loads(line)
            for frame in (step.get("received"), *frames_out(step, "s")):
                if isinstance(frame, dict):
                    server.validate(frame)
                    seen += 1
            for frame in frames_out(step, "c"):
                client.validate(frame)
                seen += 1
            if "event" in step:
                event.validate(step["event"])
                seen += 1
    assert seen > 100


def frames_out(step: dict[str, object], side: str) -> list[object]:
    """What is written: by a client where the step is a client's, else by the server."""
    out = step.get("out")
    if not isinstance(out, list):
        return []
    by_client = any(key in step for key in ("received", "call", "connected", "tick"))
    if by_client != (side == "c"):
        return []
    return [one["write"] for one in out if "write" in one]
