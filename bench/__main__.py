"""`python -m bench`: the relay beside its peers, in one run; prints tables with ratios.

Relay and load have a core each; every figure is the median of the rounds. Absolute times depend
on the machine, so read the ratios. `--load` adds thousands of sockets and streams, and the bars.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import time
from dataclasses import replace
from pathlib import Path

from bench import bars, load, page, relays, report, streams
from bench.limits import raise_file_limit
from bench.load import SETTLE_S, Size
from bench.relays import BARE, LITELLM, Relay
from bench.streams import Load

RESULTS = Path(__file__).parent / "results"

LOADS = (
    Load("1 stream, 50 tokens/s", 1, 50, 150),
    Load("1 stream, 500 tokens/s", 1, 500, 1500),
    Load("50 streams, 50 tokens/s", 50, 50, 200),
    Load("50 streams, full rate", 50, 0, 1920),
)


def one_round(provider: int, chosen: tuple[Relay, ...]) -> dict[str, dict[str, float]]:
    """Every relay under every load, freshly started; figures under `load / figure`."""
    found: dict[str, dict[str, float]] = {BARE.name: {}}
    for one in LOADS:
        figures = asyncio.run(streams.run(BARE, provider, os.getpid(), one))
        found[BARE.name].update({f"{one.name} / {name}": value for name, value in figures.items()})
    for relay in chosen:
        mine = found[relay.name] = {}
        with relays.started(relay, provider) as (port, pid):
            time.sleep(SETTLE_S)
            first = asyncio.run(streams.run(relay, port, pid, Load("first", 1, 500, 10)))
            mine["first prompt after start / first_ms"] = first["first_ms"]
            warm = [
                asyncio.run(streams.run(relay, port, pid, Load("warm", 1, 500, 10)))["first_ms"]
                for _ in range(5)
            ]
            mine["warm prompt / first_ms"] = statistics.median(warm)
        with relays.started(relay, provider) as (port, pid):
            time.sleep(SETTLE_S)
            together = asyncio.run(streams.run(relay, port, pid, Load("together", 50, 20, 10)))
            mine["50 first prompts at once / first_ms"] = together["first_ms"]
            for one in LOADS:
                if relay is LITELLM and not one.rate:
                    # A tenth of the tokens takes it long enough.
                    one = replace(one, tokens=one.tokens // 10)  # noqa: PLW2901
                figures = asyncio.run(streams.run(relay, port, pid, one))
                mine.update({f"{one.name} / {name}": value for name, value in figures.items()})
    return found


def _rounds(
    provider: int, chosen: tuple[Relay, ...], many: int
) -> list[dict[str, dict[str, float]]]:
    names = [relay.name for relay in chosen]
    rounds = []
    for number in range(many):
        rounds.append(one_round(provider, chosen))
        table = report.streams_table(rounds[-1], names)
        print(f"round {number + 1} of {many}\n{table}\n", flush=True)
    return rounds


def _add_load(
    provider: int,
    chosen: tuple[Relay, ...],
    size: Size,
    rounds: list[dict[str, dict[str, float]]],
) -> str:
    """Measure the load, keep its figures with those of the last round, and tell of both."""
    names = [relay.name for relay in chosen]
    began = time.monotonic()
    for relay in (BARE, *chosen):
        rounds[-1][relay.name].update(load.measure(relay, provider, size))
        # A run that is ended early leaves what it has.
        (RESULTS / "load.json").write_text(json.dumps(rounds, indent=1), "utf-8")
        print(f"load: {relay.name} done after {time.monotonic() - began:.0f} s", flush=True)
    figures = report.medians(rounds)
    busy = os.getloadavg()[2]
    run = (
        f"{time.strftime('%Y-%m-%d')}, {len(rounds)} round(s), load average of 15 minutes "
        f"{busy:.1f} on {os.cpu_count()} cores, of which the run itself takes up to 2."
    )
    steps = (
        f"{size.streams:,} streams at once, faster from step to step; latency from the "
        "provider's write to the reader, the bare socket's included:"
    )
    return "\n\n".join(
        [
            run,
            bars.table(figures),
            report.streams_table(figures, names),
            report.load_table(figures, names),
            steps,
            report.steps_table(figures, names, size.rates, size.streams),
        ]
    )


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("--rounds", type=int, default=0, help="3, and 1 with --load")
    parser.add_argument("--only", default="", help="names of peers, by their beginnings")
    parser.add_argument("--load", action="store_true", help="thousands of sockets and streams too")
    parser.add_argument("--quick", action="store_true", help="with --load: a fifth of them")
    parser.add_argument("--write", action="store_true", help="with --load: into performance.md")
    options = parser.parse_args()
    raise_file_limit()
    relays.prepare()
    chosen = relays.chosen(options.only)
    names = [relay.name for relay in chosen]
    os.sched_setaffinity(0, {relays.LOAD_CPU})
    RESULTS.mkdir(exist_ok=True)
    many = options.rounds or (1 if options.load else 3)
    with relays.provider() as provider:
        rounds = _rounds(provider, chosen, many)
        if options.load:
            told = _add_load(provider, chosen, load.QUICK if options.quick else load.FULL, rounds)
            print(told)
            if options.write:
                report.write(told)
            return
        drawn = page.measure(provider)
    (RESULTS / "relay.json").write_text(json.dumps(rounds, indent=1), "utf-8")
    print(f"Medians of {many} rounds; added: over the bare socket.\n")
    print(report.streams_table(report.medians(rounds), names))
    print(
        "\nFrom the provider's first byte to the first token in a Chromium page, median: "
        f"{drawn['in_document_ms']:.0f} ms in the document, {drawn['painted_ms']:.0f} ms painted."
    )


if __name__ == "__main__":
    main()
