"""Writes a whole run into docs/markdown.md, between its two marks, and draws its picture."""

from __future__ import annotations

from bench.markdown import bundles, plot, report
from bench.markdown.measures import RIVAL
from bench.markdown.report import Results

PAGE = bundles.ROOT / "docs" / "markdown.md"
PICTURE = bundles.ROOT / "docs" / "images" / "markdown.svg"
BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"


def write(found: Results) -> None:
    """Replace what is between the marks; make the page when there is none."""
    if not PAGE.exists():
        PAGE.write_text(f"# Streaming Markdown\n\n{BEGIN}\n{END}\n", "utf-8")
    before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    against = tuple(peer for peer in (RIVAL, "jupyterlab") if peer in found.plan.peers)
    parts = [
        f"![Main-thread time a frame, by text and renderer](images/{PICTURE.name})",
        report.times(found, "main thread, ms", "task_ms", against),
        report.NOTES,
        report.held(found),
        report.properties(found),
        report.judged(found),
    ]
    written = "\n\n".join(part for part in parts if part)
    PAGE.write_text(f"{before}{BEGIN}\n{written}\n{END}{after}", "utf-8")
    PICTURE.write_text(plot.svg(found), "utf-8")
