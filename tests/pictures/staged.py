"""A relay that tells one conversation as it was staged, in the product's own frames.

`Staged(events)` is a conversation after these events. `StagedRelay(page)` answers the page's socket
and what is asked beside it: `relay.conversations[id] = staged` before a view opens it, and
`relay.tell(id, events)` for what happens then.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import Page, Route, WebSocketRoute

from streamchat_relay.model import Conversation, ErrorInfo, Event, ModelInfo, fold
from streamchat_relay.model.overview import ConversationInfo
from streamchat_relay.protocol.codec import decode_client_frame, encode
from streamchat_relay.protocol.frames import (
    Bye,
    Deleted,
    Events,
    Hello,
    Limits,
    List,
    ListOk,
    Models,
    ModelsOk,
    Open,
    OpenOk,
    Presence,
    Snapshot,
    View,
    Views,
    Welcome,
)

NOW = dt.datetime(2026, 11, 28, 12, tzinfo=dt.timezone.utc)
"""When all pictures are taken."""
MODELS = (
    ModelInfo(id="anthropic/claude-opus-5", provider="anthropic", name="claude-opus-5"),
    ModelInfo(id="ollama/qwen4:8b", provider="ollama", name="qwen4:8b", capabilities=("text",)),
    ModelInfo(id="openai/gpt-6", provider="openai", name="gpt-6", capabilities=("text", "image")),
)


@dataclass
class Staged:
    """What a page that opens the conversation is told."""

    events: tuple[Event, ...] = ()
    spendings: dict[str, Any] = field(default_factory=lambda: {"tokens_today": {"used": 0}})
    refused: ErrorInfo | None = None
    """Why the server sends the page away."""
    views: tuple[View, ...] = ()
    """Who else looks at it."""
    deleted: bool = False

    @property
    def state(self) -> Conversation:
        """The conversation after its events."""
        return fold(Conversation(), self.events)


class StagedRelay:
    """The relay of a page, whose every answer is staged."""

    def __init__(self, page: Page) -> None:
        self.conversations: dict[str, Staged] = {}
        self.blobs: dict[str, tuple[str, bytes]] = {}
        """Kept files by hash: their type and bytes."""
        self.refused: ErrorInfo | None = None
        self.all: tuple[ConversationInfo, ...] = ()
        self._page = page
        self._readers: dict[str, WebSocketRoute] = {}

    def tell(self, conversation: str, events: Sequence[Event]) -> None:
        """What happens in a conversation that a view has opened."""
        staged = self.conversations[conversation]
        seq = len(staged.events)
        staged.events = (*staged.events, *events)
        frame = Events(
            conversation=conversation,
            epoch="e",
            first=seq + 1,
            to=seq + len(events),
            events=tuple(events),
        )
        self._readers[conversation].send(encode(frame).decode())

    async def listen(self) -> None:
        """Stand where the page looks for its relay."""
        await self._page.route_web_socket(re.compile(r"/streamchat/ws"), self._greet)
        await self._page.route(re.compile(r"/streamchat/usage"), self._tell_usage)
        await self._page.route(re.compile(r"/streamchat/blobs/"), self._give)

    def staged(self, conversation: str) -> Staged:
        """What was staged; else a conversation that is empty yet."""
        return self.conversations.get(conversation, Staged())

    def _greet(self, socket: WebSocketRoute) -> None:
        socket.on_message(lambda data: self._answer(socket, data))

    async def _answer(self, socket: WebSocketRoute, data: str | bytes) -> None:
        def tell(frame: Any) -> None:
            socket.send(encode(frame).decode())

        match decode_client_frame(data):
            case Hello() if self.refused is not None:
                tell(Bye(error=self.refused))
                await socket.close(code=4403)
            case Hello():
                limits = Limits(max_blob_bytes=20 * 2**20)
                tell(
                    Welcome(
                        session="staged", user="you", heartbeat_s=900, limits=limits, version="0"
                    )
                )
            case Models(id=id_):
                tell(ModelsOk(id=id_, models=MODELS, default=MODELS[0].id, problems=()))
            case Open(id=id_, conversation=conversation):
                staged = self.staged(conversation)
                seq = len(staged.events)
                self._readers[conversation] = socket
                tell(OpenOk(id=id_, conversation=conversation, epoch="e", head=seq))
                tell(Snapshot(conversation=conversation, epoch="e", seq=seq, state=staged.state))
                if staged.deleted:
                    tell(Deleted(conversation=conversation, restorable=True))
            case Presence(conversation=conversation):
                views = self.staged(conversation).views
                tell(Views(conversation=conversation, views=views))
            case List(id=id_):
                tell(ListOk(id=id_, conversations=self.all, more=False))
            case _:
                # What a person does then stays without an answer: the state stands still.
                return

    async def _tell_usage(self, route: Route) -> None:
        found = re.search(r"conversation=([\w-]+)", route.request.url)
        staged = self.staged(found.group(1) if found else "")
        await route.fulfill(json=staged.spendings)

    async def _give(self, route: Route) -> None:
        request = route.request
        sha256 = request.url.rpartition("/")[2]
        if request.method == "PUT":
            kind = request.headers.get("content-type", "")
            data = request.post_data_buffer or b""
            self.blobs[sha256] = (kind, data)
            size = len(data)
            part = {"url": f"blob:sha256/{sha256}", "media_type": kind, "size": size}
            await route.fulfill(json={"type": "file", **part})
        else:
            kind, data = self.blobs[sha256]
            await route.fulfill(body=data, content_type=kind)
