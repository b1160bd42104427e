"""The rules: what holds for every run, each with a default that a single user never notices."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from streamchat_relay.relay.budget import Budget
from streamchat_relay.relay.context import Contexts
from streamchat_relay.relay.rates import Rates
from streamchat_relay.relay.retries import Retries
from streamchat_relay.relay.screen import Screen

MAX_RUNS = 256
"""Runs that go on at once."""
MAX_RUNS_PER_USER = 16
"""Runs of one user that go on at once."""
TOOL_ROUNDS = 16
"""How often an answer may call tools, each time any number of them."""


class Limits(NamedTuple):
    """What one answer may take at most."""

    answer_s: float = 1800.0
    """Seconds from when the provider is asked."""
    answer_bytes: int = 64 * 2**20
    """Bytes of its events in the log."""


@dataclass(frozen=True)
class Rules:
    """All of them; the hub's owner sets those that shall differ."""

    max_runs: int = MAX_RUNS
    max_runs_per_user: int = MAX_RUNS_PER_USER
    limits: Limits = field(default_factory=Limits)
    tool_rounds: int = TOOL_ROUNDS
    retries: Retries = field(default_factory=Retries)
    rates: Rates = field(default_factory=Rates)
    contexts: Contexts = field(default_factory=Contexts)
    budget: Budget = field(default_factory=Budget)
    screen: Screen = field(default_factory=Screen)
