"""What providers with an official SDK share: one client, one way of a call, mapped errors."""

from __future__ import annotations

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from streamchat_relay.model import Internal, ModelInfo, ModelUnknown, ProviderError
from streamchat_relay.providers.decoding import StreamDecoder
from streamchat_relay.providers.endpoint import (
    Endpoint,
    EndpointSource,
    NearModels,
    Timeouts,
    no_near_models,
)
from streamchat_relay.providers.errors import from_exception
from streamchat_relay.providers.pool import HttpPool
from streamchat_relay.providers.reading import conclude, refuse_what_is_no_stream
from streamchat_relay.relay.ports import Call, Sink

if TYPE_CHECKING:
    import httpx2

ClientT = TypeVar("ClientT")


class SdkProvider(ABC, Generic[ClientT]):
    """A `Provider` whose SDK builds and signs requests that travel over our pool.

    `endpoint` is read anew at each call, so a key may come and change while the server runs.
    """

    def __init__(
        self,
        name: str,
        endpoint: EndpointSource,
        pool: HttpPool,
        *,
        timeouts: Timeouts | None = None,
        near: NearModels = no_near_models,
    ) -> None:
        self._name = name
        self._endpoint = endpoint
        self._pool = pool
        self._timeouts = timeouts or Timeouts()
        self._near = near
        self._client: tuple[Endpoint, ClientT] | None = None
        self._contexts: dict[str, int | None] = {}

    @property
    def name(self) -> str:
        """The first half of its models' ids."""
        return self._name

    async def stream(self, call: Call, sink: Sink, /) -> None:
        """Ask, and push outputs until the answer is complete; see `relay.ports.Provider`."""
        at = self._endpoint()
        body = self.request_body(call, at)
        loop = asyncio.get_running_loop()
        decoder = self.decoder(sink, at, call.model, loop.time)
        limits = self._timeouts
        first = loop.time() + limits.first_token

        def deadline() -> float:
            if decoder.started:
                return max(decoder.last_output, answer.resumed) + limits.stall
            # Looked at again in time for a stall right after a first token that comes early.
            return min(first, loop.time() + limits.stall)

        try:
            response = await self.post(await self._client_for(at), body)
            answer = await refuse_what_is_no_stream(response, at, call.model)
            with call.drawing(answer):
                await answer.consume(decoder.feed, deadline)
            conclude(response, decoder)
        except Exception as error:
            found = from_exception(error, at, call.model, started=decoder.started)
            if isinstance(found, ModelUnknown):
                near = await self._near(call.model)
                found = ModelUnknown(f"{found.message} {near}".rstrip())
            if isinstance(found, Internal):
                raise found from error
            # `from None`: the SDK's exception holds the request, and that the key.
            raise found from None

    async def models(self) -> list[tuple[ModelInfo, float]]:
        """Its models, each with the Unix time at which it was made (0 where not told)."""
        at = self._endpoint()
        try:
            models = await self.list_models(await self._client_for(at), at)
        except Exception as error:  # noqa: BLE001 - all are mapped, and none forwarded
            raise from_exception(error, at, "its models") from None
        self._contexts = {info.name: info.context for info, _ in models}
        return models

    def context(self, model: str, /) -> int | None:
        """How many tokens a model reads at once, as far as the latest list of models says."""
        return self._contexts.get(model)

    def warm(self) -> None:
        """Import the SDK and make its client; takes seconds, so call it in a thread."""
        self.client_maker()
        with contextlib.suppress(ProviderError):
            self._made_for(self._endpoint())

    @abstractmethod
    def client_maker(self) -> Callable[[Endpoint, HttpPool, Timeouts], ClientT]:
        """Import the SDK, and give what makes its client."""

    @abstractmethod
    def request_body(self, call: Call, at: Endpoint) -> dict[str, Any]:
        """The request for a call; raises `BadRequest` for what the wire cannot say."""

    @abstractmethod
    async def post(self, client: ClientT, body: dict[str, Any]) -> httpx2.Response:
        """Send the request; the response comes back unread."""

    @abstractmethod
    async def list_models(self, client: ClientT, at: Endpoint) -> list[tuple[ModelInfo, float]]:
        """Ask for the models."""

    @abstractmethod
    def decoder(
        self, sink: Sink, at: Endpoint, model: str, time: Callable[[], float]
    ) -> StreamDecoder:
        """A fresh decoder of this wire."""

    async def ready(self) -> None:
        """Import the SDK, off the loop; takes seconds the first time, and nothing afterwards."""
        if self._client is None:
            await asyncio.to_thread(self.client_maker)

    async def _client_for(self, at: Endpoint) -> ClientT:
        await self.ready()
        return self._made_for(at)

    def _made_for(self, at: Endpoint) -> ClientT:
        """The client for this endpoint: the one that is there, or else a new one."""
        known = self._client
        if known is None or known[0] != at:
            make = self.client_maker()
            # Another thread may make one too: each returns its own.
            known = self._client = (at, make(at, self._pool, self._timeouts))
        return known[1]
