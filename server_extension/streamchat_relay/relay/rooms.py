"""Rooms: which clients have a conversation open, and what all of them are told beside its log."""

from __future__ import annotations

from collections import defaultdict

from streamchat_relay.protocol.frames import Presence, ServerFrame, Stale
from streamchat_relay.relay.ports import Clock
from streamchat_relay.relay.presence import Guest, Room


class Rooms:
    """Every user's, by conversation. A client is in the room of each that it has open."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._rooms: dict[tuple[str, str], Room] = {}
        self._listing: defaultdict[str, set[Guest]] = defaultdict(set)

    def join(self, user: str, conversation: str, guest: Guest) -> None:
        """It has the conversation open now."""
        key = (user, conversation)
        if key not in self._rooms:
            self._rooms[key] = Room(conversation, self._clock)
        self._rooms[key].guests.add(guest)

    def leave(self, user: str, conversation: str, guest: Guest) -> None:
        """It has not any more."""
        room = self._rooms.get((user, conversation))
        if room is not None:
            room.leave(guest)
            if not room.guests:
                del self._rooms[user, conversation]

    def remove(self, user: str, guest: Guest) -> None:
        """It is gone, from all rooms."""
        for (owner, conversation), room in list(self._rooms.items()):
            if owner == user and guest in room.guests:
                self.leave(owner, conversation, guest)
        self._listing[user].discard(guest)
        if not self._listing[user]:
            del self._listing[user]

    def tell(self, user: str, conversation: str, frame: ServerFrame) -> None:
        """Tell everybody who has the conversation open."""
        room = self._rooms.get((user, conversation))
        for guest in list(() if room is None else room.guests):
            guest.tell(frame)

    def show(self, user: str, guest: Guest, presence: Presence) -> None:
        """Tell the other views of a conversation what this one says of itself."""
        room = self._rooms.get((user, presence.conversation))
        if room is not None:
            room.show(guest, presence)

    def list(self, user: str, guest: Guest) -> None:
        """It is about to be told which conversations there are, and wants to know of a change."""
        self._listing[user].add(guest)

    def changed(self, user: str) -> None:
        """Something about a user's conversations is new; said once to each who has a list."""
        for guest in self._listing.pop(user, ()):
            guest.tell(Stale())

    def close(self) -> None:
        """Wait for nothing any more."""
        for room in self._rooms.values():
            room.close()
