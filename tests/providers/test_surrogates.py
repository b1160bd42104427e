from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamchat_relay.model import FinishOutput, Output, ReasoningOutput, TextOutput, UsageOutput
from streamchat_relay.model.usage import Usage
from streamchat_relay.providers.surrogates import Mender
from tests.providers.kit import ENDS, WIRES, Recorder, decoded, saying

COUNTED = UsageOutput(Usage(input=1, output=1))
END = FinishOutput("stop", "stop")


def units(text: str) -> list[str]:
    """The text in UTF-16's units, as a server may cut it."""
    raw = text.encode("utf-16-le")
    pairs = [raw[at : at + 2] for at in range(0, len(raw), 2)]
    return [pair.decode("utf-16-le", "surrogatepass") for pair in pairs]


@given(
    st.text(st.sampled_from("ab\u20ac\ufeff😀👩𝛁")),
    st.lists(st.integers(1, 4), min_size=40, max_size=40),
)
def test_any_cut_between_halves_gives_the_text_of_the_whole(text: str, sizes: list[int]) -> None:
    pieces, rest = [], units(text)
    for size in sizes:
        pieces.append("".join(rest[:size]))
        rest = rest[size:]
    sink = Recorder()
    mender = Mender(sink)
    for piece in [*pieces, "".join(rest)]:
        mender.push([TextOutput(piece)])
    assert sink.text == text
    assert all(sink.batches)


@given(st.lists(st.sampled_from(["a", "\ud83d", "\ude00", "\ud83d\ud83d", "\ude00b", "😀"])))
def test_whatever_comes_can_be_encoded_and_no_character_is_lost(pieces: list[str]) -> None:
    sink = Recorder()
    Mender(sink).push([*(TextOutput(piece) for piece in pieces), END])
    expected = "".join(pieces).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    assert sink.text == expected
    assert sink.outputs[-1] == END


@pytest.mark.parametrize(
    ("outputs", "mended"),
    [
        (
            [TextOutput("\ud83d"), ReasoningOutput("\ude00")],
            [TextOutput("\ufffd"), ReasoningOutput("\ufffd")],
        ),
        ([TextOutput("\ud83d"), COUNTED, TextOutput("\ude00")], [COUNTED, TextOutput("😀")]),
        ([TextOutput("a\ud83d"), END], [TextOutput("a"), TextOutput("\ufffd"), END]),
        ([FinishOutput("other", "\ud83d")], [FinishOutput("other", "\ufffd")]),
    ],
)
def test_a_half_waits_for_its_own_kind_only(outputs: list[Output], mended: list[Output]) -> None:
    sink = Recorder()
    Mender(sink).push(outputs)
    assert sink.outputs == mended


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("pieces", [["a\ud83d", "\ude00b"], ["\ud83d", "\ude00", "!"]])
def test_a_character_that_a_server_cut_in_two_comes_whole(wire: str, pieces: list[str]) -> None:
    events = [saying(wire, json.dumps(piece)) for piece in pieces]
    whole = json.loads(json.dumps("".join(pieces)))
    assert decoded(wire, [*events, ENDS[wire]]).text == whole
