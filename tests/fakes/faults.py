"""Faults: what befalls one connection on its way through a `Network`, as values that a seed makes.

A new kind of fault gets a name in `Kind`, its meaning in `Link._strike` of `network.py`, and its
share in `random_fault`.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal

Side = Literal["client", "server"]

Kind = Literal["cut", "half-open", "one-way", "swallow"]
"""A cut resets both ends. Half-open: one end is reset and the other never hears of it. One-way:
nothing more comes to one end, which still reaches the other. A network that swallows takes
everything from both ends and carries none of it."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """How a connection is carried, and how it ends. The default carries it faithfully.

    `after` so many bytes were carried towards the side `to` the fault strikes, in the middle of
    whatever it carries then; without it, when the test says so. Bytes travel in pieces of at most
    `piece`, each of them held for up to `delay` seconds; `seed` decides how large and how long.
    """

    kind: Kind = "cut"
    to: Side = "client"
    after: int | None = None
    piece: int = 0
    delay: float = 0.0
    seed: int = 0


def random_fault(rng: random.Random, *, within: int) -> Fault:
    """Any fault, which strikes before so many bytes were carried, or not by itself."""
    carried = rng.random()
    return Fault(
        kind=rng.choices(("cut", "half-open", "one-way", "swallow"), (5, 2, 1, 2))[0],
        to=rng.choices(("client", "server"), (4, 1))[0],
        after=rng.randrange(within) if rng.random() < 0.8 else None,
        piece=rng.choice((20, 100, 400)) if carried < 0.08 else 0,
        delay=0.001 if 0.04 < carried < 0.15 else 0.0,
        seed=rng.getrandbits(32),
    )
