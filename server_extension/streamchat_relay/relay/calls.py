"""The calls: how a run asks its provider, within its budget, through the filter, and again."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from streamchat_relay.model import Output, ReasoningOutput, StreamChatError, TextOutput, Usage
from streamchat_relay.relay import tokens
from streamchat_relay.relay.budget import Hold
from streamchat_relay.relay.conversation import ActiveRun
from streamchat_relay.relay.ports import Clock, Sink
from streamchat_relay.relay.rules import Rules
from streamchat_relay.relay.run import RunState
from streamchat_relay.relay.screen import Passage


class Calls:
    """Makes the call of each run, and settles what it took."""

    def __init__(self, rules: Rules, clock: Clock) -> None:
        self._rules = rules
        self._clock = clock
        self._holds: dict[ActiveRun, Hold] = {}

    async def make(self, active: ActiveRun) -> None:
        """Have the provider answer; ask it again where it fails before it says anything."""
        rules, run, log = self._rules, active.run, active.live.log
        user, conversation = active.live.user, active.live.id
        hold = await rules.budget.reserve(user, conversation, run.id, run.model, active.call)
        self._holds[active] = hold
        call = hold.bounded(active.call)
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
            while wait:
                await self._clock.sleep(wait)
                wait = rules.rates.wait(name)
            rules.rates.take(name)
            log.append(run.retry(active.t()))

    def over_budget(self, active: ActiveRun) -> bool:
        """Whether its answer ended because no more was left for it."""
        hold = self._holds.get(active)
        return hold is not None and hold.cut and active.run.finish_reason == "length"

    def settle(self, active: ActiveRun) -> Usage | None:
        """Charge what it took; returns that, None where its provider has done nothing."""
        hold = self._holds.pop(active, None)
        if hold is None:
            return None
        run, call = active.run, active.call
        refused = run.state is RunState.ERROR and not run.spoke
        usage = None if refused else run.usage(tokens.likely(call.messages, call.params))
        self._rules.budget.settle(hold, usage)
        return usage


class _Metered:
    """The sink of a provider that may not keep to its limit: it is ended where it does not."""

    def __init__(self, active: ActiveRun, output: int) -> None:
        self._active = active
        self._left = output * tokens.CHARACTERS_PER_TOKEN

    def push(self, outputs: Sequence[Output]) -> None:
        """Take the outputs, and count them."""
        self._active.push(outputs)
        for output in outputs:
            if isinstance(output, TextOutput | ReasoningOutput):
                self._left -= len(output.delta)
        if self._left < 0:
            self._active.end("budget")
