"""The OpenAI SDK's client over our transport. Importing this imports the SDK: do so lazily."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any, cast

import httpx2
import openai

from streamchat_relay.providers.endpoint import Endpoint, Timeouts
from streamchat_relay.providers.pool import HttpPool
from streamchat_relay.providers.transport import PoolTransport, http_client


class Client:
    """The SDK's client, and the options that each of its requests takes.

    The SDK builds and signs a request in most of a millisecond. The next to the same path differs
    from it in nothing but the body, so it is made of it.
    """

    def __init__(self, sdk: openai.AsyncOpenAI, options: Any, http: PoolTransport) -> None:
        self._sdk = sdk
        self._options = options
        self._http = http
        self._signed: dict[str, httpx2.Request] = {}

    async def post(self, path: str, body: dict[str, Any]) -> httpx2.Response:
        """The unread response to a streaming request."""
        signed = self._signed.get(path)
        if signed is not None:
            return await self._again(signed, body)
        # The SDK's way to any path: it builds, signs and checks, and this type comes back unread.
        answered = await self._sdk.post(
            path,
            cast_to=httpx2.Response,
            body=body,
            options=self._options,
            stream=True,
            stream_cls=openai.AsyncStream[Any],
        )
        response = cast("httpx2.Response", answered)
        self._signed[path] = response.request
        return response

    async def get(self, path: str) -> httpx2.Response:
        """The response, read to its end."""
        return await self._sdk.get(path, cast_to=httpx2.Response, options=self._options)

    async def _again(self, signed: httpx2.Request, body: dict[str, Any]) -> httpx2.Response:
        content = json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        headers = [pair for pair in signed.headers.raw if pair[0].lower() != b"content-length"]
        request = httpx2.Request(
            signed.method,
            signed.url,
            headers=headers,
            content=content.encode(),
            extensions=signed.extensions,
        )
        response = await self._http.handle_async_request(request)
        response.request = request
        if response.status_code >= 300:
            try:
                await response.aread()
            finally:
                await response.aclose()
            raise openai.APIStatusError("refused", response=response, body=_refusal(response))
        return response


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
    return Client(sdk, options, PoolTransport(pool))


def _refusal(response: httpx2.Response) -> object:
    """What a refusal says, as the SDK reads it."""
    try:
        body = response.json()
    except ValueError:
        return response.text
    return body.get("error", body) if isinstance(body, dict) else body
