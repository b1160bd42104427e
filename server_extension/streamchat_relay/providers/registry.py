"""All providers under their names, as configuration and environment make them."""

from __future__ import annotations

import asyncio
import logging
import os
import ssl
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from streamchat_relay.model import (
    Catalog,
    ModelUnknown,
    ProviderAuth,
    ProviderError,
    ProviderProblem,
    StreamChatError,
)
from streamchat_relay.providers.anthropic import AnthropicProvider
from streamchat_relay.providers.compatible import (
    ANTHROPIC,
    OPENAI,
    READY_MADE,
    BadProvider,
    Entry,
    configured,
)
from streamchat_relay.providers.demo import DemoProvider
from streamchat_relay.providers.dial import Origin, dial, within
from streamchat_relay.providers.endpoint import Timeouts
from streamchat_relay.providers.failures import HttpFailure
from streamchat_relay.providers.keys import KeyFileProblem, Keys
from streamchat_relay.providers.listing import Listing, ListingCache, Source, ask_all
from streamchat_relay.providers.naming import near, shown
from streamchat_relay.providers.openai import OpenAIProvider
from streamchat_relay.providers.pool import HttpPool, system_trust
from streamchat_relay.providers.sdk_provider import SdkProvider
from streamchat_relay.providers.settings import Places, RegistrySettings
from streamchat_relay.relay.ports import Provider

PROBE = 0.5
"""Seconds for a local server to accept a connection."""

HINT = 1.0
"""Seconds for a provider to name its models where one is unknown; an error is no time to wait."""

DEMO_MODEL = "demo/fast"
"""The default where nobody real is there."""

# Keys that the SDKs would read besides those of our entries.
_OTHER_KEYS = ("OPENAI_ADMIN_KEY", "ANTHROPIC_AUTH_TOKEN")


class ProviderRegistry:
    """The `Registry` of a server: OpenAI, Anthropic, those that speak like OpenAI, the demo.

    Configuration beats the environment; both beat the key file in `config_dir`. `environ` is read
    at each use. `trust` makes the TLS context. One registry serves one event loop.

    >>> registry = ProviderRegistry(RegistrySettings(), environ={})
    >>> registry.resolve("demo/fast")[1]
    'fast'
    """

    def __init__(
        self,
        settings: RegistrySettings | None = None,
        *,
        environ: Mapping[str, str] | None = None,
        config_dir: Path | None = None,
        log: logging.Logger | logging.LoggerAdapter[logging.Logger] | None = None,
        demo: DemoProvider | None = None,
        trust: Callable[[], ssl.SSLContext] = system_trust,
    ) -> None:
        settings = settings or RegistrySettings()
        environ = os.environ if environ is None else environ
        self._settings = settings
        self._keys = Keys(settings.keys, environ, config_dir)
        self._places = Places(settings.base_urls, environ, self._keys)
        self._pool = HttpPool(trust)
        self._mistakes: list[ProviderProblem] = []
        self._entries = {entry.name: entry for entry in self._all_entries()}
        for mistake in self._mistakes:
            (log or logging.getLogger(__name__)).warning("%s", mistake.message)
        timeouts = Timeouts(
            connect=settings.connect_timeout_s,
            first_token=settings.first_byte_timeout_s,
            stall=settings.stall_timeout_s,
        )
        self._real: dict[str, SdkProvider[object]] = {
            entry.name: self._provider(entry, timeouts) for entry in self._entries.values()
        }
        self._demo = demo or DemoProvider()
        self._listing = ListingCache(self._ask, self._version)

    def resolve(self, model: str, /) -> tuple[Provider, str]:
        """Split `provider/name`; raises `ModelUnknown` with the near ones named."""
        provider, slash, name = model.partition("/")
        names = [*self._real, self._demo.name]
        if not slash or not name:
            hint = "" if provider in names else near(provider, names, "The providers are")
            like = f"{provider}/…" if provider in self._real else DEMO_MODEL
            words = f"{shown(model)!r} names no model: write provider/model, like {like}. {hint}"
            raise ModelUnknown(words.rstrip())
        if provider == self._demo.name:
            return self._demo, name
        if provider not in self._real:
            hint = near(provider, names, "The providers are")
            raise ModelUnknown(f"There is no provider {shown(provider)!r}. {hint}".rstrip())
        return self._real[provider], name

    async def catalog(self) -> Catalog:
        """Ask every provider for its models; one that fails becomes a problem, not an error.

        Who has no key, and a local server that does not run, is simply absent.
        """
        listing = await self._listing.get()
        demo = tuple(model for model, _ in await self._demo.models())
        return Catalog(
            models=(*listing.models, *demo),
            default=self._settings.default_model or listing.default or DEMO_MODEL,
            problems=listing.problems,
        )

    async def default_model(self) -> str:
        """The configured one, else the first fit one of the first provider that is there."""
        if self._settings.default_model:
            return self._settings.default_model
        return await self._listing.default() or DEMO_MODEL

    def hidden_variables(self) -> tuple[str, ...]:
        """The environment's variables that hold keys."""
        names = {name for entry in self._entries.values() for name in entry.key_variables}
        return tuple(sorted(names.union(_OTHER_KEYS)))

    def preload(self) -> None:
        """Import the SDKs of those that are configured; takes a second, so call it in a thread."""
        for name, entry in self._entries.items():
            try:
                if not self._places.configured(entry):
                    continue
                self._places.endpoint(entry)
            except ProviderError:
                continue
            self._real[name].warm()

    async def warm(self) -> None:
        """Do what the first call would wait for: import SDKs, load certificates; off the loop.

        Nobody is contacted but a local server, to see whether it runs.
        """
        there = [self._real[source.lister.name] for source in await self._there()]
        if there:
            await self._pool.warm()
        for provider in there:
            await asyncio.to_thread(provider.warm)

    async def close(self) -> None:
        """Close idle connections, and stop asking for models."""
        await self._listing.close()
        await self._pool.close()

    def _all_entries(self) -> Iterable[Entry]:
        yield ANTHROPIC
        yield OPENAI
        yield from READY_MADE
        for name, value in self._settings.providers.items():
            try:
                yield configured(name, value)
            except BadProvider as error:  # noqa: PERF203 - a handful, at start
                self._mistakes.append(ProviderProblem(provider=name, message=str(error)))

    def _provider(self, entry: Entry, timeouts: Timeouts) -> SdkProvider[object]:
        kind = AnthropicProvider if entry is ANTHROPIC else OpenAIProvider
        made: SdkProvider[object] = kind(  # type: ignore[assignment]
            entry.name,
            lambda: self._places.endpoint(entry),
            self._pool,
            timeouts=timeouts,
            near=lambda model: self._near(entry.name, model),
        )
        return made

    async def _near(self, provider: str, model: str) -> str:
        try:
            found = await within(HINT, self._real[provider].models())
        except StreamChatError:
            found = None
        known = [info.id for info, _ in found or ()]
        return near(f"{provider}/{model}", known, "It has")

    def _version(self) -> object:
        # What a listing depends on; equal as long as nobody changes the configuration.
        found: list[object] = []
        for entry in self._entries.values():
            try:
                found.append(self._places.endpoint(entry))
            except ProviderError as error:  # noqa: PERF203 - a handful, seldom
                found.append(error.message)
        return found

    async def _ask(self, chosen: Callable[[str], None]) -> Listing:
        sources = await self._there()
        # Before the clock starts: on a busy machine an import alone takes longer than one may ask.
        for source in sources:
            await self._real[source.lister.name].ready()
        listing = await ask_all(sources, chosen=chosen)
        problems = [*self._mistakes]
        try:
            self._keys.from_file()
        except KeyFileProblem as problem:
            problems.append(ProviderProblem(provider="keys", message=str(problem)))
        return Listing(listing.models, (*problems, *listing.problems), listing.default)

    async def _there(self) -> list[Source]:
        """The providers that can be asked now."""
        found = []
        for name, entry in self._entries.items():
            if not self._places.address(entry):
                continue
            try:
                at = self._places.endpoint(entry)
            except ProviderAuth:
                continue
            except ProviderError:
                # A wrong address: asking says so, as a problem.
                found.append(Source(self._real[name]))
                continue
            wanted = self._places.configured(entry)
            if wanted or await _answers(at.base_url):
                found.append(Source(self._real[name], unasked=not wanted))
        return found


async def _answers(base_url: str) -> bool:
    # A bare connection first: without a local server, nothing is worth importing an SDK for.
    url = urlsplit(base_url)
    origin = Origin("http", url.hostname or "", url.port or (443 if url.scheme == "https" else 80))
    try:
        connection = await within(PROBE, dial(origin, None, None))
    except HttpFailure:
        return False
    if connection is None:
        return False
    await connection.gone()
    return True
