"""The hub: finds conversations, starts and stops runs, and owns every task."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from streamchat_relay.model import (
    Catalog,
    Conflict,
    Conversation,
    Internal,
    Message,
    NotFound,
    RunStateName,
    Spendings,
    ToolSpec,
)
from streamchat_relay.protocol.frames import Send
from streamchat_relay.relay.aside import Aside
from streamchat_relay.relay.conversation import LiveConversation
from streamchat_relay.relay.files import Files
from streamchat_relay.relay.ports import Blobs, Call, Clock, Keeper, Provider, Registry, StoredLog
from streamchat_relay.relay.prompt import accepted
from streamchat_relay.relay.report import Nobody, Observer
from streamchat_relay.relay.rooms import Rooms
from streamchat_relay.relay.rules import Rules
from streamchat_relay.relay.run import Run
from streamchat_relay.relay.runs import Runs, SystemClock
from streamchat_relay.relay.served import PROVIDER, ServedModels
from streamchat_relay.relay.shelf import Shelf
from streamchat_relay.relay.tools import Tools

STOPPING = "The Jupyter server is stopping."


class Hub:
    """All conversations of all users, and the runs that write them.

    Users are keys: what is not under a caller's own key is not there. Everything runs on one event
    loop; between two awaits a method sees and changes a conversation alone.
    """

    def __init__(
        self,
        store: Keeper,
        registry: Registry,
        *,
        blobs: Blobs | None = None,
        rules: Rules | None = None,
        observer: Observer | None = None,
        clock: Clock | None = None,
        log: logging.Logger | None = None,
    ) -> None:
        self._store = store
        self._registry = registry
        self._rules = rules = rules or Rules()
        clock = clock or SystemClock()
        self.tools = Tools(clock)
        self.rooms = Rooms(clock)
        self._files = Files(blobs)
        self._runs = Runs(
            self._left,
            rules=rules,
            observer=observer or Nobody(),
            clock=clock,
            log=log or logging.getLogger(__name__),
            tools=self.tools,
            files=self._files,
        )
        self.shelf = Shelf(self.conversation, store, self._runs, self.rooms)
        self.served = ServedModels()
        self._live: dict[tuple[str, str], LiveConversation] = {}
        self._loading: dict[tuple[str, str], asyncio.Future[LiveConversation]] = {}
        self._holds: Counter[tuple[str, str]] = Counter()
        # Sends that wait for their conversation or for the default model, and may be stopped then.
        self._arriving: Counter[tuple[str, str]] = Counter()
        self._stopped_early: set[tuple[str, str]] = set()

    @property
    def active_runs(self) -> int:
        """Runs that have not ended."""
        return len(self._runs.active)

    async def spendings(self, user: str, conversation: str = "") -> Spendings:
        """What a user has used today, and a conversation of theirs in all."""
        return await self._rules.budget.spendings(user, conversation)

    async def catalog(self) -> Catalog:
        """The models that can be asked now."""
        return await self._registry.catalog()

    @asynccontextmanager
    async def conversation(self, user: str, conversation: str) -> AsyncIterator[LiveConversation]:
        """The conversation, kept in memory at least until the block ends."""
        key = (user, conversation)
        # Counted before the load: nobody may forget what others are about to use.
        self._holds[key] += 1
        try:
            live = self._live.get(key)
            if live is None:
                if key not in self._loading:
                    self._loading[key] = asyncio.ensure_future(self._load(key))
                # Shielded: others may wait for the same conversation.
                live = await asyncio.shield(self._loading[key])
            yield live
        finally:
            self._holds[key] -= 1
            if key in self._live:
                self.release(self._live[key])
            elif not self._holds[key]:
                del self._holds[key]

    def known(self, user: str, conversation: str) -> Conversation | None:
        """The state of a conversation that somebody has open; it is not read for this."""
        live = self._live.get((user, conversation))
        return None if live is None or live.deleted else live.state

    def release(self, live: LiveConversation) -> None:
        """Forget the conversation if nobody reads or writes it; the store has it."""
        key = (live.user, live.id)
        if live.idle and not self._holds[key]:
            self._live.pop(key, None)
            del self._holds[key]

    def _left(self, live: LiveConversation) -> None:
        self.rooms.changed(live.user)
        self.release(live)

    async def send(self, user: str, send: Send) -> tuple[str, bool]:
        """Start a run; the same run again starts nothing.

        Returns the id of the message that the run writes, and whether it was there already. By
        then the prompt is saved: what was answered is not lost, nor generated again.
        """
        key = (user, send.run)
        self._arriving[key] += 1
        try:
            # One after another: prompts are logged in the order in which they came.
            async with self.conversation(user, send.conversation) as live, live.accepting:
                live.check()
                await live.catch_up()
                model = send.model or live.state.settings.model
                if not model:
                    model = await self._registry.default_model()
                record = live.state.runs.get(send.run)
                if record is not None:
                    return record.message, True
                if key in self._runs.active:
                    raise Conflict("This run's id is used in another conversation. Make a new one.")
                if self._runs.closing:
                    raise Internal(STOPPING, retryable=True)
                provider, name = self._resolve(user, model)
                params = live.state.settings.params if send.params is None else send.params
                await self._rules.budget.check(user, send.conversation, model, params)
                send = await self._files.checked(user, send)
                send = await self._rules.screen.prompt(user, send, model)
                if self._runs.closing:
                    raise Internal(STOPPING, retryable=True)
                added = accepted(live.state, send, model)
                run = Run(send.run, added.answer, model, provider.name)
                call = Call(model=name, messages=(), params=added.params)
                active = self._runs.add(live, run, provider, call, added.events)
                if key in self._stopped_early:
                    self._runs.stop(active)
                await self._store.saved()
                self.rooms.changed(user)
                self._runs.begin_or_wait(active)
                return active.run.message.id, False
        finally:
            self._arriving[key] -= 1
            if not self._arriving[key]:
                del self._arriving[key]
                self._stopped_early.discard(key)

    async def aside(
        self,
        user: str,
        model: str,
        messages: tuple[Message, ...],
        params: dict[str, Any],
        tools: tuple[ToolSpec, ...] = (),
    ) -> Aside:
        """Ask beside all conversations; nothing of it is kept but what it used.

        Who asks runs the `tools`: the answer ends where it calls them.
        """
        if self._runs.closing:
            raise Internal(STOPPING, retryable=True)
        model = model or await self._registry.default_model()
        provider, name = self._resolve(user, model)
        await self._rules.budget.check(user, "", model, params)
        messages = await self._rules.screen.messages(user, messages, model)
        if self._runs.closing:
            raise Internal(STOPPING, retryable=True)
        call = Call(model=name, messages=messages, params=params, tools=tools)
        return Aside(self._runs, user, provider, call, model)

    async def stop(self, user: str, run: str) -> RunStateName:
        """End a run early; a run that has ended stays as it is. Returns its state by now."""
        active = self._runs.active.get((user, run))
        if active is not None:
            self._runs.stop(active)
            return active.run.state_name
        if (user, run) in self._arriving:
            self._stopped_early.add((user, run))
            return "stopping"
        conversation = await self._store.find_run(user, run)
        if conversation is None:
            raise NotFound("There is no such run.")
        async with self.conversation(user, conversation) as live:
            await live.catch_up()
            record = live.state.runs.get(run)
            if record is None:
                raise NotFound("There is no such run.")
            return record.state

    def _resolve(self, user: str, model: str) -> tuple[Provider, str]:
        if model.startswith(f"{PROVIDER}/"):
            return self.served.find(user, model)
        return self._registry.resolve(model)

    async def close(self) -> None:
        """End all runs as lost, let their readers know, and close the store."""
        self.rooms.close()
        await self._runs.close()
        await self._store.close()

    async def _load(self, key: tuple[str, str]) -> LiveConversation:
        try:
            stored = await self._store.load(*key)
            if stored is None:
                stored = StoredLog(epoch=secrets.token_hex(4), lines=[])
            live = await LiveConversation.restored(*key, stored, self._store)
            self._live[key] = live
            # Whoever asked for it may be gone by now.
            self.release(live)
            return live
        finally:
            del self._loading[key]
