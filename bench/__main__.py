"""`python -m bench`: the relay beside its peers, in one run; prints a table with ratios.

Relay and load have a core each; every figure is the median of the rounds. Absolute times depend
on the machine, so read the ratios.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

from bench import client, page, relays
from bench.relays import OURS, RELAYS, Relay

SETTLE_S = 6.0
"""Between a relay's start and the first prompt: a page loads, a person types."""


@dataclass(frozen=True)
class Load:
    """Streams at once, their rate (0: as fast as it goes) and their length."""

    name: str
    streams: int
    rate: int
    tokens: int


LOADS = (
    Load("1 stream, 50 tokens/s", 1, 50, 150),
    Load("1 stream, 500 tokens/s", 1, 500, 1500),
    Load("50 streams, 50 tokens/s", 50, 50, 200),
    Load("50 streams, full rate", 50, 0, 1920),
)


def percentile(values: list[int], share: float) -> float:
    """In microseconds, of values in nanoseconds."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] / 1000


async def run_load(relay: Relay, port: int, pid: int, load: Load) -> dict[str, float]:
    """Run one load against a started relay."""
    sockets = [
        await client.websocket(
            "127.0.0.1", port, relay.path, "streamchat.v1", relay.end, latencies=bool(load.rate)
        )
        for _ in range(load.streams)
    ]
    cpu, began = relays.cpu_seconds(pid), time.monotonic()
    for number, made in enumerate(sockets):
        relay.ask(made, number, f"rate={load.rate} tokens={load.tokens}")
    await asyncio.gather(*(asyncio.wait_for(made.seen.done.wait(), 120) for made in sockets))
    took, cpu = time.monotonic() - began, relays.cpu_seconds(pid) - cpu
    tokens = sum(made.seen.tokens for made in sockets)
    expected = load.streams * (load.tokens + 1)
    for made in sockets:
        made.transport.close()
    if load.rate and tokens != expected:
        raise SystemExit(f"{relay.name}: {tokens} tokens of {expected} came ({load.name})")
    latencies = [one for made in sockets for one in made.seen.latencies]
    firsts = [made.seen.first_added or 0 for made in sockets]
    return {
        "p50_us": percentile(latencies, 0.5) if load.rate else 0.0,
        "p99_us": percentile(latencies, 0.99) if load.rate else 0.0,
        "cpu_us_per_token": cpu * 1e6 / expected,
        "tokens_per_s": expected / took,
        "first_ms": max(firsts) / 1e6,
    }


async def run_bare(port: int, load: Load) -> dict[str, float]:
    """The same load without any relay: what the provider and the reader themselves take."""
    body = json.dumps({"prompt": f"rate={load.rate} tokens={load.tokens}"}).encode()
    request = b"POST /v1/chat/completions HTTP/1.1\r\ncontent-length: %d\r\n\r\n%b" % (
        len(body),
        body,
    )
    made = []
    for _ in range(load.streams):
        _, protocol = await asyncio.get_running_loop().create_connection(
            lambda: client.StreamProtocol(
                client.Seen(), client.bare_end, latencies=bool(load.rate)
            ),
            "127.0.0.1",
            port,
        )
        made.append(protocol)
    began = time.monotonic()
    for protocol in made:
        protocol.seen.sent_at = time.monotonic_ns()
        protocol.transport.write(request)
    await asyncio.gather(*(asyncio.wait_for(one.seen.done.wait(), 120) for one in made))
    took = time.monotonic() - began
    latencies = [value for one in made for value in one.seen.latencies]
    for one in made:
        one.transport.close()
    return {
        "p50_us": percentile(latencies, 0.5) if load.rate else 0.0,
        "p99_us": percentile(latencies, 0.99) if load.rate else 0.0,
        "cpu_us_per_token": 0.0,
        "tokens_per_s": load.streams * (load.tokens + 1) / took,
        "first_ms": 0.0,
    }


def one_round(provider_port: int, chosen: tuple[Relay, ...]) -> dict[str, dict[str, float]]:
    """Every relay under every load, freshly started; figures under `relay / load / figure`."""
    found: dict[str, dict[str, float]] = {"bare socket": {}}
    for load in LOADS:
        for figure, value in asyncio.run(run_bare(provider_port, load)).items():
            found["bare socket"][f"{load.name} / {figure}"] = value
    for relay in chosen:
        mine = found[relay.name] = {}
        with relays.started(relay, provider_port) as (port, pid):
            time.sleep(SETTLE_S)
            first = asyncio.run(run_load(relay, port, pid, Load("first", 1, 500, 10)))
            mine["first prompt after start / first_ms"] = first["first_ms"]
            warm = [
                asyncio.run(run_load(relay, port, pid, Load("warm", 1, 500, 10)))["first_ms"]
                for _ in range(5)
            ]
            mine["warm prompt / first_ms"] = statistics.median(warm)
        with relays.started(relay, provider_port) as (port, pid):
            time.sleep(SETTLE_S)
            crowd = asyncio.run(run_load(relay, port, pid, Load("crowd", 50, 20, 10)))
            mine["50 first prompts at once / first_ms"] = crowd["first_ms"]
            for load in LOADS:
                for figure, value in asyncio.run(run_load(relay, port, pid, load)).items():
                    mine[f"{load.name} / {figure}"] = value
    return found


ROWS = (
    ("added p50 at 50 tokens/s (us)", "1 stream, 50 tokens/s / p50_us", True),
    ("added p99 at 50 tokens/s (us)", "1 stream, 50 tokens/s / p99_us", True),
    ("added p50 at 500 tokens/s (us)", "1 stream, 500 tokens/s / p50_us", True),
    ("added p99 at 500 tokens/s (us)", "1 stream, 500 tokens/s / p99_us", True),
    ("CPU/token, 1 stream of 500 (us)", "1 stream, 500 tokens/s / cpu_us_per_token", False),
    ("CPU/token, 50 streams of 50 (us)", "50 streams, 50 tokens/s / cpu_us_per_token", False),
    ("CPU/token, 50 at full rate (us)", "50 streams, full rate / cpu_us_per_token", False),
    ("tokens/s, 50 at full rate", "50 streams, full rate / tokens_per_s", False),
    ("first token, first prompt (ms)", "first prompt after start / first_ms", False),
    ("first token, warm (ms)", "warm prompt / first_ms", False),
    ("first token, 50 at once (ms)", "50 first prompts at once / first_ms", False),
)


def table(rounds: list[dict[str, dict[str, float]]], chosen: tuple[Relay, ...]) -> str:
    """Medians over the rounds, and ours against each peer."""
    names = [relay.name for relay in chosen]
    lines = [
        f"| | {' | '.join(names)} | {' | '.join(f'ours / {name}' for name in names[1:])} |",
        "|---" * (2 * len(names)) + "|",
    ]
    for title, key, over_bare in ROWS:
        values = []
        for name in names:
            each = [
                one[name][key] - (one["bare socket"][key] if over_bare else 0.0) for one in rounds
            ]
            values.append(statistics.median(each))
        cells = [f"{value:,.0f}" if value >= 100 else f"{value:.1f}" for value in values]
        ratios = [f"{values[0] / value:.2f}" if value else "" for value in values[1:]]
        lines.append(f"| {title} | {' | '.join(cells)} | {' | '.join(ratios)} |")
    return "\n".join(lines)


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="names of relays, by their beginnings")
    options = parser.parse_args()
    relays.prepare()
    wanted = options.only.split(",")
    chosen = tuple(one for one in RELAYS if one is OURS or one.name.startswith(tuple(wanted)))
    os.sched_setaffinity(0, {relays.LOAD_CPU})
    rounds = []
    with relays.provider() as port:
        for number in range(options.rounds):
            rounds.append(one_round(port, chosen))
            print(
                f"round {number + 1} of {options.rounds}\n{table(rounds[-1:], chosen)}\n",
                flush=True,
            )
        drawn = page.measure(port)
    results = Path(__file__).parent / "results"
    results.mkdir(exist_ok=True)
    (results / "relay.json").write_text(json.dumps(rounds, indent=1), "utf-8")
    print(f"Medians of {options.rounds} rounds; added: over the bare socket.\n")
    print(table(rounds, chosen))
    print(
        "\nFrom the provider's first byte to the first token in a Chromium page, median: "
        f"{drawn['in_document_ms']:.0f} ms in the document, {drawn['painted_ms']:.0f} ms painted."
    )


if __name__ == "__main__":
    main()
