"""A connection: one client's session, bound to the hub and to its transport."""

from __future__ import annotations

import asyncio
import logging
import math

from typing_extensions import assert_never

from streamchat_relay.model import BadCursor, Internal, RateLimited, StreamChatError
from streamchat_relay.protocol.codec import encode
from streamchat_relay.protocol.frames import (
    WINDOW_BYTES,
    Ack,
    Approve,
    ApproveOk,
    Asking,
    Delete,
    Deleted,
    DeleteOk,
    Done,
    Export,
    ExportOk,
    Fail,
    Leave,
    LeaveOk,
    List,
    ListOk,
    Models,
    ModelsOk,
    Offer,
    OfferOk,
    Open,
    OpenOk,
    Presence,
    Rate,
    RateOk,
    Rename,
    RenameOk,
    Request,
    Restore,
    RestoreOk,
    Returned,
    Said,
    Send,
    SendOk,
    Serve,
    ServeOk,
    ServerFrame,
    Snapshot,
    Stop,
    StopOk,
    Told,
)
from streamchat_relay.protocol.server import Close, CloseCode, ServerSession, Wish
from streamchat_relay.relay.conversation import LiveConversation
from streamchat_relay.relay.hub import Hub
from streamchat_relay.relay.offers import Workshop
from streamchat_relay.relay.pace import Pace
from streamchat_relay.relay.ports import RESTORE_S, Clock, Transport
from streamchat_relay.relay.presence import Guest
from streamchat_relay.relay.pump import Pump
from streamchat_relay.relay.runs import SystemClock
from streamchat_relay.relay.served import Served

REQUESTS_PER_S = 20.0
"""Requests of one connection; many more may come at once."""
MESSAGES_PER_REQUEST = 50
"""How many times as many messages of all kinds are no flood: acknowledgements among them."""


_PACED = Models | Open | Send | Rate | Rename | List | Delete | Restore | Export


_IN_TURN = Open | Leave | Stop | Serve | Offer | Approve | Rate | Rename | Delete | Restore | Export


class Connection:
    """Carries out what a client asks for, in the order it asks.

    The host calls `receive` for each frame and waits for it before the next, `drained` when the
    transport is no longer busy, and `closed` when it is gone. `window` bytes of a conversation's
    events may be unacknowledged.
    """

    def __init__(
        self,
        hub: Hub,
        user: str,
        transport: Transport,
        session: ServerSession,
        *,
        requests_per_s: float = REQUESTS_PER_S,
        window: int = WINDOW_BYTES,
        clock: Clock | None = None,
        log: logging.Logger | None = None,
    ) -> None:
        clock = clock or SystemClock()
        self._requests = Pace(requests_per_s, clock)
        self._messages = Pace(requests_per_s * MESSAGES_PER_REQUEST, clock)
        self._flooded = False
        self._window = window
        self._hub = hub
        self._user = user
        self._transport = transport
        self._session = session
        self._log = log or logging.getLogger(__name__)
        self._served = Served(self._write)
        self._workshop = Workshop(self._write)
        self._guest = Guest(self._heard, session.welcome.session, session.welcome.user)
        self._open: dict[str, tuple[LiveConversation, Pump]] = {}
        self._asking: set[asyncio.Task[None]] = set()
        self._sending: set[asyncio.Task[None]] = set()
        self._gone = False

    async def receive(self, data: str | bytes) -> None:
        """Take one frame and do what it leads to."""
        if self._flooded or self._messages.take():
            if not self._flooded:
                self._flooded = True
                self._transport.close(CloseCode.FLOODING, "Too many messages. Slow down.")
            return
        await self._act(self._session.receive(data))

    async def hello_timed_out(self) -> None:
        """The time for `hello` is over."""
        await self._act(self._session.hello_timed_out())

    async def going_away(self) -> None:
        """The server stops; what was not accepted yet will be sent again to the next one."""
        for task in self._sending:
            task.cancel()
        await self._act(self._session.going_away())

    def drained(self) -> None:
        """What was written has left; cursors that stayed go on."""
        for _, pump in self._open.values():
            pump.advance()

    def closed(self) -> None:
        """The transport is gone. Runs go on without it, and what was sent is still accepted."""
        self._gone = True
        self._hub.served.remove(self._served)
        self._hub.tools.remove(self._workshop)
        self._hub.rooms.remove(self._user, self._guest)
        for task in self._asking:
            task.cancel()
        for conversation in list(self._open):
            self._leave(conversation)

    async def _act(self, actions: list[ServerFrame | Wish | Close]) -> None:
        for action in actions:
            if isinstance(action, Close):
                self._transport.close(action.code, action.reason)
            elif isinstance(action, Ack):
                self._ack(action)
            elif isinstance(action, Presence):
                self._hub.rooms.show(self._user, self._guest, action)
            elif isinstance(action, Said | Done | Asking | Returned):
                self._told(action)
            elif isinstance(action, _PACED) and (wait := self._requests.take()):
                many = RateLimited(
                    "This client asks too much at once (c.StreamChat.requests_per_second).",
                    retry_after=math.ceil(wait * 10) / 10,
                )
                self._write(Fail(id=action.id, error=many.info))
            # Providers tell their models, and with them the default one, when they like, and a
            # first search reads much; a stop must not wait behind that.
            elif isinstance(action, Models | List):
                self._spawn(action, self._asking)
            elif isinstance(action, Send):
                self._spawn(action, self._sending)
                # It takes its place in the conversation before the next frame is looked at.
                await asyncio.sleep(0)
            elif isinstance(action, _IN_TURN):
                await self._answer(action)
            else:
                self._write(action)

    def _spawn(self, request: Models | List | Send, tasks: set[asyncio.Task[None]]) -> None:
        task = asyncio.ensure_future(self._answer(request))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    async def _answer(self, request: Request) -> None:
        try:
            await self._carry_out(request)
        except StreamChatError as error:
            self._write(Fail(id=request.id, error=error.info))
        except Exception:  # noqa: BLE001 - one request's fault must not cost the connection
            self._log.exception("A %s failed", type(request).__name__)
            fault = Internal(
                "The relay failed. The Jupyter server's log says more.", retryable=True
            )
            self._write(Fail(id=request.id, error=fault.info))

    async def _carry_out(self, request: Request) -> None:
        match request:
            case Models(id=frame_id):
                catalog = await self._hub.catalog()
                self._write(
                    ModelsOk(
                        id=frame_id,
                        models=catalog.models,
                        default=catalog.default,
                        problems=catalog.problems,
                    )
                )
            case Open():
                await self._follow(request)
            case Leave(id=frame_id, conversation=conversation):
                self._leave(conversation)
                self._write(LeaveOk(id=frame_id))
            case Send(id=frame_id, run=run):
                message, duplicate = await self._hub.send(self._user, request)
                self._write(SendOk(id=frame_id, run=run, message=message, duplicate=duplicate))
            case Serve(id=frame_id, model=name):
                model = self._hub.served.add(self._user, name, self._served)
                self._write(ServeOk(id=frame_id, model=model))
            case Offer(id=frame_id):
                self._hub.tools.offer(self._user, request, self._workshop)
                self._write(OfferOk(id=frame_id))
            case Approve(id=frame_id):
                self._hub.tools.approve(self._user, request)
                self._write(ApproveOk(id=frame_id))
            case Rate(id=frame_id):
                await self._hub.shelf.rate(self._user, request)
                self._write(RateOk(id=frame_id))
            case Rename(id=frame_id):
                title = await self._hub.shelf.rename(self._user, request)
                self._write(RenameOk(id=frame_id, title=title))
            case List(id=frame_id, limit=limit, before=place, search=search):
                # Before it is asked for: what changes meanwhile is not in it.
                self._hub.rooms.list(self._user, self._guest)
                before = None if place is None else (place.used, place.id)
                told = await self._hub.shelf.overview(
                    self._user, limit=limit, before=before, search=search
                )
                self._write(ListOk(id=frame_id, conversations=told.conversations, more=told.more))
            case Delete(id=frame_id, conversation=conversation):
                await self._hub.shelf.delete(self._user, conversation)
                self._write(DeleteOk(id=frame_id, restorable_s=RESTORE_S))
            case Restore(id=frame_id, conversation=conversation):
                await self._hub.shelf.restore(self._user, conversation)
                self._write(RestoreOk(id=frame_id))
            case Export(id=frame_id):
                name, text = await self._hub.shelf.export(self._user, request)
                self._write(ExportOk(id=frame_id, name=name, text=text))
            case Stop(id=frame_id, run=run):
                state = await self._hub.stop(self._user, run)
                self._write(StopOk(id=frame_id, state=state))
            case _:
                assert_never(request)

    def _told(self, told: Told) -> None:
        """What the client says of a call that it was asked for."""
        match told:
            case Said():
                self._served.said(told)
            case Done():
                self._served.done(told)
            case Asking():
                self._hub.tools.asking(self._user, told)
            case Returned():
                self._hub.tools.returned(self._user, told)
            case _:
                assert_never(told)

    async def _follow(self, request: Open) -> None:
        async with self._hub.conversation(self._user, request.conversation) as live:
            log, after = live.log, request.after
            same = request.epoch in {None, log.epoch}
            if after is None or not same:
                await live.catch_up()
            if self._gone:
                return
            if live.deleted:
                self._leave(live.id)
                self._hub.rooms.join(self._user, live.id, self._guest)
                self._write(Deleted(conversation=live.id, restorable=log.head > 0))
                live.check()
            if after is not None and same and not 0 <= after <= log.head:
                raise BadCursor(
                    f"`after` is {after}, but this log goes from 0 to {log.head}. "
                    "Open without `after` for the whole conversation."
                )
            self._leave(request.conversation)
            self._write(OpenOk(id=request.id, conversation=live.id, epoch=log.epoch, head=log.head))
            if after is None or not same:
                after = log.head
                self._write(
                    Snapshot(conversation=live.id, epoch=log.epoch, seq=after, state=live.state)
                )
            pump = Pump(log, self._transport, after, window=self._window)
            self._open[request.conversation] = (live, pump)
            self._hub.rooms.join(self._user, live.id, self._guest)
            pump.advance()

    def _heard(self, frame: ServerFrame) -> None:
        """What is told to everybody in a room."""
        if isinstance(frame, Deleted):
            self._close(frame.conversation)
        self._write(frame)

    def _leave(self, conversation: str) -> None:
        self._hub.rooms.leave(self._user, conversation, self._guest)
        self._close(conversation)

    def _close(self, conversation: str) -> None:
        opened = self._open.pop(conversation, None)
        if opened is not None:
            live, pump = opened
            pump.close()
            self._hub.release(live)

    def _ack(self, ack: Ack) -> None:
        opened = self._open.get(ack.conversation)
        if opened is not None:
            opened[1].ack(ack.seq)

    def _write(self, frame: ServerFrame) -> None:
        if not self._gone:
            self._transport.write((encode(frame),))
