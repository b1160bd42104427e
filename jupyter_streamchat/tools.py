"""Tools: typed functions of yours that a model may call, run in this kernel."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import copy
import inspect
import re
import threading
import typing
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import msgspec

from jupyter_streamchat.tables import is_table, summary
from streamchat_relay.model import MAX_ERROR, MAX_RESULT, BadRequest, ToolSpec

TIMEOUT_S = 120.0
"""Seconds in which a tool returns, unless it is given another limit."""

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b.?|[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_KINDS = {inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY}


class Called(NamedTuple):
    """A call that `approve=` is asked about: the tool's name and its arguments."""

    name: str
    arguments: dict[str, Any]


Approve = bool | Callable[[Called], "bool | Awaitable[bool]"]
"""True: it has no side effects, and runs. A function decides for each call."""


class ToolFailed(Exception):
    """What a tool could not do, for the model to read: text without what steers a terminal."""

    def __init__(self, words: str) -> None:
        plain = _ESCAPES.sub("", words).encode("utf-8", "replace").decode()
        super().__init__(plain if len(plain) <= MAX_ERROR else f"{plain[: MAX_ERROR - 1]}…")


class Tool:
    """A function as a model may call it: its name, its docstring, and its arguments' types.

    A model reads the docstring to know what the function is for. Types may be whatever msgspec
    reads from JSON: `str`, `float`, `list[int]`, `Literal`, dataclasses, `Annotated[…, Meta]`.
    A person is asked before each call, unless `approve` is True, for a function without side
    effects, or a function that decides: it gets a `Called`, and returns whether the call may
    run. `timeout` is in seconds.

    >>> def add(a: int, b: int = 1) -> int:
    ...     "Add two numbers."
    ...     return a + b
    >>> Tool(add).spec.input_schema["required"]
    ['a']
    """

    def __init__(
        self,
        function: Callable[..., Any],
        *,
        approve: Approve | None = None,
        timeout: float = TIMEOUT_S,
    ) -> None:
        self.function = function
        self.approve = approve
        self.timeout = timeout
        self.name = _name(function)
        description = inspect.getdoc(function)
        if not description or inspect.isclass(function):
            raise BadRequest(
                f"{self.name} needs a docstring: from it the model learns what it is for."
            )
        self._arguments = _arguments(self.name, function)
        self.spec = ToolSpec(
            name=self.name, description=description, input_schema=_schema(self._arguments)
        )

    async def run(self, arguments: dict[str, Any]) -> Any:
        """Call it, and give what JSON can hold of the result; raises `ToolFailed`.

        Sync functions run in a thread, which cannot be ended: after `timeout` nobody waits for it.
        """
        try:
            given = msgspec.convert(arguments, self._arguments)
        except msgspec.ValidationError as error:
            raise ToolFailed(f"The arguments do not fit: {error}.") from None
        fields = {name: getattr(given, name) for name in given.__struct_fields__}
        try:
            result = await asyncio.wait_for(self._called(fields), self.timeout)
        except (asyncio.TimeoutError, TimeoutError):
            raise ToolFailed(f"{self.name} did not return within {self.timeout:g} s.") from None
        return sendable(self.name, result)

    async def allowed(self, arguments: dict[str, Any]) -> bool | None:
        """Whether a call may run; None where a person has to be asked. Raises `ToolFailed`."""
        if self.approve is None or isinstance(self.approve, bool):
            return self.approve or None
        try:
            # A copy: what is looked at is what runs, whatever the function does to it.
            decided = self.approve(Called(self.name, copy.deepcopy(arguments)))
            if inspect.isawaitable(decided):
                decided = await decided
            return bool(decided)
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001 - it is a person's own code
            raise ToolFailed(f"Not run: `approve` failed with {_words(error)}") from None

    async def _called(self, fields: dict[str, Any]) -> Any:
        failure: BaseException | None
        try:
            if inspect.iscoroutinefunction(self.function):
                return await self.function(**fields)
            result, failure = await _in_thread(lambda: self.function(**fields))
            if failure is None:
                return await result if inspect.isawaitable(result) else result
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001 - it is a person's own code
            # Also `sys.exit()`: the answer must not wait for a tool that is gone.
            failure = error
        raise ToolFailed(f"{self.name} failed with {_words(failure)}") from None

    def __repr__(self) -> str:
        return f"<Tool {self.name}>"


async def _in_thread(function: Callable[[], Any]) -> tuple[Any, BaseException | None]:
    """What it returns, or raises: no future takes every exception."""
    # Not `asyncio.to_thread`: the kernel could not end while one of its threads hangs.
    loop = asyncio.get_running_loop()
    done: asyncio.Future[tuple[Any, BaseException | None]] = loop.create_future()

    def settle(what: tuple[Any, BaseException | None]) -> None:
        if not done.done():
            done.set_result(what)

    def work() -> None:
        what: tuple[Any, BaseException | None]
        try:
            what = (function(), None)
        except BaseException as error:  # noqa: BLE001 - told where it is awaited
            what = (None, error)
        # The loop may be closed by now; then nobody waits any more.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(settle, what)

    here = contextvars.copy_context()
    threading.Thread(target=here.run, args=(work,), name="streamchat-tool", daemon=True).start()
    return await done


def _words(error: BaseException) -> str:
    try:
        said = str(error)
    except Exception:  # noqa: BLE001 - it is a person's own code
        said = "its message cannot be read"
    return f"{type(error).__name__}: {said}"


def _name(function: object) -> str:
    name = getattr(function, "__name__", "")
    if not callable(function) or not _NAME.fullmatch(name):
        raise BadRequest(
            "A tool is a function with a name, made with `def`: letters, digits and _, 64 at most."
        )
    return str(name)


def _arguments(name: str, function: Callable[..., Any]) -> type[msgspec.Struct]:
    """The function's arguments as a type, which knows their JSON schema and checks them."""
    try:
        hints = typing.get_type_hints(function, include_extras=True)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with an annotation
        raise BadRequest(f"The types of {name} cannot be read: {error}.") from None
    fields: list[Any] = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind not in _KINDS:
            raise BadRequest(
                f"{name} takes `{parameter}`. A tool's arguments have names, each its own."
            )
        kind = hints.get(parameter.name, Any)
        if parameter.default is parameter.empty:
            fields.append((parameter.name, kind))
        else:
            fields.append((parameter.name, kind, _default(parameter.default)))
    return msgspec.defstruct(name, fields, kw_only=True, forbid_unknown_fields=True)


def _default(value: Any) -> Any:
    """The default, which a model is told of where JSON can hold it."""
    # msgspec takes empty ones only, of which it makes new ones for each call.
    full = isinstance(value, list | dict | set | bytearray) and bool(value)
    try:
        msgspec.json.encode(value)
        msgspec.defstruct("_", [("value", Any, value)])
    except (TypeError, ValueError, RecursionError):
        full = True
    return msgspec.field(default_factory=lambda: value) if full else value


def _schema(arguments: type[msgspec.Struct]) -> dict[str, Any]:
    try:
        found = msgspec.json.schema(arguments)
    except (TypeError, ValueError, RecursionError):
        raise BadRequest(
            f"{arguments.__name__} takes what a model cannot send as JSON: "
            f"{', '.join(_odd(arguments)) or 'its types together'}. Use `str`, `float`, "
            "`list[int]`, `Literal`, a dataclass or a msgspec.Struct, not a class of another kind."
        ) from None
    reference = found.pop("$ref")
    definitions = found["$defs"]
    made = dict(definitions.pop(reference.rsplit("/", 1)[-1]))
    made.pop("title", None)
    return {**made, **({"$defs": definitions} if definitions else {})}


def _odd(arguments: type[msgspec.Struct]) -> list[str]:
    """The arguments of whose types there is no JSON schema."""
    odd = []
    for field in msgspec.structs.fields(arguments):
        try:
            msgspec.json.schema(field.type)
        except (TypeError, ValueError, RecursionError):  # noqa: PERF203 - few, and once
            odd.append(f"`{field.name}: {getattr(field.type, '__name__', field.type)}`")
    return odd


def sendable(name: str, result: Any) -> Any:
    """A tool's result as JSON has it: DataFrames as their summary, dataclasses as objects.

    Raises `ToolFailed` for what JSON cannot hold, and for more than `MAX_RESULT`.
    """
    try:
        if is_table(result):
            return summary(result)
        encoded = msgspec.json.encode(result, enc_hook=_as_json)
    except Exception as error:  # noqa: BLE001 - objects of others take part in it
        why = _words(error).partition(": ")[2]
        raise ToolFailed(
            f"{name} returned a {type(result).__name__}, which JSON cannot hold ({why}). It has "
            "to return text, numbers, lists, dictionaries or a DataFrame."
        ) from None
    if len(encoded) > MAX_RESULT:
        raise ToolFailed(
            f"{name} returned {len(encoded) // 1024:,} KiB; at most {MAX_RESULT // 1024} go to a "
            "model. It has to return less, or a part of it."
        )
    return msgspec.json.decode(encoded)


def _as_json(value: Any) -> Any:
    for method in ("model_dump", "tolist"):
        # Of pydantic, and of numpy and pandas.
        found = getattr(value, method, None)
        if callable(found):
            return found(mode="json") if method == "model_dump" else found()
    if is_table(value):
        return summary(value)
    raise TypeError(f"no JSON for {type(value).__name__}")
