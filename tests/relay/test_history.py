"""The screen equals the log: seeded voyages through a faulty network, judged by their diaries.

`STREAMCHAT_SEEDS=17 pytest tests/relay/test_history.py` sails only the voyage of seed 17 again,
`STREAMCHAT_SEEDS=0-999` ten times as many as usual. `--log-cli-level=INFO` says how much happened.
"""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
from collections import Counter
from concurrent.futures import ProcessPoolExecutor

import pytest

from tests.relay.served import ServedRelay
from tests.relay.voyage import CUTS, Voyage

RUNS = 1000
SEEDS = "0-104"
"""Each is a voyage of eight conversations with one run or two."""
AT_ONCE = 3
STUCK_S = 100
PROCESSES = 2


async def sail(seeds: list[int]) -> tuple[list[str], Counter[str]]:
    """All these voyages on one relay; what went wrong, and how much happened."""
    wrong: list[str] = []
    total: Counter[str] = Counter()
    berths = asyncio.Semaphore(AT_ONCE)

    async def one(relay: ServedRelay, seed: int) -> None:
        async with berths:
            voyage = Voyage(relay, seed)
            sailing = asyncio.ensure_future(voyage.faults())
            if (await asyncio.wait([sailing], timeout=STUCK_S))[0]:
                faults = sailing.result()
            else:
                faults = [f"stuck: {voyage}"]
                sailing.cancel()
                await asyncio.gather(sailing, return_exceptions=True)
            wrong.extend(f"seed {seed}: {fault}" for fault in faults)
            if voyage.cuts < CUTS:
                wrong.append(f"seed {seed}: only {voyage.cuts} cuts")
            total.update(voyages=1, runs=voyage.runs, cuts=voyage.cuts)
            total.update(f"{kind} faults" for kind in voyage.kinds)
            total.update({"lost answers": voyage.lost_answers, "stops": voyage.stops})

    async with ServedRelay() as relay:
        await asyncio.gather(*(one(relay, seed) for seed in seeds))
        if not wrong:
            await asyncio.wait_for(relay.forgotten(), STUCK_S)
    return wrong, total


def _sail(seeds: list[int]) -> tuple[list[str], Counter[str]]:
    return asyncio.run(sail(seeds))


@pytest.mark.timeout(300)
def test_a_thousand_runs_cut_twenty_times_each_show_what_the_provider_sent() -> None:
    chosen = os.environ.get("STREAMCHAT_SEEDS", SEEDS)
    first, _, last = chosen.partition("-")
    seeds = list(range(int(first), int(last or first) + 1))
    # Each with a relay of its own: otherwise most of a machine would only look on.
    with ProcessPoolExecutor(PROCESSES, multiprocessing.get_context("spawn")) as pool:
        results = list(pool.map(_sail, [seeds[part::PROCESSES] for part in range(PROCESSES)]))
    wrong = [fault for faults, _ in results for fault in faults]
    total = sum((counted for _, counted in results), Counter[str]())
    logging.getLogger(__name__).info("%s", dict(total))
    assert not wrong, "\n".join(wrong[:20])
    if "STREAMCHAT_SEEDS" not in os.environ:
        assert total["runs"] >= RUNS
        assert total["cuts"] >= CUTS * total["voyages"]
        assert total["lost answers"] > 100
        assert total["stops"] > 10
