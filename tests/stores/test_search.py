"""Search: the conversations that hold all of some words, whatever their case and accents."""

from __future__ import annotations

import unicodedata
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamchat_relay.model import TextDelta, TitleChanged
from streamchat_relay.protocol.codec import encode
from streamchat_relay.relay.ports import Keeper
from streamchat_relay.stores import MemoryStore, SQLiteStore
from streamchat_relay.stores import search as search_module
from streamchat_relay.stores.summary import Summary
from streamchat_relay.stores.words import FOUND_LENGTH, MOST_LENGTH, Words, fold, searched
from tests.stores.test_deletion import Time, talk


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Keeper]:
    make: dict[str, Callable[[], Keeper]] = {
        "memory": lambda: MemoryStore(now=Time()),
        "sqlite": lambda: SQLiteStore(tmp_path / "db.sqlite3", now=Time()),
    }
    made = make[request.param]()
    yield made
    await made.close()


async def found(store: Keeper, search: str, user: str = "ada") -> dict[str, str]:
    told = await store.conversations(user, limit=9, search=search)
    return {one.id: one.found for one in told}


async def test_prompts_answers_and_titles_are_searched(store: Keeper) -> None:
    store.append("ada", "c1", "e1", 1, talk("Tides of the sea"))
    store.append("ada", "c2", "e2", 1, talk("Gardens", run="r2"))
    title = encode(TitleChanged(t=0, title="Roses"))
    store.append("ada", "c2", "e2", 5, [title])
    assert await found(store, "tides") == {"c1": ""}
    assert await found(store, "about gardens") == {"c2": "Gardens"}
    assert await found(store, "roses") == {"c2": ""}
    assert await found(store, "tides roses") == {}
    assert set(await found(store, "about")) == {"c1", "c2"}
    assert await found(store, "about", user="bob") == {}


async def test_case_and_accents_make_no_difference(store: Keeper) -> None:
    store.append("ada", "c1", "e1", 1, talk("Über die Élan-Größe und Зима"))
    for search in ("uber", "ÜBER", "elan", "ÉLAN", "größe", "GRÖSSE"[:3], "зима", "ЗИМА"):
        assert set(await found(store, search)) == {"c1"}, search
    assert await found(store, "u\u0308ber") == {"c1": ""}


async def test_an_answer_is_found_over_the_seams_of_its_deltas_and_as_it_grows(
    store: Keeper,
) -> None:
    message, start, _, finish = talk("A question")
    deltas = [encode(TextDelta(run="r1", t=1, part="1", delta=text)) for text in ("xylo", "phone")]
    store.append("ada", "c1", "e1", 1, [message, start, deltas[0]])
    assert set(await found(store, "xylo")) == {"c1"}
    store.append("ada", "c1", "e1", 4, [deltas[1]])
    store.append("ada", "c1", "e1", 5, [finish])
    assert await found(store, "xylophone") == {"c1": "xylophone"}


async def test_a_search_goes_on_after_the_last_one_that_is_known(store: Keeper) -> None:
    for number in range(5):
        store.append("ada", f"c{number}", "e", 1, talk("Tides", run=f"r{number}"))
    first = await store.conversations("ada", limit=2, search="tides")
    last = first[-1]
    rest = await store.conversations("ada", limit=9, before=(last.used, last.id), search="tides")
    assert [one.id for one in [*first, *rest]] == ["c4", "c3", "c2", "c1", "c0"]


async def test_a_first_search_reads_in_steps_and_finds_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_module, "READ_BYTES", 1)
    store = SQLiteStore(tmp_path / "db.sqlite3", now=Time())
    for number in range(7):
        store.append("ada", f"c{number}", "e", 1, talk("Tides", run=f"r{number}"))
    assert len(await found(store, "tides")) == 7
    await store.close()


async def test_of_a_thousand_conversations_only_what_has_changed_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[int] = []
    read = search_module.words

    def counted(summary: Summary, lines: Iterable[bytes]) -> Words:
        reads.append(1)
        return read(summary, lines)

    monkeypatch.setattr(search_module, "words", counted)
    store = SQLiteStore(tmp_path / "db.sqlite3", now=Time())
    for number in range(1000):
        store.append("ada", f"c{number}", "e", 1, talk(f"Tide {number:04}", run=f"r{number}"))
    assert set(await found(store, "0777")) == {"c777"}
    assert len(reads) == 1000
    store.append("ada", "c5", "e", 5, talk("Moon", run="more"))
    assert set(await found(store, "moon")) == {"c5"}
    assert set(await found(store, "0005 moon")) == {"c5"}
    assert len(reads) == 1001
    await store.close()


async def test_damaged_events_cost_only_their_own_words(store: Keeper) -> None:
    broken = [b'{"type":"text-delta","delta":7}', b'{"type":"message","message":"\xff"}']
    store.append("ada", "c1", "e1", 1, [*broken, *talk("Tides")])
    assert set(await found(store, "tides")) == {"c1"}


async def test_of_a_huge_conversation_the_beginning_is_searched(store: Keeper) -> None:
    message, start, _, finish = talk("First")
    long = encode(TextDelta(run="r1", t=1, part="1", delta="x" * MOST_LENGTH + " last"))
    store.append("ada", "c1", "e1", 1, [message, start, long, finish])
    assert set(await found(store, "first")) == {"c1"}
    assert await found(store, "last") == {}


@given(st.text(), st.text(min_size=1))
def test_folding_keeps_every_place_so_that_what_was_found_can_be_shown(
    before: str, wanted: str
) -> None:
    plain = unicodedata.normalize("NFC", f"Title\n{before} {wanted}".replace("\r", " "))
    words = Words(plain, fold(plain))
    assert len(words.folded) == len(words.plain)
    for word in searched(wanted):
        told = words.found([word])
        assert word in fold("Title") or word in fold(told) or len(word) > FOUND_LENGTH // 2
