"""How often each renderer is right: CommonMark's examples, and documents glued together of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from bench.markdown import bundles
from bench.markdown.browser import Chromium, Found
from bench.markdown.measures import Plan

COUNT = 300
"""Glued documents a seed."""


def exactness(
    chromium: Chromium,
    plan: Plan,
    data: Path,
    say: Callable[[str], None],
) -> dict[str, Found]:
    """By peer: `examples`, and `glued` for each seed; the others get one seed only."""
    source = data / "commonmark.json"
    if not source.exists():
        say(f"exactness is skipped: {source} is not there")
        return {}
    commonmark = json.loads(source.read_text("utf-8"))
    more = data / "gfm-ext.json"
    extended = json.loads(more.read_text("utf-8")) if more.exists() else []
    pool = [one["md"] for one in [*commonmark, *extended]]
    found: dict[str, Found] = {}
    for peer in plan.peers:
        budget = (60 if peer == bundles.STREAMCHAT else plan.exact_s) * 1000
        options: Found = {"commonmark": commonmark, "budget": budget}
        with chromium.page(peer) as page:
            mine = found[peer] = {
                "examples": chromium.call(page, "exact", "examples", options, 120),
                "glued": [],
            }
            for seed in range(plan.seeds if peer == bundles.STREAMCHAT else 1):
                options = {"pool": pool, "seed": seed, "count": COUNT, "budget": budget}
                mine["glued"].append(chromium.call(page, "exact", "glued", options, 120))
        say(f"exactness of {peer}: {told(mine)}")
    return found


def told(mine: Found) -> str:
    """How many were right, of how many."""
    scores = [mine["examples"], *mine["glued"]]
    return ", ".join(f"{one['right']}/{one['of']}" for one in scores)
