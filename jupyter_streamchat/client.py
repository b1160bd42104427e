"""The kernel's one connection to its relay, shared by all chats and safe to use from any thread."""

from __future__ import annotations

import logging
import os
import random
import time
import weakref
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from typing import Any

from jupyter_streamchat.asking import Asked, Asking
from jupyter_streamchat.beside import Beside
from jupyter_streamchat.discovery import Address
from jupyter_streamchat.errors import RelayLost
from jupyter_streamchat.following import Following
from jupyter_streamchat.functions import FunctionModel
from jupyter_streamchat.loop import BackgroundLoop
from jupyter_streamchat.recording import Recording
from jupyter_streamchat.runs import Runs
from jupyter_streamchat.serving import Serving
from jupyter_streamchat.tools import Tool
from jupyter_streamchat.transports.memory import MemoryTransport
from jupyter_streamchat.transports.relay import Relay
from jupyter_streamchat.transports.websocket import Resolve, WebSocketTransport
from jupyter_streamchat.workbench import Workbench
from streamchat_relay.model import (
    Catalog,
    Conversation,
    Event,
    FilePart,
    NotFound,
    Overview,
    Spendings,
    StreamChatError,
    TextPart,
    error_from,
)
from streamchat_relay.protocol.client import ClientSession
from streamchat_relay.protocol.frames import ModelsOk, Ok, Prompt, Rating
from streamchat_relay.protocol.outcomes import (
    Allowed,
    Answer,
    Called,
    Cancelled,
    Deliver,
    Ended,
    Gone,
    Live,
    Outcome,
    Replace,
    Retry,
    ToolCalled,
)

LOST_AFTER_S = 60.0
"""After this long without a connection, waiting for an answer ends with an error."""

_log = logging.getLogger(__name__)


class RelayClient:
    """Follows conversations and runs on one relay, over any number of reconnects.

    `way` is the relay of this process, or is asked for that of the server before each connection,
    since a restarted server has a new address. When the relay stays away for `lost_after` seconds,
    or refuses for good, the client has ended: every run it knows fails, and a new client has to be
    made.
    """

    def __init__(
        self,
        loop: BackgroundLoop,
        way: Resolve | Relay,
        *,
        lost_after: float = LOST_AFTER_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._loop = loop
        self._lost_after = lost_after
        self._clock = clock
        self._offline_since: float | None = clock()
        self._ended: StreamChatError | None = None
        self._session = ClientSession(
            f"jupyter_streamchat/{version('jupyter-streamchat')}",
            jitter=random.random,
        )
        self.relay: Relay | None = None
        """The relay of this process, where it is that one."""
        self._transport: MemoryTransport | WebSocketTransport
        self._beside = Beside(way)
        if callable(way):
            self._transport = WebSocketTransport(self._session, way, self._on_outcome, clock=clock)
        else:
            self.relay = way
            self._transport = MemoryTransport(self._session, way, self._on_outcome, clock=clock)
        self._followings: weakref.WeakValueDictionary[str, Following] = (
            weakref.WeakValueDictionary()
        )
        self._runs = Runs()
        act = self._transport.act
        self._asking = Asking(act)
        self._serving = Serving(self._session, self._call_if_usable, act)
        self._workbench = Workbench(
            self._call_if_usable, lambda said: act(self._session.tell(said))
        )
        self._task = loop.submit(self._transport.run())
        self._task.add_done_callback(self._stopped)

    @property
    def usable(self) -> bool:
        """False once the client has ended, and in a forked child."""
        return self._ended is None and self._loop.usable

    @property
    def foreign(self) -> bool:
        """True in a forked child, where nothing of the parent's client will ever happen."""
        return self._loop.pid != os.getpid()

    def follow(self, conversation: str) -> Following:
        """Follow a conversation for as long as somebody holds what this returns."""
        following = self._followings.get(conversation)
        if following is None:
            following = self._followings[conversation] = Following(conversation)
            weakref.finalize(following, self._forgotten, conversation)
            self._loop.call(partial(self._open, following))
        return following

    def send(
        self,
        following: Following,
        run: str,
        recording: Recording,
        parts: tuple[TextPart | FilePart, ...],
        *,
        parent: str | None,
        model: str,
        params: dict[str, Any],
    ) -> None:
        """Start a run and record it; returns at once. Without `parts` `parent` is answered anew."""
        send = partial(self._session.send, following.conversation, run)
        message = Prompt(parts=parts) if parts else None
        asked = partial(send, model=model, message=message, parent=parent, params=params)
        self._loop.call(partial(self._send, following, run, recording, asked))

    def serve(self, model: FunctionModel) -> None:
        """Answer for a function's model as long as this client lives; returns at once."""
        self._loop.call(partial(self._serve, model))

    def offer(self, conversation: str, tools: dict[str, Tool]) -> None:
        """Run these tools for a conversation as long as this client lives; returns at once."""
        self._loop.call(partial(self._offer, conversation, tools))

    def approve(self, run: str, part: str, digest: str, *, allow: bool) -> None:
        """Say what a person decided of a call that has this digest; returns at once."""
        self._loop.call(
            lambda: self._asking.ask(self._session.approve(run, part, digest, allow=allow), _ignore)
        )

    def stop(self, run: str) -> None:
        """End a run early; returns at once."""
        self._loop.call(partial(self._stop, run))

    def catalog(self) -> Catalog:
        """The models that can be asked now; waits for the relay's answer."""
        ok = self._answer(self._session.models)
        assert isinstance(ok, ModelsOk)
        return Catalog(models=ok.models, default=ok.default, problems=ok.problems)

    def spendings(self, conversation: str) -> Spendings:
        """What was used, and what is left; waits for the relay's answer."""
        return self._loop.run(self._beside.spendings(conversation))

    def overview(self, limit: int, before: tuple[float, str] | None, search: str = "") -> Overview:
        """The user's conversations, the one used last first; waits for the relay's answer."""
        return self._loop.run(self._beside.overview(limit, before, search))

    def rate(self, conversation: str, message: str, value: Rating) -> None:
        """Keep what a person thinks of an answer; waits for the relay's answer."""
        self._answer(lambda: self._session.rate(conversation, message, value))

    def rename(self, conversation: str, title: str) -> None:
        """Give a conversation a title; waits for the relay's answer."""
        self._answer(lambda: self._session.rename(conversation, title))

    def delete(self, conversation: str) -> None:
        """Hide a conversation, and delete it for good later; waits for the relay's answer."""
        self._answer(lambda: self._session.delete(conversation))

    def restore(self, conversation: str) -> None:
        """Take a deletion back; waits for the relay's answer."""
        self._loop.run(self._restore(conversation))

    def address(self) -> Address | None:
        """Where the relay is now; None where it is away, or is this process's own."""
        return self._loop.run(self._beside.address())

    def close(self) -> None:
        """Disconnect. Runs go on at the relay; here they fail."""
        if self._loop.usable:
            self._task.cancel()

    def _call_if_usable(self, function: Callable[[], object]) -> None:
        if self.usable:
            self._loop.call(function)

    def _answer(self, request: Callable[[], Asked]) -> Ok:
        return self._loop.run(self._asking.answer(request, lambda: self._ended))

    # Everything below runs on the loop.

    def _open(self, following: Following) -> None:
        if self._ended is not None:
            following.fail(self._ended)
        elif not following.opened:
            following.opened = True
            self._asking.ask(
                self._session.open(following.conversation), partial(self._opened, following)
            )

    def _opened(self, following: Following, answer: Answer) -> None:
        if answer.error is not None:
            error = error_from(answer.error)
            following.fail(error)
            self._runs.fail_in(following, error)

    def _forgotten(self, conversation: str) -> None:
        # From whatever thread collects garbage.
        if self.usable:
            self._loop.call(partial(self._leave, conversation))

    def _leave(self, conversation: str) -> None:
        if self._ended is not None:
            return
        # Also where somebody follows it again by now: whoever is new needs its whole state.
        self._asking.ask(self._session.leave(conversation), _ignore)
        following = self._followings.get(conversation)
        if following is not None and following.opened:
            following.opened = False
            self._open(following)

    def _send(
        self,
        following: Following,
        run: str,
        recording: Recording,
        asked: Callable[[], tuple[str, list[Outcome]]],
    ) -> None:
        # The client holds what runs, so that a reply that nobody keeps still shows itself.
        self._runs.add(run, following, recording)
        if self._ended is not None:
            self._runs.fail(run, self._ended)
            return
        self._open(following)
        self._asking.ask(asked(), partial(self._sent, run))

    def _serve(self, model: FunctionModel) -> None:
        if self._ended is None and self._serving.add(model):
            self._asking.ask(self._session.serve(model.name), _ignore)

    def _offer(self, conversation: str, tools: dict[str, Tool]) -> None:
        specs = self._workbench.add(conversation, tools)
        if self._ended is None and specs is not None:
            self._asking.ask(self._session.offer(conversation, specs, self._workbench.id), _offered)

    def _sent(self, run: str, answer: Answer) -> None:
        if answer.error is not None:
            self._runs.fail(run, error_from(answer.error))
        else:
            self._runs.accepted(run)

    def _stop(self, run: str) -> None:
        if self._ended is None:
            self._asking.ask(self._session.stop(run), _ignore)

    def _on_outcome(self, outcome: Outcome) -> None:
        match outcome:
            case Deliver(conversation=conversation, events=events):
                self._deliver(conversation, events)
            case Replace(conversation=conversation, state=state):
                self._replace(conversation, state)
            case Gone(conversation=conversation):
                self._gone(conversation)
            case Answer():
                self._asking.answered(outcome)
            case Called(call=call):
                self._serving.called(call)
            case Cancelled(call=call):
                self._serving.cancelled(call)
                self._workbench.cancelled(call)
            case ToolCalled(call=tool):
                self._workbench.called(tool)
            case Allowed(call=call, digest=digest):
                self._workbench.allowed(call, digest)
            case Live():
                self._offline_since = None
            case Retry():
                self._serving.lost()
                now = self._clock()
                if self._offline_since is None:
                    self._offline_since = now
                elif now - self._offline_since >= self._lost_after:
                    self._end(
                        RelayLost(
                            "The chat relay of the Jupyter server could not be reached for "
                            f"{self._lost_after:.0f} s. Is the server still running? What came is "
                            "kept, and an answer that goes on there is in `chat.messages` later."
                        )
                    )
                    self._task.cancel()
            case Ended(error=info):
                self._end(error_from(info))
            case _:
                _log.debug("Nothing to do for %s", type(outcome).__name__)

    def _deliver(self, conversation: str, events: tuple[Event, ...]) -> None:
        following = self._followings.get(conversation)
        if following is not None:
            following.deliver(events)
        self._runs.deliver(events)

    def _replace(self, conversation: str, state: Conversation) -> None:
        following = self._followings.get(conversation)
        if following is not None:
            following.replace(state)
        self._runs.replace(conversation, state)

    def _gone(self, conversation: str) -> None:
        following = self._followings.get(conversation)
        if following is not None:
            error = NotFound("This conversation was deleted. Begin a new one: `chat.clear()`.")
            following.fail(error)
            self._runs.fail_in(following, error)

    async def _restore(self, conversation: str) -> None:
        await self._asking.answer(lambda: self._session.restore(conversation), lambda: self._ended)
        following = self._followings.get(conversation)
        if following is not None and isinstance(following.error, NotFound):
            following.wait_again()

    def _end(self, error: StreamChatError) -> None:
        if self._ended is not None:
            return
        self._ended = error
        self._runs.fail_all(error)
        for following in list(self._followings.values()):
            following.fail(error)
        self._asking.give_up()

    def _stopped(self, _task: object) -> None:
        # In the loop's thread: a concurrent future's callbacks run where it was completed, but a
        # cancelled one completes in the canceller's.
        if self._loop.usable:
            self._loop.call(
                lambda: self._end(RelayLost("The connection to the chat relay was closed."))
            )


def _ignore(_answer: Answer) -> None:
    pass


def _offered(answer: Answer) -> None:
    if answer.error is not None:
        _log.warning("The relay does not take these tools: %s", answer.error.message)
