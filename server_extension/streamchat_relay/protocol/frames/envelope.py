"""What frames of both sides share: the subprotocol, its bounds, ids, and the signs of life."""

from __future__ import annotations

from typing import Annotated

import msgspec

SUBPROTOCOL = "streamchat.v1"

MAX_FRAME_BYTES = 10 * 1024 * 1024
"""A client's frame over this closes its socket with 1009."""
WINDOW_BYTES = 256 * 1024
"""A cursor pauses when this much of its conversation is sent and not acknowledged."""
JOIN_BYTES = 64 * 1024
"""Events for a reader that lags are joined into frames of at most this size."""
HEARTBEAT_S = 15.0
"""A client that heard nothing for this long pings; as long again without an answer, and the
link is dead."""

# `$` alone would let a trailing line feed pass in Python's dialect.
ID_PATTERN = r"^[A-Za-z0-9_-]{1,64}$(?!\n)"
ClientId = Annotated[str, msgspec.Meta(pattern=ID_PATTERN)]
Sequence = Annotated[int, msgspec.Meta(ge=0)]


class Frame(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", omit_defaults=True):
    """A message: a JSON object with its `type`."""


class Ping(Frame, frozen=True, tag="ping"):
    """Are you there? Either side may ask."""

    t: int | float


class Pong(Frame, frozen=True, tag="pong"):
    """I am; `t` is the ping's."""

    t: int | float
