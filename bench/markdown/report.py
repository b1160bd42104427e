"""What a run found, as Markdown tables and as aims that were met or missed."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.markdown import bundles
from bench.markdown.measures import RIVAL, Cells, Plan
from bench.markdown.texts import TEXTS

OURS = bundles.STREAMCHAT


@dataclass
class Results:
    """All of a run; what was not run is empty."""

    plan: Plan
    ours: Path
    cells: Cells = field(default_factory=Cells)
    exponents: dict[str, dict[str, float]] = field(default_factory=dict)
    churn: dict[str, dict[str, Any]] = field(default_factory=dict)

    def sizes(self) -> dict[str, float]:
        """KB gzip of each peer's bundle; ours also without mathematics and colours."""
        paths = {peer: bundles.MADE / f"{peer}.js" for peer in self.plan.peers}
        paths |= {OURS: self.ours, f"{OURS}, core": bundles.CORE}
        return {name: bundles.gzip_kb(path) for name, path in paths.items() if path.exists()}

    def json(self) -> dict[str, Any]:
        cells: dict[str, Any] = {}
        for text, feed, peer in self.cells.values:
            one = self.cells.median(text, feed, peer)
            cells.setdefault(text, {}).setdefault(feed, {})[peer] = one
        return {
            "rounds": self.plan.rounds,
            "cells": cells,
            "exponents": self.exponents,
            "churn": self.churn,
            "gzip_kb": self.sizes(),
        }

    def cost(self, text: str, feed: str, peer: str, figure: str) -> Cost | None:
        """What the whole text costs; where it was cut off, at least so much."""
        one = self.cells.median(text, feed, peer)
        if one is None or figure not in one:
            return None
        if figure.startswith("longest"):
            return Cost(one[figure], bound=one["share"] < 1)
        # A frame never becomes cheaper while the text grows, so the rest costs at least as much.
        return Cost(one[figure] / (one["share"] or 1), bound=one["share"] < 1)


@dataclass(frozen=True)
class Cost:
    """Milliseconds; `bound`: at least."""

    ms: float
    bound: bool

    def __str__(self) -> str:
        return f"{'> ' if self.bound else ''}{self.ms:,.0f}"


def tables(found: Results) -> str:
    """Task time, script and layout for each text and peer, and ours against each."""
    peers = found.plan.peers
    made = []
    for title, figure in (
        ("main thread, ms", "task_ms"),
        ("script, style and layout, ms", "work_ms"),
        ("longest flush, ms", "longest_flush_ms"),
    ):
        head = [title, *peers] + [f"ours / {peer}" for peer in peers if peer != OURS]
        made += ["", line(head), "|---" * len(head) + "|"]
        for text in TEXTS:
            for feed in ("frames", "tokens", "scheduled"):
                costs = {peer: found.cost(text.name, feed, peer, figure) for peer in peers}
                if any(costs.values()):
                    name = text.title if feed == "frames" else f"{text.title}, {feed}"
                    cells = ["" if one is None else str(one) for one in costs.values()]
                    ratios = [ratio(costs.get(OURS), costs[peer]) for peer in peers if peer != OURS]
                    made.append(line([name, *cells, *ratios]))
    return "\n".join(made)


def line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def ratio(ours: Cost | None, theirs: Cost | None) -> str:
    """Ours against a peer; `<` where the peer's cost is a lower bound."""
    if ours is None or theirs is None or not theirs.ms:
        return ""
    sign = "?" if ours.bound else "< " if theirs.bound else ""
    return f"{sign}{ours.ms / theirs.ms:.3g}"


def verdicts(found: Results) -> str:
    """Each aim with what was reached."""
    made = []
    for text in TEXTS:
        ours, theirs = (found.cost(text.name, "frames", peer, "task_ms") for peer in (OURS, RIVAL))
        if ours and theirs:
            met = ours.ms / theirs.ms <= text.aim and not ours.bound
            made.append((met, f"{text.title}: task time / {RIVAL}", text.aim, ratio(ours, theirs)))
    ours, theirs = (found.cost(TEXTS[0].name, "tokens", peer, "flush_ms") for peer in (OURS, RIVAL))
    if ours and theirs:
        made.append((ours.ms / theirs.ms <= 2, "script a token", 2.0, ratio(ours, theirs)))
    for name, exponents in found.exponents.items():
        made.append((exponents[OURS] <= 1.1, f"exponent, {name}", 1.1, f"{exponents[OURS]:.2f}"))
    for name, peers in found.churn.items():
        if OURS in peers:
            share = peers[OURS]["created"] / peers[OURS]["final"]
            made.append((share <= 1.2, f"created / final nodes, {name}", 1.2, f"{share:.2f}"))
    core = found.sizes().get(f"{OURS}, core")
    if core is not None:
        made.append((core <= 20, "core, KB gzip", 20.0, f"{core:.1f}"))
    return "\n".join(
        ["", "| aim | at most | reached | |", "|---|---|---|---|"]
        + [
            line([name, f"{aim:g}", reached, "met" if met else "MISSED"])
            for met, name, aim, reached in made
        ]
    )
