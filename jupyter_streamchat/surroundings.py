"""Surroundings: what of the notebook goes with a prompt, and values that stand in it."""

from __future__ import annotations

import re
import sys
import traceback
from collections.abc import Iterator
from typing import Any

from IPython.core.error import UsageError

from jupyter_streamchat.attachments import part_of
from streamchat_relay.model import BadRequest, TextPart

MOST = 20_000
"""Characters of cells, or of one value; of cells the newest are kept."""

# Two braces, and what stands between them has none of its own but in pairs.
_VALUE = re.compile(r"\{\{(?P<code>(?:[^{}]|\{[^{}]*\})+)\}\}")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def with_values(prompt: str, shell: Any) -> list[object]:
    """The prompt in pieces, each `{{expression}}` in it replaced by its value.

    Text joins the text; a picture, a DataFrame or what else is no text becomes a piece of its own.
    Raises `UsageError` for an expression that fails.
    """
    pieces: list[object] = []
    text: list[str] = []
    at = 0
    for found in _VALUE.finditer(prompt):
        text.append(prompt[at : found.start()])
        at = found.end()
        value = _value(found["code"].strip(), shell)
        if isinstance(value, str | int | float | complex | bool | None | list | dict | tuple | set):
            text.append(_cut(str(value)))
            continue
        try:
            part = part_of(value)
        except BadRequest:
            text.append(_cut(str(value)))
            continue
        if isinstance(part, TextPart):
            text.append(f"\n\n{part.text}\n\n")
        else:
            pieces += ["".join(text), part]
            text = []
    pieces.append("".join([*text, prompt[at:]]))
    return [piece for piece in pieces if not isinstance(piece, str) or piece.strip()]


def surroundings(what: str, shell: Any) -> list[object]:
    """What `--context` names, as pieces of a prompt."""
    if what.startswith("vars="):
        return list(_variables(what.removeprefix("vars="), shell))
    if what == "errors":
        return [f"The last error in this notebook:\n\n{last_error(shell)}"]
    cells = list(_cells(shell))
    if not cells:
        raise UsageError("No cell was run before this one, so --context has nothing to tell.")
    told = "\n\n".join(cells if what == "above" else cells[-1:])
    told = told if len(told) <= MOST else f"(earlier cells are left out)\n{told[-MOST:]}"
    return [f"{'The cells' if what == 'above' else 'The cell'} run before this prompt:\n\n{told}"]


def last_error(shell: Any) -> str:
    """The cell that failed last and its traceback; raises `UsageError` where none did."""
    # Where Python's own prompt keeps it, too.
    error = getattr(sys, "last_value", None)
    if error is None:
        raise UsageError("No cell has failed yet, so there is nothing to explain.")
    trace = error.__traceback__
    kind, value = type(error), error
    lines = "".join(traceback.format_exception(kind, value, trace, limit=-12))
    number, cell = _failed(shell, trace)
    source = f"Cell [{number}]:\n```python\n{cell}\n```\n\n" if cell else ""
    return f"{source}```\n{_cut(_COLOUR.sub('', lines))}\n```"


def _failed(shell: Any, trace: Any) -> tuple[int, str]:
    """The number and the source of the notebook's cell that the traceback begins in."""
    names = getattr(shell.compile, "_filename_map", {})
    while trace is not None:
        number = names.get(trace.tb_frame.f_code.co_filename)
        if number is not None:
            history = shell.user_ns.get("In", [])
            return number, history[number] if number < len(history) else ""
        trace = trace.tb_next
    return 0, ""


def _cells(shell: Any) -> Iterator[str]:
    inputs = shell.user_ns.get("In", [])
    outputs = shell.user_ns.get("Out", {})
    # The last one is the cell that asks.
    for number, source in enumerate(inputs[:-1]):
        if not source.strip():
            continue
        shown = (
            f"\n\nIts value:\n```\n{_cut(repr(outputs[number]))}\n```" if number in outputs else ""
        )
        yield f"Cell [{number}]:\n```python\n{source}\n```{shown}"


def _variables(names: str, shell: Any) -> Iterator[object]:
    for name in filter(None, (one.strip() for one in names.split(","))):
        if name not in shell.user_ns:
            raise UsageError(f"--context vars: there is no variable {name!r}.")
        value = shell.user_ns[name]
        try:
            part = part_of(value)
        except BadRequest:
            part = TextPart(text=_cut(repr(value)))
        yield f"The variable `{name}`, a {type(value).__name__}:"
        yield part


def _value(code: str, shell: Any) -> object:
    try:
        return eval(code, shell.user_global_ns, shell.user_ns)  # noqa: S307 - the user's own code
    except Exception as error:
        raise UsageError(f"{{{{{code}}}}} failed: {type(error).__name__}: {error}") from error


def _cut(text: str) -> str:
    return text if len(text) <= MOST else f"{text[:MOST]}… (cut at {MOST:,} characters)"
