"""A tab: one client of the relay on real sockets, through a network of its own, with its own time.

It is the product's own session and transport, keeps a diary of all that it sees, and waits for
nothing: what takes time happens when the test lets `time_pass`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

from typing_extensions import Self

from jupyter_streamchat.discovery import Address
from jupyter_streamchat.transports.websocket import WebSocketTransport
from streamchat_relay.model import Conversation, ErrorInfo, TextPart, fold
from streamchat_relay.protocol.client import ClientSession, State
from streamchat_relay.protocol.codec import encode
from streamchat_relay.protocol.frames import HEARTBEAT_S, Prompt
from streamchat_relay.protocol.outcomes import Answer, Deliver, Ended, Outcome, Replace, Write
from tests.fakes.history import Diary
from tests.fakes.network import Link, Network


class Tab:
    """One client of some conversations; `async with` connects and leaves."""

    def __init__(
        self,
        diary: Diary,
        network: Network,
        conversations: Sequence[str],
        *,
        path: str,
        headers: dict[str, str],
        changed: Callable[[], None],
    ) -> None:
        self.network = network
        self.diary = diary
        self.states = {conversation: Conversation() for conversation in conversations}
        """What it shows."""
        self.errors: list[ErrorInfo] = []
        """What was refused."""
        self._headers = headers
        self._path = path
        self._changed = changed
        self._now = 0.0
        self._unanswered: set[str] = set()
        self._waited_out: Link | None = None
        self._session = _Session(diary)
        self._transport = _Transport(
            diary, self._session, self._resolve, self._on_outcome, clock=lambda: self._now
        )
        self._task: asyncio.Task[None] | None = None

    @property
    def link(self) -> Link | None:
        """The connection that it has, or tries to have."""
        return self.network.links[-1] if self.network.links else None

    @property
    def stalls(self) -> bool:
        """Whether only time can tell it that its connection is dead."""
        return self.link is not None and self.link.stalls and self.link is not self._waited_out

    @property
    def waits(self) -> bool:
        """Whether something of it is on its way."""
        live = self._session.state is State.LIVE and self.link is not None and not self.link.struck
        return not live or bool(self._unanswered)

    def __str__(self) -> str:
        return (
            f"{self.diary.name} is {self._session.state.value}, waits for {self._unanswered} over "
            f"{self.link}, stalls {self.stalls}, waited {self.link is self._waited_out}"
        )

    def text(self, conversation: str, run: str) -> str:
        """What it shows as the answer of a run."""
        return "".join(
            part.text
            for message in self.states[conversation].messages
            if message.run == run and message.role == "assistant"
            for part in message.parts
            if isinstance(part, TextPart)
        )

    def ended(self, conversation: str, run: str) -> bool:
        """Whether it shows that the run is over."""
        record = self.states[conversation].runs.get(run)
        return record is not None and record.ended_t is not None

    def send(self, conversation: str, run: str, model: str) -> None:
        """Ask."""
        prompt = Prompt(parts=(TextPart(text="Go on"),))
        self._ask(self._session.send(conversation, run, model=model, message=prompt))

    def stop(self, run: str) -> None:
        """End a run early."""
        self._ask(self._session.stop(run))

    def open_again(self, conversation: str) -> None:
        """Ask for what it follows once more: what comes meanwhile comes twice."""
        self._ask(self._session.open(conversation))

    def come_back(self, conversation: str) -> None:
        """Leave, and want to see it after all."""
        self._ask(self._session.leave(conversation))
        self._ask(self._session.open(conversation))

    def ping(self) -> None:
        """So long nothing was heard that it asks whether anybody is there."""
        self._pass(HEARTBEAT_S)

    def time_pass(self) -> None:
        """Let it find out that its connection is dead."""
        self._waited_out = self.link
        if self._session.state is State.OFFLINE:
            # It has not come so far as to have a session; a handshake has a time limit, too.
            assert self.link is not None
            self.link.near.reset()
            return
        for _ in range(2):
            self._pass(HEARTBEAT_S)

    async def __aenter__(self) -> Self:
        for conversation in self.states:
            self._ask(self._session.open(conversation))
        self._task = asyncio.ensure_future(self._transport.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    def _pass(self, seconds: float) -> None:
        self._now += seconds
        self._transport._tick()

    def _ask(self, asked: tuple[str, list[Outcome]]) -> None:
        self._unanswered.add(asked[0])
        self._transport.act(asked[1])

    async def _resolve(self) -> Address:
        return Address(f"ws://127.0.0.1:{self.network.port}{self._path}", self._headers)

    def _on_outcome(self, outcome: Outcome) -> None:
        match outcome:
            case Deliver(conversation=conversation, events=events):
                self.diary.told(outcome)
                self.states[conversation] = fold(self.states[conversation], events)
            case Replace(conversation=conversation, state=state):
                self.diary.told(outcome)
                self.states[conversation] = state
            case Ended(error=error):
                self.errors.append(error)
            case Answer(id=frame_id, error=error):
                if error is not None:
                    self.errors.append(error)
                self._unanswered.discard(frame_id)
        self._changed()


class _Session(ClientSession):
    def __init__(self, diary: Diary) -> None:
        super().__init__("tab/1", jitter=lambda: 0.0)
        self._diary = diary

    def connected(self, now: float) -> list[Outcome]:
        self._diary.socket()
        return super().connected(now)

    def received(self, data: str | bytes, now: float) -> list[Outcome]:
        self._diary.got(data)
        return super().received(data, now)


class _Transport(WebSocketTransport):
    def __init__(self, diary: Diary, *args: object, **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]
        self._diary = diary

    def act(self, outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            if isinstance(outcome, Write):
                self._diary.wrote(encode(outcome.frame))
        super().act(outcomes)
