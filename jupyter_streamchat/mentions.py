"""Mentions: which of the kernel's variables a prompt may name, and what of them it then takes."""

from __future__ import annotations

import re
import threading
import types
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from IPython.core.getipython import get_ipython

from jupyter_streamchat.values import described, shape_of

MOST_NAMES = 1_000
MOST_AT_ONCE = 20
"""Variables of one prompt."""
PATIENCE_S = 2.0
"""How long all variables of a prompt may take to be shown; some compute only then."""
MIME = "application/vnd.jupyter-streamchat.mentions+json"

_SECRET = re.compile(
    r"(^|_)(key|apikeys?|api_keys|passwords?|passwd|pwd|secrets?|token|credentials?)(_|$)",
    re.IGNORECASE,
)
_WORD_BEGINS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
# As OpenAI, Anthropic, GitHub, Hugging Face, Slack, Google and AWS make them.
_KEYS = re.compile(r"\b(?:sk-|gh[pousr]_|github_pat_|hf_|xox[abprs]-|AIza|AKIA)[A-Za-z0-9_-]{12,}")
_CODE = (
    type,
    types.ModuleType,
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodType,
)


class Variable(msgspec.Struct, frozen=True, omit_defaults=True):
    """One that can be mentioned; `shape` where it has one, or its length."""

    name: str
    type: str
    shape: tuple[int, ...] = ()


class Description(msgspec.Struct, frozen=True, omit_defaults=True):
    """What of a variable goes with a prompt, as bounded Markdown; or in `problem`, why nothing."""

    name: str
    type: str = ""
    shape: tuple[int, ...] = ()
    text: str = ""
    problem: str = ""


class Answer(msgspec.Struct, frozen=True):
    """What a page has asked for, as it shows itself to an expression that the page evaluates."""

    names: tuple[Variable, ...] = ()
    described: tuple[Description, ...] = ()

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return {MIME: msgspec.to_builtins(self)}


def names() -> Answer:
    """What can be mentioned of this kernel's variables.

    >>> "names" in {one.name for one in names().names}
    False
    """
    return Answer(names=tuple(variables(_namespace())))


def describe(asked: Iterable[str]) -> Answer:
    """What of these variables goes with a prompt, within `PATIENCE_S`.

    >>> describe(["nothing_of_this_name"]).described[0].problem
    'There is no variable nothing_of_this_name.'
    """
    return Answer(described=tuple(descriptions(_namespace(), asked)))


def variables(namespace: Mapping[str, Any]) -> list[Variable]:
    """Those of a namespace that can be mentioned. Of a value only its type and size are looked at.

    >>> variables({"x": [1, 2], "_y": 1, "re": re, "api_key": "sk-…"})
    [Variable(name='x', type='list', shape=(2,))]
    """
    found = [
        Variable(name, type(value).__name__, shape_of(value))
        for name, value in list(namespace.items())
        if not _withheld(name, value)
    ]
    return sorted(found, key=lambda one: one.name.casefold())[:MOST_NAMES]


def descriptions(
    namespace: Mapping[str, Any], asked: Iterable[str], *, patience: float = PATIENCE_S
) -> list[Description]:
    """One for each name; a value that takes too long, or whose `repr` fails, has a problem."""
    wanted = list(dict.fromkeys(asked))[:MOST_AT_ONCE]
    done: dict[str, Description] = {}

    def work() -> None:
        for name in wanted:
            done[name] = _description(namespace, name)

    # Nobody can end what a value's own code does; nobody has to wait for it either.
    worker = threading.Thread(target=work, name="streamchat-mentions", daemon=True)
    worker.start()
    worker.join(patience)
    late = f"takes longer than {patience:g} s to be shown. Mention a part of it."
    return [done.get(name) or Description(name, problem=f"{name} {late}") for name in wanted]


def _description(namespace: Mapping[str, Any], name: str) -> Description:
    if name not in namespace:
        return Description(name, problem=f"There is no variable {name}.")
    value = namespace[name]
    reason = _withheld(name, value)
    if reason:
        return Description(name, problem=f"{name} is not sent: {reason}.")
    try:
        text = _KEYS.sub("[what looks like a key is left out]", described(value))
    except Exception as error:  # noqa: BLE001 - whatever a value's own code raises
        problem = f"{name} cannot be shown: {type(error).__name__}: {str(error)[:200]}"
        return Description(name, problem=problem)
    return Description(name, type(value).__name__, shape_of(value), text)


def _withheld(name: str, value: Any) -> str:
    """Why a value is neither listed nor sent; empty where it may be."""
    if name.startswith("_") or not name.isidentifier():
        return "its name is private"
    kind = type(value)
    # By the type itself: a proxy would be made to work by a question about its class.
    if issubclass(kind, _CODE):
        return "it is code, and no data"
    if kind.__name__ == "_Environ":
        return "it holds the environment, in which secrets are"
    words = _WORD_BEGINS.sub("_", name)
    if issubclass(kind, str | bytes | dict | list | tuple) and _SECRET.search(words):
        return "by its name it is a secret"
    return ""


def _namespace() -> Mapping[str, Any]:
    """The variables of this kernel's user, without what IPython has put there itself."""
    shell: Any = get_ipython()
    if shell is None:
        return {}
    hidden = shell.user_ns_hidden
    return {
        name: value
        for name, value in list(shell.user_ns.items())
        if not (name in hidden and hidden[name] is value)
    }
