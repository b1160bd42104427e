"""Tables: a bounded Markdown summary of a DataFrame, for a model to read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

MAX_COLUMNS = 40
HEAD = 5
MAX_CELL = 80
"""Characters of a cell, beyond which it is cut."""
MAX_SUMMARY = 20_000
"""Characters of the whole."""


def is_table(value: Any) -> bool:
    """Whether this is a DataFrame, of pandas or polars or what behaves like them."""
    return all(hasattr(value, name) for name in ("columns", "shape", "head", "dtypes")) and (
        not isinstance(value, type) and len(getattr(value, "shape", ())) == 2
    )


def summary(frame: Any, *, figures: bool = True) -> str:
    """Shape, columns with their types, the first rows and the figures of `describe`.

    Without `figures` nothing is computed over all rows. At most `MAX_COLUMNS` columns are shown,
    and cells are cut: the size is bounded whatever the frame holds.
    """
    rows, width = frame.shape
    columns = [str(name) for name in frame.columns]
    shown = min(width, MAX_COLUMNS)
    types = [str(kind) for kind in frame.dtypes]
    gaps = [str(missing(_column(frame, at))) if figures else "?" for at in range(shown)]
    head = frame.head(HEAD)
    some = "" if shown == width else f" (the first {shown} are shown)"
    pieces = [
        f"A DataFrame of {rows:,} rows and {width:,} columns{some}.",
        _markdown(
            ["column", "type", "missing"],
            ((columns[at], types[at], gaps[at]) for at in range(shown)),
        ),
        f"The first {min(rows, HEAD)} rows:" if rows else "It has no rows.",
    ]
    if rows:
        pieces.append(_markdown(columns[:shown], _rows(head, shown)))
        described = _described(frame, shown) if figures else ""
        if described:
            pieces += ["What `describe` says:", described]
    text = "\n\n".join(pieces)
    return text if len(text) <= MAX_SUMMARY else f"{text[:MAX_SUMMARY]}\n\n(cut here)"


def _column(frame: Any, at: int) -> Any:
    # By place: names may be there twice.
    return frame.iloc[:, at] if hasattr(frame, "iloc") else frame[:, at]


def missing(column: Any) -> int:
    """How many values of a Series are missing, of pandas or polars."""
    return int(column.isna().sum() if hasattr(column, "isna") else column.null_count())


def _rows(frame: Any, width: int) -> Iterable[Sequence[object]]:
    rows = (
        frame.itertuples(index=False, name=None) if hasattr(frame, "itertuples") else frame.rows()
    )
    return (row[:width] for row in rows)


def _described(frame: Any, width: int) -> str:
    try:
        described = (
            frame.iloc[:, :width].describe()
            if hasattr(frame, "iloc")
            else frame[:, :width].describe()
        )
    except (TypeError, ValueError):
        # Of columns that nothing can be said of.
        return ""
    if hasattr(described, "itertuples"):
        names = ["", *map(str, described.columns)]
        return _markdown(names, described.itertuples(index=True, name=None))
    return _markdown([str(name) for name in described.columns], described.rows())


def _markdown(names: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)


def _cell(value: object) -> str:
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    text = " ".join(text.replace("|", "\\|").split())
    return text if len(text) <= MAX_CELL else f"{text[: MAX_CELL - 1]}…"
