"""Messages as the wires want them: texts, and files that a model can look at."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote_to_bytes

import msgspec

from streamchat_relay.model import BadRequest, FilePart, Message, Part, TextPart
from streamchat_relay.model.media import audio_format
from streamchat_relay.providers.structured import PARAM

_DATA = re.compile(r"data:([\w.+-]+/[\w.+-]+)?((?:;[\w.+-]+=[^;,]*)*)(;base64)?,(.*)", re.DOTALL)

_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

RESERVED = frozenset({"model", "messages", "stream", "stream_options", "n"})
"""Parameters that are the relay's own to set."""


class Text(msgspec.Struct, frozen=True):
    """Text of a message."""

    text: str


class FileContent(msgspec.Struct, frozen=True):
    """An image, a PDF or audio: by `url` where it is on the web, else as base64 in `data`."""

    media_type: str
    data: str = ""
    url: str = ""
    name: str = ""

    @property
    def audio(self) -> str:
        """Its format, `wav` or `mp3`, where it is audio; else empty."""
        return audio_format(self.media_type)


Content = Text | FileContent


def contents(parts: Iterable[Part]) -> list[Content]:
    """What of a message a model gets to see; reasoning and sources stay behind.

    Raises `BadRequest` for a file that models cannot read.
    """
    found: list[Content] = []
    for part in parts:
        if isinstance(part, TextPart):
            if part.text:
                found.append(Text(part.text))
        elif isinstance(part, FilePart):
            found.append(_file(part))
    return found


def system_text(params: Mapping[str, Any], messages: Iterable[Message]) -> str:
    """The system prompt: the parameter, then what the conversation has of that role."""
    system = params.get("system") or ""
    if not isinstance(system, str):
        raise BadRequest("params['system'] must be a text.")
    told = [message.text for message in messages if message.role == "system"]
    return "\n\n".join(filter(None, [system, *told]))


def settings(params: Mapping[str, Any], renamed: Mapping[str, str]) -> dict[str, Any]:
    """The parameters for the request's body, under the wire's names; None means unset.

    Raises `BadRequest` for one that the relay sets itself.
    """
    ours = RESERVED & params.keys()
    if ours:
        raise BadRequest(f"params must not hold {', '.join(sorted(ours))}: the relay sets that.")
    return {
        renamed.get(name, name): value
        for name, value in params.items()
        if name not in {"system", PARAM} and value is not None
    }


def listed(value: object) -> list[Any]:
    """A parameter that is a list of tools in a wire's own words, given beside those of the chat."""
    if not isinstance(value, list):
        raise BadRequest("params['tools'] must be a list.")
    return value


def _file(part: FilePart) -> Content:
    name = part.name or "a file"
    if part.url.startswith(("https://", "http://")) and part.media_type.startswith("image/"):
        return FileContent(media_type=part.media_type, url=part.url, name=part.name)
    match = _DATA.fullmatch(part.url)
    if match is None:
        raise BadRequest(f"{name} cannot be sent to a model: it is not a data: URL or an image.")
    media_type = part.media_type or match[1] or "text/plain"
    encoded = match[4]
    whole = (
        media_type.startswith("image/")
        or media_type == "application/pdf"
        or audio_format(media_type) != ""
    )
    if whole and match[3]:
        # As it came: to decode 20 MiB and encode them again would hold up every other answer.
        if not _is_base64(encoded):
            raise BadRequest(f"{name} is damaged: its data: URL cannot be decoded.")
        return FileContent(media_type=media_type, data=encoded, name=part.name)
    try:
        raw = base64.b64decode(encoded, validate=True) if match[3] else unquote_to_bytes(encoded)
        if media_type.startswith("text/") or media_type == "application/json":
            title = f"{part.name}:\n" if part.name else ""
            return Text(f"{title}{raw.decode()}")
    except (binascii.Error, UnicodeError) as error:
        raise BadRequest(f"{name} is damaged: its data: URL cannot be decoded.") from error
    if whole:
        data = base64.b64encode(raw).decode()
        return FileContent(media_type=media_type, data=data, name=part.name)
    raise BadRequest(
        f"{name} is of the type {media_type}; models take text, images, PDF and audio (WAV, MP3)."
    )


def _is_base64(text: str) -> bool:
    """Whether it can be decoded; quicker than to decode it."""
    if len(text) % 4 or not text.isascii():
        return False
    padding = text.encode().translate(None, _BASE64).decode()
    return padding in {"", "=", "=="} and text.endswith(padding)
