"""The budget: what a user and a conversation may still use; held before a call, then settled."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta, timezone
from typing import Any, NamedTuple

import msgspec

from streamchat_relay.model import BadRequest, BudgetExhausted, Spending, Spendings, Usage
from streamchat_relay.model.reduce import replace
from streamchat_relay.model.spendings import BUDGET_PARAM
from streamchat_relay.relay import tokens
from streamchat_relay.relay.length import NAME
from streamchat_relay.relay.patterns import fitting
from streamchat_relay.relay.ports import Account, Amount, Call, Ledger, Taken

ANSWER_TOKENS = 8192
"""What an answer may take where a budget is set and its prompt names no `max_tokens`."""
LEAST_OUTPUT = 16
"""With less than this no answer is begun."""
ENDLESS = 2**31
NANO = 1_000_000_000
"""Parts of a US dollar: sums of whole numbers are exact."""
HELD = " Answers that are being written hold a part of it until they end."


class Price(NamedTuple):
    """US dollars for a million tokens; what is read from the provider's cache may cost less."""

    input: float
    output: float
    cached: float | None = None

    def of(self, usage: Usage) -> int:
        """The cost in billionths of a dollar, rounded up."""
        cached = min(usage.cached or 0, usage.input)
        rate = self.input if self.cached is None else self.cached
        return -int(
            -((usage.input - cached) * self.input + cached * rate + usage.output * self.output)
            * NANO
            // 1_000_000
        )


class Caps(NamedTuple):
    """What may be used; None: without end."""

    tokens_per_day: int | None = None
    tokens_per_conversation: int | None = None
    usd_per_day: float | None = None

    @property
    def any(self) -> bool:
        """Whether anything is limited."""
        return self != Caps()


class Hold(msgspec.Struct, frozen=True):
    """What is set aside for one call; `output` tokens at most are answered, None: no limit."""

    account: Account
    amount: Amount
    price: Price | None
    output: int | None = None
    cut: bool = False
    """Whether the budget allows less than the prompt asked for."""

    def bounded(self, call: Call) -> Call:
        """The call, told to the provider with its limit, and without whose limit it is."""
        call = replace(call, params={k: v for k, v in call.params.items() if k != BUDGET_PARAM})
        if self.output is None:
            return call
        most = min(self.output, _asked(call.params) or self.output)
        return replace(call, params={**call.params, NAME: most})


class Budget:
    """Nothing is asked of a provider beyond what is left.

    A call reserves the most that it can take; a reservation that fails refuses it. When it has
    ended, what it took is settled and the rest is free again. Without a ledger nothing is written
    down, and nothing limited.
    """

    def __init__(
        self,
        ledger: Ledger | None = None,
        caps: Caps | None = None,
        prices: Mapping[str, Price] | None = None,
        *,
        answer_tokens: int = ANSWER_TOKENS,
        today: Callable[[], date] = lambda: datetime.now(timezone.utc).date(),
    ) -> None:
        self._ledger = ledger
        self._caps = caps or Caps()
        self._prices = dict(prices or {})
        self._answer_tokens = answer_tokens
        self._today = today

    async def reserve(self, user: str, conversation: str, run: str, model: str, call: Call) -> Hold:
        """Set aside what the call may take; raises `BudgetExhausted` where that is not left."""
        account = Account(user, self._today(), conversation, run)
        price = fitting(self._prices, model)
        own = own_limit(call.params)
        if self._ledger is None or not (self._caps.any or own is not None):
            return Hold(account, Amount(), price)
        needed = tokens.at_most(call.messages, call.params) + tokens.of_tools(call.tools)
        asked = _asked(call.params)
        wanted = self._answer_tokens if asked is None else min(asked, ENDLESS)

        def decide(day: Taken, here: Taken) -> Amount:
            output = wanted
            for limit in self._limits(day, here, price, own):
                output = min(output, limit.output(needed))
                if output < min(wanted, LEAST_OUTPUT):
                    raise BudgetExhausted(
                        f"{limit.words} This prompt and its answer need more than is left."
                        f"{HELD if limit.held else ''}"
                    )
            return _amount(Usage(input=needed, output=output), price)

        amount = await self._ledger.hold(account, decide)
        output = amount.tokens - needed
        return Hold(account, amount, price, output, cut=output < wanted)

    def settle(self, hold: Hold, usage: Usage | None) -> None:
        """Charge what a call took, None for nothing, and free the rest of what it held."""
        used = Amount() if usage is None else _amount(usage, hold.price)
        if self._ledger is not None and (hold.amount, used) != (Amount(), Amount()):
            self._ledger.settle(hold.account, hold.amount, used)

    async def check(
        self, user: str, conversation: str, model: str, params: Mapping[str, Any]
    ) -> None:
        """Raise `BudgetExhausted` where a prompt cannot be answered any more."""
        own = own_limit(params)
        if self._ledger is None or not (self._caps.any or own is not None):
            return
        day, here = await self._ledger.taken(user, self._today(), conversation)
        # What is held may come back, so only what was used refuses a prompt before its turn.
        price = fitting(self._prices, model)
        for limit in self._limits(Taken(day.used), Taken(here.used), price, own):
            if limit.output(0) < LEAST_OUTPUT:
                raise BudgetExhausted(limit.words)

    async def spendings(self, user: str, conversation: str = "") -> Spendings:
        """What there is to know of a user's day, and of a conversation."""
        today = self._today()
        day = here = Taken()
        if self._ledger is not None:
            day, here = await self._ledger.taken(user, today, conversation)
        caps = self._caps
        tomorrow = datetime(today.year, today.month, today.day, tzinfo=timezone.utc) + timedelta(1)
        return Spendings(
            tokens_today=Spending(
                used=day.used.tokens, held=day.held.tokens, limit=caps.tokens_per_day
            ),
            usd_today=Spending(
                used=day.used.nano_usd / NANO,
                held=day.held.nano_usd / NANO,
                limit=caps.usd_per_day,
            )
            if self._prices
            else None,
            tokens_in_conversation=Spending(
                used=here.used.tokens, held=here.held.tokens, limit=caps.tokens_per_conversation
            )
            if conversation
            else None,
            renews=tomorrow,
            estimated=True,
        )

    def _limits(
        self, day: Taken, here: Taken, price: Price | None, own: int | None
    ) -> list[_Limit]:
        caps = self._caps
        limits = []
        if own is not None:
            words = f"This chat has used {here.used.tokens:,} of the {own:,} tokens of its own"
            limits.append(
                _Limit(
                    own - here.tokens,
                    here.held.tokens,
                    None,
                    f"{words} budget. Raise it with `chat.budget = …`, or begin a new chat.",
                )
            )
        if caps.tokens_per_day is not None:
            words = f"You have used {day.used.tokens:,} of your {caps.tokens_per_day:,} tokens"
            left = caps.tokens_per_day - day.tokens
            limits.append(_Limit(left, day.held.tokens, None, f"{words} for today."))
        if caps.tokens_per_conversation is not None:
            words = f"{here.used.tokens:,} of its {caps.tokens_per_conversation:,} tokens"
            limits.append(
                _Limit(
                    caps.tokens_per_conversation - here.tokens,
                    here.held.tokens,
                    None,
                    f"This conversation has used {words}. Begin a new one.",
                )
            )
        if caps.usd_per_day is not None and price is not None:
            words = f"about ${day.used.nano_usd / NANO:.2f} of your ${caps.usd_per_day:.2f}"
            limits.append(
                _Limit(
                    int(caps.usd_per_day * NANO) - day.nano_usd,
                    day.held.nano_usd,
                    price,
                    f"You have used {words} for today.",
                )
            )
        return limits


class _Limit(NamedTuple):
    """What is left and held of one cap: tokens, or billionths of a dollar where it has a price."""

    left: int
    held: int
    price: Price | None
    words: str

    def output(self, needed: int) -> int:
        """Tokens that can be answered to a prompt of so many."""
        if self.price is None:
            return self.left - needed
        left = self.left - self.price.of(Usage(input=needed, output=0))
        each = self.price.output * NANO / 1_000_000
        # Costs are rounded up: one is kept back.
        return int((left - 1) / each) if each else ENDLESS if left >= 0 else 0


def own_limit(params: Mapping[str, Any]) -> int | None:
    """The tokens that a chat allows itself in all; raises `BadRequest` for what is no number.

    >>> own_limit({"budget_tokens": 20000})
    20000
    """
    own = params.get(BUDGET_PARAM)
    if own is None:
        return None
    if not isinstance(own, int) or isinstance(own, bool) or own < 0:
        raise BadRequest(f"`{BUDGET_PARAM}` must be a whole number of tokens, 0 or more.")
    return own


def _amount(usage: Usage, price: Price | None) -> Amount:
    return Amount(usage.input + usage.output, 0 if price is None else price.of(usage))


def _asked(params: Mapping[str, Any]) -> int | None:
    """The most tokens that a prompt wants to be answered with."""
    value = params.get(NAME)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None
