"""A conversation in LangChain's messages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)

from jupyter_streamchat.integrations.told import File, Told, system_text, told
from streamchat_relay.model import Message


def langchain_messages(
    messages: tuple[Message, ...], params: dict[str, Any], *, calls: bool
) -> list[BaseMessage]:
    """The system prompt and what was said; with `calls` also what tools returned, see `told`."""
    system = system_text(messages, params)
    front: list[BaseMessage] = [SystemMessage(system)] if system else []
    return front + [made for one in told(messages, calls=calls) for made in _message(one)]


def _message(one: Told) -> Iterator[BaseMessage]:
    if one.role == "assistant":
        uses = [{"id": use.id, "name": use.name, "args": use.input} for use in one.uses]
        yield AIMessage(one.text, tool_calls=uses)
        for use in one.uses:
            status = "error" if use.failed else "success"
            yield ToolMessage(use.result, tool_call_id=use.id, name=use.name, status=status)
    elif not one.files:
        yield HumanMessage(one.text)
    else:
        yield HumanMessage(content=[_block(part) for part in one.parts])


def _block(part: str | File) -> str | dict[str, Any]:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    kind = "image" if part.is_picture else "audio" if part.is_audio else "file"
    block = {"type": kind, "base64": part.base64, "mime_type": part.media_type}
    # Some providers want a name for a file.
    return {**block, "filename": part.name or "file"} if kind == "file" else block
