"""Rooms: which clients have a conversation open, and what all of them are told beside its log."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from streamchat_relay.protocol.frames import ServerFrame, Stale


class Guest:
    """One client in the rooms of one user; `tell` takes what it is told."""

    def __init__(self, tell: Callable[[ServerFrame], None]) -> None:
        self.tell = tell


class Rooms:
    """Every user's, by conversation. A client is in the room of each that it has open."""

    def __init__(self) -> None:
        self._rooms: defaultdict[tuple[str, str], set[Guest]] = defaultdict(set)
        self._listing: defaultdict[str, set[Guest]] = defaultdict(set)

    def join(self, user: str, conversation: str, guest: Guest) -> None:
        """It has the conversation open now."""
        self._rooms[user, conversation].add(guest)

    def leave(self, user: str, conversation: str, guest: Guest) -> None:
        """It has not any more."""
        key = (user, conversation)
        if key in self._rooms:
            self._rooms[key].discard(guest)
            if not self._rooms[key]:
                del self._rooms[key]

    def remove(self, user: str, guest: Guest) -> None:
        """It is gone, from all rooms."""
        for owner, conversation in list(self._rooms):
            if owner == user:
                self.leave(owner, conversation, guest)
        self._listing[user].discard(guest)
        if not self._listing[user]:
            del self._listing[user]

    def tell(self, user: str, conversation: str, frame: ServerFrame) -> None:
        """Tell everybody who has the conversation open."""
        for guest in list(self._rooms.get((user, conversation), ())):
            guest.tell(frame)

    def list(self, user: str, guest: Guest) -> None:
        """It is about to be told which conversations there are, and wants to know of a change."""
        self._listing[user].add(guest)

    def changed(self, user: str) -> None:
        """Something about a user's conversations is new; said once to each who has a list."""
        for guest in self._listing.pop(user, ()):
            guest.tell(Stale())
