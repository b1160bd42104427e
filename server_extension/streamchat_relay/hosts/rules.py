"""The rules as an administrator sets them: traits, and what the relay gets of them."""

from __future__ import annotations

import logging
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, NoReturn, cast

from traitlets import (
    Callable,
    Dict,
    Float,
    HasTraits,
    Integer,
    TraitError,
    Unicode,
    Union,
    validate,
)

from streamchat_relay.relay.budget import ANSWER_TOKENS, Budget, Caps, Price
from streamchat_relay.relay.connection import REQUESTS_PER_S
from streamchat_relay.relay.context import Contexts
from streamchat_relay.relay.ports import Ledger
from streamchat_relay.relay.rates import Rates
from streamchat_relay.relay.retries import MOST, Retries
from streamchat_relay.relay.rules import MAX_RUNS, MAX_RUNS_PER_USER, TOOL_ROUNDS, Limits, Rules
from streamchat_relay.relay.screen import TIMEOUT_S, ContentFilter, Passage, Screen

FILTERS = "jupyter_streamchat.content_filters"
"""The group of entry points that `content_filter` may name."""
_EVERY = "by `provider/model`, or a pattern as in {'openai/*': …}; the first that fits"


class RulesTraits(HasTraits):
    """What may be limited, with defaults that a single user never notices."""

    total_timeout = Float(
        Limits().answer_s, min=1, help="Seconds that an answer may take in all."
    ).tag(config=True)
    max_answer_mib = Integer(
        Limits().answer_bytes // 2**20, min=1, help="MiB that an answer may take in the log."
    ).tag(config=True)
    retries = Integer(
        MOST,
        min=0,
        help="How often a provider that failed before its first token is asked again.",
    ).tag(config=True)
    tool_rounds = Integer(
        TOOL_ROUNDS,
        min=0,
        help="How often an answer may call tools, each time any number of them.",
    ).tag(config=True)
    requests_per_second = Float(
        REQUESTS_PER_S,
        min=0.1,
        help="Prompts, openings and questions for models that one connection may send.",
    ).tag(config=True)
    max_runs = Integer(
        MAX_RUNS, min=1, help="Answers that are written at once; further ones wait in line."
    ).tag(config=True)
    max_runs_per_user = Integer(
        MAX_RUNS_PER_USER, min=1, help="Answers of one user that are written at once."
    ).tag(config=True)
    requests_per_minute = Dict(
        key_trait=Unicode(),
        value_trait=Integer(min=1),
        help="Requests that each provider takes within any minute: {'openai': 500}. Further "
        "prompts wait in line instead of being refused.",
    ).tag(config=True)
    tokens_per_day = Integer(
        None,
        min=0,
        allow_none=True,
        help="Tokens, asked and answered, that one user may use in a day of UTC. None: no limit.",
    ).tag(config=True)
    tokens_per_conversation = Integer(
        None, min=0, allow_none=True, help="Tokens that one conversation may use. None: no limit."
    ).tag(config=True)
    usd_per_day = Float(
        None,
        min=0,
        allow_none=True,
        help="US dollars that one user may spend in a day of UTC, by `prices`; models without a "
        "price are not counted. None: no limit.",
    ).tag(config=True)
    prices = Dict(
        key_trait=Unicode(),
        value_trait=Dict(value_trait=Float(min=0)),
        help="US dollars for a million tokens, {'input': …, 'output': …, 'cached': …}, "
        f"{_EVERY}. There is no price that you do not set.",
    ).tag(config=True)
    answer_tokens = Integer(
        ANSWER_TOKENS,
        min=16,
        help="Tokens that an answer may take where a budget is set and its prompt names no "
        "`max_tokens`. So much is held for it until it ends.",
    ).tag(config=True)
    context_tokens = Dict(
        key_trait=Unicode(),
        value_trait=Integer(min=1),
        help=f"Tokens that a model reads at once, {_EVERY}. The oldest messages that do not fit "
        "are left out of what is sent.",
    ).tag(config=True)
    content_filter = Union(
        [Callable(), Unicode()],
        default_value=None,
        allow_none=True,
        help="A function that sees every prompt and every complete part of an answer, and may "
        "change or refuse it: itself, 'module:function', or the name of an entry point of "
        f"'{FILTERS}'. With it answers come part by part.",
    ).tag(config=True)
    content_filter_timeout = Float(
        TIMEOUT_S, min=0.01, help="Seconds after which a content filter has failed."
    ).tag(config=True)

    @validate("prices")
    def _whole_prices(self, proposal: dict[str, Any]) -> dict[str, dict[str, float]]:
        prices: dict[str, dict[str, float]] = proposal["value"]
        for model, price in prices.items():
            if not {"input", "output"} <= set(price) <= set(Price._fields):
                raise TraitError(
                    f"The price of {model!r} in `prices` must be {{'input': …, 'output': …}}, in "
                    f"US dollars for a million tokens, and may have 'cached'; it is {price!r}."
                )
        return prices

    def rules(self, ledger: Ledger | None, log: logging.Logger) -> Rules:
        """What the relay gets."""
        return Rules(
            max_runs=self.max_runs,
            max_runs_per_user=self.max_runs_per_user,
            limits=Limits(self.total_timeout, self.max_answer_mib * 2**20),
            tool_rounds=self.tool_rounds,
            retries=Retries(self.retries),
            rates=Rates(self.requests_per_minute),
            contexts=Contexts(self.context_tokens),
            budget=Budget(
                ledger,
                Caps(self.tokens_per_day, self.tokens_per_conversation, self.usd_per_day),
                {model: Price(**price) for model, price in self.prices.items()},
                answer_tokens=self.answer_tokens,
            ),
            screen=Screen(
                _found(self.content_filter, log), timeout_s=self.content_filter_timeout, log=log
            ),
        )


def _found(named: ContentFilter | str | None, log: logging.Logger) -> ContentFilter | None:
    if named is None or not isinstance(named, str):
        return named
    try:
        return _imported(named)
    except Exception as error:  # noqa: BLE001 - importing runs anything
        # Not without it: who set a filter wants nothing to pass unseen.
        log.error(  # noqa: TRY400 - words; a traceback says nothing more
            "The content filter %r cannot be loaded (%s: %s), so no prompt will be answered. Name "
            "it as 'module:function' in c.StreamChat.content_filter.",
            named,
            type(error).__name__,
            error,
        )
        return _missing


def _imported(name: str) -> ContentFilter:
    for entry in entry_points(group=FILTERS, name=name):
        return cast("ContentFilter", entry.load())
    module, _, function = name.partition(":")
    found = getattr(import_module(module), function)
    if not callable(found):
        raise TypeError(f"{name} is no function")
    return cast("ContentFilter", found)


def _missing(_: Passage) -> NoReturn:
    raise RuntimeError("the content filter could not be loaded")
