"""The answer: what is known of one run by now, also while it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_streamchat.blocks import Blocks
from jupyter_streamchat.following import Following
from jupyter_streamchat.recording import Recording
from streamchat_relay.model import Part, StreamChatError, TextPart, Timing, ToolPart, Usage

if TYPE_CHECKING:
    from streamchat_relay.model import AbortReason, FinishReason, RunStateName
else:
    # jedi, with which notebooks complete `reply.<Tab>`, looks the annotations of properties up and
    # raises where one is a Literal, which leaves nothing of the whole object.
    AbortReason = FinishReason = RunStateName = str


class Answer:
    """What has come of a run, and how it stands; nothing here waits."""

    def __init__(self, following: Following, run: str, recording: Recording) -> None:
        self._following = following
        self._run = run
        self._recording = recording

    @property
    def run(self) -> str:
        """The id of the run that writes this reply."""
        return self._run

    @property
    def conversation(self) -> str:
        """The id of the conversation that the reply belongs to."""
        return self._following.conversation

    @property
    def text(self) -> str:
        """The text so far; never waits."""
        return self._recording.text

    @property
    def reasoning(self) -> str:
        """What a reasoning model thought so far; empty for models that do not show it."""
        return "".join(self._recording.reasoning)

    @property
    def model(self) -> str:
        """Who answers, as `provider/model`; empty until the relay has accepted the prompt."""
        return self._recording.model

    @property
    def state(self) -> RunStateName:
        """`queued`, `retrying`, `running` or `stopping`; then `done`, `interrupted` or `error`."""
        return self._recording.state

    @property
    def done(self) -> bool:
        """Whether nothing more will come."""
        return self._recording.ended

    @property
    def usage(self) -> Usage | None:
        """The tokens that the run used; None until it finished by itself."""
        return self._recording.usage

    @property
    def timing(self) -> Timing | None:
        """Time to first token and total in ms, output tokens per second; None until finished."""
        return self._recording.timing

    @property
    def finish_reason(self) -> FinishReason | None:
        """Why the model ended: `stop`, `length`, …; None until it did, and if it was stopped."""
        return self._recording.finish_reason

    @property
    def abort_reason(self) -> AbortReason | None:
        """Why it was `interrupted`: `user`, `budget`, `server_lost`, …; None if it was not."""
        return self._recording.abort_reason

    @property
    def error(self) -> StreamChatError | None:
        """What went wrong; None while and if nothing did."""
        return self._recording.error

    @property
    def code(self) -> Blocks:
        """The blocks of code so far, by their language; never waits.

        >>> from jupyter_streamchat import Chat
        >>> Chat("demo/fast").send("Show me").wait().code["sql"][:6]
        'SELECT'
        """
        return Blocks(self.text)

    @property
    def parts(self) -> tuple[Part, ...]:
        """The message's parts so far: texts, thoughts and tool calls, in their order."""
        messages = self._following.state.messages
        message = next((one for one in messages if one.id == self._recording.message), None)
        if message is not None and message.text == self.text:
            return message.parts
        # Of a message that this kernel does not know any more, what came is still here.
        return (TextPart(id="1", text=self.text),) if self.text else ()

    @property
    def tool_calls(self) -> tuple[ToolPart, ...]:
        """The calls of tools so far: `name`, `input`, and `output` or `error` once there is one."""
        return tuple(part for part in self.parts if isinstance(part, ToolPart))
