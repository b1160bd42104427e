"""Offers: which client runs which tools for which conversation."""

from __future__ import annotations

from collections.abc import Callable

from streamchat_relay.model import BadRequest, ToolSpec, check_size
from streamchat_relay.protocol.frames import Offer, ServerFrame
from streamchat_relay.relay.depth import MAX_DEPTH, deeper

MAX_OFFERS = 1_000
"""Conversations for which one client offers tools; beyond them the oldest are forgotten."""

Key = tuple[str, str]
"""A user, and a conversation of theirs."""


class Workshop:
    """One client that runs tools: `write` sends it a frame."""

    def __init__(self, write: Callable[[ServerFrame], None]) -> None:
        self.write = write
        # The same for the next socket of whoever is behind this one.
        self.runner: str | None = None
        # What it offers tools for, the oldest first.
        self.offers: dict[Key, None] = {}


class Offers:
    """The offers of all clients; of one name, the latest counts."""

    def __init__(self) -> None:
        self._offers: dict[Key, dict[Workshop, tuple[ToolSpec, ...]]] = {}

    def __len__(self) -> int:
        return len(self._offers)

    def put(self, key: Key, offer: Offer, workshop: Workshop) -> None:
        """Take an offer in place of what this client has offered for the conversation.

        Raises `BadRequest` where it is more than a model can be told of.
        """
        _check(offer.tools)
        workshop.runner = offer.runner or workshop.runner
        for old in list(self._offers.get(key, ())):
            # A client that is back may be faster than the news that its last socket is gone.
            if old is workshop or (old.runner is not None and old.runner == workshop.runner):
                self._forget(key, old)
        if offer.tools:
            self._offers.setdefault(key, {})[workshop] = offer.tools
            workshop.offers[key] = None
            if len(workshop.offers) > MAX_OFFERS:
                self._forget(next(iter(workshop.offers)), workshop)

    def remove(self, workshop: Workshop) -> None:
        """The client is gone."""
        for key in list(workshop.offers):
            self._forget(key, workshop)

    def specs(self, key: Key) -> tuple[ToolSpec, ...]:
        """What a model can call in this conversation now."""
        offers = self._offers.get(key, {})
        return tuple({one.name: one for specs in offers.values() for one in specs}.values())

    def of(self, key: Key, name: str) -> Workshop | None:
        """Who runs a tool of this name."""
        for workshop, specs in reversed(self._offers.get(key, {}).items()):
            if any(one.name == name for one in specs):
                return workshop
        return None

    def _forget(self, key: Key, workshop: Workshop) -> None:
        workshop.offers.pop(key, None)
        offers = self._offers[key]
        del offers[workshop]
        if not offers:
            del self._offers[key]


def _check(specs: tuple[ToolSpec, ...]) -> None:
    check_size(specs)
    if any(deeper(one.input_schema) for one in specs):
        raise BadRequest(f"A tool's `input_schema` has at most {MAX_DEPTH} levels.")
