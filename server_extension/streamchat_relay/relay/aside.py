"""An aside: one call beside all conversations, within all the rules, and kept nowhere."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator

from streamchat_relay.model import (
    Abort,
    BadRequest,
    ErrorEvent,
    Event,
    Finish,
    Message,
    MessageAdded,
    Part,
    Role,
    StartedMessage,
)
from streamchat_relay.protocol.codec import decode_event
from streamchat_relay.relay.conversation import ActiveRun, LiveConversation
from streamchat_relay.relay.log import Batch
from streamchat_relay.relay.ports import Call, Provider
from streamchat_relay.relay.run import Run
from streamchat_relay.relay.runs import Runs


class Aside:
    """The events of one call as they come; iterate it once, and `stop` it if nobody listens."""

    def __init__(
        self,
        runs: Runs,
        user: str,
        provider: Provider,
        call: Call,
        model: str,
    ) -> None:
        self._runs = runs
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        self.id = secrets.token_urlsafe(18)
        live = LiveConversation(user, self.id, secrets.token_hex(4))
        live.log.attach(self)
        messages = call.messages
        answer = StartedMessage(id="answer", role="assistant", parent=messages[-1].id)
        run = Run(self.id, answer, model, provider.name)
        added: list[Event] = [MessageAdded(t=0, message=message) for message in messages]
        self._active: ActiveRun = runs.add(live, run, provider, call, added)
        runs.begin_or_wait(self._active)

    def appended(self, batch: Batch) -> None:
        """Take what the log tells of."""
        for event in map(decode_event, batch.events):
            if event is not None:
                self._events.put_nowait(event)

    async def __aiter__(self) -> AsyncIterator[Event]:
        while True:
            event = await self._events.get()
            yield event
            if isinstance(event, Finish | Abort | ErrorEvent):
                return

    def stop(self) -> None:
        """End it; harmless when it has ended."""
        if not self._active.run.ended:
            self._runs.stop(self._active)


def thread(messages: list[tuple[Role, tuple[Part, ...]]]) -> tuple[Message, ...]:
    """Roles and parts, each after the other; raises `BadRequest` where nothing is asked."""
    if not messages:
        raise BadRequest("There are no messages, so there is nothing to answer.")
    made: list[Message] = []
    for number, (role, parts) in enumerate(messages):
        parent = made[-1].id if made else None
        made.append(Message(id=f"m{number}", role=role, parts=parts, parent=parent))
    return tuple(made)
