"""The overview: which conversations a user has, as `GET streamchat/conversations` tells it."""

from __future__ import annotations

import msgspec


class ConversationInfo(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One conversation in a list.

    `title` is its own, else the first line of its first prompt, cut where it is long. `used` is
    when something was last written to it, in seconds since 1970; `messages` counts those of all
    branches, and `model` answered last. `answering` says that an answer is being written, and
    `found` is where a search found its first word, unless that is the title.
    """

    id: str
    title: str = ""
    used: float
    messages: int = 0
    model: str = ""
    answering: bool = False
    found: str = ""


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """Some of a user's conversations, the one used last first; `more` says that there are older."""

    conversations: tuple[ConversationInfo, ...] = ()
    more: bool = False
