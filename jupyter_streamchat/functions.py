"""Functions as models: your own code answers, in the kernel, and streams as any provider does."""

from __future__ import annotations

import asyncio
import inspect
import re
import secrets
import threading
import traceback
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from jupyter_streamchat.loop import answering
from streamchat_relay.model import (
    AbortReason,
    BadRequest,
    ErrorInfo,
    FinishReason,
    Message,
    ProviderError,
    StreamChatError,
    Usage,
)
from streamchat_relay.protocol.frames import Done, Piece, ServedCall

GATHER_S = 0.01
"""What comes within this time travels together."""

_NAME = re.compile(r"[^A-Za-z0-9_-]+")


class Thought(str):
    """What a model thought, as text that is shown apart from its answer.

    >>> Thought("Hm.")
    'Hm.'
    """

    __slots__ = ()


class Ended(NamedTuple):
    """Yielded last: why the answer ended, and what it used.

    With `abort_reason` it ends as if it had been ended from outside: `user` is a stop.
    """

    finish_reason: FinishReason = "stop"
    usage: Usage | None = None
    abort_reason: AbortReason | None = None


@dataclass(frozen=True)
class ToolCall:
    """Yielded where a model calls a tool: its name, and the arguments by name.

    With a `ToolResult` after it the call is only shown. Without one the chat's own tool of that
    name runs when the function has ended, and the function is called again: the last message is
    then its own, with the result.
    """

    name: str
    arguments: dict[str, Any] = field(default_factory=dict)
    id: str = field(default_factory=lambda: secrets.token_hex(6))


@dataclass(frozen=True)
class ToolResult:
    """Yielded where a function has called a tool by itself: what came of it, or an `error`."""

    call: ToolCall
    output: Any = None
    error: str = ""


class Context:
    """What a function may know of its call besides the messages.

    `params` are the prompt's (`system`, `temperature`, …), `model` the chat's own id, `tools` what
    it may call by a `ToolCall` (name, description, input_schema), and `stopped` is true once
    somebody has stopped the answer: a loop that yields seldom should look at it.
    """

    def __init__(self, call: ServedCall) -> None:
        self.params = call.params
        self.model = call.model
        self.tools = call.tools
        self._stopped = threading.Event()

    @property
    def stopped(self) -> bool:
        """Whether nobody waits for the answer any more."""
        return self._stopped.is_set()

    def wait(self, seconds: float) -> bool:
        """Pause, or return at once when the answer is stopped; returns whether it was."""
        return self._stopped.wait(seconds)


Tell = Callable[["tuple[Piece, ...] | Done"], None]
"""Takes what a call led to, from any thread."""


class FunctionModel:
    """A function under a model's name; each call of it runs in a thread of its own.

    Async ones share an event loop, in which they must not block.

    It takes the messages, and a `Context` if it has a second parameter. It is a function, a
    generator, or either with `async`; it returns or yields text, `Thought`s, and last an `Ended`.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        name = _NAME.sub("-", getattr(function, "__name__", type(function).__name__)).strip("-")
        self.name = f"{name[:40] or 'function'}-{secrets.token_hex(3)}"
        self._with_context = _takes_context(function)
        self._calls: dict[str, tuple[Context, list[Callable[[], object]]]] = {}

    @property
    def id(self) -> str:
        """What the relay calls it."""
        return f"kernel/{self.name}"

    def start(self, call: ServedCall, tell: Tell) -> None:
        """Begin to answer; returns at once."""
        context = Context(call)
        cancels: list[Callable[[], object]] = []
        self._calls[call.call] = (context, cancels)
        threading.Thread(
            target=self._answer,
            args=(call, context, cancels, tell),
            name=f"streamchat-{self.name}",
            daemon=True,
        ).start()

    def cancel(self, call: str) -> None:
        """Nobody waits for this answer any more."""
        known = self._calls.get(call)
        if known is not None:
            context, cancels = known
            context._stopped.set()  # noqa: SLF001 - one of us
            for cancel in cancels:
                cancel()

    def _answer(
        self,
        call: ServedCall,
        context: Context,
        cancels: list[Callable[[], object]],
        tell: Tell,
    ) -> None:
        said = _Said(tell)
        try:
            arguments = (call.messages, context) if self._with_context else (call.messages,)
            found = self._function(*arguments)
            if inspect.isawaitable(found) or isinstance(found, AsyncIterator):
                answering().run(_drain(found, said, context, cancels))
            elif isinstance(found, Iterator):
                for piece in found:
                    if context.stopped:
                        break
                    said.add(piece)
            else:
                said.add(found)
            reason, usage, abort = said.end
            done = Done(call=call.call, finish_reason=reason, usage=usage, abort=abort)
        except asyncio.CancelledError:
            done = Done(call=call.call)
        except Exception as error:  # noqa: BLE001 - it is a person's own code
            done = Done(call=call.call, error=self._failure(error))
        finally:
            said.flush()
            del self._calls[call.call]
        tell(done)

    def _failure(self, error: Exception) -> ErrorInfo:
        if isinstance(error, StreamChatError):
            return error.info
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if frame.filename != __file__]
        where = f" (in {own[0].name}, line {own[0].lineno})" if own else ""
        message = f"{self.name} failed with {type(error).__name__}: {error}{where}"
        return ProviderError(message, retryable=False).info


async def _drain(
    found: Any, said: _Said, context: Context, cancels: list[Callable[[], object]]
) -> None:
    task = asyncio.current_task()
    loop = asyncio.get_running_loop()
    assert task is not None, "it runs in a task"

    def cancel() -> None:
        # The loop may have ended by itself meanwhile.
        if not loop.is_closed():
            loop.call_soon_threadsafe(task.cancel)

    cancels.append(cancel)
    if context.stopped:
        raise asyncio.CancelledError
    if inspect.isawaitable(found):
        found = await found
    if not isinstance(found, AsyncIterator):
        said.add(found)
        return
    async for piece in found:
        said.add(piece)


class _Said:
    """Gathers pieces that come close together, so that a fast function is no flood of frames."""

    def __init__(self, tell: Callable[[tuple[Piece, ...]], None]) -> None:
        self._tell = tell
        self._pieces: list[Piece] = []
        self._guard = threading.Lock()
        self._timer: threading.Timer | None = None
        self._sent_at = float("-inf")
        self.end = Ended()

    def add(self, piece: object) -> None:
        match piece:
            case None:
                return
            case Ended():
                self.end = piece
                return
            case Thought():
                made = Piece(delta=str(piece), kind="reasoning")
            case str():
                # Libraries yield subclasses, which the codec refuses.
                made = Piece(delta=str(piece))
            case ToolCall():
                arguments = _jsonable(piece.arguments)
                made = Piece(kind="tool-call", id=piece.id, tool=piece.name, value=arguments)
            case ToolResult():
                output = None if piece.error else _jsonable(piece.output)
                made = Piece(kind="tool-result", id=piece.call.id, value=output, error=piece.error)
            case _:
                raise BadRequest(
                    f"A model yields text, a Thought, a ToolCall or a ToolResult, and yours gave "
                    f"a {type(piece).__name__}. Put `str(…)` around it, or take its text."
                )
        with self._guard:
            self._pieces.append(made)
            if self._timer is None:
                self._timer = threading.Timer(GATHER_S, self.flush)
                self._timer.daemon = True
                self._timer.start()

    def flush(self) -> None:
        """Send what has gathered."""
        with self._guard:
            pieces, self._pieces = tuple(self._pieces), []
            self._timer = None
            if pieces:
                self._tell(pieces)


def _jsonable(value: Any) -> Any:
    try:
        return msgspec.to_builtins(value, str_keys=True)
    except (TypeError, ValueError, RecursionError) as error:
        raise BadRequest(f"A tool's arguments and results have to be JSON: {error}.") from None


def _takes_context(function: Callable[..., Any]) -> bool:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return False
    positional = [
        one
        for one in parameters
        if one.kind in {one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD} and one.default is one.empty
    ]
    if not 1 <= len(positional) <= 2 and not any(
        one.kind is one.VAR_POSITIONAL for one in parameters
    ):
        raise BadRequest(
            "A function that is a model takes the messages, and may take a context after them."
        )
    return len(positional) == 2


def texts(messages: tuple[Message, ...]) -> list[dict[str, str]]:
    """The messages as most libraries take them: `{"role": …, "content": …}`.

    >>> texts((Message(id="1", role="user"),))
    [{'role': 'user', 'content': ''}]
    """
    return [{"role": message.role, "content": message.text} for message in messages]
