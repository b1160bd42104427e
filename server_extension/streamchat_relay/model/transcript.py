"""Transcripts: the static form of a reply or a conversation, as Markdown and as plain text."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import ROUND_HALF_UP, Decimal

from typing_extensions import assert_never

from streamchat_relay.model.ending import Ending, ending
from streamchat_relay.model.markdown import plain, safe_markdown
from streamchat_relay.model.message import Conversation, Message
from streamchat_relay.model.part import (
    FilePart,
    Part,
    ReasoningPart,
    SourcePart,
    TextPart,
    ToolPart,
)
from streamchat_relay.model.reduce import branch, replace
from streamchat_relay.model.tool import text_of
from streamchat_relay.model.usage import Timing, Usage
from streamchat_relay.model.visible import visible

MOST = 200_000
"""Bytes of a conversation's transcript."""
MOST_OF_TOOL = 200
"""Characters of a tool call's arguments, and of its result."""
REMARK_BYTES = 200
"""Kept free of them to say what is left out."""
MARK = '<span class="streamchat-transcript"></span>'
"""What the widget's style sheet knows the Markdown of a chat by, which it hides."""
NOTED = "jupyter_streamchat"
"""Where an output's metadata say which conversation it holds: `{"conversation": id}`."""
_OVER = frozenset(["done", "interrupted", "error"])


def reply_markdown(
    parts: Iterable[Part],
    *,
    model: str,
    usage: Usage | None,
    timing: Timing | None,
    ending: Ending | None,
) -> str:
    """A finished reply with a line that says who answered, how fast, and how it ended."""
    pieces = list(filter(None, map(_part, parts)))
    line = footer(model=model, usage=usage, timing=timing)
    if ending is not None and ending.tone == "bad":
        pieces.append(_strong(ending))
    elif ending is not None:
        line = f"{ending.text} · {line}" if line else ending.text
    if line:
        pieces.append(f"<small>{plain(line)}</small>")
    return "\n\n".join(pieces)


def tool_line(part: ToolPart) -> str:
    """A tool call and what came of it, in a line.

    >>> tool_line(ToolPart(name="add", state="output-available", input={"a": 1}, output=3))
    'add({"a":1}) → 3'
    """
    given = part.input_text if part.input is None else text_of(part.input)
    if not part.ended:
        return f"{part.name}({_short(given)})"
    result = f"failed: {part.error}" if part.error else text_of(part.output)
    return f"{part.name}({_short(given)}) → {_short(result)}"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= MOST_OF_TOOL else f"{line[: MOST_OF_TOOL - 1]}…"


def footer(*, model: str, usage: Usage | None, timing: Timing | None) -> str:
    """The line under an answer: word for word the widget's, which it takes the place of.

    >>> footer(model="demo/fast", usage=Usage(input=4, output=90), timing=None)
    'demo/fast · 90 tokens'
    """
    facts = [model] if model else []
    about = "~" if usage is not None and usage.estimated else ""
    if timing is not None and timing.ttft_ms is not None:
        facts.append(f"{_seconds(timing.ttft_ms / 1000)} to first token")
    if timing is not None and timing.output_per_s is not None:
        rate = timing.output_per_s
        facts.append(f"{about}{_fixed(rate, 1 if rate < 10 else 0)} tokens/s")
    if usage is not None and usage.output > 0:
        facts.append(f"{about}{usage.output} {'token' if usage.output == 1 else 'tokens'}")
    return " · ".join(facts)


def _seconds(value: float) -> str:
    digits = 2 if value < 1 else 1 if value < 10 else 0
    return f"{_fixed(value, digits)} s"


def _fixed(value: float, digits: int) -> str:
    """So many decimals, a half rounded up, as `toFixed` and `Math.round` do."""
    step = Decimal(1).scaleb(-digits)
    return str(Decimal(value).quantize(step, rounding=ROUND_HALF_UP))


def conversation_markdown(conversation: Conversation, most: int = MOST) -> str:
    """The newest messages of the current branch, in at most so many bytes.

    What is left out is said, with how many messages it is; the newest message is there in any
    case, cut if it has to be.
    """
    return _bounded(conversation, most, _message, "*(…)*")


def conversation_text(conversation: Conversation, most: int = MOST) -> str:
    """The same for places that render nothing."""
    return _bounded(conversation, most, _text, "(…)")


def imprint(conversation: Conversation) -> dict[str, str]:
    """What a notebook's file keeps of a chat, by media type."""
    return {
        "text/markdown": f"{MARK}\n\n{conversation_markdown(conversation)}".rstrip(),
        "text/plain": conversation_text(conversation),
    }


def _bounded(
    conversation: Conversation,
    most: int,
    form: Callable[[Message, Ending | None], str],
    remark: str,
) -> str:
    messages = [message for message in branch(conversation) if message.parts]
    pieces: list[str] = []
    left = most - REMARK_BYTES
    for message in reversed(messages):
        how = _ended(conversation, message)
        # A form is never shorter than its text, which may be long.
        piece = "" if len(message.text) > left else form(message, how)
        if not piece or len(piece.encode()) + 2 > left:
            if not pieces:
                pieces.append(_cut(message, how, left, form))
            break
        pieces.append(piece)
        left -= len(piece.encode()) + 2
    out = len(messages) - len(pieces)
    if out:
        were = "message was" if out == 1 else "messages were"
        told = f"{out:,} earlier {were} left out here; the chat itself has all of them."
        pieces.append(remark.replace("…", told))
    return "\n\n".join(reversed(pieces))


def _cut(
    message: Message,
    how: Ending | None,
    most: int,
    form: Callable[[Message, Ending | None], str],
) -> str:
    """The beginning of a message, whose form fits."""
    cut = Ending("calm", "Cut here, as it is too long for the notebook; the chat has all of it.")
    length = most
    while True:
        part = TextPart(id="1", text=message.text[:length])
        piece = form(replace(message, parts=(part,)), cut if how is None else how)
        if how is not None:
            piece = f"{piece}\n\n({cut.text})"
        if len(piece.encode()) <= most or not length:
            return piece
        length //= 2


def _text(message: Message, how: Ending | None) -> str:
    ended = "" if how is None else f"\n\n[{how.text}]"
    calls = "".join(
        f"[called {tool_line(part)}]\n\n" for part in message.parts if isinstance(part, ToolPart)
    )
    return visible(f"{_who(message)}: {calls}{message.text}{ended}")


def _ended(conversation: Conversation, message: Message) -> Ending | None:
    record = conversation.runs.get(message.run or "")
    if record is None or message.role != "assistant":
        return None
    if record.state not in _OVER:
        return Ending("calm", "It was still being written when this was saved.")
    return ending(
        record.state,
        finish_reason=record.finish_reason,
        abort_reason=record.abort_reason,
        failure=None if record.error is None else record.error.message,
    )


def _who(message: Message) -> str:
    return {"user": "You", "assistant": "Answer", "system": "System", "tool": "Tool"}[message.role]


def _message(message: Message, how: Ending | None) -> str:
    pieces = [f"**{_who(message)}**", *filter(None, map(_part, message.parts))]
    if how is not None:
        pieces.append(_strong(how) if how.tone == "bad" else f"<small>{plain(how.text)}</small>")
    return "\n\n".join(pieces)


def _part(part: Part) -> str:
    match part:
        case TextPart(text=text):
            return safe_markdown(text)
        case ReasoningPart():
            return "*(reasoning not shown)*" if part.text else ""
        case FilePart(name=name, media_type=media_type):
            return f"*(file: {safe_markdown(name or media_type)})*"
        case SourcePart(url=url, title=title):
            return f"*(source: {safe_markdown(title or url)})*"
        case ToolPart():
            return f"<small>Called {plain(tool_line(part))}</small>"
        case _:
            assert_never(part)


def _strong(how: Ending) -> str:
    return f"**{safe_markdown(' '.join(how.text.split()))}**"
