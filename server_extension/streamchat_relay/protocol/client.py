"""The client's end of one relay, sans I/O: it outlives its sockets and loses nothing.

`js/src/protocol/client.ts` is its mirror; both replay `tests/transcripts/client-*.jsonl`.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any

import msgspec

from streamchat_relay.model import ErrorInfo, ToolSpec
from streamchat_relay.protocol.codec import (
    Answered,
    BadFrame,
    EventsHead,
    NotAnObject,
    decode_event,
    decode_ok,
    decode_server_frame,
    encode,
)
from streamchat_relay.protocol.frames import (
    HEARTBEAT_S,
    MAX_FRAME_BYTES,
    WINDOW_BYTES,
    Ack,
    Approve,
    Approved,
    Before,
    Bye,
    Cancel,
    Delete,
    Deleted,
    Export,
    ExportForm,
    Fail,
    Hello,
    Leave,
    List,
    Models,
    Offer,
    Open,
    OpenOk,
    Ping,
    Pong,
    Prompt,
    Rate,
    Rating,
    Rename,
    Request,
    Restore,
    Restored,
    Send,
    Serve,
    ServedCall,
    Snapshot,
    Stale,
    Stop,
    Told,
    ToolRun,
    Views,
    Welcome,
)
from streamchat_relay.protocol.outcomes import (
    Allowed,
    Answer,
    Called,
    Cancelled,
    Deliver,
    Drop,
    Ended,
    Gone,
    Live,
    Outcome,
    Outdated,
    Replace,
    Retry,
    ToolCalled,
    Write,
)

BACKOFF_BASE_S = 0.5
BACKOFF_CAP_S = 20.0
GREETING_TIMEOUT_S = 10.0
ACK_LENGTH = WINDOW_BYTES // 8
"""A client acknowledges after this many characters of frames. One character is at most four bytes,
so a reader that keeps up never fills its window."""

_FINAL_CLOSE = {
    4401: ("unauthorized", "You are not logged in to this Jupyter server any more."),
    4403: ("forbidden", "This Jupyter server does not let you use the chat relay."),
    4409: ("conflict", "This connection was replaced by a newer one."),
}


class State(enum.Enum):
    """Where the connection stands."""

    OFFLINE = "offline"
    GREETING = "greeting"
    LIVE = "live"
    ENDED = "ended"


_TOO_LARGE = ErrorInfo(
    code="too_large",
    message=f"The prompt is larger than {MAX_FRAME_BYTES // 2**20} MiB. Send less of it.",
    retryable=False,
)


class _Followed:
    """What a client knows of a conversation that it follows."""

    __slots__ = ("epoch", "length", "reopening", "seq")

    def __init__(self) -> None:
        self.epoch: str | None = None
        self.seq = 0
        self.length = 0
        self.reopening: str | None = None


class ClientSession:
    """One client of one relay, through any number of sockets.

    The owner carries out the outcomes of every call, in order: writes frames, connects, waits.
    Requests may be made at any time; those made offline go out after the next greeting, and those
    that were unanswered when a socket died go out again (`send` and `stop` are idempotent).
    Times are in seconds on any clock that never goes back.

    >>> session = ClientSession("doctest/1", jitter=lambda: 0.5)
    >>> session.connected(0.0)
    [Write(frame=Hello(client='doctest/1'))]
    """

    def __init__(self, client: str, *, jitter: Callable[[], float]) -> None:
        self._client = client
        self._jitter = jitter
        self._next_id = 0
        self._attempt = 0
        self._heartbeat_s = HEARTBEAT_S
        self._heard_at = 0.0
        self._pinged_at: float | None = None
        self._pending: dict[str, Request] = {}
        self._followed: dict[str, _Followed] = {}
        self._served: set[str] = set()
        self._offers: dict[str, Offer] = {}
        self._ended: ErrorInfo | None = None
        self.state = State.OFFLINE

    # Requests. Each returns its id and what to do now.

    def models(self) -> tuple[str, list[Outcome]]:
        """Ask for the catalog."""
        return self._request(Models(id=self._id()))

    def open(self, conversation: str) -> tuple[str, list[Outcome]]:
        """Follow a conversation until `leave`, over all reconnects."""
        self._followed.setdefault(conversation, _Followed())
        frame_id = self._id()
        return frame_id, self._write_open(conversation, frame_id)

    def leave(self, conversation: str) -> tuple[str, list[Outcome]]:
        """Follow a conversation no more."""
        self._followed.pop(conversation, None)
        for request in list(self._pending.values()):
            if isinstance(request, Open) and request.conversation == conversation:
                del self._pending[request.id]
        return self._request(Leave(id=self._id(), conversation=conversation))

    def send(
        self,
        conversation: str,
        run: str,
        *,
        model: str = "",
        message: Prompt | None = None,
        parent: str | None = None,
        params: dict[str, Any] | None = None,
    ) -> tuple[str, list[Outcome]]:
        """Start a run, exactly once however often the network fails."""
        frame = Send(
            id=self._id(),
            conversation=conversation,
            run=run,
            model=model,
            message=message,
            parent=parent,
            params=params,
        )
        if len(encode(frame)) > MAX_FRAME_BYTES:
            # The relay would close the socket for it, and again each time that it is sent.
            return frame.id, [Answer(frame.id, None, _TOO_LARGE)]
        return self._request(frame)

    def stop(self, run: str) -> tuple[str, list[Outcome]]:
        """End a run early."""
        return self._request(Stop(id=self._id(), run=run))

    def rate(self, conversation: str, message: str, value: Rating) -> tuple[str, list[Outcome]]:
        """Say what a person thinks of an answer."""
        frame = Rate(id=self._id(), conversation=conversation, message=message, value=value)
        return self._request(frame)

    def rename(self, conversation: str, title: str) -> tuple[str, list[Outcome]]:
        """Give a conversation a title; an empty one takes it away."""
        return self._request(Rename(id=self._id(), conversation=conversation, title=title))

    def conversations(
        self, *, limit: int = 50, before: Before | None = None, search: str = ""
    ) -> tuple[str, list[Outcome]]:
        """Ask which conversations there are; `Outdated` tells once that they have changed."""
        return self._request(List(id=self._id(), limit=limit, before=before, search=search))

    def delete(self, conversation: str) -> tuple[str, list[Outcome]]:
        """Hide a conversation now, and delete it for good later."""
        return self._request(Delete(id=self._id(), conversation=conversation))

    def restore(self, conversation: str) -> tuple[str, list[Outcome]]:
        """Take a deletion back."""
        return self._request(Restore(id=self._id(), conversation=conversation))

    def export(
        self, conversation: str, form: ExportForm, leaf: str | None = None
    ) -> tuple[str, list[Outcome]]:
        """Ask for a conversation as a file."""
        frame = Export(id=self._id(), conversation=conversation, form=form, leaf=leaf)
        return self._request(frame)

    def serve(self, model: str) -> tuple[str, list[Outcome]]:
        """Answer for `kernel/<model>`, over all reconnects; `Called` outcomes ask."""
        self._served.add(model)
        return self._request(Serve(id=self._id(), model=model))

    def offer(
        self, conversation: str, tools: tuple[ToolSpec, ...], runner: str | None = None
    ) -> tuple[str, list[Outcome]]:
        """Run these tools for a conversation, over all reconnects; `ToolCalled` outcomes ask.

        `runner` names who runs them: after a reconnect the relay asks it again for what it began.
        """
        frame = Offer(id=self._id(), conversation=conversation, tools=tools, runner=runner)
        self._offers[conversation] = frame
        return self._request(frame)

    def approve(
        self, run: str, part: str, digest: str, *, allow: bool
    ) -> tuple[str, list[Outcome]]:
        """Say what a person decided of a call that has this digest."""
        frame = Approve(id=self._id(), run=run, part=part, digest=digest, allow=allow)
        return self._request(frame)

    def tell(self, told: Told) -> list[Outcome]:
        """Say something of a call. There is nobody to say it to while there is no socket."""
        return [Write(told)] if self.state is State.LIVE else []

    # Happenings. Each returns what to do now.

    def connected(self, now: float) -> list[Outcome]:
        """A socket is open."""
        if self.state is State.ENDED:
            return [Drop("ended")]
        self.state = State.GREETING
        self._heard_at = now
        self._pinged_at = None
        return [Write(Hello(client=self._client))]

    def disconnected(self, code: int | None = None) -> list[Outcome]:
        """The socket is gone, or could not be opened; `code` is its close code."""
        if self.state is State.ENDED:
            return []
        if code in _FINAL_CLOSE:
            name, message = _FINAL_CLOSE[code]
            info = {"code": name, "message": message, "retryable": False}
            return self._end(msgspec.convert(info, ErrorInfo))
        self.state = State.OFFLINE
        ceiling = min(BACKOFF_CAP_S, BACKOFF_BASE_S * 2 ** min(self._attempt, 16))
        self._attempt += 1
        return [Retry(self._jitter() * ceiling)]

    def deadline(self) -> float | None:
        """When `tick` has something to do; None while offline."""
        match self.state:
            case State.GREETING:
                return self._heard_at + GREETING_TIMEOUT_S
            case State.LIVE:
                since = self._heard_at if self._pinged_at is None else self._pinged_at
                return since + self._heartbeat_s
            case _:
                return None

    def tick(self, now: float) -> list[Outcome]:
        """Time passed; call it at `deadline` or later."""
        deadline = self.deadline()
        if deadline is None or now < deadline:
            return []
        if self.state is State.GREETING:
            return [Drop("no welcome in time")]
        if self._pinged_at is not None:
            return [Drop("no sign of life")]
        self._pinged_at = now
        return [Write(Ping(t=now))]

    def received(self, data: str | bytes, now: float) -> list[Outcome]:
        """The text of one frame came."""
        self._heard_at = now
        self._pinged_at = None
        try:
            frame = decode_server_frame(data)
        except (NotAnObject, BadFrame):
            return [Drop("the relay sent what is no frame")]
        match frame:
            # Who says nothing of itself is told of no other views.
            case None | Pong() | Views():
                return []
            case Ping(t=t):
                return [Write(Pong(t=t))]
            case Welcome():
                return self._greeted(frame)
            case EventsHead():
                return self._events(frame, len(data))
            case Snapshot():
                return self._snapshot(frame)
            case Deleted():
                return self._deleted(frame)
            case Restored(conversation=conversation):
                known = conversation in self._followed
                return self._write_open(conversation, self._id()) if known else []
            case Stale():
                return [Outdated()]
            case ServedCall():
                return [Called(frame)]
            case ToolRun():
                return [ToolCalled(frame)]
            case Approved(call=call, digest=digest):
                return [Allowed(call, digest)]
            case Cancel(call=call):
                return [Cancelled(call)]
            case Answered(id=frame_id):
                return self._answered(frame_id, data)
            case Fail():
                return self._failed(frame)
            case Bye(error=error):
                return [] if error.retryable else self._end(error)

    def _id(self) -> str:
        self._next_id += 1
        return f"q{self._next_id}"

    def _request(self, frame: Request) -> tuple[str, list[Outcome]]:
        if self._ended is not None:
            return frame.id, [Answer(frame.id, None, self._ended)]
        self._pending[frame.id] = frame
        return frame.id, [Write(frame)] if self.state is State.LIVE else []

    def _write_open(self, conversation: str, frame_id: str) -> list[Outcome]:
        followed = self._followed[conversation]
        followed.reopening = frame_id
        frame = Open(
            id=frame_id,
            conversation=conversation,
            after=None if followed.epoch is None else followed.seq,
            epoch=followed.epoch,
        )
        return self._request(frame)[1]

    def _greeted(self, welcome: Welcome) -> list[Outcome]:
        self.state = State.LIVE
        self._attempt = 0
        self._heartbeat_s = welcome.heartbeat_s
        out: list[Outcome] = [Live(welcome)]
        unanswered = list(self._pending.values())
        opens = {followed: [self._id()] for followed in self._followed}
        # A new socket follows nothing: a leave has happened by itself, an open starts over.
        for request in unanswered:
            if isinstance(request, Leave):
                out.append(Answer(self._pending.pop(request.id).id, None, None))
            elif isinstance(request, Open):
                del self._pending[request.id]
                opens[request.conversation].append(request.id)
        for conversation, ids in opens.items():
            for frame_id in ids[1:] or ids:
                out.extend(self._write_open(conversation, frame_id))
        # A new socket serves and offers nothing either, and before it sends anything it must.
        waiting = {one.model for one in unanswered if isinstance(one, Serve)}
        for model in sorted(self._served - waiting):
            out.extend(self._request(Serve(id=self._id(), model=model))[1])
        offering = {one.conversation for one in unanswered if isinstance(one, Offer)}
        for conversation in sorted(self._offers.keys() - offering):
            offer = msgspec.structs.replace(self._offers[conversation], id=self._id())
            out.extend(self._request(offer)[1])
        out.extend(Write(one) for one in unanswered if not isinstance(one, Open | Leave))
        return out

    def _events(self, frame: EventsHead, size: int) -> list[Outcome]:
        followed = self._followed.get(frame.conversation)
        if followed is None:
            return []
        expected = followed.seq + 1
        if frame.epoch != followed.epoch or frame.first > expected:
            # "A client that sees `from > expected` re-opens with `after`"; once is enough.
            if followed.reopening is not None:
                return []
            return self._write_open(frame.conversation, self._id())
        if frame.to < expected:
            return []
        events = [decode_event(raw) for raw in frame.events[expected - frame.first :]]
        followed.seq = frame.to
        followed.length += size
        known = tuple(event for event in events if event is not None)
        out: list[Outcome] = [Deliver(frame.conversation, frame.to, known)]
        if followed.length >= ACK_LENGTH:
            followed.length = 0
            out.append(Write(Ack(conversation=frame.conversation, seq=frame.to)))
        return out

    def _snapshot(self, frame: Snapshot) -> list[Outcome]:
        followed = self._followed.get(frame.conversation)
        if followed is None:
            return []
        followed.epoch = frame.epoch
        followed.seq = frame.seq
        followed.length = 0
        return [Replace(frame.conversation, frame.seq, frame.state)]

    def _deleted(self, frame: Deleted) -> list[Outcome]:
        followed = self._followed.get(frame.conversation)
        if followed is None:
            return []
        followed.epoch = None
        followed.seq = 0
        followed.length = 0
        return [Gone(frame.conversation, frame.restorable)]

    def _answered(self, frame_id: str, data: str | bytes) -> list[Outcome]:
        request = self._pending.pop(frame_id, None)
        if request is None:
            return []
        ok = decode_ok(data, type(request))
        if isinstance(ok, OpenOk):
            followed = self._followed.get(ok.conversation)
            # The epoch comes with the snapshot: until then there is nothing to go on from.
            if followed is not None and followed.reopening == frame_id:
                followed.reopening = None
        return [Answer(frame_id, ok, None)]

    def _failed(self, frame: Fail) -> list[Outcome]:
        request = self._pending.pop(frame.id, None) if frame.id is not None else None
        if request is None:
            return []
        if isinstance(request, Open):
            followed = self._followed.get(request.conversation)
            if followed is not None and followed.reopening == request.id:
                followed.reopening = None
                if frame.error.code == "bad_cursor" and followed.epoch is not None:
                    # The relay's log is not the one we know: take its state anew.
                    followed.epoch = None
                    followed.seq = 0
                    return self._write_open(request.conversation, request.id)
        return [Answer(frame.id or "", None, frame.error)]

    def _end(self, error: ErrorInfo) -> list[Outcome]:
        self.state = State.ENDED
        self._ended = error
        out: list[Outcome] = [Answer(one, None, error) for one in self._pending]
        self._pending.clear()
        return [*out, Ended(error)]
