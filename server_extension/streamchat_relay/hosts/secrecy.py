"""Keeps configured keys out of the server's log, which shows the configuration at DEBUG."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any

from jupyter_server.serverapp import ServerApp
from typing_extensions import override


class Hidden(str):
    """A text that does not show in a `repr`, and is otherwise like any.

    >>> Hidden("sk-1"), Hidden("sk-1") == "sk-1"
    ('…', True)
    """

    __slots__ = ()

    @override
    def __repr__(self) -> str:
        """Nothing of what is inside."""
        return "'…'"


def hide_configured_keys() -> None:
    """Hide the keys in the configuration of the server of this process.

    Call it when the server looks for its extensions: traitlets writes the whole configuration into
    the log whenever it changes, and does so next, when the extensions are linked.
    """
    if ServerApp.initialized():
        hide_keys(ServerApp.instance().config)


def hide_keys(config: MutableMapping[str, Any]) -> None:
    """Hide keys and headers in the section `StreamChat`, in place.

    >>> config = {"StreamChat": {"keys": {"openai": "sk-1"}}}
    >>> hide_keys(config)
    >>> config
    {'StreamChat': {'keys': {'openai': '…'}}}
    """
    section = config.get("StreamChat", {})
    _hide(section.get("keys"))
    providers = section.get("providers")
    for provider in providers.values() if isinstance(providers, Mapping) else ():
        if isinstance(provider, MutableMapping):
            _hide(provider.get("headers"))
            if isinstance(provider.get("key"), str):
                provider["key"] = Hidden(provider["key"])


def _hide(texts: object) -> None:
    # Whatever else stands there, the traits complain about.
    if isinstance(texts, MutableMapping):
        for name, text in texts.items():
            if isinstance(text, str):
                texts[name] = Hidden(text)
