"""A telling: one run of a voyage, and what its provider says, piece by piece when it is let."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Sequence

from tests.fakes.gate import Gate
from tests.fakes.provider_server import Answer
from tests.fakes.provider_wires import openai_events
from tests.relay.tab import Tab

_LETTERS = (
    "abcdefgh   \n\n", "äßéø", "漢字かな한글", "😀👩🏽🏴", "\u0301\u200d\ufe0f",
    "\u2028\u2029\ufeff", "\\\"'`*_<>&|#", "\x00\x1b\x7f\r", "\\ud83d",
)  # fmt: skip


class Telling:
    """One run: what its provider says, piece by piece when it is let."""

    def __init__(
        self, rng: random.Random, conversation: str, run: str, changed: asyncio.Event
    ) -> None:
        self.conversation = conversation
        self.run = run
        self.before: Telling | None = None
        """The one that it follows, and has to wait for."""
        self.model = f"{run}-model"
        self.sent = False
        self.asked = 0
        self.stopped = False
        self._changed = changed
        self._gate = Gate()
        deltas = _random_deltas(rng, rng.randint(20, 50))
        self.answer = Answer(deltas=deltas, gate=self._gate, pieces=self._asked)
        events = openai_events(self.answer, self.model)
        self._pieces, self._texts = _cut(rng, events, ["", *deltas])
        self._let = 0

    @property
    def text(self) -> str:
        """What the provider has said by now."""
        return _joined(self._texts[self._let])

    @property
    def whole(self) -> str:
        """What it says in all."""
        return _joined(self._texts[-1])

    @property
    def over(self) -> bool:
        """Whether it has said everything, or may not."""
        return self.stopped or self._let == len(self._pieces)

    @property
    def waits(self) -> bool:
        """Whether its provider is not asked yet, since another answer is not over."""
        return self.before is not None and not self.before.over

    def say(self, count: int) -> None:
        """Let it say some more."""
        count = min(count, len(self._pieces) - self._let)
        self._let += count
        self._gate.release(count)

    def shown_by(self, tab: Tab) -> bool:
        """Whether a tab shows everything of it."""
        if not self.sent or self.waits:
            return True
        if self.over:
            return tab.ended(self.conversation, self.run)
        return tab.text(self.conversation, self.run) == self.text

    def _asked(self, _stream: bytes) -> Sequence[bytes]:
        self.asked += 1
        self._changed.set()
        return self._pieces


def _random_deltas(rng: random.Random, count: int) -> list[str]:
    """Letters of all sizes. Some deltas end with half of one, whose other half begins the next."""
    deltas = [
        "".join(rng.choice(rng.choice(_LETTERS)) for _ in range(rng.randint(1, 12)))
        for _ in range(count)
    ]
    for first in rng.sample(range(count - 1), 3):
        deltas[first] += "\ud83d"
        deltas[first + 1] = "\ude00" + deltas[first + 1]
    return deltas


def _joined(text: str) -> str:
    """As a reader sees it: whole letters, and none for a half whose other half is to come."""
    if "\ud800" <= text[-1:] <= "\udbff":
        text = text[:-1]
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _cut(
    rng: random.Random, events: list[bytes], texts: list[str]
) -> tuple[list[bytes], list[str]]:
    """A stream in pieces, mostly an event each, and what was said after so many pieces."""
    ends = list(itertools.accumulate(map(len, events)))
    stream = b"".join(events)
    at = {end for end in ends if rng.random() < 0.8} | {len(stream)}
    at |= {rng.randrange(1, len(stream)) for _ in range(4)}
    cuts = sorted(at)
    pieces = [stream[begin:end] for begin, end in itertools.pairwise([0, *cuts])]
    said = [""]
    for cut in cuts:
        whole = sum(end <= cut for end in ends)
        said.append("".join(texts[:whole]))
    return pieces, said
