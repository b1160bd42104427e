"""The run as one picture, written by hand as SVG: a row a text, a dot a renderer."""

from __future__ import annotations

import math
from html import escape

from bench.markdown.report import OURS, Results
from bench.markdown.texts import TEXTS

COLOURS = {
    "streamchat": "#d9480f",
    "streaming-markdown": "#1c7ed6",
    "marked": "#868e96",
    "markdown-it": "#495057",
    "incremark": "#7048e8",
    "streamdown": "#2b8a3e",
    "jupyterlab": "#e8b100",
    "streamchat-whole": "#f08c00",
    "floor": "#ced4da",
}
SVG = "http://www.w3.org/2000/svg"
FONT = 'font-family="sans-serif" font-size="12"'
TITLE = "Main-thread time for a frame with 64 more characters (ms; less is better)"
WIDTH, LEFT, RIGHT, TOP, ROW = 860, 165, 30, 66, 34


def svg(found: Results) -> str:
    """Main-thread milliseconds a frame of 64 characters, on a scale of powers of ten."""
    values = {
        (text.name, peer): (cost.value * 64 / len(text.written()), cost.bound)
        for text in TEXTS
        for peer in found.plan.peers
        if (cost := found.cost(text.name, "frames", peer, "task_ms")) and math.isfinite(cost.value)
    }
    low = math.floor(min(math.log10(value) for value, _ in values.values()))
    high = math.ceil(max(math.log10(value) for value, _ in values.values()))
    bottom = TOP + ROW * len(TEXTS)

    def across(value: float) -> float:
        return LEFT + (math.log10(value) - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    made = [
        f'<svg xmlns="{SVG}" viewBox="0 0 {WIDTH} {bottom + 44}" {FONT} fill="#212529">',
        '<rect width="100%" height="100%" fill="#fff"/>',
        f'<text x="{LEFT}" y="20" font-size="14">{TITLE}</text>',
    ]
    at = float(LEFT)
    for peer in found.plan.peers:
        made.append(dot(at + 5, 40, peer, bound=False))
        made.append(f'<text x="{at + 14}" y="44">{escape(peer)}</text>')
        at += 30 + 6.6 * len(peer)
    for power in range(low, high + 1):
        x = across(10.0**power)
        made.append(
            f'<line x1="{x:.1f}" y1="{TOP - 8}" x2="{x:.1f}" y2="{bottom}" stroke="#dee2e6"/>'
            f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{10.0**power:g}</text>'
        )
    for number, text in enumerate(TEXTS):
        y = TOP + ROW * number + ROW / 2
        made.append(
            f'<line x1="{LEFT}" y1="{y}" x2="{WIDTH - RIGHT}" y2="{y}" stroke="#f1f3f5"/>'
            f'<text x="{LEFT - 12}" y="{y + 4}" text-anchor="end">{escape(text.title)}</text>'
        )
        # Ours is drawn last, so that it is on top.
        for peer in sorted(found.plan.peers, key=OURS.__eq__):
            if (text.name, peer) in values:
                value, bound = values[text.name, peer]
                made.append(dot(across(value), y, peer, bound=bound))
    made.append(
        f'<text x="{LEFT}" y="{bottom + 36}" fill="#868e96">'
        "Arrow: cut off, so at least this much.</text></svg>"
    )
    return "\n".join(made) + "\n"


def dot(x: float, y: float, peer: str, *, bound: bool) -> str:
    """A circle; an arrow to the right where it is a lower bound."""
    colour, size = COLOURS[peer], 6 if peer == OURS else 5
    made = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{size}" fill="{colour}" fill-opacity="0.85"/>'
    if bound:
        made += (
            f'<path d="M{x + 5:.1f} {y:.1f}h9m-4 -4l4 4l-4 4" fill="none" stroke="{colour}"'
            ' stroke-width="1.5"/>'
        )
    return f"<g><title>{escape(peer)}</title>{made}</g>"
