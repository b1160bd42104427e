"""Routes that speak OpenAI's API, so that its clients need no key of a provider's."""

from __future__ import annotations

import json
from typing import Any

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from tornado import iostream, web

from streamchat_relay.hosts import chat_completions
from streamchat_relay.hosts.chat_answers import Writer, reason_of
from streamchat_relay.hosts.chat_completions import Asked
from streamchat_relay.hosts.identity import user_key
from streamchat_relay.hosts.websocket import ACTION, RESOURCE, KernelCheck, check_kernel
from streamchat_relay.model import (
    Abort,
    BadRequest,
    Conversation,
    ErrorEvent,
    Event,
    Finish,
    ReasoningDelta,
    StreamChatError,
    TextDelta,
    Truncated,
    error_from,
    reduce,
)
from streamchat_relay.relay.aside import Aside
from streamchat_relay.relay.hub import Hub

BASE = "/streamchat/openai/v1"
LOST = "The Jupyter server stopped while this answer was written."


class _Completions(web.RequestHandler):
    """What the browser's route and the kernel's have in common once they are let in."""

    _aside: Aside | None = None
    hub: Hub

    def on_connection_close(self) -> None:
        """Whoever asked is gone: nobody pays for what nobody reads."""
        if self._aside is not None:
            self._aside.stop()

    async def complete(self, user: str) -> None:
        """Answer a request."""
        try:
            asked = chat_completions.read(self._body())
            self._aside = aside = await self.hub.aside(
                user, asked.model, asked.messages, asked.params, asked.tools
            )
            writer = Writer(aside.id, asked.model)
            if asked.stream:
                await self._stream(aside, writer, asked)
            else:
                await self._whole(aside, writer)
        except StreamChatError as error:
            self._refuse(error)
        except iostream.StreamClosedError:
            self.on_connection_close()

    async def list_models(self) -> None:
        """Answer with the catalog."""
        self._json(chat_completions.models(await self.hub.catalog()))

    async def _whole(self, aside: Aside, writer: Writer) -> None:
        state = Conversation()
        async for event in aside:
            state = reduce(state, event)
            if isinstance(event, Finish | Abort | ErrorEvent):
                end = _ended(event)
                usage = end.usage if isinstance(end, Finish) else None
                reason = reason_of(end)
                self._json(writer.whole(state.messages[-1], reason, usage))

    async def _stream(self, aside: Aside, writer: Writer, asked: Asked) -> None:
        began = False
        async for event in aside:
            match event:
                case TextDelta(delta=delta):
                    chunks = [writer.chunk({"content": delta})]
                case ReasoningDelta(delta=delta):
                    chunks = [writer.chunk({"reasoning_content": delta})]
                case Finish() | Abort() | ErrorEvent():
                    chunks = self._ending(event, writer, asked, began=began)
                case _:
                    calls = writer.calls(event)
                    if calls is None:
                        continue
                    chunks = [writer.chunk(calls)]
            if not began:
                # Only now: what fails before the first token has a status of its own.
                began = True
                self.set_header("Content-Type", "text/event-stream; charset=utf-8")
                self.set_header("Cache-Control", "no-cache")
                self.set_header("X-Accel-Buffering", "no")
                chunks.insert(0, writer.chunk({"role": "assistant", "content": ""}))
            for chunk in chunks:
                self.write(f"data: {json.dumps(chunk)}\n\n")
            await self.flush()
        self.finish("data: [DONE]\n\n")

    @staticmethod
    def _ending(event: Event, writer: Writer, asked: Asked, *, began: bool) -> list[dict[str, Any]]:
        try:
            end = _ended(event)
        except StreamChatError as error:
            if not began:
                raise
            return [chat_completions.error_body(error.info)]
        chunks = [writer.chunk({}, reason_of(end))]
        if asked.counted:
            chunks.append(writer.count(end.usage if isinstance(end, Finish) else None))
        return chunks

    def _body(self) -> Any:
        try:
            return json.loads(self.request.body)
        except (ValueError, RecursionError):
            raise BadRequest("The body is not JSON.") from None

    def _refuse(self, error: StreamChatError) -> None:
        info = error.info
        self.set_status(chat_completions.status_of(info))
        if info.retry_after is not None:
            self.set_header("Retry-After", str(int(info.retry_after) + 1))
        self._json(chat_completions.error_body(info))

    def _json(self, body: dict[str, Any]) -> None:
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps(body))


class _AtServer(_Completions, APIHandler):
    def initialize(self, hub: Hub) -> None:
        self.hub = hub

    def relay_user(self) -> str:
        return user_key(self.identity_provider, self.current_user)


class CompletionsHandler(_AtServer):
    """`POST streamchat/openai/v1/chat/completions`; a Jupyter token is the `api_key`."""

    @web.authenticated
    @authorized(action=ACTION, resource=RESOURCE)  # type: ignore[untyped-decorator]
    async def post(self) -> None:
        """Answer a request."""
        await self.complete(self.relay_user())


class OpenAIModelsHandler(_AtServer):
    """`GET streamchat/openai/v1/models`."""

    @web.authenticated
    @authorized(action=ACTION, resource=RESOURCE)  # type: ignore[untyped-decorator]
    async def get(self) -> None:
        """Answer with the catalog."""
        await self.list_models()


class _AtDoor(_Completions):
    def initialize(self, capability: str, runs_kernel: KernelCheck, hub: Hub, user: str) -> None:
        self._capability = capability
        self._runs_kernel = runs_kernel
        self.hub = hub
        self._user = user

    def check(self, kernel_id: str) -> None:
        """Let a kernel of this server in, which shows the capability as its key."""
        check_kernel(self, self._capability, self._runs_kernel, kernel_id)


class DoorCompletionsHandler(_AtDoor):
    """The same at the side door, for kernels."""

    async def post(self, kernel_id: str) -> None:
        """Answer a request."""
        self.check(kernel_id)
        await self.complete(self._user)


class DoorModelsHandler(_AtDoor):
    """The same at the side door, for kernels."""

    async def get(self, kernel_id: str) -> None:
        """Answer with the catalog."""
        self.check(kernel_id)
        await self.list_models()


def _ended(event: Event) -> Finish | Abort:
    """How it ended, where that leaves an answer; raises what it failed with."""
    match event:
        case Finish():
            return event
        case Abort(reason="budget"):
            return event
        case ErrorEvent(error=info):
            raise error_from(info)
        case _:
            raise Truncated(LOST)
