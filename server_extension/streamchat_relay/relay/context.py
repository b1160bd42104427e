"""The context: which messages fit into what a model can read at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from streamchat_relay.model import Conversation, Message, ToolPart, ToolSpec
from streamchat_relay.relay import tokens
from streamchat_relay.relay.length import NAME
from streamchat_relay.relay.patterns import fitting

FOR_ANSWER = 4096
"""Tokens kept free where a prompt names no `max_tokens`, but at most a quarter of the context."""


class Fitted(NamedTuple):
    """The messages to send, and how many of the oldest stay behind."""

    messages: tuple[Message, ...]
    left_out: int


class Contexts:
    """The sizes of models' contexts in tokens, by `provider/model` or a pattern of it."""

    def __init__(self, sizes: Mapping[str, int] | None = None) -> None:
        self._sizes = dict(sizes or {})

    def fit(
        self,
        model: str,
        messages: tuple[Message, ...],
        params: Mapping[str, Any],
        state: Conversation,
        *,
        known: int | None = None,
        tools: tuple[ToolSpec, ...] = (),
    ) -> Fitted:
        """The newest messages that fit, from a prompt on; at least the last, fitting or not.

        Where the last is an answer that is to be gone on with, its prompt goes with it.

        Without a configured size the one that the provider tells is `known`. Tokens are estimated,
        in proportion to what the provider counted before in `state`.
        """
        size = fitting(self._sizes, model) or known
        if size is None or not messages:
            return Fitted(messages, 0)
        asked = params.get(NAME)
        answer = asked if isinstance(asked, int) else min(FOR_ANSWER, size // 4)
        left = size - answer - tokens.likely((), params) - tokens.of_tools(tools)
        left = int(left / _proportion(messages, params, state))
        first = last = len(messages) - 1
        while first and messages[first].role == "assistant":
            first -= 1
        for index in range(last, -1, -1):
            left -= tokens.likely(messages[index : index + 1], {})
            if left < 0:
                break
            if messages[index].role == "user":
                first = min(first, index)
        return Fitted(messages[first:], first)


def _proportion(
    messages: tuple[Message, ...], params: Mapping[str, Any], state: Conversation
) -> float:
    """How many tokens the provider counts for one of the estimate's, by its latest whole count."""
    for index in range(len(messages) - 1, 0, -1):
        record = state.runs.get(messages[index].run or "")
        if messages[index].role != "assistant" or record is None:
            continue
        usage = record.usage
        if usage is None or usage.estimated or not usage.input:
            continue
        # Its input was told, and counted, once for each round.
        if any(isinstance(part, ToolPart) for part in messages[index].parts):
            continue
        told = messages[record.left_out or 0 : index]
        estimate = tokens.likely(told, params)
        if estimate:
            return max(0.5, min(4.0, usage.input / estimate))
    return 1.0
