"""A reply: one run as notebook code sees it, sync and async, while it streams and afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from typing import Any, TypeVar, get_args

from jupyter_streamchat import display
from jupyter_streamchat.answer import Answer
from jupyter_streamchat.client import RelayClient
from jupyter_streamchat.errors import RelayLost
from jupyter_streamchat.following import Following
from jupyter_streamchat.interrupt import stopping
from jupyter_streamchat.loop import POLL_S
from jupyter_streamchat.measures import deltas_frame, deltas_plot
from jupyter_streamchat.recording import Recording
from jupyter_streamchat.structured import Shape
from jupyter_streamchat.workbench import in_tool
from streamchat_relay.model import (
    BadRequest,
    RunEvent,
)
from streamchat_relay.protocol.frames import Rating

_Item = TypeVar("_Item")

TICK_S = 0.2
"""A waiting event loop is woken this often: a signal alone does not wake it in a kernel."""

AT_ONCE_S = 0.05
"""A reply that ends so soon, as one without a key does, needs no widget to show how it grows."""


class Reply(Answer):
    """The answer to one prompt. It is made by `Chat.send` and streams whether read or not.

    As a cell's last line it shows itself and streams. It can be iterated with `for` and
    `async for`, any number of times, in several places at once, and always from the start; each
    item is the text that came in one event. `await reply` and `reply.wait()` return the finished
    reply. If the run fails, these raise the matching `StreamChatError` after the text that came;
    a run that somebody stopped just ends, with `state == "interrupted"`. Interrupting the kernel
    while it waits for a reply or iterates over one stops the run; `break` does not.

    >>> from jupyter_streamchat import Chat
    >>> reply = Chat("demo/echo").send("Hello!")
    >>> "Hello!" in "".join(reply)
    True
    >>> reply.state, reply.finish_reason
    ('done', 'stop')
    """

    def __init__(
        self,
        client: RelayClient,
        following: Following,
        run: str,
        recording: Recording,
        shape: Shape | None = None,
    ) -> None:
        super().__init__(following, run, recording)
        self._client = client
        self._shape = shape
        self._shown_in: int | None = None

    def events(self) -> Iterator[RunEvent]:
        """All events of the run from the start, each as it comes, until its last one.

        They are `streamchat_relay.model`'s, with `t` in milliseconds since the run was accepted.
        Does not raise what the run failed with: that is the last event.
        """
        recording = self._recording
        yield from self._growing(recording.events, lambda at: recording.wait_event(at, POLL_S))

    def json(self, *, schema: Any = None) -> Any:
        r"""Wait for the answer and read it as a value of the type that `send` was given.

        `schema` is another type (msgspec, pydantic, a dataclass, `dict`, …); without any, it is
        what JSON says. Raises `AnswerMismatch`, which keeps the text, where that does not fit.

        >>> from jupyter_streamchat import Chat
        >>> Chat("demo/echo").send("```json\n[1, 2]\n```").json(schema=list[int])
        [1, 2]
        """
        shape = Shape(schema) if schema is not None else self._shape or Shape(Any)
        return shape.read(self.wait().text)

    def to_dataframe(self) -> Any:
        """Each delta with its time, as a pandas DataFrame; waits for the end, whatever it is.

        Columns: `t` in milliseconds since the prompt was accepted, `kind` (`text` or
        `reasoning`), `delta`, `characters` so far. Raises `ModuleNotFoundError` without pandas.
        """
        return deltas_frame(self.events())

    def plot(self, axes: Any = None) -> Any:
        """Draw how the answer came: characters over time, the first one, and the rate.

        `axes` is where to draw (matplotlib), by default a new figure. Returns the axes. Raises
        `ModuleNotFoundError` without matplotlib.
        """
        return deltas_plot(self.events(), self.model, axes)

    def rate(self, value: Rating) -> None:
        """Say what you think of the answer: `"up"`, `"down"`, or `"none"`, which takes it back.

        The page shows it, and exports hold it. Raises `BadRequest` for another value.

        >>> from jupyter_streamchat import Chat
        >>> Chat("demo/echo").send("Hello!").wait().rate("up")
        """
        if value not in get_args(Rating):
            raise BadRequest(f"A rating is 'up', 'down' or 'none', not {value!r}.")
        self._client.rate(self.conversation, self._message(), value)

    def stop(self) -> None:
        """End the run now; what came stays. Does not wait, and is harmless when it has ended."""
        if not self._recording.ended:
            self._recording.stopping()
            self._client.stop(self._run)

    def wait(self, timeout: float | None = None) -> Reply:
        """Wait until the run has ended and return this reply.

        `timeout` is in seconds. Raises the run's `StreamChatError` if it failed, and
        `TimeoutError` if it has not ended in time; then the run goes on.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        with self._stopped_by_interrupt():
            while True:
                left = POLL_S if deadline is None else deadline - time.monotonic()
                if self._recording.wait_end(max(0.0, min(POLL_S, left))):
                    break
                if left <= 0:
                    raise TimeoutError(f"The reply was not finished after {timeout:g} s.")
                self._check()
        self._raise()
        return self

    def __iter__(self) -> Iterator[str]:
        recording = self._recording
        yield from self._growing(recording.deltas, lambda at: recording.wait(at, POLL_S))
        self._raise()

    def _growing(self, items: list[_Item], wait: Callable[[int], object]) -> Iterator[_Item]:
        """Each of what the recording gathers, from the first, until the run has ended."""
        position = 0
        with self._stopped_by_interrupt():
            while True:
                # Read before the items: what came before the end is never missed.
                ended = self._recording.ended
                while position < len(items):
                    position += 1
                    yield items[position - 1]
                if ended:
                    return
                wait(position)
                self._check()

    async def __aiter__(self) -> AsyncIterator[str]:
        recording, position = self._recording, 0
        with self._stopped_by_interrupt():
            while True:
                ended = recording.ended
                while position < len(recording.deltas):
                    position += 1
                    yield recording.deltas[position - 1]
                if ended:
                    break
                await self._more(position)
        self._raise()

    def __await__(self) -> Generator[Any, None, Reply]:
        return self._finished().__await__()

    def __repr__(self) -> str:
        return f"<Reply {self.state}, {len(self.text)} characters>"

    def _display_(self) -> object:
        # What marimo asks for: it has no outputs that can be changed later, so the widget stays.
        return display.widget_of(self)

    def _ipython_display_(self) -> None:
        if self._shown_in is None or self._shown_in != display.execution_count():
            self._show(with_error=True)

    def _show_for_magic(self, form: str = "markdown") -> None:
        """Show the reply now, and not again as the value of this same execution.

        What goes wrong is left to the magic, which raises it.
        """
        self._shown_in = display.execution_count()
        self._show(with_error=False, form=form)

    def _show(self, *, with_error: bool, form: str = "markdown") -> None:
        self._recording.wait_begin(AT_ONCE_S)
        display.show_reply(self, self._recording.call_at_end, with_error=with_error, form=form)

    async def _finished(self) -> Reply:
        with self._stopped_by_interrupt():
            while not self._recording.ended:
                await self._more(len(self._recording.deltas))
        self._raise()
        return self

    async def _more(self, position: int) -> None:
        """Wait on the caller's loop until there are more than `position` deltas."""
        self._check()
        loop = asyncio.get_running_loop()
        more = asyncio.Event()

        def wake() -> None:
            # The loop may be closed by now; then nobody waits any more.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(more.set)

        if not self._recording.call_when_more(position, wake):
            return
        tick = _Tick(loop)
        try:
            await more.wait()
        except asyncio.CancelledError:
            self.stop()
            raise
        finally:
            tick.cancel()
            self._recording.forget(wake)

    @contextlib.contextmanager
    def _stopped_by_interrupt(self) -> Iterator[None]:
        if self._recording.ended:
            yield
            return
        with stopping(self.stop):
            try:
                yield
            except KeyboardInterrupt:
                self.stop()
                raise

    def _message(self) -> str:
        """The id of the message that it writes, once that is known; empty if it never will be."""
        while not self._recording.wait_accepted(POLL_S):
            self._check()
        return self._recording.message

    def _check(self) -> None:
        if self._client.foreign:
            raise RelayLost(
                "This reply belongs to the process that this one was forked from. Send anew here."
            )
        if self._recording.position is not None and in_tool.get():
            self.stop()
            raise BadRequest(
                "This answer waits in line, and the line may wait for the tool that asks for it. "
                "In a tool ask another chat: `Chat(…)`, or `chat.fork()`."
            )
        if self._recording.asked:
            self._ask_person()

    def _ask_person(self) -> None:
        """Whoever waits here waits for a person: let them see what they are asked."""
        heard = self._client.relay is None or display.clicks_are_heard()
        if display.in_notebook() and heard:
            if self._shown_in is None:
                self._shown_in = display.execution_count()
                self._show(with_error=False)
            return
        for call in self.tool_calls:
            digest = self._recording.asked.pop(call.id, None)
            if digest is not None:
                allow = display.ask_in_words(call.name, call.input)
                self._client.approve(self._run, call.id, digest, allow=allow)

    def _raise(self) -> None:
        error = self._recording.error
        if error is not None:
            raise error.with_traceback(None)


class _Tick:
    """Wakes a loop every `TICK_S` seconds until cancelled."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._arm()

    def cancel(self) -> None:
        self._handle.cancel()

    def _arm(self) -> None:
        self._handle = self._loop.call_later(TICK_S, self._arm)
