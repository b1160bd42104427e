"""Retries: whether a provider that failed is asked again, and how long after."""

from __future__ import annotations

import random
from collections.abc import Callable

from streamchat_relay.model import ErrorCode, ErrorInfo

MOST = 2
"""How often it is asked again."""
LONGEST_S = 60.0
"""A provider that wants more time than this is not waited for."""
FIRST_S = 0.5
"""The first wait; each further one is twice as long."""
SPREAD = 0.5
"""By which part of itself a wait is longer by chance, so that not all come back at once."""
AGAIN: frozenset[ErrorCode] = frozenset(
    ["provider_error", "provider_overloaded", "provider_rate_limited", "truncated"]
)
"""What may go better the next time. A time limit that has passed is not waited for twice."""


class Retries:
    """The rule for asking again before the first token came.

    >>> Retries(chance=lambda: 0).wait(ErrorInfo(code="provider_overloaded", message="Busy.",
    ...                                          retryable=True, retry_after=7), 0)
    7.0
    """

    def __init__(
        self,
        most: int = MOST,
        *,
        longest_s: float = LONGEST_S,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._most = most
        self._longest_s = longest_s
        self._chance = chance

    def wait(self, error: ErrorInfo, tried: int) -> float | None:
        """Seconds until it is asked again after `tried` retries; None: not again.

        What the provider says is the least; chance only makes it longer.
        """
        if tried >= self._most or not error.retryable or error.code not in AGAIN:
            return None
        least = max(error.retry_after or 0.0, FIRST_S * 2**tried)
        return None if least > self._longest_s else least * (1 + SPREAD * self._chance())
