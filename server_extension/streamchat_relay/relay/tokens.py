"""Tokens, before a provider has counted them: what a prompt will likely take, and at most."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from streamchat_relay.model import (
    FilePart,
    Message,
    ReasoningPart,
    TextPart,
    ToolPart,
    ToolSpec,
    text_of,
)
from streamchat_relay.model.media import audio_format, is_text

CHARACTERS_PER_TOKEN = 4
"""The usual rule of thumb."""
PER_FILE = 2_000
"""A picture of usual size, or a page or two."""
PER_FILE_AT_MOST = 8_000
AUDIO_BYTES_PER_TOKEN = 640
"""Speech as MP3 of 128 kbit/s; providers count 10 to 32 tokens a second."""
AUDIO_BYTES_PER_TOKEN_AT_LEAST = 128
"""As MP3 of 32 kbit/s."""
PER_MESSAGE_AT_MOST = 16
"""Its role and what stands between it and the next."""


def of_tools(tools: Iterable[ToolSpec]) -> int:
    """The estimate for what a model is told of its tools; on the safe side, as for budgets."""
    return -(-sum(len(msgspec.json.encode(tool)) for tool in tools) // 2)


def likely(
    messages: Iterable[Message], params: Mapping[str, Any], tools: Iterable[ToolSpec] = ()
) -> int:
    """The estimate that is shown as one.

    >>> likely([Message(id="m1", role="user", parts=(TextPart(id="1", text="12345678"),))], {})
    2
    """
    texts, files, size, heard = _seen(messages, params)
    size += sum(map(len, texts)) + sum(len(msgspec.json.encode(tool)) for tool in tools)
    heard = -(-heard // AUDIO_BYTES_PER_TOKEN)
    return -(-size // CHARACTERS_PER_TOKEN) + files * PER_FILE + heard


def at_most(messages: Iterable[Message], params: Mapping[str, Any]) -> int:
    """What a budget holds for a prompt: a token for every two bytes, more than any prose takes."""
    messages = list(messages)
    texts, files, size, heard = _seen(messages, params)
    size += sum(len(text.encode()) for text in texts)
    other = files * PER_FILE_AT_MOST + -(-heard // AUDIO_BYTES_PER_TOKEN_AT_LEAST)
    return -(-size // 2) + other + (len(messages) + 1) * PER_MESSAGE_AT_MOST


def of_text(characters: int) -> int:
    """The estimate for a text of so many characters."""
    return -(-characters // CHARACTERS_PER_TOKEN)


def _seen(
    messages: Iterable[Message], params: Mapping[str, Any]
) -> tuple[list[str], int, int, int]:
    """The texts, how many pictures and PDFs, and the bytes of text files and of audio."""
    system = params.get("system")
    texts = [system] if isinstance(system, str) else []
    files = size = heard = 0
    for message in messages:
        for part in message.parts:
            kept = getattr(part, "provider_metadata", None)
            if kept:
                # It is told again, and a sealed thought may be long.
                texts.append(msgspec.json.encode(kept).decode())
            match part:
                case TextPart(text=text) | ReasoningPart(text=text):
                    texts.append(text)
                case FilePart(media_type=kind) if is_text(kind):
                    size += _bytes(part)
                case FilePart(media_type=kind) if audio_format(kind):
                    heard += _bytes(part)
                case FilePart():
                    files += 1
                case ToolPart():
                    texts += [part.name, part.input_text, part.error or text_of(part.output)]
                case _:
                    pass
    return texts, files, size, heard


def _bytes(part: FilePart) -> int:
    return part.size or (len(part.url) * 3 // 4 if part.url.startswith("data:") else 0)
