"""Asking all providers for their models, and the default that need not wait for all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import pairwise

import pytest

from streamchat_relay.model import ModelInfo, ProviderError
from streamchat_relay.providers import listing
from streamchat_relay.providers.listing import Listing, ListingCache, Source, ask_all


class FakeLister:
    """Tells its models when `tell` is called."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._told: asyncio.Future[list[str]] = asyncio.get_running_loop().create_future()

    def tell(self, *models: str) -> None:
        self._told.set_result(list(models))

    def fail(self) -> None:
        self._told.set_exception(ProviderError(f"{self.name} fails."))

    async def models(self) -> list[tuple[ModelInfo, float]]:
        return [
            (ModelInfo(id=f"{self.name}/{model}", provider=self.name, name=model), 0.0)
            for model in await self._told
        ]


async def turns() -> None:
    """Let everything that can go on go on."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_the_default_is_certain_when_those_before_it_have_answered() -> None:
    one, two, three = listers = [FakeLister(name) for name in ("one", "two", "three")]
    heard: list[str] = []
    asked = asyncio.ensure_future(
        ask_all([Source(lister) for lister in listers], chosen=heard.append)
    )
    await turns()
    two.tell("b")
    await turns()
    assert heard == []
    one.fail()
    await turns()
    assert heard == ["two/b"]
    three.tell("c")
    found = await asked
    assert (found.default, heard) == ("two/b", ["two/b"])
    assert [problem.provider for problem in found.problems] == ["one"]


async def test_what_is_late_is_a_problem_and_is_given_up() -> None:
    quick, late = FakeLister("quick"), FakeLister("late")
    quick.tell("a")
    found = await ask_all([Source(late), Source(quick)], timeout=0.01)
    assert [model.id for model in found.models] == ["quick/a"]
    assert [problem.message for problem in found.problems] == [
        "late did not tell its models in time."
    ]
    assert found.default == "quick/a"


class Asked:
    """What a cache asks; each asking is answered by the test."""

    def __init__(self) -> None:
        self.chosen: list[Callable[[str], None]] = []
        self.answers: list[asyncio.Future[Listing]] = []

    async def __call__(self, chosen: Callable[[str], None]) -> Listing:
        self.chosen.append(chosen)
        self.answers.append(asyncio.get_running_loop().create_future())
        return await self.answers[-1]


async def test_a_known_default_does_not_wait_for_a_new_listing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listing, "FRESH", 0.0)
    asked = Asked()
    cache = ListingCache(asked, lambda: "same")
    waiting = asyncio.ensure_future(cache.default())
    await turns()
    asked.chosen[0]("one/a")
    assert await waiting == "one/a"
    assert await cache.default() == "one/a"
    await turns()
    # The new listing is asked for behind its back, and changes what is known when it comes.
    asked.answers[-1].set_result(Listing((), (), "two/b"))
    await turns()
    assert await cache.default() == "two/b"
    await cache.close()


async def test_a_changed_configuration_forgets_the_default_but_not_who_waits() -> None:
    versions = ["old"]
    asked = Asked()
    cache = ListingCache(asked, lambda: versions[-1])
    first = asyncio.ensure_future(cache.get())
    await turns()
    asked.chosen[0]("old/a")
    assert await cache.default() == "old/a"
    versions.append("new")
    second = asyncio.ensure_future(cache.default())
    third = asyncio.ensure_future(cache.get())
    await turns()
    assert len(asked.answers) == 2
    asked.answers[0].set_result(Listing((), (), "old/a"))
    asked.answers[1].set_result(Listing((), (), None))
    assert (await first).default == "old/a"
    assert await second is None
    assert (await third).default is None
    await cache.close()


async def test_a_listing_that_fails_says_so_to_who_wants_the_default() -> None:
    asked = Asked()
    cache = ListingCache(asked, lambda: "same")
    waiting = asyncio.ensure_future(cache.default())
    await turns()
    asked.answers[0].set_exception(RuntimeError("a fault"))
    with pytest.raises(RuntimeError, match="a fault"):
        await waiting


async def test_closing_gives_up_every_listing() -> None:
    asked, versions = Asked(), iter(range(10))
    cache = ListingCache(asked, lambda: next(versions))
    waiting = [asyncio.ensure_future(cache.get()) for _ in range(3)]
    await turns()
    assert all(one is not other for one, other in pairwise(asked.answers))
    await cache.close()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(result, asyncio.CancelledError) for result in results)
