"""The store and the ledger that last as long as their process; for tests, kernels and such."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date

from streamchat_relay.relay.ports import Account, Amount, StoredLog, Taken
from streamchat_relay.stores.lines import gathered, started_run


class MemoryStore:
    """Keeps logs in dictionaries."""

    def __init__(self) -> None:
        self._logs: dict[tuple[str, str], tuple[str, list[bytes]]] = {}
        self._runs: dict[tuple[str, str], str] = {}

    async def load(self, user: str, conversation: str) -> StoredLog | None:
        """The log with everything appended so far, or None where there is none."""
        kept = self._logs.get((user, conversation))
        return kept and StoredLog(epoch=kept[0], lines=gathered(kept[1]))

    def append(
        self, user: str, conversation: str, epoch: str, first: int, events: Sequence[bytes]
    ) -> None:
        """Keep encoded events, the first of them numbered `first`."""
        _, kept = self._logs.setdefault((user, conversation), (epoch, []))
        del kept[first - 1 :]
        kept.extend(events)
        for event in events:
            run = started_run(event)
            if run is not None:
                self._runs[user, run] = conversation

    async def saved(self) -> None:
        """Nothing is to survive."""

    async def find_run(self, user: str, run: str) -> str | None:
        """The conversation that holds this run."""
        return self._runs.get((user, run))

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
