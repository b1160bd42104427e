"""The runs that go on: each asks its provider in a task, in its turn and within its limits."""

from __future__ import annotations

import asyncio
import logging
import time
import traceback
from collections.abc import Callable
from functools import partial

from streamchat_relay.model import AbortReason, Event, Internal, StreamChatError, TimedOut
from streamchat_relay.relay import tokens
from streamchat_relay.relay.calls import Calls
from streamchat_relay.relay.conversation import ActiveRun, LiveConversation
from streamchat_relay.relay.files import Files
from streamchat_relay.relay.ports import Call, Clock, Provider
from streamchat_relay.relay.report import Observer, report
from streamchat_relay.relay.rules import Rules
from streamchat_relay.relay.run import Run, RunState
from streamchat_relay.relay.slots import Key, Slots
from streamchat_relay.relay.tools import Tools

NEAR = 5
"""Places in line from which on each step is told."""


class SystemClock:
    """The machine's own monotonic clock."""

    now = staticmethod(time.monotonic)
    """Seconds that never go back."""

    sleep = staticmethod(asyncio.sleep)
    """Return so many seconds later."""


class Runs:
    """Owns the tasks of all runs that have not ended, from their prompt to their terminal event.

    `release` is told of a conversation that a run has left.
    """

    def __init__(
        self,
        release: Callable[[LiveConversation], None],
        *,
        rules: Rules,
        observer: Observer,
        clock: Clock,
        log: logging.Logger,
        tools: Tools,
        files: Files,
    ) -> None:
        self._release = release
        self._slots = Slots(
            in_all=rules.max_runs, per_user=rules.max_runs_per_user, rates=rules.rates
        )
        self._calls = Calls(rules, clock, tools, files)
        self._limits = rules.limits
        self._observer = observer
        self._clock = clock
        self._log = log
        self.active: dict[tuple[str, str], ActiveRun] = {}
        self.closing = False
        self._minute: asyncio.Task[None] | None = None

    def add(
        self,
        live: LiveConversation,
        run: Run,
        provider: Provider,
        call: Call,
        events: list[Event],
    ) -> ActiveRun:
        """Log a prompt and the start of its run, which `begin_or_wait` then asks for."""
        active = ActiveRun(
            live, run, provider, call, clock=self._clock, most_bytes=self._limits.answer_bytes
        )
        live.log.append([*events, *run.start()])
        live.runs[run.id] = self.active[live.user, run.id] = active
        self._observer.began()
        return active

    async def close(self) -> None:
        """End all as lost."""
        self.closing = True
        if self._minute is not None:
            self._minute.cancel()
        for active in list(self.active.values()):
            self.stop(active, "server_lost")
        tasks = [active.task for active in self.active.values() if active.task is not None]
        if tasks:
            await asyncio.wait(tasks)

    def begin_or_wait(self, active: ActiveRun) -> None:
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
        if self._slots.ask((live.user, run.id), active.provider.name):
            self._begin(active)
        else:
            self._tell_positions()
            self._wait_for_provider()

    def _tell_position(self, active: ActiveRun, position: int) -> None:
        if position != active.position:
            active.position = position
            active.live.log.append(active.run.wait(position, active.t()))

    def _tell_positions(self) -> None:
        """Say to who waits for a turn when it comes: far back in a long line, not each step."""
        for position, run in enumerate(self._slots.line(), 1):
            active = self.active[run]
            if position <= NEAR or not active.position or position <= active.position // 2:
                self._tell_position(active, position)

    def _wait_for_provider(self) -> None:
        """Look again when a provider takes requests again that it would refuse by now."""
        if self._minute is not None:
            self._minute.cancel()
            self._minute = None
        wait = self._slots.wait()
        if wait is not None:
            self._minute = asyncio.ensure_future(self._look_again(wait))

    async def _look_again(self, wait: float) -> None:
        await self._clock.sleep(wait)
        self._minute = None
        if not self.closing:
            self._begin_all(self._slots.due())

    def _begin_all(self, runs: list[Key]) -> None:
        for run in runs:
            self._begin(self.active[run])
        self._tell_positions()
        self._wait_for_provider()

    def _begin(self, active: ActiveRun) -> None:
        run = active.run
        given = active.call.tools
        left_out = self._calls.prepare(active, run.message.parent)
        active.runs_tools = bool(active.call.tools) and not given
        active.live.log.append(run.begin(active.t(), left_out=left_out))
        active.task = asyncio.ensure_future(self._calls.make(active))
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

    def stop(self, active: ActiveRun, reason: AbortReason = "user") -> None:
        """End a run early."""
        if active.run.state is RunState.QUEUED:
            self._end(active, active.run.interrupt(reason, active.t()))
        else:
            active.end(reason)

    def _ended(self, active: ActiveRun, task: asyncio.Task[None]) -> None:
        """The provider's task is over, so its connection is closed or free again."""
        run, t = active.run, active.t()
        error = active.over if task.cancelled() else task.exception()
        if active.timer is not None:
            active.timer.cancel()
        if run.state is RunState.STOPPING:
            events = run.interrupt(active.reason, t)
        elif task.cancelled() and error is None:
            events = run.interrupt("server_lost", t)
        elif error is None and self._calls.over_budget(active):
            events = run.interrupt("budget", t)
        elif error is None:
            call = active.call
            likely = tokens.likely(call.messages, call.params, call.tools)
            events = run.finish(t, input_tokens=likely)
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
        del self.active[key]
        self._observer.ended(
            report(
                user=live.user,
                conversation=live.id,
                model=active.run.model,
                provider=active.provider.name,
                terminal=events[-1],
                usage=self._calls.settle(active),
            )
        )
        if active.in_line:
            following = self._slots.leave(key)
            if not self.closing:
                self._begin_all(following)
        for waiting in list(live.runs.values()):
            self.begin_or_wait(waiting)
        self._release(live)
