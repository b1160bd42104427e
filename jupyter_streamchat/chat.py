"""A chat: the handle that a user holds on one conversation."""

from __future__ import annotations

import re
import secrets
import time
import weakref
from typing import TYPE_CHECKING, Any

import msgspec

from jupyter_streamchat import display
from jupyter_streamchat.client import RelayClient
from jupyter_streamchat.connect import connect
from jupyter_streamchat.following import Following
from jupyter_streamchat.loop import POLL_S
from jupyter_streamchat.models import Models
from jupyter_streamchat.recording import Recording
from jupyter_streamchat.reply import Reply
from jupyter_streamchat.transcript import conversation_markdown, conversation_text
from streamchat_relay.model import (
    BadRequest,
    Conversation,
    Message,
    StreamChatError,
    TimedOut,
    branch,
)

if TYPE_CHECKING:
    from jupyter_streamchat.widget import StreamChatWidget

OPEN_TIMEOUT_S = 15.0
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_ENDED = frozenset(["done", "interrupted", "error"])


class Chat:
    """One conversation with a model; as a cell's last line it shows the chat widget.

    `model` is `provider/model`; without it the conversation's last one answers, at first the
    server's default. `system` is the system prompt. `params` go to the provider with every prompt:
    `temperature`, `max_tokens` and whatever else it takes. `conversation` is the id of an earlier
    conversation to go on with; without it a new one begins.

    Making a chat asks nothing of the relay; the first use does, and raises `RelayNotFound` where
    there is none.

    >>> chat = Chat("demo/echo", system="Be brief.")
    >>> chat.send("Hello!").wait().finish_reason
    'stop'
    >>> [message.role for message in chat.messages]
    ['user', 'assistant']
    """

    def __init__(
        self,
        model: str | None = None,
        *,
        system: str | None = None,
        params: dict[str, Any] | None = None,
        conversation: str | None = None,
    ) -> None:
        if conversation is None:
            conversation = secrets.token_urlsafe(18)
        elif not isinstance(conversation, str) or not _ID.fullmatch(conversation):
            raise BadRequest(
                "`conversation` must be an id: 1 to 64 of the characters A-Z a-z 0-9 - _."
            )
        self._conversation = conversation
        self._model = _text("model", model)
        self._system = _text("system", system)
        self._params = _sendable(params or {})
        self._client: RelayClient | None = None
        self._following: Following | None = None
        self._replies: weakref.WeakSet[Reply] = weakref.WeakSet()
        self._widget: StreamChatWidget | None = None

    @property
    def conversation(self) -> str:
        """The conversation's id; `Chat(conversation=…)` with it goes on where this one is."""
        return self._conversation

    @property
    def model(self) -> str | None:
        """The model that is asked: the one given, else the conversation's last; None if unknown."""
        if self._model is not None:
            return self._model
        return (self._following.state.settings.model or None) if self._following else None

    @property
    def system(self) -> str | None:
        """The system prompt."""
        return self._system

    @property
    def params(self) -> dict[str, Any]:
        """What goes to the provider with every prompt (a copy)."""
        return dict(self._params)

    @property
    def messages(self) -> tuple[Message, ...]:
        """The messages so far, oldest first, whoever sent them: this kernel or a widget.

        The first use opens the conversation at the relay and waits for it. Raises `RelayNotFound`
        where there is no relay.
        """
        return branch(self._state())

    def send(self, prompt: str, *, model: str | None = None, **params: Any) -> Reply:
        """Send a prompt; the answer starts at once, and this returns without waiting for it.

        `params` hold for this prompt alone, and so does `model` if the chat was made with one;
        otherwise the conversation goes on with it. While an earlier answer is being written, the
        relay queues the prompt behind it. Raises `BadRequest` for an empty prompt and
        `RelayNotFound` where there is no relay; all other errors come from the reply.
        """
        if not isinstance(prompt, str):
            raise BadRequest(f"The prompt must be a str, not {type(prompt).__name__}.")
        if not prompt.strip():
            raise BadRequest("The prompt is empty. Write what you want to ask.")
        try:
            prompt.encode()
        except UnicodeEncodeError as error:
            raise BadRequest(
                f"The prompt has half a character at position {error.start}, as a cut emoji leaves "
                "it. Remove it, for example with `prompt.encode(errors='replace').decode()`."
            ) from None
        told = {**self._params, **_sendable(params)}
        if self._system is not None:
            told.setdefault("system", self._system)
        chosen = _text("model", model) or self._model or ""
        client, following = self._connected()
        run, recording = secrets.token_urlsafe(18), Recording()
        reply = Reply(client, following, run, recording)
        client.send(following, run, recording, prompt, model=chosen, params=told)
        self._replies.add(reply)
        return reply

    def stop(self) -> None:
        """Stop everything that is being answered in this conversation, whoever asked for it."""
        if self._following is None:
            return
        client, following = self._connected()
        for reply in self._replies:
            reply.stop()
        for record in following.state.runs.values():
            if record.state not in _ENDED:
                client.stop(record.id)

    def models(self) -> Models:
        """The models that can be asked now, and why some providers have none.

        >>> "demo/fast" in Chat().models()
        True
        """
        return Models(connect().catalog())

    def __repr__(self) -> str:
        return f"<Chat {self._conversation}{f' with {self.model}' if self.model else ''}>"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        try:
            state = self._state()
        except StreamChatError as error:
            return {"text/plain": error.message, "text/markdown": error.message}
        bundle = {
            "text/plain": conversation_text(state) or repr(self),
            "text/markdown": conversation_markdown(state) or "*(an empty chat)*",
        }
        if not display.in_notebook():
            return bundle
        try:
            return {**self._view(), **bundle}
        except StreamChatError as error:
            return {"text/plain": error.message, "text/markdown": error.message}

    def _view(self) -> dict[str, Any]:
        # ipywidgets takes a third of a second to import, which only displays need to pay.
        from jupyter_streamchat.widget import chat_widget, view  # noqa: PLC0415

        if self._widget is None or self._widget.comm is None:
            params = dict(self._params)
            if self._system is not None:
                params.setdefault("system", self._system)
            self._widget = chat_widget(self._conversation, model=self._model or "", params=params)
        return view(self._widget)

    def _connected(self) -> tuple[RelayClient, Following]:
        client = connect()
        if self._following is None or self._client is not client:
            self._client, self._following = client, client.follow(self._conversation)
        return client, self._following

    def _state(self) -> Conversation:
        _, following = self._connected()
        deadline = time.monotonic() + OPEN_TIMEOUT_S
        while not following.known.wait(POLL_S):
            if time.monotonic() > deadline:
                raise TimedOut(
                    f"The relay did not answer within {OPEN_TIMEOUT_S:.0f} s. Is the Jupyter "
                    "server still running? Try again."
                )
        if following.error is not None:
            raise following.error.with_traceback(None)
        return following.state


def _text(name: str, value: str | None) -> str | None:
    if value is None or isinstance(value, str):
        return value or None
    raise BadRequest(f"`{name}` must be a str, not {type(value).__name__}.")


def _sendable(params: dict[str, Any]) -> dict[str, Any]:
    try:
        # A copy as it will travel, so that later changes of a list in it change nothing.
        copied: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(params), type=dict)
    except (TypeError, ValueError, msgspec.MsgspecError) as error:
        raise BadRequest(f"The parameters cannot be sent as JSON: {error}.") from None
    return copied
