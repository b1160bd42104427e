"""Configuration, as a host hands it over, joined with the environment at each use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from streamchat_relay.model import ProviderAuth, ProviderError
from streamchat_relay.providers.compatible import Entry, is_address, ollama_address
from streamchat_relay.providers.endpoint import Endpoint
from streamchat_relay.providers.keys import Keys


class RegistrySettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the host's configuration says; `providers` is by name, see `compatible.configured`.

    The times are in seconds: to reach a provider, until its first token, between two tokens.
    """

    default_model: str = ""
    keys: dict[str, str] = {}
    base_urls: dict[str, str] = {}
    providers: dict[str, dict[str, Any]] = {}
    connect_timeout_s: float = 10.0
    first_byte_timeout_s: float = 120.0
    stall_timeout_s: float = 60.0

    def __repr__(self) -> str:
        """Without the keys."""
        return f"RegistrySettings(default_model={self.default_model!r}, …)"


class Places:
    """Knows where each provider is at this moment."""

    def __init__(
        self, base_urls: Mapping[str, str], environ: Mapping[str, str], keys: Keys
    ) -> None:
        self._base_urls = base_urls
        self._environ = environ
        self._keys = keys

    def endpoint(self, entry: Entry) -> Endpoint:
        """Where to send a call; raises an error that says what is missing."""
        hint = self._keys.hint(entry.name, entry.key_variables)
        address = self.address(entry)
        if not address:
            variable = next(iter(entry.address_variables), "")
            raise ProviderError(
                f"No address is configured for {entry.name}. "
                f"Set {variable}, or c.StreamChat.base_urls['{entry.name}'].",
                retryable=False,
            )
        if not is_address(address):
            raise ProviderError(
                f"The address configured for {entry.name} is not one: "
                "it must start with http:// or https://.",
                retryable=False,
            )
        key = self._keys.find(entry.name, entry.key_variables, entry.key)
        if not key and entry.presence == "key":
            raise ProviderAuth(f"There is no API key for {entry.name}. {hint}")
        return Endpoint(
            provider=entry.name,
            base_url=address,
            key=key,
            key_hint=hint,
            headers=entry.headers,
            stream_options=entry.stream_options,
            length_field=entry.length_field,
            unknown_model_hint=entry.unknown_model_hint,
        )

    def address(self, entry: Entry) -> str:
        """Its base URL: configuration before the environment before what is ready-made."""
        configured = self._base_urls.get(entry.name, "").strip()
        if configured:
            return configured
        for variable in entry.address_variables:
            value = self._environ.get(variable, "").strip()
            if value:
                return ollama_address(value) if variable == "OLLAMA_HOST" else value
        return entry.base_url

    def configured(self, entry: Entry) -> bool:
        """True when configuration, not chance, says that this provider is there."""
        return bool(self._base_urls.get(entry.name)) or entry.presence != "answers"
