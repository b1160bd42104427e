"""The store and the ledger that last as long as their process; for tests, kernels and such."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date

import msgspec

from streamchat_relay.model import ConversationInfo
from streamchat_relay.model.reduce import replace
from streamchat_relay.relay.ports import RESTORE_S, Account, Amount, StoredLog, Taken
from streamchat_relay.stores.lines import gathered, started_run
from streamchat_relay.stores.summary import Summary, summarized
from streamchat_relay.stores.words import searched, words


class _Kept(msgspec.Struct):
    epoch: str
    events: list[bytes]
    changed: float = 0
    summary: Summary = Summary()
    deleted: float | None = None


class MemoryStore:
    """Keeps logs in dictionaries."""

    def __init__(self, *, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._logs: dict[tuple[str, str], _Kept] = {}
        self._runs: dict[tuple[str, str], str] = {}

    async def load(self, user: str, conversation: str) -> StoredLog | None:
        """The log with everything appended so far, or None where there is none."""
        self._purge()
        kept = self._logs.get((user, conversation))
        if kept is None:
            return None
        deleted = kept.deleted is not None
        return StoredLog(epoch=kept.epoch, lines=gathered(kept.events), deleted=deleted)

    def append(
        self, user: str, conversation: str, epoch: str, first: int, events: Sequence[bytes]
    ) -> None:
        """Keep encoded events, the first of them numbered `first`."""
        kept = self._logs.setdefault((user, conversation), _Kept(epoch, []))
        if kept.epoch != epoch:
            # It is gone.
            return
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
        self,
        user: str,
        *,
        limit: int,
        before: tuple[float, str] | None = None,
        search: str = "",
    ) -> list[ConversationInfo]:
        """A user's conversations, the one used last first."""
        wanted, found = searched(search), []
        for (owner, conversation), kept in self._logs.items():
            there = owner == user and kept.deleted is None
            if not there or not (before is None or (kept.changed, conversation) < before):
                continue
            info = kept.summary.info(conversation, kept.changed)
            if wanted:
                text = words(kept.summary, kept.events)
                if not text.has(wanted):
                    continue
                info = replace(info, found=text.found(wanted))
            found.append(info)
        return sorted(found, key=lambda one: (one.used, one.id), reverse=True)[:limit]

    async def delete(self, user: str, conversation: str) -> bool:
        """Hide it; see `relay.ports.Directory`."""
        kept = self._logs.get((user, conversation))
        if kept is not None and kept.deleted is None:
            kept.deleted = self._now()
            asyncio.get_running_loop().call_later(RESTORE_S, self._purge)
        return kept is not None

    async def restore(self, user: str, conversation: str) -> bool:
        """Show it again, where it is not gone."""
        self._purge()
        kept = self._logs.get((user, conversation))
        if kept is None or not kept.epoch:
            return False
        kept.deleted = None
        return True

    def _purge(self) -> None:
        before = self._now() - RESTORE_S
        for key, kept in self._logs.items():
            if kept.deleted is not None and kept.deleted <= before and kept.epoch:
                # Its id stays, so that nobody writes to it who still has it open.
                self._logs[key] = _Kept("", [], deleted=kept.deleted)
                self._runs = {
                    run: owner for run, owner in self._runs.items() if (run[0], owner) != key
                }

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
