"""Tools: typed functions of yours that a model may call, run in this kernel."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import re
import threading
import typing
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import msgspec

from jupyter_streamchat.tables import is_table, summary
from streamchat_relay.model import BadRequest, ToolSpec

TIMEOUT_S = 120.0
"""Seconds in which a tool returns, unless it is given another limit."""
MAX_RESULT = 256 * 1024
"""Bytes of JSON that a tool may return."""

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_KINDS = {inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY}


class Called(NamedTuple):
    """A call that `approve=` is asked about: the tool's name and its arguments."""

    name: str
    arguments: dict[str, Any]


Approve = bool | Callable[[Called], "bool | Awaitable[bool]"]
"""True: it has no side effects, and runs. A function decides for each call."""


class ToolFailed(Exception):
    """What a tool could not do, for the model to read."""


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
        except Exception as error:  # noqa: BLE001 - it is a person's own code
            raise ToolFailed(f"{self.name} failed with {type(error).__name__}: {error}") from None
        return sendable(self.name, result)

    async def allowed(self, arguments: dict[str, Any]) -> bool | None:
        """Whether a call may run; None where a person has to be asked. Raises `ToolFailed`."""
        if self.approve is None or isinstance(self.approve, bool):
            return self.approve or None
        try:
            decided = self.approve(Called(self.name, arguments))
            if inspect.isawaitable(decided):
                decided = await decided
        except Exception as error:  # noqa: BLE001 - it is a person's own code
            raise ToolFailed(
                f"Not run: `approve` failed with {type(error).__name__}: {error}"
            ) from None
        return bool(decided)

    async def _called(self, fields: dict[str, Any]) -> Any:
        if inspect.iscoroutinefunction(self.function):
            return await self.function(**fields)
        result = await _in_thread(lambda: self.function(**fields))
        return await result if inspect.isawaitable(result) else result

    def __repr__(self) -> str:
        return f"<Tool {self.name}>"


async def _in_thread(function: Callable[[], Any]) -> Any:
    # Not `asyncio.to_thread`: the kernel could not end while one of its threads hangs.
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Any] = loop.create_future()

    def settle(result: Any, error: BaseException | None) -> None:
        if not done.done():
            done.set_result(result) if error is None else done.set_exception(error)

    def work() -> None:
        result, failure = None, None
        try:
            result = function()
        except Exception as error:  # noqa: BLE001 - raised where it is awaited
            failure = error
        # The loop may be closed by now; then nobody waits any more.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(settle, result, failure)

    threading.Thread(target=work, name="streamchat-tool", daemon=True).start()
    return await done


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
    # msgspec takes empty ones only, of which it makes new ones for each call.
    if isinstance(value, list | dict | set | bytearray) and value:
        return msgspec.field(default_factory=lambda: value)
    return value


def _schema(arguments: type[msgspec.Struct]) -> dict[str, Any]:
    try:
        found = msgspec.json.schema(arguments)
    except TypeError as error:
        raise BadRequest(
            f"{arguments.__name__} takes what a model cannot send as JSON: {error}"
        ) from None
    reference = found.pop("$ref")
    definitions = found["$defs"]
    made = dict(definitions.pop(reference.rsplit("/", 1)[-1]))
    made.pop("title", None)
    return {**made, **({"$defs": definitions} if definitions else {})}


def sendable(name: str, result: Any) -> Any:
    """A tool's result as JSON has it: DataFrames as their summary, dataclasses as objects.

    Raises `ToolFailed` for what JSON cannot hold, and for more than `MAX_RESULT`.
    """
    if is_table(result):
        return summary(result)
    try:
        encoded = msgspec.json.encode(result, enc_hook=_as_json)
    except (TypeError, ValueError, RecursionError) as error:
        raise ToolFailed(
            f"{name} returned a {type(result).__name__}, which JSON cannot hold ({error}). It has "
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
