"""A history: what the clients of a relay wrote, got and were told, and a judge of all of it.

A `Diary` is what one client keeps; `judge(conversation, diaries, said)` is a list of what is wrong
with all of them together, beside what the provider said: nothing, if the relay keeps its promise.
The judge believes neither the relay's numbers nor a client's session: it counts by itself.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from streamchat_relay.model import Conversation, Event, reduce
from streamchat_relay.protocol.outcomes import Deliver, Replace

TERMINAL = frozenset(["finish", "abort", "error"])

Entry = tuple[int, Literal["wrote", "got", "told"], Any]
"""The number of the socket, what happened, and the frame or the outcome."""


@dataclass(frozen=True)
class Said:
    """What a provider said in one run, and how often it was asked."""

    text: str
    generations: int = 1
    stopped: bool = False
    """Whether somebody asked to end it early: then the answer may be the beginning of it."""


class Diary:
    """What one client saw, in the order in which it saw it, for each conversation."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.pages: dict[str, list[Entry]] = defaultdict(list)
        self._socket = 0

    def socket(self) -> None:
        """It is on another socket from now on."""
        self._socket += 1

    def wrote(self, data: str | bytes) -> None:
        """It sent this frame."""
        self._note("wrote", json.loads(data))

    def got(self, data: str | bytes) -> None:
        """It received this frame."""
        self._note("got", json.loads(data))

    def told(self, outcome: Deliver | Replace) -> None:
        """Its session told its owner this."""
        self.pages[outcome.conversation].append((self._socket, "told", outcome))

    def _note(self, kind: Literal["wrote", "got"], frame: dict[str, Any]) -> None:
        if "conversation" in frame:
            self.pages[frame["conversation"]].append((self._socket, kind, frame))


def judge(conversation: str, diaries: Sequence[Diary], said: Mapping[str, Said]) -> list[str]:
    """What is wrong with one conversation; `said` has all the runs that there should be."""
    pages = {diary.name: diary.pages[conversation] for diary in diaries}
    return list(_Judge(pages, said).faults())


class _Judge:
    def __init__(self, pages: Mapping[str, Sequence[Entry]], said: Mapping[str, Said]) -> None:
        self._pages = pages
        self._said = said
        self._epochs: set[str] = set()
        self._log: dict[int, dict[str, Any]] = {}
        self._snapshots: list[tuple[str, int, Any]] = []

    def faults(self) -> Iterator[str]:
        for name, page in self._pages.items():
            yield from self._wire(name, page)
        if len(self._epochs) > 1:
            yield f"one log had the epochs {sorted(self._epochs)}"
        holes = set(range(1, max(self._log, default=0) + 1)) - set(self._log)
        if holes:
            yield f"nobody got the events {sorted(holes)}"
            return
        states = self._states()
        for name, seq, state in self._snapshots:
            if seq >= len(states) or _conversation(state) != states[seq]:
                yield f"{name}: the snapshot of {seq} is not what the events before it make"
        for name, page in self._pages.items():
            yield from self._account(name, page, states)
        yield from self._runs()

    def _wire(self, who: str, page: Sequence[Entry]) -> Iterator[str]:
        """Each socket: after an `open`, a snapshot or every event from its cursor on, once each."""
        opens: dict[str, Any] = {}
        cursor: int | None = None
        awaits_snapshot = False
        current = 0
        for socket, kind, frame in page:
            if socket != current:
                current, opens, cursor, awaits_snapshot = socket, {}, None, False
            if kind == "wrote":
                if frame["type"] == "open":
                    opens[frame["id"]] = frame
            elif kind == "got":
                name = f"{who}: {frame['type']}"
                if frame["type"] == "ok" and frame["id"] in opens:
                    asked = opens.pop(frame["id"])
                    after, epoch = asked.get("after"), asked.get("epoch")
                    # An empty log that everybody left may be another one when they come back.
                    if frame["head"]:
                        self._epochs.add(frame["epoch"])
                    awaits_snapshot = after is None or epoch not in {None, frame["epoch"]}
                    cursor = None if awaits_snapshot else after
                elif frame["type"] == "snapshot":
                    if not awaits_snapshot:
                        yield f"{name} of {frame['seq']} that nobody asked for"
                    awaits_snapshot, cursor = False, frame["seq"]
                    self._snapshots.append((who, frame["seq"], frame["state"]))
                elif frame["type"] == "events":
                    first, to = frame["from"], frame["to"]
                    self._epochs.add(frame["epoch"])
                    if cursor is None:
                        yield f"{name} from {first} before there was a cursor"
                    elif first != cursor + 1:
                        word = "lost" if first > cursor else "doubled"
                        yield f"{name} {word}: from {first} after {cursor}"
                    if to - first + 1 != len(frame["events"]):
                        yield f"{name} from {first} to {to} are {len(frame['events'])}"
                    cursor = to
                    for seq, event in enumerate(frame["events"], first):
                        if self._log.setdefault(seq, event) != event:
                            yield f"{name}: {seq} is {event}, elsewhere {self._log[seq]}"

    def _states(self) -> list[Conversation]:
        """What the events make, one after another."""
        states = [Conversation()]
        for seq in range(1, len(self._log) + 1):
            event = msgspec.convert(self._log[seq], Event)  # type: ignore[call-overload]
            states.append(reduce(states[-1], event))
        return states

    def _account(
        self, name: str, page: Sequence[Entry], states: list[Conversation]
    ) -> Iterator[str]:
        """What the client's owner was told: every event once, and in the end everything."""
        known, state = 0, Conversation()
        for outcome in (value for _, kind, value in page if kind == "told"):
            if isinstance(outcome, Replace):
                known, state = outcome.seq, outcome.state
                continue
            first = outcome.seq - len(outcome.events) + 1
            if first != known + 1:
                word = "lost" if first > known else "doubled"
                yield f"{name} was told {first} after {known}: {word}"
            known = outcome.seq
            for event in outcome.events:
                state = reduce(state, event)
        if known != len(states) - 1:
            yield f"{name} was told up to {known} of {len(states) - 1}: lost"
        elif state != states[-1]:
            yield f"{name} shows something else than the log says"

    def _runs(self) -> Iterator[str]:
        """Each run: asked for once, ended once, and its text what the provider said."""
        events = [self._log[seq] for seq in range(1, len(self._log) + 1)]
        started = {event["run"] for event in events if event["type"] == "start"}
        if started != set(self._said):
            yield f"the runs are {sorted(started)}, not {sorted(self._said)}"
        for run, said in self._said.items():
            own = [event for event in events if event.get("run") == run]
            kinds = [event["type"] for event in own]
            ends = [kind for kind in kinds if kind in TERMINAL]
            if ends not in (["finish"], ["abort"]) or kinds[-1:] != ends:
                yield f"{run} ended with {ends}, after which came {kinds[-1:]}"
            if ends == ["abort"] and not said.stopped:
                yield f"{run} was stopped by nobody"
            text = "".join(event["delta"] for event in own if event["type"] == "text-delta")
            whole = text == said.text
            if not (whole or (ends == ["abort"] and said.text.startswith(text))):
                yield f"{run} says {text!r}, the provider {said.text!r}"
            if said.generations != 1:
                yield f"{run} was generated {said.generations} times"


def _conversation(state: Any) -> Conversation:
    return msgspec.convert(state, Conversation)
