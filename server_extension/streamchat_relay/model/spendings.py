"""What a user and a conversation have used, and may use."""

from __future__ import annotations

from datetime import datetime

import msgspec

BUDGET_PARAM = "budget_tokens"
"""The parameter with which a chat limits itself, in tokens; no provider is told."""


class Spending(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was used, is set aside, and may be used in all; without `limit` there is no end."""

    used: float
    held: float = 0
    limit: float | None = None


class Spendings(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What `GET streamchat/usage` tells.

    Days are UTC's; `renews` is when the next begins. `usd` counts models whose price is
    configured, and is an estimate: the provider's bill is what counts.
    """

    tokens_today: Spending
    usd_today: Spending | None = None
    tokens_in_conversation: Spending | None = None
    renews: datetime
    estimated: bool
