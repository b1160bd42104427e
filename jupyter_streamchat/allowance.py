"""The allowance: what was used and what is left, as it reads in a notebook."""

from __future__ import annotations

from streamchat_relay.model import Spending, Spendings


class Allowance:
    """What this user used today, and this conversation in all; `spendings` has the numbers.

    >>> from datetime import datetime
    >>> used = Spending(used=1500)
    >>> Allowance(Spendings(tokens_today=used, renews=datetime(2030, 1, 1), estimated=True))
    1,500 tokens used today
    """

    def __init__(self, spendings: Spendings, *, budget: int | None = None) -> None:
        self.spendings = spendings
        self.budget = budget
        """The chat's own limit in tokens, if it has one."""

    @property
    def left(self) -> int | None:
        """Tokens that are left of the chat's own budget; None where it has none."""
        here = self.spendings.tokens_in_conversation
        if self.budget is None or here is None:
            return None
        return max(0, self.budget - int(here.used + here.held))

    def __repr__(self) -> str:
        told = self.spendings
        lines = [_tokens(told.tokens_today, "today")]
        if told.tokens_in_conversation is not None:
            lines.append(_tokens(told.tokens_in_conversation, "in this conversation"))
        if self.left is not None:
            lines.append(f"{self.left:,} of {self.budget:,} tokens left of this chat's own budget")
        if told.usd_today is not None:
            limit = told.usd_today.limit
            of = "" if limit is None else f" of ${limit:,.2f}"
            lines.append(f"about ${told.usd_today.used:,.2f}{of} spent today")
        return "\n".join(lines)


def _tokens(spending: Spending, where: str) -> str:
    of = "" if spending.limit is None else f" of {spending.limit:,.0f}"
    held = (
        f" ({spending.held:,.0f} held by answers that are being written)" if spending.held else ""
    )
    return f"{spending.used:,.0f}{of} tokens used {where}{held}"
