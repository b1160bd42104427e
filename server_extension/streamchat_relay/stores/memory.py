"""The store that lasts as long as its process; for tests and throw-away servers."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from streamchat_relay.relay.ports import StoredLog


class _RunOf(msgspec.Struct):
    type: str
    run: str = ""


_start = msgspec.json.Decoder(_RunOf)


def started_run(event: bytes) -> str | None:
    """The run that this encoded event starts, if it is a `start`."""
    # A cheap look first: a store sees every delta, and few events start a run.
    if b'"start"' not in event[:24]:
        return None
    head = _start.decode(event)
    return head.run if head.type == "start" else None


class MemoryStore:
    """Keeps logs in dictionaries."""

    def __init__(self) -> None:
        self._logs: dict[tuple[str, str], StoredLog] = {}
        self._runs: dict[tuple[str, str], str] = {}

    async def load(self, user: str, conversation: str) -> StoredLog | None:
        """The log with everything appended so far, or None where there is none."""
        stored = self._logs.get((user, conversation))
        return stored and StoredLog(epoch=stored.epoch, events=list(stored.events))

    def append(
        self, user: str, conversation: str, epoch: str, first: int, events: Sequence[bytes]
    ) -> None:
        """Keep encoded events, the first of them numbered `first`."""
        stored = self._logs.setdefault((user, conversation), StoredLog(epoch=epoch, events=[]))
        del stored.events[first - 1 :]
        stored.events.extend(events)
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
