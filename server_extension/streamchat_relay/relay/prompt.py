"""The prompt: what a `send` adds to its conversation, and where its answer will stand."""

from __future__ import annotations

import secrets
from typing import Any, NamedTuple

from streamchat_relay.model import (
    BadRequest,
    Conversation,
    Event,
    FilePart,
    Message,
    MessageAdded,
    SettingsChanged,
    StartedMessage,
    TextPart,
)
from streamchat_relay.model.media import audio_format
from streamchat_relay.model.reduce import newest, replace
from streamchat_relay.protocol.frames import Prompt, Send
from streamchat_relay.relay.depth import MAX_DEPTH, deeper


class Accepted(NamedTuple):
    """The events of a prompt, the message that will answer it, and how to ask for that."""

    events: list[Event]
    answer: StartedMessage
    params: dict[str, Any]


def accepted(state: Conversation, send: Send, model: str) -> Accepted:
    """What becomes of a `send`; raises `BadRequest` when nothing can."""
    params = state.settings.params if send.params is None else send.params
    if deeper(params):
        raise BadRequest(f"`params` are nested more than {MAX_DEPTH} levels deep.")
    parent = send.parent
    # Empty: the prompt is to be the first of a branch of its own.
    if parent and all(message.id != parent for message in state.messages):
        raise BadRequest("`parent` is not a message of this conversation.")
    events: list[Event] = []
    if (model, params) != (state.settings.model, state.settings.params):
        events.append(SettingsChanged(t=0, model=model, params=params))
    if send.message is None:
        if not parent:
            raise BadRequest("A `send` needs a `message`, or the `parent` to answer again.")
    else:
        if parent is None:
            parent = newest(state)
        parent = parent or None
        prompt = Message(
            id=_message_id(),
            role="user",
            parts=_numbered(send.message),
            parent=parent,
            run=send.run,
        )
        events.append(MessageAdded(t=0, message=prompt))
        parent = prompt.id
    return Accepted(
        events, StartedMessage(id=_message_id(), role="assistant", parent=parent), params
    )


def _message_id() -> str:
    return secrets.token_urlsafe(12)


def _numbered(prompt: Prompt) -> tuple[TextPart | FilePart, ...]:
    parts = tuple(replace(part, id=str(number)) for number, part in enumerate(prompt.parts, 1))
    if not any(isinstance(part, FilePart) or part.text.strip() for part in parts):
        raise BadRequest("The prompt is empty.")
    for part in parts:
        # Once it is in the conversation, every later prompt would fail for it.
        if isinstance(part, FilePart) and not _readable(part):
            raise BadRequest(
                f"{part.name or 'A file'} of the type {part.media_type or '?'} cannot be sent "
                "to a model: send text, pictures, PDFs and audio (WAV, MP3), uploaded or as "
                "data: URLs."
            )
    return parts


def _readable(part: FilePart) -> bool:
    kind = part.media_type
    if part.url.startswith(("http://", "https://")):
        return kind.startswith("image/")
    known = (
        kind.startswith(("image/", "text/"))
        or kind in {"application/pdf", "application/json"}
        or audio_format(kind) != ""
    )
    return part.url.startswith(("data:", "blob:")) and known
