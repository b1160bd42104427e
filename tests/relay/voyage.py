"""A voyage: some conversations in some tabs, and the faults on their way, all from one seed.

The voyage never waits for time. It lets a provider say a little, waits until every tab shows all
of it or is cut off, lets a fault strike, and so on, until there were cuts enough and the answers
are over. Then `faults` has what a judge of all diaries found.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
from collections import Counter
from contextlib import AsyncExitStack
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from streamchat_relay.protocol.codec import decode_event
from streamchat_relay.protocol.frames import SUBPROTOCOL
from streamchat_relay.protocol.outcomes import Deliver
from tests.fakes.faults import Fault, random_fault
from tests.fakes.history import Diary, Said, judge
from tests.fakes.network import Network
from tests.relay.served import ServedRelay
from tests.relay.tab import Tab
from tests.relay.telling import Telling

CONVERSATIONS = 8
"""On each connection, so that each cut is one of all of them."""

CUTS = 20
"""So many connections are cut in one voyage, or more."""

_WITHIN = 5000
"""Bytes: a connection has carried about 2,500 when all that is open is answered."""


class Voyage:
    """Everything that happens to its conversations."""

    def __init__(self, relay: ServedRelay, seed: int) -> None:
        self.seed = seed
        # All voyages have the same conversations, each of another user.
        self.conversations = [f"c{number}" for number in range(CONVERSATIONS)]
        self._headers = relay.headers(f"user-{seed}")
        self._relay = relay
        self._rng = random.Random(seed)
        self._changed = asyncio.Event()
        self._tabs: list[Tab] = []
        self.lost_answers = 0
        """Prompts whose answer was lost on its way for certain."""
        self._tellings = [
            Telling(self._rng, conversation, f"s{seed}-{conversation}-{run}", self._changed)
            for conversation in self.conversations
            for run in range(self._rng.choice((1, 1, 1, 2)))
        ]
        for before, telling in itertools.pairwise(self._tellings):
            if before.conversation == telling.conversation:
                telling.before = before
        for telling in self._tellings:
            relay.provider.for_model[telling.model] = telling.answer

    @property
    def cuts(self) -> int:
        """Connections that were cut, and each carried all of the conversations."""
        return sum(link.struck for tab in self._tabs for link in tab.network.links)

    @property
    def kinds(self) -> list[str]:
        """In which ways."""
        links = [link for tab in self._tabs for link in tab.network.links]
        return [link.fault.kind for link in links if link.struck]

    @property
    def stops(self) -> int:
        """Answers that somebody asked to end early."""
        return sum(one.stopped for one in self._tellings)

    @property
    def runs(self) -> int:
        """Answers of a provider."""
        return len(self._tellings)

    def __str__(self) -> str:
        said = [(len(one.text), one.sent, one.over, one.stopped) for one in self._tellings]
        tabs = [
            f"{tab} shows {[len(tab.text(one.conversation, one.run)) for one in self._tellings]}"
            for tab in self._tabs
        ]
        return f"seed {self.seed}: {self.cuts} cuts, said {said}, tabs {tabs}"

    async def faults(self) -> list[str]:
        """Sail, and say what is wrong."""
        async with AsyncExitStack() as stack:
            for name in ("writer", "reader", "third")[: self._rng.choice((2, 2, 3))]:
                await self._board(stack, name)
            await self._sail()
            found = [f"refused: {error}" for tab in self._tabs for error in tab.errors]
        diaries = [*(tab.diary for tab in self._tabs), await self._audit()]
        calls = Counter(request.json["model"] for request in self._relay.provider.calls)
        for conversation in self.conversations:
            said = {
                one.run: Said(one.whole, calls[one.model], one.stopped)
                for one in self._tellings
                if one.conversation == conversation
            }
            found += [f"{conversation}: {one}" for one in judge(conversation, diaries, said)]
        return found

    async def _board(self, stack: AsyncExitStack, name: str) -> None:
        network = await stack.enter_async_context(
            Network(
                self._relay.port,
                lambda: random_fault(self._rng, within=_WITHIN),
                lambda _: self._changed.set(),
            )
        )
        tab = Tab(
            Diary(name),
            network,
            self.conversations,
            path=self._relay.path,
            headers=self._headers,
            changed=self._changed.set,
        )
        self._tabs.append(await stack.enter_async_context(tab))

    async def _sail(self) -> None:
        while True:
            await self._calm()
            going = [one for one in self._tellings if not one.over]
            if not going and self.cuts >= CUTS:
                return
            unsent = [one for one in going if not one.sent]
            if unsent and self._rng.random() < 0.8:
                await self._send(unsent[0])
            else:
                self._do_something([one for one in going if one.sent])

    async def _calm(self) -> None:
        """Wait until nothing happens any more unless somebody does something."""
        while True:
            self._changed.clear()
            for tab in self._tabs:
                if tab.stalls:
                    # Sometimes the others go on while it does not know yet.
                    if self._rng.random() < 0.3:
                        self._say()
                    tab.time_pass()
                elif self._rng.random() < 0.02:
                    # While something may be on its way, which then comes twice.
                    tab.open_again(self._rng.choice(self.conversations))
            shown = all(one.shown_by(tab) for one in self._tellings for tab in self._tabs)
            if shown and not any(tab.waits for tab in self._tabs):
                return
            await self._changed.wait()

    async def _send(self, telling: Telling) -> None:
        tab = self._rng.choice(self._tabs)
        lost = not telling.waits and self._rng.random() < 0.3
        assert tab.link is not None
        if lost:
            self.lost_answers += 1
            tab.link.strike(Fault(kind="one-way", to="client"))
        tab.send(telling.conversation, telling.run, f"mine/{telling.model}")
        telling.sent = True
        while lost and not telling.asked:
            self._changed.clear()
            await self._changed.wait()

    def _say(self) -> None:
        for one in self._tellings:
            if one.sent and not one.waits and not one.over:
                one.say(self._rng.randint(0, 16))

    def _do_something(self, going: list[Telling]) -> None:
        rng = self._rng
        tab = rng.choice(self._tabs)
        assert tab.link is not None
        if rng.random() < 0.1:
            tab.come_back(rng.choice(self.conversations))
        self._say()
        if going and rng.random() < 0.04:
            telling = rng.choice(going)
            if telling.asked:
                telling.stopped = True
                for one in rng.sample(self._tabs, rng.randint(1, 2)):
                    one.stop(telling.run)
        elif rng.random() < 0.1:
            tab.ping()
        # Also in the middle of what was just asked or said.
        if rng.random() < 0.7:
            tab.link.strike()

    async def _audit(self) -> Diary:
        """Read all logs once more, over a connection that nothing happens to."""
        diary = Diary("auditor")
        url = f"ws://127.0.0.1:{self._relay.port}{self._relay.path}"
        async with connect(
            url,
            additional_headers=self._headers,
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            compression=None,
            proxy=None,
        ) as socket:
            diary.socket()
            await socket.send('{"type":"hello","client":"auditor/1"}')
            for conversation in self.conversations:
                await _read(conversation, {"after": 0}, socket, diary)
                await _read(conversation, {}, socket, diary)
        return diary


async def _read(
    conversation: str, opening: dict[str, Any], socket: ClientConnection, diary: Diary
) -> None:
    """Open a conversation, and read until its head."""
    frame = {"type": "open", "id": "o1", "conversation": conversation, **opening}
    await socket.send(json.dumps(frame))
    diary.wrote(json.dumps(frame))
    head, seq = None, 0
    while head is None or seq < head:
        text = await socket.recv()
        diary.got(text)
        got = json.loads(text)
        if got["type"] == "ok":
            head = got["head"]
        elif got["type"] == "events":
            seq = got["to"]
            events = [decode_event(json.dumps(one).encode()) for one in got["events"]]
            known = tuple(event for event in events if event is not None)
            diary.told(Deliver(conversation, seq, known))
        elif got["type"] == "snapshot":
            seq = got["seq"]
