"""Which cells a run has, and the medians of what they cost."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from bench.markdown import bundles
from bench.markdown.browser import (
    BIG,
    FRAMES,
    SCHEDULED,
    TOKENS,
    UNSEEN,
    Chromium,
    Feed,
    Found,
    PeerError,
)
from bench.markdown.texts import TEXTS, Text

RIVAL = "streaming-markdown"
"""The peer whose cost the aims are stated in: it gets a longer budget than the others."""
PAIR = (bundles.STREAMCHAT, RIVAL)
LONG_S = 6.0
"""A cell that takes longer is measured once, however many rounds there are."""


@dataclass(frozen=True)
class Plan:
    """What is run, and how long a part of it may take."""

    peers: tuple[str, ...]
    texts: tuple[Text, ...]
    rounds: int = 3
    ours_s: float = 60.0
    rival_s: float = 120.0
    others_s: float = 4.0
    warm_s: float = 2.0
    sizes: tuple[int, int] = (100_000, 1_000_000)
    exact_s: float = 15.0
    seeds: int = 10
    live_s: int = 10

    def budget(self, peer: str) -> float:
        """Seconds that a cell may take."""
        return {bundles.STREAMCHAT: self.ours_s, RIVAL: self.rival_s}.get(peer, self.others_s)


@dataclass
class Cells:
    """Every value that was found, by text, feed and peer."""

    values: dict[tuple[str, str, str], list[Found]] = field(default_factory=dict)
    slow: set[tuple[str, str, str]] = field(default_factory=set)

    def median(self, text: str, feed: str, peer: str) -> Found | None:
        """Median of each figure; of `share` the least."""
        found = self.values.get((text, feed, peer))
        if not found:
            return None
        failed = [one for one in found if "error" in one]
        if failed:
            return failed[0]
        figures = {name: statistics.median(one[name] for one in found) for name in found[0]}
        return {**figures, "share": min(one["share"] for one in found)}


def rounds(chromium: Chromium, plan: Plan, say: Callable[[str], None]) -> Cells:
    """All peers side by side, text by text, so many rounds."""
    cells = Cells()
    for number in range(plan.rounds):
        for text in plan.texts:
            feeds = (FRAMES, TOKENS, SCHEDULED) if text is TEXTS[0] else (FRAMES,)
            for feed in (*feeds, UNSEEN):
                for peer in plan.peers:
                    if feed is UNSEEN and peer not in PAIR:
                        continue
                    key = (text.name, feed.name, peer)
                    if key not in cells.slow:
                        one = timed(cells, chromium, plan, key, text.written(), feed)
                        say(f"{number + 1}: {text.title}, {feed.name}, {peer}: {told(one)}")
    return cells


def timed(
    cells: Cells,
    chromium: Chromium,
    plan: Plan,
    key: tuple[str, str, str],
    text: str,
    feed: Feed,
) -> Found:
    """One value more for a cell."""
    peer = key[2]
    began = time.monotonic()
    one = fed(chromium, plan, peer, text, feed)
    if time.monotonic() - began > LONG_S:
        cells.slow.add(key)
    cells.values.setdefault(key, []).append(one)
    return one


def fed(chromium: Chromium, plan: Plan, peer: str, text: str, feed: Feed) -> Found:
    """One text through one renderer, as the plan has it."""
    return chromium.feed(
        peer,
        text,
        feed,
        warm=(TEXTS[0].written(), plan.warm_s),
        budget_s=plan.budget(peer),
    )


def told(one: Found) -> str:
    """A cell in a line."""
    bound = "" if one["share"] == 1 else f", cut off at {one['share']:.0%}"
    if "error" in one:
        return str(one["error"])[:200]
    return (
        f"task {one['task_ms']:,.0f} ms in {one['frames']:,} frames,"
        f" {one['layouts']:,.0f} layouts, script {one['script_ms']:,.0f},"
        f" layout {one['layout_ms']:,.0f}, longest flush {one['longest_flush_ms']:.1f}{bound}"
    )


def exponents(
    chromium: Chromium, plan: Plan, peers: tuple[str, ...], say: Callable[[str], None]
) -> dict[str, dict[str, Found]]:
    """By text and peer: the exponent of the growth of task time between the two sizes.

    `bound`: the larger one was cut off or failed, so the exponent is more.
    """
    found: dict[str, dict[str, Found]] = {}
    for text in plan.texts:
        if text is TEXTS[0]:
            continue
        small, large = (text.make(size) for size in plan.sizes)
        for peer in peers:
            low, high = (fed(chromium, plan, peer, written, BIG) for written in (small, large))
            exponent = math.inf
            if low["share"] and high["share"]:
                growth = (high["task_ms"] / high["share"]) / (low["task_ms"] / low["share"])
                exponent = math.log(growth) / math.log(len(large) / len(small))
            bound = high["share"] < 1
            found.setdefault(text.name, {})[peer] = {"exponent": exponent, "bound": bound}
            say(f"exponent of {text.title}, {peer}: {exponent:.2f} ({told(low)}; {told(high)})")
    return found


def churn(
    chromium: Chromium, plan: Plan, say: Callable[[str], None]
) -> dict[str, dict[str, Found]]:
    """By text and peer: nodes that were created for each that is there in the end."""
    found: dict[str, dict[str, Found]] = {}
    for text in plan.texts:
        for peer in plan.peers:
            if text is TEXTS[0] or peer == bundles.STREAMCHAT:
                options: Found = {"text": text.written(), "chunk": 64, "budget": 5_000}
                try:
                    with chromium.page(peer) as page:
                        one = chromium.call(page, "churn", "churn", options, 60)
                except PeerError as error:
                    say(f"nodes of {text.title}, {peer}: {str(error)[:200]}")
                    continue
                found.setdefault(text.name, {})[peer] = one
    return found


def live(chromium: Chromium, streams: int, rate: int, seconds: int) -> Found:
    """Ours in real time, as its own frames render it: longest rendering, tasks over 50 ms."""
    options: Found = {
        "text": TEXTS[1].written(),
        "streams": streams,
        "rate": rate,
        "seconds": seconds,
    }
    with chromium.page(bundles.STREAMCHAT) as page:
        found: Found = chromium.call(page, "live", "live", options, 5 * seconds + 30)
    return found
