"""Servers that speak OpenAI's API: the ready-made ones, and those that configuration adds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec

Presence = Literal["key", "address", "answers"]
"""A provider is there when it has a key, when it has an address, or when it answers."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A provider as it can be configured.

    The first of `key_variables` is the one that messages name. `address_variables` and
    configuration replace `base_url`.
    """

    name: str
    base_url: str = ""
    address_variables: tuple[str, ...] = ()
    key: str = ""
    key_variables: tuple[str, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    presence: Presence = "key"
    stream_options: bool = True
    length_field: str = "max_tokens"
    unknown_model_hint: str = ""

    def __repr__(self) -> str:
        """Without key and headers."""
        return f"Entry({self.name!r})"


OPENAI = Entry(
    name="openai",
    base_url="https://api.openai.com/v1",
    address_variables=("OPENAI_BASE_URL",),
    key_variables=("OPENAI_API_KEY",),
    length_field="max_completion_tokens",
)

ANTHROPIC = Entry(
    name="anthropic",
    base_url="https://api.anthropic.com",
    address_variables=("ANTHROPIC_BASE_URL",),
    key_variables=("ANTHROPIC_API_KEY",),
)

READY_MADE = (
    Entry(
        name="ollama",
        base_url="http://127.0.0.1:11434/v1",
        address_variables=("OLLAMA_HOST",),
        key_variables=("OLLAMA_API_KEY",),
        presence="answers",
        unknown_model_hint="Fetch it with `ollama pull`, or see `ollama list`.",
    ),
    Entry(
        name="vllm",
        address_variables=("VLLM_BASE_URL",),
        key_variables=("VLLM_API_KEY",),
        presence="address",
    ),
    Entry(
        name="tgi",
        address_variables=("TGI_BASE_URL",),
        key_variables=("TGI_API_KEY",),
        presence="address",
    ),
    Entry(
        name="groq",
        base_url="https://api.groq.com/openai/v1",
        address_variables=("GROQ_BASE_URL",),
        key_variables=("GROQ_API_KEY",),
    ),
    Entry(
        name="gemini",
        base_url="https://generativelanguage.googleapis.com/v1beta/openai",
        address_variables=("GEMINI_BASE_URL",),
        key_variables=("GEMINI_API_KEY", "GOOGLE_API_KEY"),
    ),
)


class BadProvider(ValueError):
    """An entry of `c.StreamChat.providers` is wrong; the text says how."""


class _Configured(msgspec.Struct, forbid_unknown_fields=True):
    base_url: str
    key_variable: str = ""
    key: str = ""
    headers: dict[str, str] = {}
    stream_options: bool = True
    length_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"


def configured(name: str, value: Mapping[str, Any]) -> Entry:
    """The entry for one of `c.StreamChat.providers`; raises `BadProvider`.

    >>> configured("mine", {"base_url": "http://localhost:8000/v1"}).presence
    'address'
    """
    where = f"c.StreamChat.providers[{name!r}]"
    if not name or "/" in name or name in {"openai", "anthropic", "demo"}:
        raise BadProvider(f"{where}: choose another name, without a slash.")
    try:
        found = msgspec.convert(dict(value), _Configured)
    except msgspec.ValidationError as error:
        raise BadProvider(f"{where}: {error}.") from None
    if not is_address(found.base_url):
        raise BadProvider(f"{where}: base_url must start with http:// or https://.")
    if any(not header_is_sound(pair) for pair in found.headers.items()):
        raise BadProvider(f"{where}: a header holds characters that headers cannot have.")
    return Entry(
        name=name,
        base_url=found.base_url,
        key=found.key,
        key_variables=(found.key_variable,) if found.key_variable else (),
        headers=tuple(found.headers.items()),
        presence="key" if found.key_variable and not found.key else "address",
        stream_options=found.stream_options,
        length_field=found.length_field,
    )


def is_address(url: str) -> bool:
    """True for what can be a base URL."""
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def header_is_sound(header: tuple[str, str]) -> bool:
    """True when neither half can break a request: RFC 9110 5."""
    name, value = header
    token = name.isascii() and name.replace("-", "").replace("_", "").isalnum()
    return bool(token) and value.isascii() and value.isprintable()


def ollama_address(host: str) -> str:
    """The base URL for what `OLLAMA_HOST` holds, which is a server's or a client's.

    >>> ollama_address("0.0.0.0"), ollama_address("https://gpu.lan")
    ('http://127.0.0.1:11434/v1', 'https://gpu.lan:443/v1')
    """
    text = host.strip().strip("\"'")
    scheme, found, rest = text.partition("://")
    if not found:
        scheme, rest = "http", text
    authority, _, path = rest.partition("/")
    if authority.count(":") > 1 and not authority.startswith("["):
        authority = f"[{authority}]"
    url = urlsplit(f"{scheme}://{authority}")
    name = url.hostname or "127.0.0.1"
    if name in {"0.0.0.0", "::"}:  # noqa: S104 - a server's "everywhere" is here for a client
        name = "127.0.0.1"
    port = url.port or (443 if scheme == "https" else 80 if found else 11434)
    shown = f"[{name}]" if ":" in name else name
    base = path.strip("/").removesuffix("v1").strip("/")
    return f"{scheme}://{shown}:{port}{'/' + base if base else ''}/v1"
