"""The report: figures of all rounds as Markdown tables, ours against each peer."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path

from bench.bars import Figures
from bench.relays import BARE

PAGE = Path(__file__).parent.parent / "docs" / "performance.md"

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

LOAD_ROWS = (
    ("idle sockets held", "idle sockets / sockets"),
    ("of these failed", "idle sockets / failed"),
    ("KB of memory each", "idle sockets / kb"),
    ("connects/s", "idle sockets / connects_per_s"),
    ("the crowd that connects at once, until the last is open (s)", "idle sockets / crowd_s"),
    ("CPU while all are idle (% of a core)", "idle sockets / idle_cpu_percent"),
    ("streams that began together", "crowd / begun"),
    ("their first token added, p50 (ms)", "crowd / first_p50_ms"),
    ("their first token added, p99 (ms)", "crowd / first_p99_ms"),
    ("KB of memory a stream", "crowd / kb_per_stream"),
    ("tokens/s that all of them kept (steps)", "crowd / kept_tokens_per_s"),
    ("streams that ended", "crowd / ended"),
    ("growth for a stalled reader (MB)", "stalled / grown_mb"),
    ("its neighbours' p50, times that without it", "stalled / p50_ratio"),
    ("8 KB answer at 500 tokens/s (MB on the wire)", "8 KB / paced_plain_mb"),
    ("the same, reader offers deflate (MB)", "8 KB / paced_offered_mb"),
    ("8 KB answer at full rate (MB on the wire)", "8 KB / poured_plain_mb"),
    ("the same, reader offers deflate (MB)", "8 KB / poured_offered_mb"),
    ("p50 over a round trip of 40 ms (ms)", "40 ms away / p50_ms"),
    ("p99 over a round trip of 40 ms (ms)", "40 ms away / p99_ms"),
)

STEP_ROWS = (
    ("p50 (ms)", "p50_us", 1000),
    ("p90 (ms)", "p90_us", 1000),
    ("p99 (ms)", "p99_us", 1000),
    ("CPU a token (us)", "cpu_us_per_token", 1),
    ("CPU (% of a core)", "cpu_percent", 1),
)


def medians(rounds: Sequence[Figures]) -> Figures:
    """Each figure's median over the rounds that have it."""
    return {
        name: {
            key: statistics.median(one[name][key] for one in rounds if key in one.get(name, {}))
            for key in dict.fromkeys(key for one in rounds for key in one.get(name, {}))
        }
        for name in rounds[0]
    }


def streams_table(figures: Figures, names: list[str]) -> str:
    """What one stream and fifty see and cost; latencies over the bare socket."""
    bare = figures[BARE.name]
    rows = []
    for title, key, over_bare in ROWS:
        base = bare[key] if over_bare else 0.0
        rows.append(_row(title, [figures[name].get(key, base) - base for name in names]))
    return "\n".join([*_head(names), *rows])


def load_table(figures: Figures, names: list[str]) -> str:
    """What many sockets and many streams cost."""
    rows = [
        _row(title, [figures[name].get(key) for name in names])
        for title, key in LOAD_ROWS
        if any(key in figures[name] for name in names)
    ]
    return "\n".join([*_head(names), *rows])


def steps_table(figures: Figures, names: list[str], rates: Sequence[int], many: int) -> str:
    """What the crowd's readers saw at each rate; the step that was too much is the last."""
    every = [BARE.name, *names]
    lines = [f"| | {' | '.join(every)} |", "|---" * (len(every) + 1) + "|"]
    for rate in rates:
        for title, figure, unit in STEP_ROWS:
            key = f"crowd / {rate} / {figure}"
            if figure.startswith("cpu"):
                found = [None, *(figures[name].get(key) for name in names)]
            else:
                found = [figures.get(name, {}).get(key) for name in every]
            if any(value is not None for value in found):
                cells = [_cell(None if value is None else value / unit) for value in found]
                lines.append(f"| {many * rate:,} tokens/s: {title} | {' | '.join(cells)} |")
    return "\n".join(lines)


def write(section: str) -> None:
    """Put a run's tables where the page has place for them."""
    text = PAGE.read_text("utf-8")
    begin, end = "<!-- bench-load -->\n", "<!-- /bench-load -->"
    before, _, rest = text.partition(begin)
    after = rest.partition(end)[2]
    text = f"{before}{begin}\n{section}\n\n{end}{after}"
    PAGE.write_text(text, "utf-8")


def _head(names: list[str]) -> list[str]:
    ratios = [f"ours / {name}" for name in names[1:]]
    return [f"| | {' | '.join(names + ratios)} |", "|---" * (2 * len(names)) + "|"]


def _row(title: str, values: Sequence[float | None]) -> str:
    ours = values[0]
    ratios = ["" if not value or ours is None else f"{ours / value:.2f}" for value in values[1:]]
    return f"| {title} | {' | '.join([*map(_cell, values), *ratios])} |"


def _cell(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.2g}"
