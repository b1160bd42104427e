"""A pump delivers every event once and in order, however its reader behaves."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from streamchat_relay.model import TextDelta
from streamchat_relay.relay.log import Log
from streamchat_relay.relay.pump import Pump
from tests.fakes.relay import FakeTransport, events_in


def delta(number: int, size: int = 1) -> TextDelta:
    return TextDelta(run="r1", t=number, part="1", delta="x" * size)


def numbers(transport: FakeTransport) -> list[Any]:
    return [event["t"] for event in events_in(transport.frames)]


steps = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.lists(st.integers(1, 300), min_size=1, max_size=4)),
        st.tuples(st.just("busy"), st.none()),
        st.tuples(st.just("drained"), st.none()),
        st.tuples(st.just("ack"), st.integers(0, 40)),
    ),
    max_size=40,
)


@given(steps, st.integers(0, 3), st.integers(100, 1500))
def test_any_reader_gets_every_event_once_and_in_order(
    given_steps: list[Any], before: int, window: int
) -> None:
    log, transport = Log("c1", "e1"), FakeTransport()
    count = 0
    for _ in range(before):
        count += 1
        log.append([delta(count)])
    pump = Pump(log, transport, 0, window=window)
    pump.advance()
    for step, value in given_steps:
        if step == "append":
            log.append([delta(count + index, size) for index, size in enumerate(value, 1)])
            count += len(value)
        elif step == "busy":
            transport.busy = True
        elif step == "drained":
            transport.busy = False
            pump.advance()
        else:
            pump.ack(value)
        assert numbers(transport) == list(range(1, len(numbers(transport)) + 1))
    transport.busy = False
    while pump.sent < log.head:
        pump.ack(pump.sent)
        pump.advance()
    assert numbers(transport) == list(range(1, count + 1))


def test_a_reader_that_keeps_up_gets_each_event_in_its_own_frame_and_one_write() -> None:
    log, transport = Log("c1", "e1"), FakeTransport()
    Pump(log, transport, 0)
    log.append([delta(number) for number in (1, 2, 3)])
    assert [(frame["from"], frame["to"]) for frame in transport.frames] == [(1, 1), (2, 2), (3, 3)]
    assert transport.writes == 1


def test_a_reader_that_lags_gets_joined_frames_of_64_kib_at_most() -> None:
    log, transport = Log("c1", "e1"), FakeTransport()
    for number in range(1, 301):
        log.append([delta(number, 1000)])
    pump = Pump(log, transport, 0)
    while pump.sent < log.head:
        pump.advance()
        pump.ack(pump.sent)
    assert numbers(transport) == list(range(1, 301))
    assert max(transport.sizes) <= 64 * 1024 + 200
    assert len(transport.frames) < 8


def test_an_event_larger_than_a_joined_frame_still_goes_out() -> None:
    log, transport = Log("c1", "e1"), FakeTransport()
    log.append([delta(1, 300_000)])
    log.append([delta(2)])
    pump = Pump(log, transport, 0)
    pump.advance()
    pump.ack(1)
    assert numbers(transport) == [1, 2]


def test_past_the_window_the_cursor_pauses_and_nobody_else_notices() -> None:
    log, quiet, eager = Log("c1", "e1"), FakeTransport(), FakeTransport()
    pump, other = Pump(log, quiet, 0), Pump(log, eager, 0)
    for number in range(1, 1001):
        log.append([delta(number, 1000)])
        other.ack(number)
    assert numbers(eager) == list(range(1, 1001))
    assert 256 * 1024 < sum(quiet.sizes) < 350 * 1024
    pump.ack(pump.sent)
    assert pump.sent > 260


def test_a_reader_cannot_acknowledge_what_it_was_not_sent() -> None:
    log, transport = Log("c1", "e1"), FakeTransport()
    pump = Pump(log, transport, 0, window=10)
    for number in (1, 2, 3):
        log.append([delta(number)])
    pump.ack(999)
    assert pump.sent == 1


def test_a_closed_pump_writes_nothing_more() -> None:
    log, transport = Log("c1", "e1"), FakeTransport()
    pump = Pump(log, transport, 0)
    pump.close()
    log.append([delta(1)])
    assert transport.frames == []
    assert log.readers == 0


def test_frames_name_the_conversation_and_the_epoch() -> None:
    log, transport = Log('c"1', "é"), FakeTransport()
    Pump(log, transport, 0)
    log.append([delta(1)])
    frame = transport.frames[0]
    assert (frame["type"], frame["conversation"], frame["epoch"]) == ("events", 'c"1', "é")
    assert json.dumps(frame["events"])
