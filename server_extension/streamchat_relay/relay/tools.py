"""Tools: what clients offer to run for their conversations, and the calls of them that go on."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec

from streamchat_relay.model import (
    MAX_ERROR,
    MAX_RESULT,
    Conflict,
    NotFound,
    TimedOut,
    ToolSpec,
    digest_of,
)
from streamchat_relay.protocol.frames import (
    Approve,
    Approved,
    Asking,
    Cancel,
    Offer,
    Returned,
    ToolRun,
)
from streamchat_relay.relay.conversation import ActiveRun
from streamchat_relay.relay.offers import Offers, Workshop
from streamchat_relay.relay.parts import ToolCall
from streamchat_relay.relay.ports import Clock

GONE_S = 10.0
"""Seconds in which a client that went away may come back and run what it was asked for."""
MAX_MISSED = 1_000
"""Calls that were cancelled while their client was away; it is told of them when it is back."""

DENIED = "The person did not allow this call. Do not try it again unless they ask for it."


class Result(NamedTuple):
    """What came of a call: an output, or an error for the model to read."""

    output: Any = None
    error: str = ""


class _Pending:
    """A call that a client was asked to run."""

    def __init__(self, active: ActiveRun, call: ToolCall) -> None:
        self.active = active
        self.call = call
        self.frame = ToolRun(
            call=secrets.token_urlsafe(12),
            conversation=active.live.id,
            run=active.run.id,
            part=call.part,
            name=call.name,
            input=call.input,
        )
        self.digest = digest_of(call.name, call.input)
        self.asked = False
        self.allowed: bool | None = None
        self.workshop: Workshop | None = None
        self.begun = False
        self.runner: str | None = None
        self.gone: asyncio.Task[None] | None = None
        self.result: asyncio.Future[Result] = asyncio.get_running_loop().create_future()

    def begin(self, workshop: Workshop) -> None:
        """Have this client run it."""
        self.back()
        self.workshop, self.runner, self.begun = workshop, workshop.runner, True
        workshop.write(self.frame)

    def for_(self, workshop: Workshop) -> bool:
        """Whether this client may run it: nobody else after somebody has begun to."""
        if not self.begun:
            return True
        return self.runner is not None and self.runner == workshop.runner

    def back(self) -> None:
        """Nobody has to be waited for."""
        if self.gone is not None:
            self.gone.cancel()
            self.gone = None

    def settle(self, result: Result) -> None:
        """End it with what came of it."""
        if not self.result.done():
            self.result.set_result(result)


class Tools:
    """Who runs which tools for which conversation, and what goes on of it.

    The latest client that offers a name runs it. A client that goes away has `GONE_S` to come back
    and offer again; its calls then go on, else their runs end. Nobody else is given what it has
    begun, for it may have run.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offers = Offers()
        self._calls: dict[str, _Pending] = {}
        self._missed: dict[str, tuple[str, str, str]] = {}

    def offer(self, user: str, offer: Offer, workshop: Workshop) -> None:
        """Let a client run these from now on, and no others, for a conversation.

        Raises `BadRequest` where that is more than a model can be told of.
        """
        self._offers.put((user, offer.conversation), offer, workshop)
        names = {one.name for one in offer.tools}
        for pending in self._of(user, offer.conversation):
            elsewhere = pending.workshop is not workshop
            if elsewhere and pending.call.name in names and pending.for_(workshop):
                pending.begin(workshop)
        for call, whose in list(self._missed.items()):
            if whose == (user, offer.conversation, workshop.runner):
                del self._missed[call]
                workshop.write(Cancel(call=call))

    def remove(self, workshop: Workshop) -> None:
        """The client is gone."""
        self._offers.remove(workshop)
        for pending in self._calls.values():
            if pending.workshop is workshop:
                self._wait(pending)

    def specs(self, user: str, conversation: str) -> tuple[ToolSpec, ...]:
        """What a model can call in this conversation now."""
        return self._offers.specs((user, conversation))

    async def run(self, active: ActiveRun, call: ToolCall) -> Result:
        """Have a call run by who offers it.

        Raises `TimedOut` when that client is gone and does not come back. Cancelling it tells the
        client that nobody waits any more.
        """
        if all(one.name != call.name for one in active.call.tools):
            names = ", ".join(one.name for one in active.call.tools)
            return Result(error=f"There is no tool {call.name!r}. There are: {names}.")
        pending = _Pending(active, call)
        self._calls[pending.frame.call] = pending
        workshop = self._offers.of((active.live.user, active.live.id), call.name)
        try:
            if workshop is None:
                self._wait(pending)
            else:
                pending.begin(workshop)
            return await pending.result
        except BaseException:
            self._cancel(pending)
            raise
        finally:
            pending.back()
            del self._calls[pending.frame.call]

    def asking(self, user: str, asking: Asking) -> None:
        """A client runs this call only if a person allows it."""
        pending = self._mine(user, asking.call)
        if pending is None or pending.result.done():
            return
        if pending.allowed:
            # It was decided before the client had lost its connection.
            self._approved(pending)
        elif not pending.asked:
            pending.asked = True
            active = pending.active
            active.live.log.append(active.run.parts.ask(pending.call, pending.digest, active.t()))

    def returned(self, user: str, returned: Returned) -> None:
        """Take what came of a call; of one that nobody waits for, nothing."""
        pending = self._mine(user, returned.call)
        if pending is not None:
            pending.settle(_bounded(returned))

    def approve(self, user: str, approve: Approve) -> None:
        """A person has decided; the same decision once more changes nothing.

        Raises `NotFound` where no such call waits for it, and `Conflict` where it is another call
        than the person saw, or was decided already.
        """
        pending = next(
            (
                one
                for one in self._calls.values()
                if one.active.live.user == user
                and (one.frame.run, one.frame.part) == (approve.run, approve.part)
                and one.asked
                # What has returned waits no more; what was decided may be told so once more.
                and (one.allowed is not None or not one.result.done())
            ),
            None,
        )
        if pending is None:
            raise NotFound("No tool call waits for this decision any more.")
        if approve.digest != pending.digest:
            raise Conflict("This is not the call that waits. Look at it again, and decide anew.")
        if pending.allowed is not None:
            if pending.allowed is not approve.allow:
                raise Conflict("This call was decided already.")
            return
        pending.allowed = approve.allow
        active = pending.active
        active.live.log.append(
            active.run.parts.decide(pending.call, active.t(), allowed=approve.allow)
        )
        if approve.allow:
            self._approved(pending)
            return
        self._cancel(pending)
        pending.settle(Result(error=DENIED))

    def _cancel(self, pending: _Pending) -> None:
        """Tell who runs it that nobody waits any more, at once or when they are back."""
        call, live = pending.frame.call, pending.active.live
        if pending.workshop is not None:
            pending.workshop.write(Cancel(call=call))
        elif pending.runner is not None:
            self._missed[call] = (live.user, live.id, pending.runner)
            if len(self._missed) > MAX_MISSED:
                del self._missed[next(iter(self._missed))]

    def _approved(self, pending: _Pending) -> None:
        if pending.workshop is not None:
            pending.workshop.write(Approved(call=pending.frame.call, digest=pending.digest))

    def _mine(self, user: str, call: str) -> _Pending | None:
        pending = self._calls.get(call)
        return pending if pending is not None and pending.active.live.user == user else None

    def _of(self, user: str, conversation: str) -> Iterable[_Pending]:
        return (
            one
            for one in self._calls.values()
            if (one.active.live.user, one.frame.conversation) == (user, conversation)
        )

    def _wait(self, pending: _Pending) -> None:
        pending.workshop = None
        pending.back()
        pending.gone = asyncio.ensure_future(self._give_up(pending))

    async def _give_up(self, pending: _Pending) -> None:
        await self._clock.sleep(GONE_S)
        if not pending.result.done():
            pending.result.set_exception(
                TimedOut(
                    f"The kernel that runs the tool {pending.call.name!r} is gone. Run the cell "
                    "that made its chat again, and ask once more. What came is kept."
                )
            )


def _bounded(returned: Returned) -> Result:
    """What came of a call, no larger than a log and a model can take."""
    if returned.error:
        return Result(error=returned.error[:MAX_ERROR])
    size = len(msgspec.json.encode(returned.output))
    if size > MAX_RESULT:
        most = MAX_RESULT // 1024
        return Result(error=f"It returned {size // 1024:,} KiB; at most {most} go to a model.")
    return Result(returned.output)
