"""`python -m bench.markdown`: the Markdown renderer beside its peers, in one run, as ratios.

Absolute times depend on the machine, so read the ratios.
"""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from bench.markdown import bundles, exactness, measures, page, report
from bench.markdown.browser import Chromium
from bench.markdown.measures import Plan
from bench.markdown.texts import TEXTS

PARTS = ("cells", "growth", "churn", "exactness", "live")
DATA = bundles.ROOT.parent / "shared" / "data" / "markdown"
QUICK: dict[str, Any] = {
    "rounds": 1,
    "ours_s": 5.0,
    "rival_s": 5.0,
    "others_s": 1.0,
    "warm_s": 1.0,
    "sizes": (25_000, 100_000),
    "exact_s": 3.0,
    "seeds": 1,
    "live_s": 3,
}
RESULTS = bundles.ROOT / "bench" / "results" / "markdown.json"


def options() -> argparse.ArgumentParser:
    """What may be asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench.markdown")
    parser.add_argument("--quick", action="store_true", help="one round, short budgets")
    parser.add_argument("--only", default="", help=",".join((*bundles.PEERS, *bundles.ON_REQUEST)))
    parser.add_argument("--texts", default="", help=",".join(text.name for text in TEXTS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--parts", default=",".join(PARTS), help=f"of {','.join(PARTS)}")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of commonmark.json")
    parser.add_argument("--ours", type=Path, default=bundles.CORE, help="another bundle of ours")
    return parser


def plan(asked: argparse.Namespace, parser: argparse.ArgumentParser) -> Plan:
    """The run that was asked for."""
    only = asked.only.split(",") if asked.only else list(bundles.PEERS)
    names = asked.texts.split(",") if asked.texts else [text.name for text in TEXTS]
    if asked.quick and not asked.texts:
        names = ["answer", "long", "code"]
    peers = tuple(one for one in (*bundles.PEERS, *bundles.ON_REQUEST) if one in only)
    texts = tuple(one for one in TEXTS if one.name in names)
    if len(peers) < len(only) or len(texts) < len(names):
        parser.error(
            f"peers: {', '.join(bundles.PEERS)}; texts: {', '.join(t.name for t in TEXTS)}"
        )
    common: dict[str, Any] = {"peers": peers, "texts": texts}
    return Plan(**common, **QUICK) if asked.quick else Plan(**common, rounds=asked.rounds)


def say(line: str) -> None:
    """Progress, apart from the results."""
    print(line, file=sys.stderr, flush=True)


def main() -> None:
    """Run and print."""
    parser = options()
    asked = parser.parse_args()
    chosen = plan(asked, parser)
    parts = asked.parts.split(",")
    bundles.prepare(chosen.peers)
    found = report.Results(chosen, asked.ours)
    ours = tuple(one for one in chosen.peers if one == bundles.STREAMCHAT)
    with sync_playwright() as playwright:
        with closing(Chromium(playwright, asked.ours)) as chromium:
            if "cells" in parts:
                found.cells = measures.rounds(chromium, chosen, say)
            if "growth" in parts:
                found.exponents = measures.exponents(chromium, chosen, ours, say)
            if "churn" in parts:
                found.churn = measures.churn(chromium, chosen, say)
            found.gzip_kb = chromium.gzip_kb()
            if "exactness" in parts:
                found.exact = exactness.exactness(chromium, chosen, asked.data, say)
        if "live" in parts and ours:
            with closing(Chromium(playwright, asked.ours, unlimited=False)) as chromium:
                found.live = {
                    "1 x 1,000": measures.live(chromium, 1, 1000, chosen.live_s),
                    "4 x 500": measures.live(chromium, 4, 500, chosen.live_s),
                }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(found.json(), indent=1), "utf-8")
    print(report.printed(found))
    if not (asked.quick or asked.only or asked.texts or set(PARTS) - set(parts)):
        page.write(found)


if __name__ == "__main__":
    main()
