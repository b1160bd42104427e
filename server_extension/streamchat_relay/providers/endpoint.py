"""Where a provider is and how to log in there: configuration as an adapter sees it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import msgspec


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """One provider as configured at the moment of a call.

    `key_hint` says in a user's words where its key comes from. `stream_options` is false for a
    server that refuses that field; `length_field` is its name for the most tokens of an answer.
    """

    provider: str
    base_url: str
    key: str = ""
    key_hint: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    stream_options: bool = True
    length_field: str = "max_tokens"
    unknown_model_hint: str = ""

    def __repr__(self) -> str:
        """Without key and headers, which logs and tracebacks must not show."""
        return f"Endpoint({self.provider!r}, {self.where!r})"

    @property
    def where(self) -> str:
        """`host:port` of the base URL."""
        try:
            url = urlsplit(self.base_url)
            port = url.port or (443 if url.scheme == "https" else 80)
        except ValueError:
            return "its base URL"
        return f"{url.hostname or '?'}:{port}"


class Timeouts(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds: until connected, until the first token, and from one token to the next.

    Pings are no tokens.
    """

    connect: float = 10.0
    first_token: float = 120.0
    stall: float = 60.0


EndpointSource = Callable[[], Endpoint]
"""Reads the configuration anew; raises `ProviderAuth` where the key is missing."""

NearModels = Callable[[str], Awaitable[str]]
"""A sentence that names the models near an unknown one; empty where none is."""


async def no_near_models(_: str) -> str:
    """Nothing is known of other models."""
    return ""
