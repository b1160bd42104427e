"""The handle: a conversation as a kernel holds it, with its settings and its place in the tree."""

from __future__ import annotations

import re
import secrets
import time
import weakref
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from jupyter_streamchat.cassette import Take, append
from jupyter_streamchat.client import RelayClient
from jupyter_streamchat.connect import connect
from jupyter_streamchat.following import Following
from jupyter_streamchat.functions import FunctionModel
from jupyter_streamchat.loop import POLL_S
from jupyter_streamchat.recording import Recording
from jupyter_streamchat.reply import Reply
from jupyter_streamchat.structured import Shape
from jupyter_streamchat.tools import TIMEOUT_S, Approve, Tool
from streamchat_relay.model import (
    BadRequest,
    Conversation,
    FilePart,
    TextPart,
    TimedOut,
    check_size,
)
from streamchat_relay.model.spendings import BUDGET_PARAM

OPEN_TIMEOUT_S = 15.0
TITLE_LENGTH = 120
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Handle:
    """What a chat knows of its conversation, and how it asks."""

    def __init__(
        self,
        model: str | Callable[..., Any] | None = None,
        *,
        system: str | None = None,
        tools: Iterable[Callable[..., Any] | Tool] = (),
        params: dict[str, Any] | None = None,
        conversation: str | None = None,
        budget: int | None = None,
    ) -> None:
        if conversation is None:
            conversation = secrets.token_urlsafe(18)
        elif not isinstance(conversation, str) or not _ID.fullmatch(conversation):
            raise BadRequest(
                "`conversation` must be an id: 1 to 64 of the characters A-Z a-z 0-9 - _."
            )
        self._conversation = conversation
        self._function = FunctionModel(model) if callable(model) else None
        self._model = self._function.id if self._function else _text("model", model)
        self._system = _text("system", system)
        self._params = _sendable(params or {})
        self._tools = {tool.name: tool for tool in map(_tool, tools)}
        check_size(tuple(tool.spec for tool in self._tools.values()))
        self.budget = self._params.get(BUDGET_PARAM) if budget is None else budget
        # Where it goes on: after this message, and then after its own answers. None: the newest.
        self._leaf: str | None = None
        self._tip: Reply | None = None
        # Where answers are kept with their times.
        self._cassette: Path | None = None
        self._client: RelayClient | None = None
        self._following: Following | None = None
        self._replies: weakref.WeakSet[Reply] = weakref.WeakSet()

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
        """The system prompt; may be set, for the prompts that follow."""
        return self._system

    @system.setter
    def system(self, text: str | None) -> None:
        self._system = _text("system", text)
        self._changed()

    @property
    def budget(self) -> int | None:
        """Tokens that the conversation may use in all, asked and answered; may be set or None."""
        return self._params.get(BUDGET_PARAM)

    @budget.setter
    def budget(self, tokens: int | None) -> None:
        if tokens is None:
            self._params.pop(BUDGET_PARAM, None)
        elif not isinstance(tokens, int) or isinstance(tokens, bool) or tokens < 0:
            raise BadRequest(f"`budget` must be a whole number of tokens, not {tokens!r}.")
        else:
            self._params[BUDGET_PARAM] = tokens
        self._changed()

    @property
    def title(self) -> str:
        """What the conversation is called, here and in the page; may be set, or empty.

        The first use waits for the relay. Raises `NotFound` where it is set before anything was
        said.

        >>> from jupyter_streamchat import Chat
        >>> chat = Chat("demo/echo")
        >>> reply = chat.send("How do tides work?").wait()
        >>> chat.title = "Of tides"
        >>> Chat.list()[0].title
        'Of tides'
        """
        return self._state().title

    @title.setter
    def title(self, text: str) -> None:
        if not isinstance(text, str) or len(text) > TITLE_LENGTH:
            raise BadRequest(f"`title` must be a str of at most {TITLE_LENGTH} characters.")
        client, _ = self._connected()
        client.rename(self._conversation, text)

    def delete(self) -> None:
        """Delete the conversation at the relay, and stop what is answered in it.

        It is in no list any more, and every view says that it was deleted. For ten minutes
        `restore` takes that back; then its text and its files are gone from the server's disk.
        What notebooks and exports hold of it stays. Raises `NotFound` where nothing was said yet.

        >>> from jupyter_streamchat import Chat
        >>> chat = Chat("demo/echo")
        >>> reply = chat.send("Forget this").wait()
        >>> chat.delete()
        >>> any(one.id == chat.conversation for one in Chat.list())
        False
        >>> chat.restore()
        >>> len(chat.messages)
        2
        """
        connect().delete(self._conversation)

    def restore(self) -> None:
        """Take a deletion back; raises `NotFound` where it is too late."""
        connect().restore(self._conversation)

    @property
    def tools(self) -> tuple[Tool, ...]:
        """What the model may call here, in this kernel."""
        return tuple(self._tools.values())

    def tool(
        self,
        function: Callable[..., Any] | None = None,
        *,
        approve: Approve | None = None,
        timeout: float = TIMEOUT_S,
    ) -> Any:
        """Let the model call a function of yours: a decorator, with or without options.

        The function has typed arguments and a docstring, and may be `async`. It runs in this
        kernel, in a thread. Before each call a person is asked in the widget, unless `approve` is
        True, for what has no side effects, or a function that decides. What it raises, and what
        it returns after `timeout` seconds, its model hears as an error. Returns the function.
        Raises `BadRequest` for what cannot be a tool.

        >>> from jupyter_streamchat import Chat
        >>> chat = Chat("demo/tools")
        >>> @chat.tool(approve=True)
        ... def temperature(city: str) -> str:
        ...     "The temperature in a city."
        ...     return "4 °C"
        >>> reply = chat.send("What is the temperature in 'Oslo'?").wait()
        >>> reply.tool_calls[0].input, reply.tool_calls[0].output
        ({'city': 'Oslo'}, '4 °C')
        """
        if function is None:
            return partial(self.tool, approve=approve, timeout=timeout)
        tool = Tool(function, approve=approve, timeout=timeout)
        tools = {**self._tools, tool.name: tool}
        check_size(tuple(one.spec for one in tools.values()))
        self._tools = tools
        if self._client is not None and self._following is not None:
            self._client.offer(self._conversation, self._tools)
        return function

    @property
    def params(self) -> dict[str, Any]:
        """What goes to the provider with every prompt (a copy)."""
        return dict(self._params)

    def _changed(self) -> None:
        """What goes with every prompt is another from here on."""

    def _ask(
        self,
        parts: tuple[TextPart | FilePart, ...],
        *,
        parent: str | None,
        model: str | None,
        schema: Any,
        params: dict[str, Any],
    ) -> Reply:
        told = {**self._params, **_sendable(params)}
        if self._system is not None:
            told.setdefault("system", self._system)
        shape = None if schema is None else Shape(schema)
        if shape is not None:
            told["response_schema"] = shape.spec
        chosen = _text("model", model) or self._model or ""
        client, following = self._connected()
        run, recording = secrets.token_urlsafe(18), Recording()
        reply = Reply(client, following, run, recording, shape)
        client.send(following, run, recording, parts, parent=parent, model=chosen, params=told)
        self._replies.add(reply)
        if self._cassette is not None:
            keep = partial(_keep, self._cassette, parts, recording)
            recording.call_at_end(keep)
        if self._leaf is not None:
            self._tip = reply
        return reply

    def _follows(self) -> str | None:
        """The message that the next prompt follows; None: the newest of all."""
        if self._tip is not None:
            self._leaf = self._tip._message() or self._leaf  # noqa: SLF001 - one of us
            self._tip = None
        return self._leaf

    def _connected(self) -> tuple[RelayClient, Following]:
        client = connect()
        if self._following is None or self._client is not client:
            self._client, self._following = client, client.follow(self._conversation)
            if self._function is not None:
                client.serve(self._function)
            client.offer(self._conversation, self._tools)
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


def _keep(path: Path, parts: tuple[TextPart | FilePart, ...], recording: Recording) -> None:
    prompt = "\n\n".join(part.text for part in parts if isinstance(part, TextPart))
    append(path, Take(prompt, recording.model, tuple(recording.events), again=not parts))


def _tool(given: Callable[..., Any] | Tool) -> Tool:
    return given if isinstance(given, Tool) else Tool(given)


def _text(name: str, value: object) -> str | None:
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
