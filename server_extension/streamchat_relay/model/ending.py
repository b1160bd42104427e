"""Endings: how a run ended, in the widget's words, where that needs a word."""

from __future__ import annotations

from typing import Literal

import msgspec

from streamchat_relay.model.message import AbortReason, FinishReason, RunStateName

FAILED = "The answer failed."


class Ending(msgspec.Struct, frozen=True):
    """A `bad` ending stands in a paragraph of its own, a `calm` one before the figures."""

    tone: Literal["calm", "bad"]
    text: str


# Word for word those of `js/src/view/words.ts`, as a test proves.
_INTERRUPTED: dict[AbortReason, Ending] = {
    "user": Ending("calm", "Stopped"),
    "budget": Ending("bad", "Stopped: the budget is used up."),
    "unwatched": Ending("calm", "Stopped, as nobody was watching"),
    "server_lost": Ending("bad", "The server was restarted while it answered. This is what came."),
}
_FINISHED: dict[FinishReason, Ending] = {
    "length": Ending("calm", "Cut off at the model\u2019s length limit"),
    "content-filter": Ending("bad", "Held back by the provider\u2019s content filter."),
}


def ending(
    state: RunStateName,
    *,
    finish_reason: FinishReason | None = None,
    abort_reason: AbortReason | None = None,
    failure: str | None = None,
) -> Ending | None:
    """How a run ended; None for one that goes on, or that simply said all there was to say.

    `failure` is the message of the error with which it failed.

    >>> ending("interrupted", abort_reason="budget")
    Ending(tone='bad', text='Stopped: the budget is used up.')
    """
    match state:
        case "error":
            return Ending("bad", failure or FAILED)
        case "interrupted":
            return _INTERRUPTED[abort_reason or "user"]
        case _:
            return _FINISHED.get(finish_reason) if finish_reason is not None else None
