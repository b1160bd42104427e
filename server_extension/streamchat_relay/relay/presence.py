"""Presence: which views of a conversation there are, who types in one, and what was seen in it."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable

import msgspec

from streamchat_relay.protocol.frames import Presence, ServerFrame, View, Views
from streamchat_relay.relay.ports import Clock

TYPING_S = 6.0
"""Who types says so again before this is over, or types no more."""
GAP_S = 0.25
"""Between two times that a room is told who is there."""
MOST_VIEWS = 20
"""Views that are told to each other; more tabs nobody watches."""


class Guest:
    """One client in the rooms of one user; `tell` takes what it is told.

    `session` and `user` are its greeting's.
    """

    def __init__(self, tell: Callable[[ServerFrame], None], session: str, user: str) -> None:
        self.tell = tell
        self.session = session
        self.user = user


class _Seat(msgspec.Struct):
    seen: int = 0
    typing_until: float = -math.inf
    told: tuple[View, ...] = ()


class Room:
    """The views of one conversation. A client that never said it is one is no view, nor told.

    What is said is kept here alone: it goes with its client.
    """

    def __init__(self, conversation: str, clock: Clock) -> None:
        self.guests: set[Guest] = set()
        self._conversation = conversation
        self._clock = clock
        self._seats: dict[Guest, _Seat] = {}
        self._told_at = -math.inf
        self._waking: tuple[float, asyncio.Task[None]] | None = None

    def show(self, guest: Guest, presence: Presence) -> None:
        """Take what a view says of itself."""
        if guest not in self.guests or (
            guest not in self._seats and len(self._seats) >= MOST_VIEWS
        ):
            return
        seat = self._seats.setdefault(guest, _Seat())
        seat.seen = presence.seen
        seat.typing_until = self._clock.now() + TYPING_S if presence.typing else -math.inf
        self._look()

    def leave(self, guest: Guest) -> None:
        """It is no view any more."""
        self.guests.discard(guest)
        if self._seats.pop(guest, None) is not None:
            self._look()
        if not self._seats:
            self.close()

    def close(self) -> None:
        """Wait for nothing any more."""
        if self._waking is not None:
            self._waking[1].cancel()
            self._waking = None

    def _look(self) -> None:
        """Tell what is new, now or as soon as it may be told; look again when typing is over."""
        now = self._clock.now()
        may = self._told_at + GAP_S
        if now >= may and self._tell(now):
            self._told_at = now
            may = now + GAP_S
        typing = [seat.typing_until for seat in self._seats.values() if seat.typing_until > now]
        moments = ([may] if self._news(now) else []) + typing
        if moments:
            self._wake(min(moments))

    def _tell(self, now: float) -> bool:
        news = self._news(now)
        for guest, views in news:
            self._seats[guest].told = views
            guest.tell(Views(conversation=self._conversation, views=views))
        return bool(news)

    def _news(self, now: float) -> list[tuple[Guest, tuple[View, ...]]]:
        """Whom to tell what: each of the views but its own."""
        views = {
            guest: View(
                session=guest.session,
                user=guest.user,
                typing=seat.typing_until > now,
                seen=seat.seen,
            )
            for guest, seat in self._seats.items()
        }
        others = {
            guest: tuple(view for owner, view in views.items() if owner is not guest)
            for guest in views
        }
        return [(guest, told) for guest, told in others.items() if told != self._seats[guest].told]

    def _wake(self, at: float) -> None:
        if self._waking is not None:
            if self._waking[0] <= at:
                return
            self._waking[1].cancel()
        self._waking = (at, asyncio.ensure_future(self._look_at(at)))

    async def _look_at(self, at: float) -> None:
        await self._clock.sleep(at - self._clock.now())
        self._waking = None
        self._look()
