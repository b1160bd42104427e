"""The store and the ledger that last as long as their process; for tests, kernels and such."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date

import msgspec

from streamchat_relay.model import ConversationInfo
from streamchat_relay.relay.ports import Account, Amount, StoredLog, Taken
from streamchat_relay.stores.lines import gathered, started_run
from streamchat_relay.stores.summary import Summary, summarized


class _Kept(msgspec.Struct):
    epoch: str
    events: list[bytes]
    changed: float = 0
    summary: Summary = Summary()


class MemoryStore:
    """Keeps logs in dictionaries."""

    def __init__(self, *, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._logs: dict[tuple[str, str], _Kept] = {}
        self._runs: dict[tuple[str, str], str] = {}

    async def load(self, user: str, conversation: str) -> StoredLog | None:
        """The log with everything appended so far, or None where there is none."""
        kept = self._logs.get((user, conversation))
        if kept is None:
            return None
        return StoredLog(epoch=kept.epoch, lines=gathered(kept.events))

    def append(
        self, user: str, conversation: str, epoch: str, first: int, events: Sequence[bytes]
    ) -> None:
        """Keep encoded events, the first of them numbered `first`."""
        kept = self._logs.setdefault((user, conversation), _Kept(epoch, []))
        del kept.events[first - 1 :]
        kept.events.extend(events)
        kept.changed = self._now()
        kept.summary = summarized(kept.summary, b"\n".join(events))
        for event in events:
            run = started_run(event)
            if run is not None:
                self._runs[user, run] = conversation

    async def saved(self) -> None:
        """Nothing is to survive."""

    async def find_run(self, user: str, run: str) -> str | None:
        """The conversation that holds this run."""
        return self._runs.get((user, run))

    async def conversations(
        self, user: str, *, limit: int, before: tuple[float, str] | None = None
    ) -> list[ConversationInfo]:
        """A user's conversations, the one used last first."""
        found = [
            kept.summary.info(conversation, kept.changed)
            for (owner, conversation), kept in self._logs.items()
            if owner == user and (before is None or (kept.changed, conversation) < before)
        ]
        return sorted(found, key=lambda one: (one.used, one.id), reverse=True)[:limit]

    async def close(self) -> None:
        """Nothing is outstanding."""


class MemoryLedger:
    """Keeps what was used and what is held in dictionaries, by day and by conversation."""

    def __init__(self) -> None:
        self._days: defaultdict[tuple[str, date], Taken] = defaultdict(Taken)
        self._conversations: defaultdict[tuple[str, str], Taken] = defaultdict(Taken)

    async def hold(self, account: Account, decide: Callable[[Taken, Taken], Amount]) -> Amount:
        """See `relay.ports.Ledger`."""
        amount = decide(*await self.taken(account.user, account.day, account.conversation))
        self._change(account, Taken(held=amount))
        return amount

    def settle(self, account: Account, held: Amount, used: Amount) -> None:
        """See `relay.ports.Ledger`."""
        self._change(account, Taken(used, Amount(-held.tokens, -held.nano_usd)))

    async def taken(self, user: str, day: date, conversation: str) -> tuple[Taken, Taken]:
        """See `relay.ports.Ledger`."""
        return (
            self._days.get((user, day), Taken()),
            self._conversations.get((user, conversation), Taken()),
        )

    async def close(self) -> None:
        """Nothing is outstanding."""

    def _change(self, account: Account, by: Taken) -> None:
        day, here = (account.user, account.day), (account.user, account.conversation)
        self._days[day] = _sum(self._days[day], by)
        self._conversations[here] = _sum(self._conversations[here], by)


def _sum(one: Taken, other: Taken) -> Taken:
    (used, held), (more_used, more_held) = one, other
    return Taken(
        Amount(used.tokens + more_used.tokens, used.nano_usd + more_used.nano_usd),
        Amount(held.tokens + more_held.tokens, held.nano_usd + more_held.nano_usd),
    )
