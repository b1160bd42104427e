"""Random events of one conversation: what a run tells of random outputs, and what no run tells.

`python -m tests.model.random_events` writes the transcript that pytest and vitest replay.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import msgspec

from streamchat_relay.model import (
    Conversation,
    Event,
    Feedback,
    FinishOutput,
    Output,
    ProviderError,
    ReasoningDelta,
    ReasoningEnd,
    ReasoningOutput,
    ReasoningStart,
    SealOutput,
    StartedMessage,
    Status,
    TextDelta,
    TextEnd,
    TextOutput,
    TextStart,
    ToolApprovalRequest,
    ToolApprovalResponse,
    ToolCallOutput,
    ToolInputAvailable,
    ToolInputDelta,
    ToolInputOutput,
    ToolInputStart,
    ToolOutputAvailable,
    ToolOutputError,
    ToolResultOutput,
    Usage,
    reduce,
)
from streamchat_relay.relay.run import Run

PATH = Path(__file__).parent.parent / "transcripts" / "reduce-random.jsonl"
VALUES = (None, 0, 1.5, True, "", "grüße", [], [None, {"a": [1]}], {}, {"a": None, "__proto__": 1})
ABOUT = (
    "Random events, made by tests/model/random_events.py: runs with tools, and what no run tells"
)


def random_events(chance: random.Random) -> Iterator[Event]:
    """Runs, one after the other, and strays of them between."""
    for number in range(12):
        run = Run(f"r{number}", StartedMessage(id=f"a{number}", role="assistant"), "x/y", "x")
        yield from _with_strays(chance, number, run_events(chance, run))


def transcript() -> str:
    """The file: every few events the state that they lead to."""
    state, lines = Conversation(), [msgspec.json.encode({"about": ABOUT})]
    for number, event in enumerate(random_events(random.Random(7)), 1):
        state = reduce(state, event)
        lines.append(msgspec.json.encode({"event": event}))
        if number % 20 == 0:
            lines.append(msgspec.json.encode({"state": state}))
    lines.append(msgspec.json.encode({"state": state}))
    return "".join(f"{line.decode()}\n" for line in lines)


def run_events(chance: random.Random, run: Run) -> Iterator[Event]:
    """What one run tells, from its start to its end."""
    yield from run.start()
    yield from run.begin(1.0, left_out=chance.randrange(2))
    t = 1.0
    for _ in range(4):
        for _ in range(chance.randrange(12)):
            t += 1
            yield from run.push([_output(chance)], t)
        run.push([FinishOutput("tool-calls", "tool_calls")], t)
        yield from run.complete(t)
        waiting = run.parts.waiting
        for call in waiting:
            if chance.random() < 0.5:
                yield from run.parts.ask(call, "d" * 3, t)
                if chance.random() < 0.7:
                    yield from run.parts.decide(call, t, allowed=chance.random() < 0.5)
        last = chance.random() < 0.3
        for call in chance.sample(waiting, len(waiting)):
            if not last or chance.random() < 0.5:
                error = chance.choice(["", "", "no"])
                output = chance.choice(VALUES)
                yield from run.parts.result(call, t, output=output, error=error)
        if last:
            break
        run.spend(Usage(input=1, output=2))
        yield from run.again(t)
    how = chance.choice(["finish", "fail", "interrupt"])
    if how == "finish":
        run.push([FinishOutput("stop", "stop")], t)
        yield from run.finish(t, input_tokens=3)
    elif how == "fail":
        yield from run.fail(ProviderError("It failed."), t)
    else:
        run.stop()
        yield from run.interrupt("user", t)


def _output(chance: random.Random) -> Output:
    call = chance.choice("abc")
    made: list[Output] = [
        TextOutput(chance.choice(["", "x", "ü\n"])),
        ReasoningOutput(chance.choice(["", "hm"])),
        SealOutput({"x": {"y": 1}}),
        ToolCallOutput(call, chance.choice(["add", "", "a.b"]), chance.choice([None, {"x": {}}])),
        ToolInputOutput(call, chance.choice(['{"a":', "1}", "{}", "x"])),
        ToolInputOutput(call, chance.choice(['{"a":1}', "", "{}"])),
        ToolResultOutput(call, chance.choice(VALUES), chance.choice(["", "no"])),
    ]
    return chance.choice(made)


def _with_strays(chance: random.Random, number: int, told: Iterator[Event]) -> Iterator[Event]:
    """What a log that lost its beginning could hold: any event for any part, at any time."""
    for event in told:
        yield event
        if chance.random() < 0.2:
            run = chance.choice([f"r{number}", "r0", "nobody"])
            yield _stray(chance, run, str(chance.randrange(6)))


def _stray(chance: random.Random, run: str, part: str) -> Event:
    of = {"run": run, "part": part, "t": 9.0}
    made: list[Event] = [
        TextStart(**of),
        TextDelta(**of, delta="s"),
        TextEnd(**of),
        ReasoningStart(**of),
        ReasoningDelta(**of, delta="s"),
        ReasoningEnd(**of, provider_metadata=chance.choice([None, {"s": 1}])),
        ToolInputStart(**of, name="s", round=chance.randrange(3)),
        ToolInputDelta(**of, delta="s"),
        ToolInputAvailable(**of, name="s", input=chance.choice(VALUES)),
        ToolApprovalRequest(**of, digest="s"),
        ToolApprovalResponse(**of, allowed=chance.random() < 0.5),
        ToolOutputAvailable(**of, output=chance.choice(VALUES)),
        ToolOutputError(**of, error="s"),
        Status(run=run, t=9.0, state=chance.choice(["queued", "running"])),
        Feedback(t=0, message=run.replace("r", "a"), value=chance.choice(["up", "down", "none"])),
    ]
    return chance.choice(made)


if __name__ == "__main__":
    PATH.write_text(transcript(), "utf-8")
