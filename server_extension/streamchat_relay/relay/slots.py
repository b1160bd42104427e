"""The slots: how many runs go on at once, of each user and in all, and whose turn is next."""

from __future__ import annotations

from collections import Counter, deque

from streamchat_relay.relay.rates import Rates

Key = tuple[str, str]
"""A run: its user and its id."""


class Slots:
    """Counts the runs that go on, and keeps those that have to wait.

    Turns go round the users, so that who asks much waits for itself and not everybody for it. A
    user's own runs keep their order. Who waits for a provider's next minute holds up nobody else.

    >>> slots = Slots(in_all=1, per_user=1, rates=Rates())
    >>> [slots.ask(run, "demo") for run in [("ada", "r1"), ("ada", "r2"), ("bob", "r3")]]
    [True, False, False]
    >>> slots.leave(("ada", "r1"))
    [('ada', 'r2')]
    """

    def __init__(self, *, in_all: int, per_user: int, rates: Rates) -> None:
        self._in_all = in_all
        self._per_user = per_user
        self._rates = rates
        self._going: set[Key] = set()
        self._of_user: Counter[str] = Counter()
        # Users that wait, whose turn is next first; each run with its provider.
        self._waiting: dict[str, deque[tuple[Key, str]]] = {}

    def ask(self, run: Key, provider: str) -> bool:
        """Take a slot, or wait in line; True if the run may begin now."""
        if run[0] not in self._waiting and self._free(run[0]) and not self._rates.wait(provider):
            self._take(run, provider)
            return True
        self._waiting.setdefault(run[0], deque()).append((run, provider))
        return False

    def leave(self, run: Key) -> list[Key]:
        """Give the slot or the place in line back; returns the runs that may begin now."""
        if run in self._going:
            self._going.remove(run)
            self._of_user[run[0]] -= 1
            if not self._of_user[run[0]]:
                del self._of_user[run[0]]
        elif run[0] in self._waiting:
            left = deque(one for one in self._waiting[run[0]] if one[0] != run)
            if left:
                self._waiting[run[0]] = left
            else:
                del self._waiting[run[0]]
        return self.due()

    def due(self) -> list[Key]:
        """The runs that may begin now; they have their slots from here on."""
        begun: list[Key] = []
        while (following := self._next()) is not None:
            begun.append(following)
        return begun

    def wait(self) -> float | None:
        """Seconds until a run may begin that waits for its provider alone; None: there is none."""
        waits = (
            self._rates.wait(runs[0][1]) for user, runs in self._waiting.items() if self._free(user)
        )
        return min(waits, default=None)

    def line(self) -> list[Key]:
        """The runs that wait, in the order of their turns as far as it is known."""
        rounds = max(map(len, self._waiting.values()), default=0)
        return [
            runs[turn][0]
            for turn in range(rounds)
            for runs in self._waiting.values()
            if turn < len(runs)
        ]

    def _free(self, user: str) -> bool:
        return len(self._going) < self._in_all and self._of_user[user] < self._per_user

    def _take(self, run: Key, provider: str) -> None:
        self._going.add(run)
        self._of_user[run[0]] += 1
        self._rates.take(provider)

    def _next(self) -> Key | None:
        user = next(
            (
                user
                for user, runs in self._waiting.items()
                if self._free(user) and not self._rates.wait(runs[0][1])
            ),
            None,
        )
        if user is None:
            return None
        runs = self._waiting.pop(user)
        run, provider = runs.popleft()
        if runs:
            # The next turn is another's.
            self._waiting[user] = runs
        self._take(run, provider)
        return run
