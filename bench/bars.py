"""The bars: what was aimed at, and whether this run reached it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bench.relays import NODE, OURS, SDK

Figures = Mapping[str, Mapping[str, float]]
"""Figures under the relay's name, each under `scenario / figure`."""

P50_500 = "1 stream, 500 tokens/s / p50_us"
CPU_50 = "50 streams, 50 tokens/s / cpu_us_per_token"
MOST_50 = "50 streams, full rate / tokens_per_s"


@dataclass(frozen=True)
class Bar:
    """One aim. `value` raises `KeyError` where a peer was not run."""

    title: str
    value: Callable[[Figures], float]
    aim: float
    unit: str = ""
    at_least: bool = False

    def row(self, figures: Figures) -> str:
        """A line of the table: aim, what came, and whether that is enough."""
        sign = ">=" if self.at_least else "<="
        aim = f"{sign} {self.aim:g}{self.unit}"
        try:
            value = self.value(figures)
        except KeyError:
            return f"| {self.title} | {aim} | | not measured |"
        reached = value >= self.aim if self.at_least else value <= self.aim
        shown = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
        return (
            f"| {self.title} | {aim} | {shown}{self.unit} | {'reached' if reached else 'MISSED'} |"
        )


def _ours(key: str) -> Callable[[Figures], float]:
    return lambda figures: figures[OURS.name][key]


def _against(peer: str, key: str) -> Callable[[Figures], float]:
    return lambda figures: figures[OURS.name][key] / figures[peer][key]


def _added_against_node(figures: Figures) -> float:
    bare = figures["bare socket"][P50_500]
    return (figures[OURS.name][P50_500] - bare) / (figures[NODE.name][P50_500] - bare)


BARS = (
    Bar("CPU a token, 50 streams of 50 tokens/s, against Node", _against(NODE.name, CPU_50), 0.7),
    Bar("the same, against the SDK relay", _against(SDK.name, CPU_50), 0.2),
    Bar("tokens/s at most, against the SDK relay", _against(SDK.name, MOST_50), 12, at_least=True),
    Bar("tokens/s at most, against Node", _against(NODE.name, MOST_50), 1, at_least=True),
    Bar("latency added at 500 tokens/s, p50, against Node", _added_against_node, 0.8),
    Bar(
        "first token added, first prompt after start",
        _ours("first prompt after start / first_ms"),
        20,
        " ms",
    ),
    Bar(
        "first token added, 50 prompts at once",
        _ours("50 first prompts at once / first_ms"),
        40,
        " ms",
    ),
    Bar("idle sockets that failed", _ours("idle sockets / failed"), 0),
    Bar("memory of an idle socket", _ours("idle sockets / kb"), 28, " KB"),
    Bar("growth for a stalled reader of 50 MB", _ours("stalled / grown_mb"), 5, " MB"),
    Bar("its neighbours' p50, against without it", _ours("stalled / p50_ratio"), 2),
    Bar("the stalled reader had all of it later", _ours("stalled / came_later"), 1, at_least=True),
    Bar("p50 of 50 readers beside a slow one, against without", _ours("slow / p50_ratio"), 2),
    Bar("the slow reader had all of it later", _ours("slow / came_later"), 1, at_least=True),
    Bar(
        "bytes of an 8 KB answer, reader offers deflate",
        _ours("8 KB / paced_offered_mb"),
        0.1,
        " MB",
    ),
    Bar("the same, reader offers nothing", _ours("8 KB / paced_plain_mb"), 0.1, " MB"),
    Bar("p50 over a round trip of 40 ms", _ours("40 ms away / p50_ms"), 22, " ms"),
)


def table(figures: Figures) -> str:
    """All bars."""
    head = ["| bar | aim | this run | |", "|---|---|---|---|"]
    return "\n".join([*head, *(bar.row(figures) for bar in BARS)])
