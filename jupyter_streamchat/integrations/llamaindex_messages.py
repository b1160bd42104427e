"""A conversation in LlamaIndex's messages."""

from __future__ import annotations

from collections.abc import Iterator

from llama_index.core.base.llms.types import (
    AudioBlock,
    ChatMessage,
    DocumentBlock,
    ImageBlock,
    MessageRole,
    TextBlock,
    ToolCallBlock,
)

from jupyter_streamchat.functions import Context
from jupyter_streamchat.integrations.told import File, Told, system_text, told
from streamchat_relay.model import Message
from streamchat_relay.model.media import audio_format


def llamaindex_messages(
    messages: tuple[Message, ...], context: Context, *, calls: bool = False
) -> list[ChatMessage]:
    """The system prompt and what was said; with `calls` also what tools returned, see `told`."""
    system = system_text(messages, context.params)
    front = [ChatMessage(system, role=MessageRole.SYSTEM)] if system else []
    return front + [made for one in told(messages, calls=calls) for made in _message(one)]


def _message(one: Told) -> Iterator[ChatMessage]:
    blocks = [_block(part) for part in one.parts]
    uses = [
        ToolCallBlock(tool_call_id=use.id, tool_name=use.name, tool_kwargs=use.input)
        for use in one.uses
    ]
    yield ChatMessage([*blocks, *uses], role=MessageRole(one.role))
    for use in one.uses:
        ids = {"tool_call_id": use.id}
        yield ChatMessage(use.result, role=MessageRole.TOOL, additional_kwargs=ids)


def _block(part: str | File) -> TextBlock | ImageBlock | AudioBlock | DocumentBlock:
    if isinstance(part, str):
        return TextBlock(text=part)
    if part.is_picture:
        return ImageBlock(image=part.data, image_mimetype=part.media_type)
    if part.is_audio:
        return AudioBlock(audio=part.data, format=audio_format(part.media_type))
    return DocumentBlock(data=part.data, document_mimetype=part.media_type, title=part.name)
