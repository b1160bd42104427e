"""The runs that a client has asked for: each is recorded until it has ended."""

from __future__ import annotations

from collections.abc import Iterable

from jupyter_streamchat.following import Following
from jupyter_streamchat.recording import Recording
from streamchat_relay.model import Conversation, Event, StreamChatError, Truncated


class Runs:
    """The recordings of one client's runs, by their ids; lives on the client's loop.

    It holds what it records, and the conversation in which that is followed.
    """

    def __init__(self) -> None:
        self._runs: dict[str, tuple[Following, Recording]] = {}

    def add(self, run: str, following: Following, recording: Recording) -> None:
        """Record a run of this conversation from here on."""
        self._runs[run] = (following, recording)

    def accepted(self, run: str) -> None:
        """The relay has it: if it is not in a later state of the conversation, it was lost."""
        known = self._runs.get(run)
        if known is not None:
            known[1].accepted = True

    def deliver(self, events: Iterable[Event]) -> None:
        """Take what came; of runs that others have asked for, nothing."""
        touched: dict[str, Recording] = {}
        for event in events:
            run = getattr(event, "run", None)
            known = self._runs.get(run) if run is not None else None
            if known is not None:
                known[1].feed(event)  # type: ignore[arg-type]  # only run events have a run
                touched[run] = known[1]  # type: ignore[index]
        for run, recording in touched.items():
            if recording.ended:
                del self._runs[run]
            recording.publish()

    def replace(self, conversation: str, state: Conversation) -> None:
        """Take the whole state of a conversation in place of what came of its runs."""
        messages = {message.id: message for message in state.messages}
        for run, (owner, recording) in list(self._runs.items()):
            if owner.conversation != conversation:
                continue
            record = state.runs.get(run)
            if record is not None and record.message in messages:
                recording.restore(record, messages[record.message])
            elif recording.accepted:
                recording.fail(
                    Truncated("The relay has lost this answer. What came is kept; ask again.")
                )
            if recording.ended:
                del self._runs[run]
            recording.publish()

    def fail(self, run: str, error: StreamChatError) -> None:
        """End one with an error; what came stays."""
        known = self._runs.pop(run, None)
        if known is not None:
            known[1].fail(error)
            known[1].publish()

    def fail_in(self, following: Following, error: StreamChatError) -> None:
        """End all of a conversation with an error."""
        for run, (owner, _) in list(self._runs.items()):
            if owner is following:
                self.fail(run, error)

    def fail_all(self, error: StreamChatError) -> None:
        """End all of them with an error."""
        for run in list(self._runs):
            self.fail(run, error)
