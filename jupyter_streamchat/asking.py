"""Asking: the requests of one client that the relay has not answered yet."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from jupyter_streamchat.errors import RelayLost
from streamchat_relay.model import StreamChatError, error_from
from streamchat_relay.protocol.frames import Ok
from streamchat_relay.protocol.outcomes import Answer, Outcome

Asked = tuple[str, list[Outcome]]
"""A request's id, and what its session has to do for it."""


class Asking:
    """Who waits for which answer; lives on the client's loop. `act` carries out a request."""

    def __init__(self, act: Callable[[Sequence[Outcome]], None]) -> None:
        self._act = act
        self._waiting: dict[str, Callable[[Answer], None]] = {}

    def ask(self, asked: Asked, then: Callable[[Answer], None]) -> None:
        """Make a request; `then` gets its answer, which has neither side where none will come."""
        frame_id, outcomes = asked
        self._waiting[frame_id] = then
        self._act(outcomes)

    def answered(self, answer: Answer) -> None:
        """Give an answer to who waits for it."""
        then = self._waiting.pop(answer.id, None)
        if then is not None:
            then(answer)

    def give_up(self) -> None:
        """No answer will come any more."""
        waiting, self._waiting = self._waiting, {}
        for frame_id, then in waiting.items():
            then(Answer(frame_id, None, None))

    async def answer(
        self, request: Callable[[], Asked], ended: Callable[[], StreamChatError | None]
    ) -> Ok:
        """Make a request and wait for its `ok`.

        Raises what the relay refuses it with, or what the client has `ended` with.
        """
        error = ended()
        if error is not None:
            raise error
        answered: asyncio.Future[Ok] = asyncio.get_running_loop().create_future()

        def on_answer(answer: Answer) -> None:
            if answered.done():
                return
            if answer.ok is not None:
                answered.set_result(answer.ok)
            else:
                unanswered = ended() or RelayLost("The relay gave no answer. Try again.")
                answered.set_exception(
                    unanswered if answer.error is None else error_from(answer.error)
                )

        self.ask(request(), on_answer)
        return await answered
