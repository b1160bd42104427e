"""A recording says what the message of its run does, however it came."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from jupyter_streamchat.recording import Recording
from streamchat_relay.model import (
    Conversation,
    FinishOutput,
    Output,
    RunEvent,
    StartedMessage,
    TextOutput,
    ToolCallOutput,
    fold,
)
from streamchat_relay.relay.run import Run
from tests.relay.test_tools import OUTPUTS


def events_of(outputs: list[Output]) -> list[RunEvent]:
    run = Run("r", StartedMessage(id="m", role="assistant"), "fake/one", "fake")
    events = [*run.start(), *run.begin(0.0)]
    for output in outputs:
        events += run.push([output], 1.0)
    events += run.push([FinishOutput("stop", "stop")], 1.0)
    return [*events, *run.finish(1.0, input_tokens=1)]  # type: ignore[list-item]


@given(
    st.lists(st.one_of(st.builds(TextOutput, st.text(max_size=3)), OUTPUTS), max_size=25), st.data()
)
def test_its_deltas_are_the_messages_text_also_after_a_snapshot(
    outputs: list[Output], data: st.DataObject
) -> None:
    events = events_of(outputs)
    at, ahead = (data.draw(st.integers(1, len(events))) for _ in range(2))
    told, missed = sorted((at, ahead))
    recording = Recording()
    for event in events[:told]:
        recording.feed(event)
    state = fold(Conversation(), events[:missed])
    recording.restore(state.runs["r"], state.messages[0])
    assert recording.text == state.messages[0].text
    for event in events[missed:]:
        recording.feed(event)
    whole = fold(Conversation(), events).messages[0].text
    assert recording.text == whole


def test_texts_between_which_tools_were_called_stand_apart() -> None:
    outputs: list[Output] = [
        TextOutput("Let me look."),
        ToolCallOutput("0", "add"),
        TextOutput("3"),
    ]
    recording = Recording()
    for event in events_of(outputs):
        recording.feed(event)
    assert recording.text == "Let me look.\n\n3"
