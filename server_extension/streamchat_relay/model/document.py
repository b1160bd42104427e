"""A conversation as a Markdown document, to read and to keep."""

from __future__ import annotations

from streamchat_relay.model.message import Conversation, Message
from streamchat_relay.model.part import (
    FilePart,
    Part,
    ReasoningPart,
    SourcePart,
    TextPart,
    ToolPart,
)
from streamchat_relay.model.reduce import branch
from streamchat_relay.model.transcript import tool_line
from streamchat_relay.model.visible import visible

_ENDS = {"interrupted": "*Stopped.*", "error": "*Failed: {}*"}


def document(conversation: Conversation, leaf: str | None = None) -> str:
    """The branch that ends in `leaf`, by default the newest, a section a message.

    Control characters have a visible form.

    >>> from streamchat_relay.model import Message, TextPart
    >>> prompt = Message(id="1", role="user", parts=(TextPart(text="Hello?"),))
    >>> print(document(Conversation(messages=(prompt,), title="Greetings")))
    # Greetings
    <BLANKLINE>
    ## You
    <BLANKLINE>
    Hello?
    <BLANKLINE>
    """
    pieces = [f"# {conversation.title or 'Conversation'}"]
    for message in branch(conversation, leaf):
        record = conversation.runs.get(message.run or "")
        assistant = message.role == "assistant"
        pieces.append(f"## {(record.model if record else 'Assistant') if assistant else 'You'}")
        pieces += filter(None, map(_part, message.parts))
        if assistant and record is not None:
            pieces.append(_end(conversation, message))
    return visible("\n\n".join(filter(None, pieces))) + "\n"


def _part(part: Part) -> str:
    match part:
        case TextPart(text=text):
            return text.strip("\n")
        case ReasoningPart(text=text):
            return "\n".join(f"> {line}" for line in text.strip("\n").split("\n"))
        case FilePart(name=name, media_type=media_type):
            return f"*Attached: {name or media_type}*"
        case SourcePart(url=url, title=title):
            return f"Source: [{title or url}](<{url}>)"
        case ToolPart():
            return f"*Called* `{tool_line(part).replace('`', chr(39))}`"


def _end(conversation: Conversation, message: Message) -> str:
    record = conversation.runs[message.run or ""]
    return _ENDS.get(record.state, "").format(record.error.message if record.error else "")
