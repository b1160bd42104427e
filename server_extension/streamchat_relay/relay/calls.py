"""The calls: how a run asks its provider, within its budget, through the filter, and again."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence

from streamchat_relay.model import (
    Output,
    ReasoningOutput,
    StreamChatError,
    TextOutput,
    ToolCallOutput,
    ToolInputOutput,
    Usage,
    branch,
)
from streamchat_relay.model.reduce import replace
from streamchat_relay.relay import tokens
from streamchat_relay.relay.budget import Hold
from streamchat_relay.relay.continuation import continued
from streamchat_relay.relay.conversation import ActiveRun
from streamchat_relay.relay.files import Files
from streamchat_relay.relay.length import one_length
from streamchat_relay.relay.parts import ToolCall
from streamchat_relay.relay.ports import Clock, Sink
from streamchat_relay.relay.rules import Rules
from streamchat_relay.relay.run import Run, RunState
from streamchat_relay.relay.screen import Passage
from streamchat_relay.relay.tools import Tools

MOST_CALLS = 128
"""Calls of one round that are run."""


class Calls:
    """Makes the calls of each run, with the tools that they lead to, and settles what they took."""

    def __init__(self, rules: Rules, clock: Clock, tools: Tools, files: Files) -> None:
        self._rules = rules
        self._clock = clock
        self._tools = tools
        self._files = files
        self._holds: dict[ActiveRun, Hold] = {}

    def prepare(self, active: ActiveRun, message: str | None) -> int:
        """Set what the next call tells: the messages down to this one, the tools, the length.

        Returns how many of the oldest messages do not fit.
        """
        live, call = active.live, active.call
        tools = call.tools or self._tools.specs(live.user, live.id)
        params = one_length(call.params)
        fitted = self._rules.contexts.fit(
            active.run.model,
            branch(live.state, message),
            params,
            live.state,
            known=active.provider.context(call.model),
            tools=tools,
        )
        told = fitted.messages
        if not active.aside:
            told = continued(told, active.run.message.id)
        active.call = replace(call, messages=told, params=params, tools=tools)
        return fitted.left_out

    async def make(self, active: ActiveRun) -> None:
        """Have the provider answer; where it calls tools, run them and have it go on."""
        run, log = active.run, active.live.log
        for number in itertools.count(1):
            await self._ask(active)
            log.append(run.complete(active.t()))
            if not self._goes_on(active):
                return
            parts = run.parts
            if number > self._rules.tool_rounds:
                error = (
                    f"Not run: this answer has called tools {number - 1} times, which is this "
                    "server's limit (c.StreamChat.tool_rounds)."
                )
                for call in parts.waiting:
                    log.append(parts.result(call, active.t(), error=error))
                return
            for call in parts.waiting[MOST_CALLS:]:
                error = f"Not run: at most {MOST_CALLS} calls are made at once. Make fewer."
                log.append(parts.result(call, active.t(), error=error))
            # Not when they have returned: a person who is asked may take an hour.
            run.spend(self._settle(active))
            await self._run_all(active)
            params = {k: v for k, v in active.call.params.items() if k != "tool_choice"}
            active.call = replace(active.call, params=params)
            left_out = self.prepare(active, run.message.id)
            log.append(run.again(active.t(), left_out=left_out))
            await self._turn(active.provider.name)

    def over_budget(self, active: ActiveRun) -> bool:
        """Whether its answer ended because no more was left for it."""
        hold = self._holds.get(active)
        return hold is not None and hold.cut and active.run.finish_reason == "length"

    def settle(self, active: ActiveRun) -> Usage | None:
        """Charge what it took last; returns all it took, None where its provider did nothing."""
        run = active.run
        if active not in self._holds:
            return self._before(run)
        refused = run.state is RunState.ERROR and not run.spoke
        if not refused:
            return run.total(self._settle(active))
        self._rules.budget.settle(self._holds.pop(active), None)
        return self._before(run)

    @staticmethod
    def _before(run: Run) -> Usage | None:
        """What the rounds took that are settled; None where there was none."""
        return run.total(Usage(input=0, output=0)) if run.parts.first_t is not None else None

    def _settle(self, active: ActiveRun) -> Usage:
        call = active.call
        usage = active.run.usage(tokens.likely(call.messages, call.params, call.tools))
        self._rules.budget.settle(self._holds.pop(active), usage)
        return usage

    async def _ask(self, active: ActiveRun) -> None:
        """Have the provider answer; ask it again where it fails before it says anything."""
        rules, run, log = self._rules, active.run, active.live.log
        user, conversation = active.live.user, active.live.id
        hold = await rules.budget.reserve(user, conversation, run.id, run.model, active.call)
        self._holds[active] = hold
        # Not in `active.call`: that is kept, and counted, without their bytes.
        call = await self._files.told(user, hold.bounded(active.call), active.files)
        sink: Sink = active if hold.output is None else _Metered(active, hold.output)
        about = Passage("", "assistant", user, conversation, run.model)
        for tried in itertools.count():
            try:
                await rules.screen.stream(
                    active.provider, call, sink, about, most_bytes=rules.limits.answer_bytes
                )
            except StreamChatError as error:
                wait = None if run.spoke else rules.retries.wait(error.info, tried)
                if wait is None:
                    raise
            else:
                return
            name = active.provider.name
            wait = max(wait, rules.rates.wait(name))
            log.append(run.back_off(wait, active.t()))
            await self._clock.sleep(wait)
            await self._turn(name)
            log.append(run.retry(active.t()))

    async def _turn(self, provider: str) -> None:
        """Take one of the provider's requests of this minute, or of the next."""
        rates = self._rules.rates
        while wait := rates.wait(provider):
            await self._clock.sleep(wait)
        rates.take(provider)

    @staticmethod
    def _goes_on(active: ActiveRun) -> bool:
        """Whether the provider waits for what comes of its calls, and they are ours to run."""
        parts = active.run.parts
        cut = active.run.finish_reason in {None, "length", "content-filter"}
        return active.runs_tools and not cut and bool(parts.waiting or parts.refused)

    async def _run_all(self, active: ActiveRun) -> None:
        """Run the calls of this round, all at once."""
        tasks = [
            asyncio.ensure_future(self._run(active, call)) for call in active.run.parts.waiting
        ]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, active: ActiveRun, call: ToolCall) -> None:
        result = await self._tools.run(active, call)
        about = Passage("", "tool", active.live.user, active.live.id, active.run.model)
        output, error = await self._rules.screen.outcome(result.output, result.error, about)
        events = active.run.parts.result(call, active.t(), output=output, error=error)
        active.append(events)


class _Metered:
    """The sink of a provider that may not keep to its limit: it is ended where it does not."""

    def __init__(self, active: ActiveRun, output: int) -> None:
        self._active = active
        self._left = output * tokens.CHARACTERS_PER_TOKEN

    def push(self, outputs: Sequence[Output]) -> None:
        """Take the outputs, and count them."""
        self._active.push(outputs)
        for output in outputs:
            if isinstance(output, TextOutput | ReasoningOutput | ToolInputOutput):
                self._left -= len(output.delta)
            elif isinstance(output, ToolCallOutput):
                self._left -= len(output.name)
        if self._left < 0:
            self._active.end("budget")
