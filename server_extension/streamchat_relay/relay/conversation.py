"""A live conversation: one log in memory, its state, and the runs that write it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from streamchat_relay.model import (
    Abort,
    AbortReason,
    Conversation,
    Event,
    FilePart,
    NotFound,
    Output,
    ReasoningEnd,
    ReasoningPart,
    StreamChatError,
    TextEnd,
    TextPart,
    TooLarge,
    ToolOutputError,
    ToolPart,
)
from streamchat_relay.model.reduce import replace
from streamchat_relay.protocol.codec import decode_event
from streamchat_relay.relay.audience import Throttle
from streamchat_relay.relay.log import Batch, Log
from streamchat_relay.relay.parts import NOT_RUN
from streamchat_relay.relay.ports import Call, Clock, Provider, Store, StoredLog
from streamchat_relay.relay.run import Run, RunState
from streamchat_relay.relay.state import State

_ENDED = frozenset(["done", "error", "interrupted"])


class LiveConversation:
    """One user's conversation while somebody reads it or a run writes it."""

    def __init__(self, user: str, conversation: str, epoch: str) -> None:
        self.user = user
        self.id = conversation
        self.runs: dict[str, ActiveRun] = {}
        self.deleted = False
        self.accepting = asyncio.Lock()
        self.log = Log(conversation, epoch)
        self._state = State(self.log)
        self.catch_up = self._state.catch_up

    @classmethod
    async def restored(
        cls, user: str, conversation: str, stored: StoredLog, store: Store
    ) -> LiveConversation:
        """The conversation as it was kept; a long one lets others have their turn meanwhile."""
        live = cls(user, conversation, stored.epoch)
        live.deleted = stored.deleted
        for lines in stored.lines:
            live.log.restore(lines)
            await live.catch_up()
        live.log.attach(_Saving(store, user, live.log))
        live._end_lost_runs(stored)
        return live

    @property
    def idle(self) -> bool:
        """Whether nobody reads it and nothing writes it."""
        # The saving reader is always there.
        return not self.runs and self.log.readers == 1

    def check(self) -> None:
        """Raise `NotFound` where it was deleted."""
        if self.deleted:
            raise NotFound("This conversation was deleted. Begin a new one.")

    @property
    def state(self) -> Conversation:
        """Everything the log says; after a `catch_up` there is little left to fold."""
        return self._state.value

    def waits_for(self, message: str | None) -> int:
        """How many unfinished runs write ancestors of (or are) this message."""
        writing = {active.run.message.id for active in self.runs.values() if not active.run.ended}
        parents = {one.id: one.parent for one in self.state.messages}
        count = 0
        while message is not None:
            count += message in writing
            message = parents.get(message)
        return count

    def _end_lost_runs(self, stored: StoredLog) -> None:
        """Runs of a process that is gone end here; nothing is generated again."""
        records = [one for one in self.state.runs.values() if one.state not in _ENDED]
        if not records:
            return
        last_t = _last_t(stored, {record.id for record in records})
        texts = {message.id: message.parts for message in self.state.messages}
        lost: list[Event] = []
        for record in records:
            t = last_t[record.id]
            for part in texts.get(record.message, ()):
                if part.open and isinstance(part, TextPart | ReasoningPart):
                    end = TextEnd if isinstance(part, TextPart) else ReasoningEnd
                    lost.append(end(run=record.id, t=t, part=part.id))
                elif isinstance(part, ToolPart) and not part.ended:
                    lost.append(ToolOutputError(run=record.id, t=t, part=part.id, error=NOT_RUN))
            lost.append(Abort(run=record.id, t=t, reason="server_lost"))
        self.log.append(lost)


def _last_t(stored: StoredLog, runs: set[str]) -> dict[str, float]:
    """When each of these runs last said something; the search from the end is short."""
    found: dict[str, float] = {}
    for lines in reversed(stored.lines):
        for event in map(decode_event, reversed(lines.split(b"\n"))):
            run = getattr(event, "run", None)
            if event is not None and run in runs - found.keys():
                found[run] = event.t
                if len(found) == len(runs):
                    return found
    return found


class ActiveRun:
    """A run on its way: the machine, the task that asks the provider, and the sink between."""

    def __init__(
        self,
        live: LiveConversation,
        run: Run,
        provider: Provider,
        call: Call,
        *,
        clock: Clock,
        most_bytes: int,
    ) -> None:
        self.live = live
        self.run = run
        self.provider = provider
        self._audience = live.log.audience
        self._throttle = Throttle(self._audience, clock)
        self.call = replace(call, drawing=self._throttle.drawing)
        self.task: asyncio.Task[None] | None = None
        self.timer: asyncio.Task[None] | None = None
        # The limit that it has passed.
        self.over: StreamChatError | None = None
        self.reason: AbortReason = "user"
        self.position = 0
        # Who asks beside all conversations says all that the model is told.
        self.aside = bool(call.messages)
        # What the model calls is run by who offers it, not by who asks.
        self.runs_tools = False
        # Its files as its provider was told them, for the rounds to come.
        self.files: dict[str, FilePart] = {}
        # It waits for a slot, or has one.
        self.in_line = False
        self._log = live.log
        self._append = live.log.append
        self._most_bytes = most_bytes
        self._until = live.log.total + most_bytes
        self._now = clock.now
        self._accepted = clock.now()

    def t(self) -> float:
        """Milliseconds since the run was accepted, to a tenth."""
        return int((self._now() - self._accepted) * 10_000) / 10

    def push(self, outputs: Sequence[Output]) -> None:
        """The sink: from the provider's socket to every reader, without a task switch."""
        if self.over is not None:
            return
        self.append(self.run.push(outputs, self.t()))
        if self._audience.outrun:
            self._throttle.pause()

    def append(self, events: Sequence[Event]) -> None:
        """Log what joins its answer; it ends where that grows too large."""
        self._append(events)
        if self._log.total > self._until:
            self.exceed(
                TooLarge(
                    f"The answer is larger than {self._most_bytes // 2**20} MiB, which is this "
                    "server's limit (c.StreamChat.max_answer_mib). What came is kept."
                )
            )

    def end(self, reason: AbortReason) -> None:
        """End it from outside, for this reason; what came stays."""
        if self.run.state is RunState.RUNNING and self.task is not None:
            self.reason = reason
            self.run.stop()
            self.task.cancel()

    def exceed(self, limit: StreamChatError) -> None:
        """End it, for it has passed a limit; what came stays."""
        if self.over is None and self.task is not None:
            self.over = limit
            self.task.cancel()


class _Saving:
    """The reader that keeps the log in the store."""

    def __init__(self, store: Store, user: str, log: Log) -> None:
        self._append = store.append
        self._log = (user, log.conversation, log.epoch)

    def appended(self, batch: Batch) -> None:
        self._append(*self._log, batch.first, batch.events)
