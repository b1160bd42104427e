"""A log gives back what was appended, however long it is, and takes little memory for it."""

from __future__ import annotations

import gc
import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamchat_relay.model import TextDelta
from streamchat_relay.protocol.codec import decode_event, encode
from streamchat_relay.protocol.frames import JOIN_BYTES
from streamchat_relay.relay import log as log_module
from streamchat_relay.relay.log import Log
from streamchat_relay.relay.spool import Spool
from tests.fakes.relay import FakeTransport, events_in


def delta(number: int, text: str = "x") -> TextDelta:
    return TextDelta(run="r1", t=number, part="1", delta=text)


def everything(log: Log, after: int = 0) -> list[bytes]:
    events: list[bytes] = []
    while after + len(events) < log.head:
        events += log.slice(after + len(events))
    assert log.slice(log.head) == []
    return events


sizes = st.lists(st.integers(0, 150_000), min_size=1, max_size=12)
batches = st.lists(sizes, max_size=8)


@given(batches, st.lists(st.tuples(sizes, st.booleans()), max_size=3), st.data())
def test_every_event_and_every_size_is_there_from_any_place(
    appended: list[list[int]], restored: list[tuple[list[int], bool]], data: st.DataObject
) -> None:
    log, events = Log("c1", "e1"), []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(log_module, "IN_MEMORY_BYTES", 200_000)
        for some, small in restored:
            lines = [encode(delta(1, "x" * (size % 100 if small else size))) for size in some]
            log.restore(b"\n".join(lines))
            events += lines
        for batch in appended:
            log.append([delta(2, "é" * (size // 2)) for size in batch])
            events += [encode(delta(2, "é" * (size // 2))) for size in batch]
    assert log.head == len(events)
    assert log.total == sum(map(len, events))
    after = data.draw(st.integers(0, len(events)))
    assert everything(log, after) == events[after:]
    assert log.size(after) == sum(map(len, events[:after]))
    begin, transport = after, FakeTransport()
    while after < log.head:
        frame, to = log.joined(after)
        transport.write((frame,))
        assert sum(map(len, events[after:to])) <= JOIN_BYTES or to == after + 1
        after = to
    assert events_in(transport.frames) == list(map(json.loads, events[begin:]))


def test_a_log_of_any_length_takes_little_memory() -> None:
    log = Log("c1", "e1")
    gc.collect()
    tracemalloc.start()
    for number in range(2000):
        log.append([delta(number, f"{number:010}" * 1600)])
    gc.collect()
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert log.total > 32e6
    assert taken < 1.5e6


def test_without_room_on_the_disk_a_log_stays_in_memory_and_says_so_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    full = True
    put = Spool.put

    def may_fail(spool: Spool, data: bytes) -> int:
        if full:
            raise OSError("no space left")
        return put(spool, data)

    monkeypatch.setattr(Spool, "put", may_fail)
    log = Log("c1", "e1")
    for number in range(300):
        log.append([delta(number, "x" * 10_000)])
    assert [decode_event(event) for event in everything(log)] == [
        delta(number, "x" * 10_000) for number in range(300)
    ]
    assert caplog.text.count("no space left") == 1
    full = False
    for number in range(300, 400):
        log.append([delta(number, "x" * 10_000)])
    assert log._in_memory <= log_module.IN_MEMORY_BYTES
    assert [decode_event(event) for event in everything(log)] == [
        delta(number, "x" * 10_000) for number in range(400)
    ]
