"""The shelf: a user's conversations as they are listed, named, rated, exported and deleted."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from streamchat_relay.model import Feedback, NotFound, Overview, TitleChanged
from streamchat_relay.model.export import exported
from streamchat_relay.model.reduce import replace
from streamchat_relay.protocol.frames import Deleted, Export, Rate, Rename, Restored
from streamchat_relay.relay.conversation import LiveConversation
from streamchat_relay.relay.ports import Directory
from streamchat_relay.relay.rooms import Rooms
from streamchat_relay.relay.runs import Runs

Opens = Callable[[str, str], AbstractAsyncContextManager[LiveConversation]]


class Shelf:
    """Everything that is done with whole conversations; `open_` keeps one in memory meanwhile."""

    def __init__(self, open_: Opens, directory: Directory, runs: Runs, rooms: Rooms) -> None:
        self._open = open_
        self._directory = directory
        self._runs = runs
        self._rooms = rooms

    async def overview(
        self,
        user: str,
        *,
        limit: int,
        before: tuple[float, str] | None = None,
        search: str = "",
    ) -> Overview:
        """At most `limit` of a user's conversations, the one used last first.

        `before` is the `used` and the `id` of the last one that is known, to go on from. With
        `search` those that hold all of its words.
        """
        found = await self._directory.conversations(
            user, limit=limit + 1, before=before, search=search
        )
        answering = {run.live.id for run in self._runs.active.values() if run.live.user == user}
        told = (
            replace(one, answering=True) if one.id in answering else one for one in found[:limit]
        )
        return Overview(conversations=tuple(told), more=len(found) > limit)

    async def rate(self, user: str, rate: Rate) -> None:
        """Keep what a person thinks of an answer; raises `NotFound` where there is none."""
        async with self._open(user, rate.conversation) as live:
            live.check()
            await live.catch_up()
            if all(record.message != rate.message for record in live.state.runs.values()):
                raise NotFound("There is no such answer in this conversation.")
            live.log.append([Feedback(t=0, message=rate.message, value=rate.value)])

    async def rename(self, user: str, rename: Rename) -> str:
        """Give a conversation a title of one line, which is returned."""
        title = " ".join(rename.title.split())
        async with self._open(user, rename.conversation) as live:
            await live.catch_up()
            live.check()
            if not live.state.messages:
                raise NotFound("There is nothing in this conversation that a title could name.")
            if title != live.state.title:
                live.log.append([TitleChanged(t=0, title=title)])
                self._rooms.changed(user)
            return title

    async def delete(self, user: str, conversation: str) -> None:
        """Hide a conversation, stop what is answered in it, and tell who has it open.

        It can be restored for `RESTORE_S`, and is gone then. Raises `NotFound` where there is none.
        """
        async with self._open(user, conversation) as live, live.accepting:
            if not await self._directory.delete(user, conversation):
                raise NotFound("There is no such conversation.")
            if live.deleted:
                return
            live.deleted = True
            for active in list(live.runs.values()):
                self._runs.stop(active)
            self._rooms.tell(
                user, conversation, Deleted(conversation=conversation, restorable=True)
            )
            self._rooms.changed(user)

    async def restore(self, user: str, conversation: str) -> None:
        """Take a deletion back; raises `NotFound` where that cannot be done any more."""
        async with self._open(user, conversation) as live, live.accepting:
            if not await self._directory.restore(user, conversation):
                raise NotFound("This conversation is gone and cannot be restored.")
            if live.deleted:
                live.deleted = False
                self._rooms.tell(user, conversation, Restored(conversation=conversation))
                self._rooms.changed(user)

    async def export(self, user: str, export: Export) -> tuple[str, str]:
        """A name for the file, and the conversation as it stands in it."""
        async with self._open(user, export.conversation) as live:
            await live.catch_up()
            live.check()
            if not live.state.messages:
                raise NotFound("There is nothing in this conversation yet.")
            return exported(live.state, export.form, export.leaf)
