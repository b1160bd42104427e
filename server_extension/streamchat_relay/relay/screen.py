"""The screen: a filter of the administrator's that sees what is asked and what is answered."""

from __future__ import annotations

import asyncio
import inspect
import logging
import traceback
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, Literal, NamedTuple, TypeVar, cast

from streamchat_relay.model import (
    ContentFiltered,
    FinishOutput,
    Message,
    Output,
    Part,
    ReasoningOutput,
    ReasoningPart,
    SourceOutput,
    StreamChatError,
    TextOutput,
    TextPart,
    TooLarge,
    ToolInputOutput,
    ToolPart,
    ToolResultOutput,
    text_of,
)
from streamchat_relay.model.reduce import replace
from streamchat_relay.protocol.frames import Send
from streamchat_relay.relay.ports import Call, Provider, Sink

AnyPart = TypeVar("AnyPart", bound=Part)

TIMEOUT_S = 30.0
"""A filter that takes longer has failed."""


class Passage(NamedTuple):
    """A text on its way: to the model (`system`, `user`, `tool`) or from it.

    From it come `assistant`, also a tool call's arguments as JSON, and `reasoning`.
    """

    text: str
    role: Literal["system", "user", "tool", "assistant", "reasoning"]
    user: str
    conversation: str
    model: str


ContentFilter = Callable[[Passage], "str | Awaitable[str | None] | None"]
"""Returns None to let a passage be, or the text to put in its place; raises to refuse it.

The message of a `ContentFiltered` is what the person reads. Anything else that it raises is a
failure, and refuses too.
"""


class Screen:
    """Shows every passage to the filter; without one everything passes.

    What has been shown to a reader cannot be taken back, so with a filter an answer comes part by
    part: each when it is complete and has passed.
    """

    def __init__(
        self,
        content_filter: ContentFilter | None = None,
        *,
        timeout_s: float = TIMEOUT_S,
        log: logging.Logger | None = None,
    ) -> None:
        self._filter = content_filter
        self._timeout_s = timeout_s
        self._log = log or logging.getLogger(__name__)

    @property
    def off(self) -> bool:
        """Whether everything passes."""
        return self._filter is None

    async def passed(self, passage: Passage) -> str:
        """The text as the filter lets it through; raises `ContentFiltered` where it does not."""
        if self._filter is None or not passage.text:
            return passage.text
        try:
            found = await asyncio.wait_for(self._ask(self._filter, passage), self._timeout_s)
        except ContentFiltered:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, nothing passes
            # Without its message, which may hold the passage.
            where = "".join(traceback.format_tb(error.__traceback__))
            self._log.error("The content filter failed: %s at\n%s", type(error).__name__, where)
            found = error
        if found is None:
            return passage.text
        if isinstance(found, str):
            return found
        if not isinstance(found, Exception):
            self._log.error("The content filter returned %s, not text", type(found).__name__)
        raise ContentFiltered(
            "This server's content filter failed, so nothing passes it. Tell who runs the server; "
            "its log says more."
        )

    async def outcome(self, output: Any, error: str, about: Passage) -> tuple[Any, str]:
        """What came of a tool's call, as it passes: its output, or its error."""
        if self.off:
            return output, error
        text = error or text_of(output)
        passed = await self.passed(about._replace(text=text, role="tool"))
        if passed == text:
            return output, error
        return (output, passed) if error else (passed, "")

    async def prompt(self, user: str, send: Send, model: str) -> Send:
        """What becomes of a prompt and its system prompt on their way to the log."""
        if self.off or send.message is None:
            return send

        about = Passage("", "user", user, send.conversation, model)
        parts = await self._shown(send.message.parts, about)
        send = replace(send, message=replace(send.message, parts=parts))
        system = (send.params or {}).get("system")
        if isinstance(system, str):
            passed = await self.passed(about._replace(text=system, role="system"))
            send = replace(send, params={**(send.params or {}), "system": passed})
        return send

    async def messages(
        self, user: str, messages: tuple[Message, ...], model: str
    ) -> tuple[Message, ...]:
        """What becomes of messages that are sent together, beside all conversations."""
        if self.off:
            return messages
        shown: list[Message] = []
        for message in messages:
            role = "user" if message.role == "tool" else message.role
            parts = await self._shown(message.parts, Passage("", role, user, "", model))
            shown.append(replace(message, parts=parts))
        return tuple(shown)

    async def stream(
        self, provider: Provider, call: Call, sink: Sink, about: Passage, *, most_bytes: int
    ) -> None:
        """As `provider.stream`, each part being held back until it is complete and has passed."""
        if self.off:
            await provider.stream(call, sink)
            return
        parts = _Parts(most_bytes)
        asking = asyncio.ensure_future(provider.stream(call, parts))
        checking = asyncio.ensure_future(self._carry(parts, sink, about))
        try:
            await asyncio.wait({asking, checking}, return_when=asyncio.FIRST_COMPLETED)
            if not checking.done():
                parts.end()
            else:
                # Refused: what else the provider says nobody will see.
                asking.cancel()
                await asyncio.wait({asking})
            await checking
            await asking
        finally:
            asking.cancel()
            checking.cancel()
            await asyncio.wait({asking, checking})
            for task in (asking, checking):
                with suppress(asyncio.CancelledError):
                    task.exception()

    async def _shown(self, parts: tuple[AnyPart, ...], about: Passage) -> tuple[AnyPart, ...]:
        """The parts with their texts, and what tools returned, as they pass."""
        shown: list[AnyPart] = []
        for part in parts:
            if isinstance(part, TextPart | ReasoningPart):
                passed = await self.passed(about._replace(text=part.text))
                shown.append(replace(part, text=passed))
            elif isinstance(part, ToolPart) and part.ended:
                output, error = await self.outcome(part.output, part.error, about)
                shown.append(replace(part, output=output, error=error))
            else:
                shown.append(part)
        return tuple(shown)

    async def _carry(self, parts: _Parts, sink: Sink, about: Passage) -> None:
        while (output := await parts.next()) is not None:
            if isinstance(output, StreamChatError):
                raise output
            if isinstance(output, TextOutput | ReasoningOutput):
                role = "assistant" if isinstance(output, TextOutput) else "reasoning"
                passage = about._replace(
                    text=output.delta, role=cast("Literal['assistant', 'reasoning']", role)
                )
                sink.push([type(output)(await self.passed(passage))])
            elif isinstance(output, ToolInputOutput):
                passed = await self.passed(about._replace(text=output.delta))
                sink.push([replace(output, delta=passed)])
            elif isinstance(output, SourceOutput):
                title = await self.passed(about._replace(text=output.title))
                sink.push([replace(output, title=title)])
            elif isinstance(output, ToolResultOutput):
                passed_on = await self.outcome(output.output, output.error, about)
                sink.push([ToolResultOutput(output.call, *passed_on)])
            else:
                sink.push([output])

    @staticmethod
    async def _ask(content_filter: ContentFilter, passage: Passage) -> object:
        if inspect.iscoroutinefunction(content_filter):
            return await content_filter(passage)
        # It may take its time, and the loop has others to serve.
        found = await asyncio.to_thread(content_filter, passage)
        return await found if inspect.isawaitable(found) else found


class _Parts:
    """The sink that joins deltas to whole parts."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._size = 0
        self._kind: type[TextOutput | ReasoningOutput] | None = None
        self._inputs: dict[str, list[str]] = {}
        self._deltas: list[str] = []
        self._whole: asyncio.Queue[Output | StreamChatError | None] = asyncio.Queue()

    async def next(self) -> Output | StreamChatError | None:
        """The next whole part, or what else came; None at the end."""
        return await self._whole.get()

    def push(self, outputs: Sequence[Output]) -> None:
        """Take what the provider said."""
        if self._size > self._most_bytes:
            return
        for output in outputs:
            if isinstance(output, ToolInputOutput):
                # Of several calls at once, each waits for its own end: that of all.
                self._close()
                self._inputs.setdefault(output.call, []).append(output.delta)
                self._size += len(output.delta)
                continue
            if isinstance(output, SourceOutput):
                # It stands below the answer, and cuts nothing in two.
                self._whole.put_nowait(output)
                continue
            if not isinstance(output, TextOutput | ReasoningOutput):
                self._close()
                if isinstance(output, ToolResultOutput | FinishOutput):
                    self._close_inputs()
                self._whole.put_nowait(output)
                continue
            if type(output) is not self._kind:
                self._close()
                self._kind = type(output)
            self._deltas.append(output.delta)
            self._size += len(output.delta)
        if self._size > self._most_bytes:
            self._deltas.clear()
            self._whole.put_nowait(
                TooLarge(f"The answer is larger than {self._most_bytes // 2**20} MiB.")
            )

    def end(self) -> None:
        """Nothing more comes; what is not complete is shown to the filter as it is."""
        self._close()
        self._close_inputs()
        self._whole.put_nowait(None)

    def _close_inputs(self) -> None:
        inputs, self._inputs = self._inputs, {}
        for call, deltas in inputs.items():
            self._whole.put_nowait(ToolInputOutput(call, "".join(deltas)))

    def _close(self) -> None:
        text, self._deltas = "".join(self._deltas), []
        if text and self._kind is not None:
            self._whole.put_nowait(self._kind(text))
