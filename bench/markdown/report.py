"""What a run found, as Markdown tables and as aims that were met or missed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.markdown import bundles
from bench.markdown.browser import UNSEEN
from bench.markdown.measures import RIVAL, Cells, Plan
from bench.markdown.texts import TEXTS

OURS = bundles.STREAMCHAT
NOTES = """\
Fed 64 characters a frame; *tokens*: 4 characters, a flush and a frame each; *scheduled*: 16 times
4 characters a frame, rendered when the renderer itself chooses; *out of sight*: the reader stays at
the beginning, where else the page follows the end. Processor time of the main thread,
medians. `>`: cut off, with the rest of the text counted at what the beginning cost, which is less
than it would. `<`: against such a bound. `?`: ours was cut off itself."""


@dataclass(frozen=True)
class Cost:
    """A figure; `bound`: it is at least so much."""

    value: float
    bound: bool = False

    def __str__(self) -> str:
        if math.isinf(self.value):
            return "failed"
        digits = 0 if self.value >= 100 else 1
        return f"{'> ' if self.bound else ''}{self.value:,.{digits}f}"


@dataclass
class Results:
    """All of a run; what was not run is empty."""

    plan: Plan
    ours: Path
    cells: Cells = field(default_factory=Cells)
    exponents: dict[str, dict[str, Any]] = field(default_factory=dict)
    churn: dict[str, dict[str, Any]] = field(default_factory=dict)
    exact: dict[str, Any] = field(default_factory=dict)
    live: dict[str, Any] = field(default_factory=dict)
    gzip_kb: dict[str, float] = field(default_factory=dict)

    def json(self) -> dict[str, Any]:
        """Everything, medians and single values."""
        cells: dict[str, Any] = {}
        for (text, feed, peer), values in self.cells.values.items():
            median = self.cells.median(text, feed, peer)
            one = {"median": median, "values": values}
            cells.setdefault(text, {}).setdefault(feed, {})[peer] = one
        return {
            "rounds": self.plan.rounds,
            "cells": cells,
            "exponents": self.exponents,
            "churn": self.churn,
            "exact": self.exact,
            "live": self.live,
            "gzip_kb": self.gzip_kb,
        }

    def cost(self, text: str, feed: str, peer: str, figure: str) -> Cost | None:
        """What the whole text costs; where it was cut off, at least so much."""
        one = self.cells.median(text, feed, peer)
        if one is None:
            return None
        if "error" in one or not one["share"]:
            return Cost(math.inf)
        bound = one["share"] < 1
        if figure.startswith("longest"):
            return Cost(one[figure], bound)
        # A frame does not become cheaper while the text grows, so the rest costs at least as much.
        return Cost(one[figure] / (one["share"] or 1), bound)

    def token_us(self, peer: str) -> Cost | None:
        """Microseconds of script for one token of the 8 KB answer."""
        cost = self.cost(TEXTS[0].name, "tokens", peer, "flush_ms")
        tokens = math.ceil(len(TEXTS[0].written()) / 4)
        return None if cost is None else Cost(cost.value * 1000 / tokens, cost.bound)


def line(cells: list[str]) -> str:
    """A row of a table."""
    return f"| {' | '.join(cells)} |"


def table(head: list[str], rows: list[list[str]]) -> str:
    """A table, or nothing when it has no rows."""
    return "\n".join([line(head), "|---" * len(head) + "|", *map(line, rows)]) if rows else ""


def ratio(ours: Cost | None, theirs: Cost | None) -> str:
    """Ours against a peer's."""
    if ours is None or theirs is None or not theirs.value or math.isinf(theirs.value):
        return ""
    sign = "? " if ours.bound else "< " if theirs.bound else ""
    return f"{sign}{ours.value / theirs.value:.2g}"


def times(found: Results, title: str, figure: str, against: tuple[str, ...]) -> str:
    """One figure for each text and peer, and ours against some of them."""
    peers = found.plan.peers
    rows = []
    for text in TEXTS:
        for feed in ("frames", "tokens", "scheduled", UNSEEN.name):
            costs = {peer: found.cost(text.name, feed, peer, figure) for peer in peers}
            if any(costs.values()):
                name = text.title if feed == "frames" else f"{text.title}, {feed}"
                cells = ["" if one is None else str(one) for one in costs.values()]
                ratios = [ratio(costs.get(OURS), costs[peer]) for peer in against]
                rows.append([name, *cells, *ratios])
    return table([title, *peers, *(f"ours / {peer}" for peer in against)], rows)


def held(found: Results) -> str:
    """Who changes the page in fewer frames than text comes in, for that is cheaper to do."""
    said = []
    for text in TEXTS:
        for peer in found.plan.peers:
            one = found.cells.median(text.name, "frames", peer)
            if one and "error" not in one and one["layouts"] < 0.9 * one["frames"]:
                churn = found.churn.get(text.name, {}).get(peer)
                most = f", {churn['held']:,} characters at most" if churn else ""
                share = one["layouts"] / one["frames"]
                said.append(f"{peer} in the {text.title} in {share:.0%} of its frames{most}")
    return f"Changed the page less often than text came: {'; '.join(said)}." if said else ""


def properties(found: Results) -> str:
    """What is said of each peer once."""
    rows = []
    for peer in found.plan.peers:
        churn = found.churn.get(TEXTS[0].name, {}).get(peer)
        exact = found.exact.get(peer)
        longest = found.cost(TEXTS[0].name, "tokens", peer, "longest_flush_ms")
        rows.append(
            [
                peer,
                f"{found.gzip_kb[peer]:.1f}" if peer in found.gzip_kb else "",
                str(found.token_us(peer) or ""),
                str(longest or ""),
                f"{churn['created'] / churn['final']:.1f}" if churn else "",
                score([exact["examples"]]) if exact else "",
                score(exact["glued"]) if exact else "",
            ]
        )
        if peer == OURS:
            more = f"{bundles.gzip_kb(bundles.ALL):.1f}"
            rows.append(["the same with mathematics and colours", more, *[""] * 5])
    head = ["", "KB gzip", "script a token, µs", "longest flush, ms", "nodes created / final"]
    return table([*head, "CommonMark", "glued documents"], rows)


def score(parts: list[dict[str, Any]]) -> str:
    """Right of all."""
    return f"{sum(one['right'] for one in parts):,} / {sum(one['of'] for one in parts):,}"


@dataclass(frozen=True)
class Verdict:
    """An aim, and whether it was met."""

    name: str
    aim: str
    reached: str
    met: bool

    @classmethod
    def at_most(cls, name: str, aim: float, value: float, shown: str = "") -> Verdict:
        """A figure that may not be more."""
        return cls(name, f"{aim:g}", shown or f"{value:.2f}", value <= aim)


def verdicts(found: Results) -> Iterator[Verdict]:
    """Each aim that this run can say something of."""
    for text in TEXTS:
        for feed, title in (("frames", text.title), (UNSEEN.name, f"{text.title}, {UNSEEN.name}")):
            ours, theirs = (found.cost(text.name, feed, peer, "task_ms") for peer in (OURS, RIVAL))
            if ours and theirs:
                value = math.inf if ours.bound else ours.value / theirs.value
                name = f"{title}: main thread, ours / {RIVAL}"
                yield Verdict.at_most(name, text.aim, value, ratio(ours, theirs))
    ours, theirs = found.token_us(OURS), found.token_us(RIVAL)
    if ours and theirs:
        name = f"script a token, ours / {RIVAL}"
        yield Verdict.at_most(name, 2, ours.value / theirs.value, ratio(ours, theirs))
    low, high = (f"{size / 1000:,.0f} KB" for size in found.plan.sizes)
    for text in TEXTS:
        exponents = found.exponents.get(text.name, {})
        if OURS in exponents:
            name = f"growth exponent from {low} to {high}: {text.name}"
            value, bound = exponents[OURS]["exponent"], exponents[OURS]["bound"]
            shown = f"{'> ' if bound else ''}{value:.2f}"
            yield Verdict.at_most(name, 1.1, math.inf if bound else value, shown)
    if found.live:
        one, four = found.live.values()
        yield Verdict.at_most("longest flush at 1,000 tokens/s, ms", 16, one["longest"])
        yield Verdict.at_most(
            "long tasks, four streams of 500 tokens/s", 0, four["tasks"], str(four["tasks"])
        )
    if OURS in found.plan.peers:
        yield Verdict.at_most(f"{found.ours.name}, KB gzip", 20, bundles.gzip_kb(found.ours))
    for text in TEXTS:
        churn = found.churn.get(text.name, {}).get(OURS)
        if churn:
            name = f"nodes created / final: {text.title}"
            yield Verdict.at_most(name, 1.2, churn["created"] / churn["final"])
    if OURS in found.exact:
        for title, parts in (
            ("CommonMark examples right", [found.exact[OURS]["examples"]]),
            ("glued documents right", found.exact[OURS]["glued"]),
        ):
            met = all(one["right"] == one["of"] for one in parts)
            yield Verdict(title, "all", score(parts), met)


def judged(found: Results) -> str:
    """The aims as a table."""
    rows = [
        [one.name, one.aim, one.reached, "met" if one.met else "**missed**"]
        for one in verdicts(found)
    ]
    return table(["aim", "at most", "reached", ""], rows)


def printed(found: Results) -> str:
    """All of it."""
    others = tuple(peer for peer in found.plan.peers if peer != OURS)
    parts = [
        times(found, "main thread, ms", "task_ms", others),
        times(found, "of it script, style, layout, ms", "work_ms", others),
        NOTES,
        held(found),
        properties(found),
        judged(found),
    ]
    return "\n\n".join(part for part in parts if part)
