"""The relay in a kernel, and its carriage over a widget's comm."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest

from jupyter_streamchat.transports import comm as carriage
from streamchat_relay.hosts.comm import KernelRelay
from streamchat_relay.protocol.frames import JOIN_BYTES
from tests.fakes import page as fake_page
from tests.fakes.page import Comm, Page
from tests.fakes.relay import FakeCall, FakeProvider, FakeRegistry

SEEDS = 25


@pytest.fixture
def provider() -> FakeProvider:
    return FakeProvider()


@pytest.fixture
async def relay(provider: FakeProvider) -> AsyncIterator[KernelRelay]:
    made = KernelRelay(registry=FakeRegistry(provider))
    yield made
    await made.close()


@pytest.fixture
async def comm(relay: KernelRelay) -> AsyncIterator[Comm]:
    made = Comm(relay)
    yield made
    made.close()
    # It closes on the loop, in its next turn.
    await asyncio.sleep(0)


async def asked(page: Page, provider: FakeProvider, run: str = "r1") -> FakeCall:
    page.send(run)
    return await provider.next_call()


def ended(page: Page) -> bool:
    return all(record.ended_t is not None for record in page.state.runs.values())


def events(message: dict[str, Any]) -> int:
    frames = message.get("frames", ())
    return sum(len(frame["events"]) for frame in frames if frame["type"] == "events")


async def test_an_answer_reaches_the_page(comm: Comm, provider: FakeProvider) -> None:
    page = comm.page("c1")
    call = await asked(page, provider)
    call.text("Once ", "upon a time")
    call.finish()
    await page.until(lambda page: page.text == "Once upon a time" and ended(page))
    assert page.links == 1


async def test_the_first_token_leaves_at_once_and_what_comes_meanwhile_is_joined(
    comm: Comm, provider: FakeProvider
) -> None:
    page = comm.page("c1")
    call = await asked(page, provider)
    await page.until(lambda page: "r1" in page.state.runs)
    await comm.rest()
    before = len(comm.messages)
    call.text("first")
    await asyncio.sleep(0)
    assert events(comm.messages[before]) > 0
    for number in range(500):
        call.text(f" {number}")
        await asyncio.sleep(0)
    await page.until(lambda page: page.text.endswith(" 499"))
    later = [one for one in comm.messages[before + 1 :] if events(one)]
    assert sum(map(events, later)) == 500
    assert len(later) <= 3
    assert all(len(one["frames"]) == 1 for one in later)
    call.finish()


async def test_messages_are_numbered_and_say_what_was_taken(
    comm: Comm, provider: FakeProvider
) -> None:
    page = comm.page("c1")
    call = await asked(page, provider)
    call.text("a")
    call.finish()
    await page.until(lambda page: page.text == "a" and ended(page))
    assert [one["n"] for one in comm.messages] == list(range(1, len(comm.messages) + 1))
    taken = [one["got"] for one in comm.messages]
    assert taken == sorted(taken)
    # The beginning, hello, open and send.
    assert taken[-1] >= 3


async def test_there_are_about_thirty_messages_a_second_at_most(
    comm: Comm, provider: FakeProvider
) -> None:
    page = comm.page("c1")
    call = await asked(page, provider)
    # As fast as the loop can: 20 messages take as long as 20 messages may.
    while len(comm.messages) < 20:
        call.text("x")
        await asyncio.sleep(0)
    call.finish()
    gaps = [late - early for early, late in zip(comm.times, comm.times[1:], strict=False)]
    assert min(gaps) > carriage.PACE_S * 0.9


async def test_no_message_is_much_larger_than_a_joined_frame(
    comm: Comm, provider: FakeProvider
) -> None:
    page = comm.page("c1")
    call = await asked(page, provider)
    for _ in range(400):
        call.text("x" * 1000)
    call.finish()
    await page.until(lambda page: ended(page) and bool(page.text))
    assert page.text == "x" * 400_000
    sizes = [len(str(one)) for one in comm.messages]
    assert max(sizes) < 2 * JOIN_BYTES


async def test_a_page_that_acknowledges_nothing_for_long_sees_the_answer_go_on(
    comm: Comm, provider: FakeProvider
) -> None:
    page = comm.page("c1")
    call = await asked(page, provider)
    await page.until(lambda page: "r1" in page.state.runs)
    # A kernel that computes hears nothing.
    comm.loses = lambda message: "got" not in message
    for _ in range(600):
        call.text("y" * 1000)
    await page.until(lambda page: len(page.text) == 600_000)
    assert page.links == 1
    call.finish()


async def test_a_missing_number_begins_a_new_link_at_the_cursor(
    comm: Comm, provider: FakeProvider
) -> None:
    page = comm.page("c1")
    call = await asked(page, provider)
    await page.until(lambda page: "r1" in page.state.runs)
    comm.loses = lambda message: bool(events(message))
    await comm.rest()
    lost = len(comm.messages)
    call.text("lost ")
    await asyncio.sleep(0)
    assert any(map(events, comm.messages[lost:]))
    comm.loses = lambda _message: False
    call.text("found")
    await page.until(lambda page: page.text == "lost found")
    assert page.links == 2
    call.finish()


async def test_what_the_kernel_does_not_know_is_closed(comm: Comm, relay: KernelRelay) -> None:
    comm.up({"link": "from-before", "n": 7, "frames": []})
    await asyncio.sleep(0)
    assert comm.messages == [{"type": "link", "link": "from-before", "closed": None}]


@pytest.mark.parametrize(
    "content",
    [None, 7, {}, {"link": 1}, {"link": "a", "n": "1"}, {"link": "a", "n": 1, "frames": [3]}],
)
async def test_what_is_no_message_of_ours_does_nothing(comm: Comm, content: object) -> None:
    comm.links.received(content)
    await asyncio.sleep(0)
    assert comm.messages == []
    assert comm.links._links == {}


async def test_half_a_surrogate_pair_is_answered_as_over_a_socket(comm: Comm) -> None:
    comm.up({"link": "a", "n": 1, "frames": []})
    comm.up({"link": "a", "n": 2, "frames": [{"type": "hello", "client": "page/1"}]})
    ask = {"type": "send", "id": "s1", "conversation": "c1", "run": "r1", "model": "fake/one"}
    said = {"parts": [{"type": "text", "text": "cut \ud83d"}]}
    comm.up({"link": "a", "n": 3, "frames": [{**ask, "message": said}]})
    comm.up({"link": "a", "n": 4, "frames": [{"type": "models", "id": "m1"}]})
    frames: list[dict[str, Any]] = []
    while "m1" not in [frame.get("id") for frame in frames]:
        await asyncio.sleep(0)
        frames = [frame for one in comm.messages for frame in one.get("frames", ())]
    (refused,) = [frame for frame in frames if frame.get("id") == "s1"]
    assert refused["error"]["code"] == "bad_request"


async def test_what_is_too_deep_to_be_read_ends_its_link(comm: Comm) -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    comm.links.received({"link": "a", "n": 1, "frames": [{"type": "hello", "x": deep}]})
    await asyncio.sleep(0)
    assert comm.messages == [{"type": "link", "link": "a", "closed": None}]


async def test_each_page_has_its_own_link_and_one_that_is_silent_for_long_is_forgotten(
    relay: KernelRelay, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carriage, "GRACE_S", 0.0)
    now = 0.0
    comm = Comm(relay)
    comm.links._clock = lambda: now
    old, new = comm.page("c1"), comm.page("c1")
    call = await asked(new, provider)
    call.text("both")
    for page in (old, new):
        await page.until(lambda page: page.text == "both")
    old.gone()
    now = carriage.SILENT_S + 1
    while old.link in comm.links._links:
        # Whoever is still there says something.
        new._say([])
        await asyncio.sleep(0)
    assert list(comm.links._links) == [new.link]
    call.finish()
    await new.until(ended)
    comm.close()
    await asyncio.sleep(0)


async def test_a_stop_reaches_the_provider(comm: Comm, provider: FakeProvider) -> None:
    page = comm.page("c1")
    call = await asked(page, provider)
    call.text("a")
    await page.until(lambda page: page.text == "a")
    page.stop("r1")
    await page.until(ended)
    assert page.state.runs["r1"].state == "interrupted"
    assert call.closed


async def test_whatever_is_lost_the_page_shows_the_log_in_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(carriage, "PACE_S", 0.001)
    monkeypatch.setattr(carriage, "SIGN_S", 0.02)
    monkeypatch.setattr(fake_page, "SIGN_S", 0.05)
    monkeypatch.setattr(fake_page, "SILENT_S", 0.2)
    links = await asyncio.gather(*(lossy(seed) for seed in range(SEEDS)))
    assert sum(links) > 3 * SEEDS


async def lossy(seed: int) -> int:
    """Two answers over a comm that loses messages; the number of links that it took."""
    rng, provider = random.Random(seed), FakeProvider()
    relay = KernelRelay(registry=FakeRegistry(provider))
    comm = Comm(relay)
    page, witness = comm.page("c1"), comm.page("c1")
    share = rng.choice((0.05, 0.15, 0.3))
    # The witness's are never lost.
    comm.loses = lambda message: message["link"] != witness.link and rng.random() < share
    said = ""
    for run in ("r1", "r2"):
        call = await asked(page, provider, run)
        for _ in range(rng.randint(20, 60)):
            delta = rng.choice(("word ", "ä", "漢字", "\n", "\u2028", "👩‍👧")) * rng.randint(1, 40)
            said += delta
            call.text(delta)
            if rng.random() < 0.3:
                await asyncio.sleep(rng.choice((0, 0, 0.002)))
        call.finish()
    for one in (witness, page):
        await one.until(lambda one: one.text == said and len(one.state.runs) == 2 and ended(one))
    assert page.state == witness.state, seed
    assert provider.count == 2, seed
    comm.close()
    await relay.close()
    return page.links
