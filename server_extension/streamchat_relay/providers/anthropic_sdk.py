"""The Anthropic SDK's client over our transport. Importing this imports the SDK: do so lazily."""

from __future__ import annotations

import anthropic

from streamchat_relay.providers.endpoint import Endpoint, Timeouts
from streamchat_relay.providers.pool import HttpPool
from streamchat_relay.providers.transport import http_client


def client(at: Endpoint, pool: HttpPool, timeouts: Timeouts) -> anthropic.AsyncAnthropic:
    """A client with neither retries nor redirects nor traces."""
    return anthropic.AsyncAnthropic(
        api_key=at.key,
        base_url=at.base_url,
        max_retries=0,
        default_headers=dict(at.headers),
        open_telemetry=False,
        http_client=http_client(pool, timeouts.connect, timeouts.first_token),
    )
