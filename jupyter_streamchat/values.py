"""Values: what a model is told of one, bounded whatever it holds."""

from __future__ import annotations

import re
import reprlib
from typing import Any

from jupyter_streamchat.tables import missing, summary

MOST = 6_000
"""Characters of what is no DataFrame."""
SHOWN = 20
"""Values with which an array or a Series is shown to begin."""
LARGE = 20_000_000
"""Of so many values figures are not computed: nobody should wait for them."""

_TABLES = frozenset({("pandas", "DataFrame"), ("polars", "DataFrame")})
_SERIES = frozenset({("pandas", "Series"), ("polars", "Series")})
_ARRAYS = frozenset({("numpy", "ndarray")})
_SHAPED = frozenset({("torch", "Tensor"), ("jaxlib", "ArrayImpl"), ("xarray", "DataArray")})
_SIZED = (list, tuple, dict, set, frozenset, str, bytes, bytearray, range)

_FENCES = re.compile("`{3,}")
_short = reprlib.Repr()
_short.maxlevel = 4
_short.maxlist = _short.maxtuple = _short.maxdeque = _short.maxarray = 60
_short.maxdict = _short.maxset = _short.maxfrozenset = 60
_short.maxstring = _short.maxother = _short.maxlong = 2_000


def shape_of(value: Any) -> tuple[int, ...]:
    """The shape of a table or an array, the length of a container; empty for all else.

    A nested tensor, for example, has no shape that it could tell: empty, too. Nothing of the value
    runs but what its library or Python itself wrote.

    >>> shape_of({"a": 1}), shape_of(3)
    ((1,), ())
    """
    if _is(value, _TABLES | _SERIES | _ARRAYS | _SHAPED):
        try:
            return tuple(int(size) for size in value.shape)
        except Exception:  # noqa: BLE001 - one odd value must not hide all others
            return ()
    for kind in _SIZED:
        if issubclass(type(value), kind):
            return (kind.__len__(value),)
    return ()


def described(value: Any) -> str:
    """A value in Markdown, at most `MAX_SUMMARY` characters and the words that say it was cut.

    >>> described([1, 2]).splitlines()
    ['```', '[1, 2]', '```']
    """
    if _is(value, _TABLES):
        return summary(value, figures=_size(value) <= LARGE)
    if _is(value, _SERIES):
        return _series(value)
    if _is(value, _ARRAYS):
        return _array(value)
    if _is(value, _SHAPED):
        kind = f"Shape {shape_of(value)}, type {value.dtype}."
        return f"{kind}\n\n{_fenced(_short.repr(value))}"
    return _fenced(value if type(value) is str else _short.repr(value))


def _series(series: Any) -> str:
    count = len(series)
    kind = str(series.dtype)
    figures = ""
    # Of a list of numbers there is no least one.
    if count and count <= LARGE and kind.lower().startswith(("int", "uint", "float", "date")):
        figures = f", from {series.min()} to {series.max()}"
    named = f" named {series.name!r}"[:200] if series.name is not None else ""
    head = series.head(SHOWN).to_list()
    return (
        f"A Series{named} of {count:,} values of the type {kind}, "
        f"{missing(series):,} missing{figures}."
        f"\n\n{_begins(count)}:\n\n{_fenced(_short.repr(head))}"
    )


def _array(array: Any) -> str:
    import numpy as np  # noqa: PLC0415 - there, where one of its arrays is

    plain = np.asarray(array)
    figures = ""
    if 0 < plain.size <= LARGE and plain.dtype.kind in "iuf":
        # These pass over what is no number, and a warning would land in some cell.
        with np.errstate(all="ignore"):
            least, most = np.fmin.reduce(plain, axis=None), np.fmax.reduce(plain, axis=None)
        figures = f", from {least:.6g} to {most:.6g}"
    head = np.array2string(plain.flat[:SHOWN], threshold=SHOWN, separator=", ")
    return (
        f"An array, shape {plain.shape}, type {plain.dtype}{figures}."
        f"\n\n{_begins(plain.size)}:\n\n{_fenced(head)}"
    )


def _begins(count: int) -> str:
    return "Its values" if count <= SHOWN else f"The first {SHOWN} values"


def _size(frame: Any) -> int:
    rows, width = frame.shape
    return int(rows) * int(width)


def _fenced(text: str) -> str:
    # Half of a character, as a cut emoji leaves it, does not travel.
    text = text.encode(errors="replace").decode()
    cut = "" if len(text) <= MOST else f"\n(cut here: {len(text):,} characters in all)"
    text = f"{text[:MOST]}{cut}"
    fence = "`" * (1 + max(map(len, _FENCES.findall(text)), default=2))
    return f"{fence}\n{text}\n{fence}"


def _is(value: Any, kinds: frozenset[tuple[str, str]]) -> bool:
    """Whether its type is one of these or made from one; the value itself is not asked."""
    # A class may have set anything for its module.
    return any(
        (str(kind.__module__).partition(".")[0], kind.__name__) in kinds
        for kind in type(value).__mro__
    )
