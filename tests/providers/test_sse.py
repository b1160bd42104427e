from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamchat_relay.providers import sse
from streamchat_relay.providers.sse import EventTooLarge, SseDecoder


def reference(stream: bytes) -> list[tuple[bytes, bytes]]:
    """WHATWG HTML 9.2.6, line by line, for a whole stream."""
    stream = stream.removeprefix(b"\xef\xbb\xbf")
    lines = stream.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")[:-1]
    events: list[tuple[bytes, bytes]] = []
    name, data = b"", b""
    for line in lines:
        if not line:
            if data:
                events.append((name, data[:-1]))
            name, data = b"", b""
        elif line.startswith(b":"):
            continue
        else:
            field, _, value = line.partition(b":")
            value = value.removeprefix(b" ")
            if field == b"data":
                data += value + b"\n"
            elif field == b"event":
                name = value
    return events


def cut(stream: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(stream) + 1) for place in places), len(stream)]
    return [stream[a:b] for a, b in itertools.pairwise(edges)]


pieces = st.sampled_from(
    [b"data: x", b"data:", b"data", b"data:  y", b":ping", b"event: e", b"event", b"id: 1",
     b"retry: 3", b"\n", b"\r", b"\r\n", b"\n\n", b"\xef\xbb\xbf", b"\xc3\xa9", b": ", b"a:b"]
)  # fmt: skip
streams = st.lists(pieces, max_size=40).map(b"".join)


@given(streams, st.lists(st.integers(min_value=0), max_size=12))
def test_any_cut_of_a_stream_gives_the_events_of_the_standard(
    stream: bytes, places: list[int]
) -> None:
    decoder = SseDecoder()
    events = [event for piece in cut(stream, places) for event in decoder.feed(piece)]
    assert events == reference(stream)


@given(streams)
def test_a_stream_byte_by_byte_gives_the_events_of_the_standard(stream: bytes) -> None:
    decoder = SseDecoder()
    events = [event for byte in stream for event in decoder.feed(bytes([byte]))]
    assert events == reference(stream)


def test_an_event_that_ends_in_a_carriage_return_does_not_wait_for_a_line_feed() -> None:
    assert SseDecoder().feed(b"data: x\r\r") == [(b"", b"x")]


def test_an_event_without_its_blank_line_is_no_event() -> None:
    assert SseDecoder().feed(b"data: x\n") == []


def test_an_event_that_never_ends_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "MAX_EVENT", 100)
    decoder = SseDecoder()
    decoder.feed(b"data: " + b"0" * 90)
    with pytest.raises(EventTooLarge):
        decoder.feed(b"00000")
