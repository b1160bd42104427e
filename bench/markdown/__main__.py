"""`python -m bench.markdown`: the Markdown renderer beside its peers, in one run, as ratios.

Absolute times depend on the machine, so read the ratios.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from bench.markdown import bundles, measures, report
from bench.markdown.browser import Chromium
from bench.markdown.measures import Plan
from bench.markdown.texts import TEXTS

RESULTS = bundles.ROOT / "bench" / "results" / "markdown.json"


def options() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench.markdown")
    parser.add_argument("--quick", action="store_true", help="one round, short budgets")
    parser.add_argument("--only", default="", help="peers, by name")
    parser.add_argument("--texts", default="", help=",".join(text.name for text in TEXTS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--parts", default="cells,growth,churn", help="parts of the run")
    parser.add_argument("--no-follow", action="store_true", help="do not scroll to the end")
    parser.add_argument("--ours", type=Path, default=bundles.OURS, help="another bundle of ours")
    return parser.parse_args()


def plan(asked: argparse.Namespace) -> Plan:
    """The run that was asked for."""
    only, texts = asked.only.split(","), asked.texts.split(",")
    return Plan(
        peers=tuple(one for one in bundles.PEERS if not asked.only or one in only),
        texts=tuple(one for one in TEXTS if not asked.texts or one.name in texts),
        rounds=1 if asked.quick else asked.rounds,
        rival_s=8.0 if asked.quick else 60.0,
        others_s=2.5 if asked.quick else 10.0,
        sizes=(50_000, 200_000) if asked.quick else (100_000, 1_000_000),
        follow=not asked.no_follow,
    )


def say(line: str) -> None:
    """Progress, apart from the results."""
    print(line, file=sys.stderr, flush=True)


def main() -> None:
    """Run and print."""
    asked = options()
    chosen = plan(asked)
    parts = asked.parts.split(",")
    bundles.prepare(chosen.peers)
    found = report.Results(chosen, asked.ours)
    with sync_playwright() as playwright:
        chromium = Chromium(playwright, asked.ours)
        if "cells" in parts:
            found.cells = measures.rounds(chromium, chosen, say)
        if "growth" in parts:
            ours = tuple(one for one in chosen.peers if one == bundles.STREAMCHAT)
            found.exponents = measures.exponents(chromium, chosen, ours, say)
        if "churn" in parts:
            found.churn = measures.churn(chromium, chosen, chosen.peers)
        chromium.close()
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(found.json(), indent=1), "utf-8")
    print(report.tables(found))
    print(report.verdicts(found))


if __name__ == "__main__":
    main()
