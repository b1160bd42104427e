"""The store that lasts as long as its process; for tests and throw-away servers."""

from __future__ import annotations

from collections.abc import Sequence

from streamchat_relay.relay.ports import StoredLog
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
