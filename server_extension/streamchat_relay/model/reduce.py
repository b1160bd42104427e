"""`reduce`: how a conversation grows, one event at a time. The only way."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from typing_extensions import assert_never

from streamchat_relay.model.deltas import Deltas
from streamchat_relay.model.event import (
    Abort,
    ErrorEvent,
    Event,
    Feedback,
    File,
    Finish,
    MessageAdded,
    ReasoningDelta,
    ReasoningEnd,
    ReasoningStart,
    SettingsChanged,
    SourceUrl,
    Start,
    Status,
    TextDelta,
    TextEnd,
    TextStart,
    TitleChanged,
    ToolApprovalRequest,
    ToolApprovalResponse,
    ToolInputAvailable,
    ToolInputDelta,
    ToolInputStart,
    ToolOutputAvailable,
    ToolOutputError,
)
from streamchat_relay.model.message import Conversation, Message, RunRecord
from streamchat_relay.model.part import (
    FilePart,
    Part,
    ReasoningPart,
    SourcePart,
    TextPart,
    ToolPart,
)

replace = msgspec.structs.replace


def reduce(conversation: Conversation, event: Event) -> Conversation:
    """The conversation after one more event.

    Pure and total: an event of a run or part that the conversation does not know changes nothing,
    so a log that lost its beginning still reads.
    """
    match event:
        case MessageAdded(message=message):
            return replace(conversation, messages=(*conversation.messages, message))
        case SettingsChanged():
            return replace(conversation, settings=event.settings)
        case TitleChanged(title=title):
            return replace(conversation, title=title)
        case Feedback(message=rated, value=value):
            opinion = None if value == "none" else value
            for record in conversation.runs.values():
                if record.message == rated:
                    return _with_run(
                        conversation, record.id, lambda run: replace(run, feedback=opinion)
                    )
            return conversation
        case Start():
            message = Message(
                id=event.message.id,
                role=event.message.role,
                parent=event.message.parent,
                run=event.run,
            )
            record = RunRecord(
                id=event.run,
                message=message.id,
                model=event.model,
                provider=event.provider,
            )
            return replace(
                conversation,
                messages=(*conversation.messages, message),
                runs={**conversation.runs, event.run: record},
            )
        case Status():
            return _with_run(
                conversation,
                event.run,
                lambda run: replace(
                    run,
                    state=event.state,
                    position=event.position,
                    retry_after=event.retry_after,
                    left_out=event.left_out,
                ),
            )
        case TextStart():
            return _add_part(conversation, event, TextPart(id=event.part, text="", open=True))
        case ReasoningStart():
            part = ReasoningPart(id=event.part, text="", open=True, started_t=event.t)
            return _add_part(conversation, event, part)
        case TextDelta() | ReasoningDelta():
            return _with_part(
                conversation,
                event.run,
                event.part,
                lambda part: (
                    replace(part, text=part.text + event.delta)
                    if isinstance(part, TextPart | ReasoningPart)
                    else part
                ),
            )
        case TextEnd():
            return _with_part(
                conversation, event.run, event.part, lambda part: replace(part, open=False)
            )
        case ReasoningEnd(provider_metadata=metadata):
            return _with_part(
                conversation,
                event.run,
                event.part,
                lambda part: (
                    replace(part, open=False, provider_metadata=metadata, ended_t=event.t)
                    if isinstance(part, ReasoningPart)
                    else part
                ),
            )
        case ToolInputStart():
            tool = ToolPart(id=event.part, name=event.name, round=event.round, open=True)
            return _add_part(conversation, event, tool)
        case ToolInputDelta():
            return _with_tool(
                conversation,
                event.run,
                event.part,
                lambda part: replace(part, input_text=part.input_text + event.delta),
            )
        case ToolInputAvailable():
            return _with_tool(
                conversation,
                event.run,
                event.part,
                lambda part: replace(
                    part,
                    input=event.input,
                    open=False,
                    state="input-available",
                    provider_metadata=event.provider_metadata,
                ),
            )
        case ToolApprovalRequest():
            return _with_tool(
                conversation,
                event.run,
                event.part,
                lambda part: replace(part, state="approval-requested", digest=event.digest),
            )
        case ToolApprovalResponse():
            return _with_tool(
                conversation,
                event.run,
                event.part,
                lambda part: replace(part, state="approval-responded", allowed=event.allowed),
            )
        case ToolOutputAvailable():
            return _with_tool(
                conversation,
                event.run,
                event.part,
                lambda part: replace(part, state="output-available", output=event.output),
            )
        case ToolOutputError():
            return _with_tool(
                conversation,
                event.run,
                event.part,
                lambda part: replace(part, state="output-error", error=event.error, open=False),
            )
        case File():
            part_ = FilePart(id=event.part, url=event.url, media_type=event.media_type)
            return _add_part(conversation, event, part_)
        case SourceUrl():
            return _add_part(
                conversation, event, SourcePart(id=event.part, url=event.url, title=event.title)
            )
        case Finish():
            return _with_end(
                conversation,
                event,
                state="done",
                finish_reason=event.finish_reason,
                raw_reason=event.raw_reason,
                usage=event.usage,
                timing=event.timing,
            )
        case Abort():
            return _with_end(conversation, event, state="interrupted", abort_reason=event.reason)
        case ErrorEvent():
            return _with_end(conversation, event, state="error", error=event.error)
        case _:
            assert_never(event)


def fold(conversation: Conversation, events: Iterable[Event]) -> Conversation:
    """`reduce` over many events; deltas of one part are joined first.

    Equal to reducing one by one, in time that is linear in the text.
    """
    deltas = Deltas()
    for event in events:
        for joined in deltas.add(event):
            conversation = reduce(conversation, joined)
    for joined in deltas.rest():
        conversation = reduce(conversation, joined)
    return conversation


def branch(conversation: Conversation, leaf: str | None = None) -> tuple[Message, ...]:
    """The messages from the root to `leaf`; without one, to the `newest` message.

    Prompts that were taken back out of the queue are passed over where others follow them.
    Raises `KeyError` when there is no message of that id.
    """
    if leaf is None:
        leaf = newest(conversation)
        if leaf is None:
            return ()
    by_id = {message.id: message for message in conversation.messages}
    path: list[Message] = []
    message: Message | None = by_id[leaf]
    taken_back = None
    while message is not None:
        record = conversation.runs.get(message.run or "")
        answers = message.role == "assistant" and message.id != leaf
        if answers and record is not None and record.withdrawn:
            taken_back = message.run
        elif message.run is None or message.run != taken_back:
            path.append(message)
        message = by_id.get(message.parent or "")
    return tuple(reversed(path))


def newest(conversation: Conversation) -> str | None:
    """The id of the newest message, but for prompts that were taken back out of the queue."""
    for message in reversed(conversation.messages):
        record = conversation.runs.get(message.run or "")
        if record is None or not record.withdrawn:
            return message.id
    return None


def _with_run(
    conversation: Conversation, run: str, change: Callable[[RunRecord], RunRecord]
) -> Conversation:
    record = conversation.runs.get(run)
    if record is None:
        return conversation
    return replace(conversation, runs={**conversation.runs, run: change(record)})


def _with_end(
    conversation: Conversation, event: Finish | Abort | ErrorEvent, **outcome: Any
) -> Conversation:
    # The position of a run that was stopped in the queue stays: its prompt was taken back.
    queued = {} if isinstance(event, Abort) else {"position": None}
    return _with_run(
        conversation,
        event.run,
        lambda run: replace(run, **queued, retry_after=None, ended_t=event.t, **outcome),
    )


def _with_message(
    conversation: Conversation, run: str, change: Callable[[Message], Message]
) -> Conversation:
    record = conversation.runs.get(run)
    if record is None:
        return conversation
    messages = list(conversation.messages)
    # A run writes one of the newest messages, so the search from the end is short.
    for index in range(len(messages) - 1, -1, -1):
        if messages[index].id == record.message:
            messages[index] = change(messages[index])
            return replace(conversation, messages=tuple(messages))
    return conversation


def _add_part(conversation: Conversation, event: _PartEvents, part: Part) -> Conversation:
    conversation = _with_message(
        conversation, event.run, lambda message: replace(message, parts=(*message.parts, part))
    )
    return _with_run(
        conversation,
        event.run,
        lambda run: run if run.first_t is not None else replace(run, first_t=event.t),
    )


def _with_part(
    conversation: Conversation, run: str, part_id: str, change: Callable[[Part], Part]
) -> Conversation:
    def changed(message: Message) -> Message:
        return replace(
            message,
            parts=tuple(change(part) if part.id == part_id else part for part in message.parts),
        )

    return _with_message(conversation, run, changed)


def _with_tool(
    conversation: Conversation, run: str, part_id: str, change: Callable[[ToolPart], ToolPart]
) -> Conversation:
    return _with_part(
        conversation,
        run,
        part_id,
        lambda part: change(part) if isinstance(part, ToolPart) else part,
    )


_PartEvents = TextStart | ReasoningStart | ToolInputStart | File | SourceUrl
