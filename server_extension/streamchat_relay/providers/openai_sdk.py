"""The OpenAI SDK's client over our transport. Importing this imports the SDK: do so lazily."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, NamedTuple, cast

import httpx2
import openai

from streamchat_relay.providers.endpoint import Endpoint, Timeouts
from streamchat_relay.providers.pool import HttpPool
from streamchat_relay.providers.transport import http_client


class Client(NamedTuple):
    """The SDK's client, and the options that each of its requests takes."""

    sdk: openai.AsyncOpenAI
    options: Any

    async def post(self, path: str, body: dict[str, Any]) -> httpx2.Response:
        """The unread response to a streaming request."""
        # The SDK's way to any path: it builds, signs and checks, and this type comes back unread.
        response = await self.sdk.post(
            path,
            cast_to=httpx2.Response,
            body=body,
            options=self.options,
            stream=True,
            stream_cls=openai.AsyncStream[Any],
        )
        return cast("httpx2.Response", response)

    async def get(self, path: str) -> httpx2.Response:
        """The response, read to its end."""
        return await self.sdk.get(path, cast_to=httpx2.Response, options=self.options)


def client(at: Endpoint, pool: HttpPool, timeouts: Timeouts) -> Client:
    """A client with neither retries nor redirects."""
    headers: dict[str, Any] = {}
    if at.provider != "openai":
        # These variables are for OpenAI; somebody else must not get what they hold.
        for line in os.environ.get("OPENAI_CUSTOM_HEADERS", "").split("\n"):
            name, colon, _ = line.partition(":")
            if colon:
                headers[name.strip()] = openai.Omit()
    headers.update(at.headers)
    sdk = openai.AsyncOpenAI(
        api_key=at.key or "none",
        base_url=at.base_url,
        max_retries=0,
        default_headers=cast("Mapping[str, str]", headers),
        http_client=http_client(pool, timeouts.connect, timeouts.first_token),
    )
    if at.provider != "openai":
        sdk.organization = sdk.project = None
    # Only this key: an administrator's from the environment would be sent in its absence.
    options: dict[str, Any] = {"security": {"bearer_auth": True}}
    if not at.key and "authorization" not in {name.lower() for name, _ in at.headers}:
        options["headers"] = {"Authorization": openai.Omit()}
    return Client(sdk, options)
