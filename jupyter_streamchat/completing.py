"""Completing: what the Tab key offers after the magics."""

from __future__ import annotations

import time
from typing import Any

from jupyter_streamchat.connect import connect
from jupyter_streamchat.options import CONTEXTS, FLAGS, FORMATS, VERBS
from streamchat_relay.model import StreamChatError

FRESH_S = 30.0
"""A list of models that is not older is good enough."""

_known: tuple[float, list[str]] = (float("-inf"), [])


def complete(shell: Any, event: Any) -> list[str]:
    """The words that may stand where the cursor is; a hook of IPython's."""
    words = event.text_until_cursor.split(" ")
    before, cell = words[-2] if len(words) > 1 else "", event.command == "%%streamchat"
    if not cell:
        if len(words) == 2:
            return list(VERBS)
        return _models() if words[1] == "alias" and len(words) == 4 else []
    match before:
        case "-f" | "--format":
            return list(FORMATS)
        case "--context":
            return [*CONTEXTS, "vars="]
        case "-s" | "--system" | "-t" | "--temperature" | "--max-tokens" | "-o" | "--output":
            return []
        case "%%streamchat":
            return [*_aliases(shell), *_models(), *FLAGS]
        case _:
            return list(FLAGS)


def _aliases(shell: Any) -> list[str]:
    magic = shell.magics_manager.registry.get("StreamChatMagics")
    return [] if magic is None else list(magic.aliases)


def _models() -> list[str]:
    global _known  # noqa: PLW0603 - one list a process
    asked, models = _known
    if time.monotonic() - asked > FRESH_S:
        try:
            models = [model.id for model in connect().catalog().models]
        except StreamChatError:
            models = []
        _known = (time.monotonic(), models)
    return models
