"""Measures: how an answer came over time, as a table and as a picture."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from streamchat_relay.model import ReasoningDelta, RunEvent, TextDelta


def deltas_frame(events: Iterable[RunEvent]) -> Any:
    """The deltas among the events, a row each."""
    import pandas as pd  # noqa: PLC0415 - optional, and takes a second

    rows = []
    characters = 0
    for event in events:
        if isinstance(event, TextDelta | ReasoningDelta):
            characters += len(event.delta)
            kind = "text" if isinstance(event, TextDelta) else "reasoning"
            rows.append((event.t, kind, event.delta, characters))
    return pd.DataFrame(rows, columns=["t", "kind", "delta", "characters"])


def deltas_plot(events: Iterable[RunEvent], title: str, axes: Any = None) -> Any:
    """Characters over seconds, with the first delta marked."""
    import matplotlib.pyplot as plt  # noqa: PLC0415 - optional, and takes a second

    deltas = [event for event in events if isinstance(event, TextDelta | ReasoningDelta)]
    if axes is None:
        _, axes = plt.subplots(figsize=(7, 3), layout="constrained")
    times = [event.t / 1000 for event in deltas]
    so_far = []
    total = 0
    for event in deltas:
        total += len(event.delta)
        so_far.append(total)
    axes.step([0, *times], [0, *so_far], where="post")
    axes.set_xlabel("seconds")
    axes.set_ylabel("characters")
    axes.set_title(title)
    if times:
        axes.axvline(times[0], color="grey", linestyle=":", linewidth=1)
        span = times[-1] - times[0]
        rate = f", then {total / span:,.0f} characters/s" if span > 0 else ""
        axes.annotate(
            f"first after {times[0]:.2f} s{rate}",
            (times[0], 0.95),
            xycoords=("data", "axes fraction"),
            xytext=(5, 0),
            textcoords="offset points",
            va="top",
        )
    return axes
