"""The hub: finds conversations, starts and stops runs, and owns every task."""

from __future__ import annotations

import asyncio
import itertools
import logging
import secrets
import time
import traceback
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Literal, NamedTuple

from streamchat_relay.model import (
    Catalog,
    Conflict,
    Event,
    Internal,
    NotFound,
    RunStateName,
    StreamChatError,
    TimedOut,
    branch,
)
from streamchat_relay.model.reduce import replace
from streamchat_relay.protocol.frames import Send
from streamchat_relay.relay.conversation import ActiveRun, LiveConversation
from streamchat_relay.relay.ports import Call, Clock, Registry, Store, StoredLog
from streamchat_relay.relay.prompt import accepted
from streamchat_relay.relay.report import Nobody, Observer, report
from streamchat_relay.relay.retries import Retries
from streamchat_relay.relay.run import Run, RunState
from streamchat_relay.relay.slots import Slots

MAX_RUNS = 256
"""Runs that go on at once."""
MAX_RUNS_PER_USER = 16
"""Runs of one user that go on at once."""
NEAR = 5
"""Places in line from which on each step is told."""


class SystemClock:
    """The machine's own monotonic clock."""

    now = staticmethod(time.monotonic)
    """Seconds that never go back."""

    sleep = staticmethod(asyncio.sleep)
    """Return so many seconds later."""


class Limits(NamedTuple):
    """What one answer may take at most."""

    answer_s: float = 1800.0
    """Seconds from when the provider is asked."""
    answer_bytes: int = 64 * 2**20
    """Bytes of its events in the log."""


class Hub:
    """All conversations of all users, and the runs that write them.

    Users are keys: what is not under a caller's own key is not there. Everything runs on one event
    loop; between two awaits a method sees and changes a conversation alone.
    """

    def __init__(
        self,
        store: Store,
        registry: Registry,
        *,
        slots: Slots | None = None,
        retries: Retries | None = None,
        limits: Limits | None = None,
        observer: Observer | None = None,
        clock: Clock | None = None,
        log: logging.Logger | None = None,
    ) -> None:
        self._store = store
        self._slots = slots or Slots(in_all=MAX_RUNS, per_user=MAX_RUNS_PER_USER)
        self._registry = registry
        self._retries = retries or Retries()
        self._limits = limits or Limits()
        self._observer = observer or Nobody()
        self._clock = clock or SystemClock()
        self._log = log or logging.getLogger(__name__)
        self._live: dict[tuple[str, str], LiveConversation] = {}
        self._loading: dict[tuple[str, str], asyncio.Future[LiveConversation]] = {}
        self._holds: Counter[tuple[str, str]] = Counter()
        self._active: dict[tuple[str, str], ActiveRun] = {}
        # Sends that wait for their conversation or for the default model, and may be stopped then.
        self._arriving: Counter[tuple[str, str]] = Counter()
        self._stopped_early: set[tuple[str, str]] = set()
        self._closing = False

    @property
    def active_runs(self) -> int:
        """Runs that have not ended."""
        return len(self._active)

    async def catalog(self) -> Catalog:
        """The models that can be asked now."""
        return await self._registry.catalog()

    @asynccontextmanager
    async def conversation(self, user: str, conversation: str) -> AsyncIterator[LiveConversation]:
        """The conversation, kept in memory at least until the block ends."""
        key = (user, conversation)
        # Counted before the load: nobody may forget what others are about to use.
        self._holds[key] += 1
        try:
            live = self._live.get(key)
            if live is None:
                if key not in self._loading:
                    self._loading[key] = asyncio.ensure_future(self._load(key))
                # Shielded: others may wait for the same conversation.
                live = await asyncio.shield(self._loading[key])
            yield live
        finally:
            self._holds[key] -= 1
            if key in self._live:
                self.release(self._live[key])
            elif not self._holds[key]:
                del self._holds[key]

    def release(self, live: LiveConversation) -> None:
        """Forget the conversation if nobody reads or writes it; the store has it."""
        key = (live.user, live.id)
        if live.idle and not self._holds[key]:
            self._live.pop(key, None)
            del self._holds[key]

    async def send(self, user: str, send: Send) -> tuple[str, bool]:
        """Start a run; the same run again starts nothing.

        Returns the id of the message that the run writes, and whether it was there already. By
        then the prompt is saved: what was answered is not lost, nor generated again.
        """
        key = (user, send.run)
        self._arriving[key] += 1
        try:
            # One after another: prompts are logged in the order in which they came.
            async with self.conversation(user, send.conversation) as live, live.accepting:
                model = send.model or live.state.settings.model
                if not model:
                    model = await self._registry.default_model()
                record = live.state.runs.get(send.run)
                if record is not None:
                    return record.message, True
                if key in self._active:
                    raise Conflict("This run's id is used in another conversation. Make a new one.")
                if self._closing:
                    raise Internal("The Jupyter server is stopping.", retryable=True)
                active = self._accept(live, send, model)
                if key in self._stopped_early:
                    self._stop(active)
                await self._store.saved()
                self._begin_or_wait(active)
                return active.run.message.id, False
        finally:
            self._arriving[key] -= 1
            if not self._arriving[key]:
                del self._arriving[key]
                self._stopped_early.discard(key)

    async def stop(self, user: str, run: str) -> RunStateName:
        """End a run early; a run that has ended stays as it is. Returns its state by now."""
        active = self._active.get((user, run))
        if active is not None:
            self._stop(active)
            return active.run.state_name
        if (user, run) in self._arriving:
            self._stopped_early.add((user, run))
            return "stopping"
        conversation = await self._store.find_run(user, run)
        if conversation is None:
            raise NotFound("There is no such run.")
        async with self.conversation(user, conversation) as live:
            record = live.state.runs.get(run)
            if record is None:
                raise NotFound("There is no such run.")
            return record.state

    async def close(self) -> None:
        """End all runs as lost, let their readers know, and close the store."""
        self._closing = True
        for active in list(self._active.values()):
            active.lost = True
            self._stop(active)
        tasks = [active.task for active in self._active.values() if active.task is not None]
        if tasks:
            await asyncio.wait(tasks)
        await self._store.close()

    async def _load(self, key: tuple[str, str]) -> LiveConversation:
        try:
            stored = await self._store.load(*key)
            if stored is None:
                stored = StoredLog(epoch=secrets.token_hex(4), events=[])
            live = self._live[key] = LiveConversation(*key, stored, self._store)
            # Whoever asked for it may be gone by now.
            self.release(live)
            return live
        finally:
            del self._loading[key]

    def _accept(self, live: LiveConversation, send: Send, model: str) -> ActiveRun:
        provider, name = self._registry.resolve(model)
        added = accepted(live.state, send, model)
        run = Run(send.run, added.answer, model, provider.name)
        call = Call(model=name, messages=(), params=added.params)
        active = ActiveRun(
            live, run, provider, call, clock=self._clock, most_bytes=self._limits.answer_bytes
        )
        live.log.append([*added.events, *run.start()])
        live.runs[run.id] = self._active[live.user, run.id] = active
        self._observer.began()
        return active

    def _begin_or_wait(self, active: ActiveRun) -> None:
        """Ask the provider, unless the prompt follows an answer that is still being written.

        And unless so many runs go on that this one has to wait for its turn.
        """
        live, run = active.live, active.run
        if run.state is not RunState.QUEUED or active.in_line:
            return
        position = live.waits_for(run.message.parent)
        if position:
            self._tell_position(active, position)
            return
        active.in_line = True
        if self._slots.ask((live.user, run.id)):
            self._begin(active)
        else:
            self._tell_positions()

    def _tell_position(self, active: ActiveRun, position: int) -> None:
        if position != active.position:
            active.position = position
            active.live.log.append(active.run.wait(position, active.t()))

    def _tell_positions(self) -> None:
        """Say to who waits for a turn when it comes: far back in a long line, not each step."""
        for position, run in enumerate(self._slots.line(), 1):
            active = self._active[run]
            if position <= NEAR or not active.position or position <= active.position // 2:
                self._tell_position(active, position)

    def _begin(self, active: ActiveRun) -> None:
        live, run = active.live, active.run
        messages = branch(live.state, run.message.parent)
        active.call = replace(active.call, messages=messages)
        live.log.append(run.begin(active.t()))
        active.task = asyncio.ensure_future(self._ask(active))
        active.timer = asyncio.ensure_future(self._expire(active))
        active.task.add_done_callback(partial(self._ended, active))

    async def _expire(self, active: ActiveRun) -> None:
        """End a run that takes too long."""
        most_s = self._limits.answer_s
        await self._clock.sleep(most_s)
        active.exceed(
            TimedOut(
                f"The answer took longer than {most_s:g} seconds, which is this server's limit "
                "(c.StreamChat.total_timeout). What came is kept."
            )
        )

    async def _ask(self, active: ActiveRun) -> None:
        """Have the provider answer; ask it again where it fails before it says anything."""
        log, run = active.live.log, active.run
        for tried in itertools.count():
            try:
                await active.provider.stream(active.call, active)
            except StreamChatError as error:
                wait = None if run.spoke else self._retries.wait(error.info, tried)
                if wait is None:
                    raise
            else:
                break
            log.append(run.back_off(wait, active.t()))
            await self._clock.sleep(wait)
            log.append(run.retry(active.t()))

    def _stop(self, active: ActiveRun) -> None:
        run = active.run
        if run.state is RunState.QUEUED:
            self._end(active, run.interrupt(_reason(active), active.t()))
        elif run.state is RunState.RUNNING and active.task is not None:
            run.stop()
            active.task.cancel()

    def _ended(self, active: ActiveRun, task: asyncio.Task[None]) -> None:
        """The provider's task is over, so its connection is closed or free again."""
        run, t = active.run, active.t()
        error = active.over if task.cancelled() else task.exception()
        if active.timer is not None:
            active.timer.cancel()
        if run.state is RunState.STOPPING:
            events = run.interrupt(_reason(active), t)
        elif task.cancelled() and error is None:
            events = run.interrupt("server_lost", t)
        elif error is None:
            length = sum(len(message.text) for message in active.call.messages)
            events = run.finish(t, input_length=length)
        elif isinstance(error, StreamChatError):
            if error.__cause__ is not None:
                self._log_fault(run, error.__cause__)
            events = run.fail(error, t)
        else:
            self._log_fault(run, error)
            fault = Internal(
                "The relay failed. The Jupyter server's log says more.", retryable=True
            )
            events = run.fail(fault, t)
        self._end(active, events)

    def _log_fault(self, run: Run, fault: BaseException) -> None:
        # Without its message: what a library says of a request may hold the request's key.
        where = "".join(traceback.format_tb(fault.__traceback__))
        self._log.error("Run %s failed with %s at\n%s", run.id, type(fault).__name__, where)

    def _end(self, active: ActiveRun, events: list[Event]) -> None:
        live = active.live
        live.log.append(events)
        del live.runs[active.run.id]
        key = (live.user, active.run.id)
        del self._active[key]
        self._observer.ended(
            report(
                user=live.user,
                conversation=live.id,
                model=active.run.model,
                provider=active.provider.name,
                terminal=events[-1],
            )
        )
        if active.in_line:
            following = self._slots.leave(key)
            if not self._closing:
                for run in following:
                    self._begin(self._active[run])
                self._tell_positions()
        for waiting in list(live.runs.values()):
            self._begin_or_wait(waiting)
        self.release(live)


def _reason(active: ActiveRun) -> Literal["user", "server_lost"]:
    return "server_lost" if active.lost else "user"
