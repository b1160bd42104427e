"""A chat: the handle that a user holds on one conversation."""

from __future__ import annotations

import asyncio
import builtins
import os
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from jupyter_streamchat.allowance import Allowance
from jupyter_streamchat.attachments import parts_of
from jupyter_streamchat.batch import ask_all
from jupyter_streamchat.cassette import Cassette
from jupyter_streamchat.connect import connect
from jupyter_streamchat.conversations import Conversations, KeptChat, overview
from jupyter_streamchat.exports import write
from jupyter_streamchat.loop import background
from jupyter_streamchat.models import Models
from jupyter_streamchat.reply import Reply
from jupyter_streamchat.shown import Shown
from streamchat_relay.model import BadRequest, Message, branch

_ENDED = frozenset(["done", "interrupted", "error"])


class Chat(Shown):
    """One conversation with a model; as a cell's last line it shows the chat widget.

    `model` is `provider/model`, or a function of yours (see below); without it the conversation's
    last one answers, at first the server's default. `system` is the system prompt. `params` go to
    the provider with every prompt: `temperature`, `max_tokens` and whatever else it takes.
    `tools` are functions of yours that the model may call, see `tool`.
    `conversation` is the id of an earlier conversation to go on with; without it a new one begins.
    `budget` is how many tokens it may use in all, asked and answered: the relay asks no provider
    for more, and says `BudgetExhausted` where too little is left.

    A function gets the messages, and a `Context` if it takes two arguments, and returns or yields
    text; it may be `async`. It runs in this kernel, in a thread, and streams through the relay as
    any model does: into the widget, with Stop, for as long as the kernel lives.

    Making a chat asks nothing of the relay; the first use does, and raises `RelayNotFound` where
    there is none.

    >>> chat = Chat("demo/echo", system="Be brief.")
    >>> chat.send("Hello!").wait().finish_reason
    'stop'
    >>> [message.role for message in chat.messages]
    ['user', 'assistant']
    >>> def shout(messages):
    ...     yield from (word.upper() + " " for word in messages[-1].text.split())
    >>> Chat(shout).send("be quiet").wait().text
    'BE QUIET '
    """

    @property
    def messages(self) -> tuple[Message, ...]:
        """The messages so far, oldest first, whoever sent them: this kernel or a widget.

        The first use opens the conversation at the relay and waits for it. Raises `RelayNotFound`
        where there is no relay.
        """
        state = self._state()
        leaf = self._follows()
        return () if leaf == "" else branch(state, leaf)

    def send(
        self,
        prompt: object,
        *,
        files: Iterable[object] = (),
        model: str | None = None,
        schema: Any = None,
        **params: Any,
    ) -> Reply:
        """Send a prompt; the answer starts at once, and this returns without waiting for it.

        `prompt` is a text, or anything a model can read: a picture (PIL, matplotlib, bytes, a
        path), a DataFrame (as a summary of bounded size), an object that shows itself as one of
        these, or a list of them; `files` come after it. With `schema` (a msgspec or pydantic type,
        a dataclass, `list[int]`, …) the provider is held to it, and `reply.json()` is its value.

        `params` hold for this prompt alone, and so does `model` if the chat was made with one;
        otherwise the conversation goes on with it. While an earlier answer is being written, the
        relay queues the prompt behind it. Raises `BadRequest` for an empty prompt and for what
        cannot be sent, and `RelayNotFound` where there is no relay; all other errors come from the
        reply.

        >>> Chat("demo/echo").send(["What is this?", b"a few bytes"]).wait().state
        'done'
        """
        parts = parts_of(prompt, files)
        return self._ask(parts, parent=self._follows(), model=model, schema=schema, params=params)

    def regenerate(
        self, message: Message | None = None, *, model: str | None = None, **params: Any
    ) -> Reply:
        """Have a prompt answered once more, by default the newest; the other answers stay.

        `message` is the prompt, or an answer to it, from `messages`. Raises `BadRequest` where
        there is none.
        """
        chosen = message or next((one for one in reversed(self.messages) if _asked(one)), None)
        if chosen is not None and chosen.role == "assistant":
            parent = chosen.parent
        else:
            parent = chosen.id if chosen is not None else None
        if parent is None:
            raise BadRequest("There is no prompt yet that could be answered again.")
        return self._ask((), parent=parent, model=model, schema=None, params=params)

    def edit(
        self,
        message: Message,
        prompt: object,
        *,
        files: Iterable[object] = (),
        model: str | None = None,
        **params: Any,
    ) -> Reply:
        """Ask something else in place of an earlier prompt; what followed it stays in a branch.

        `message` is a prompt from `messages`. Raises `BadRequest` for an answer.
        """
        if message.role != "user":
            raise BadRequest("Only prompts can be edited; an answer can be regenerated.")
        # Empty: before the first message.
        parent = message.parent or ""
        parts = parts_of(prompt, files)
        return self._ask(parts, parent=parent, model=model, schema=None, params=params)

    def fork(self) -> Chat:
        """Another chat that goes on from here in a branch of its own, in the same conversation.

        >>> chat = Chat("demo/echo")
        >>> reply = chat.send("One").wait()
        >>> other = chat.fork()
        >>> reply = other.send("Two").wait()
        >>> len(other.messages), len(chat.fork().messages)
        (4, 4)
        """
        other = Chat(
            self._model,
            system=self._system,
            tools=self.tools,
            params=self._params,
            conversation=self._conversation,
        )
        other._function = self._function
        messages = self.messages
        other._leaf = messages[-1].id if messages else ""
        return other

    def map(
        self,
        prompts: Iterable[object],
        *,
        concurrency: int = 8,
        progress: bool = True,
        **options: Any,
    ) -> builtins.list[Reply]:
        """Ask many prompts, each as if it were the next here, and wait for all of the answers.

        At most `concurrency` are answered at once; with `progress` a bar of tqdm shows how far
        it is, if tqdm is installed. `options` are those of `send`. An answer that fails is among
        the replies with its `error`. Interrupting stops those that run.
        """
        return ask_all(self.fork(), prompts, concurrency, progress=progress, **options)

    def clear(self) -> None:
        """Go on in a new, empty conversation; the old one stays where it is."""
        self._conversation = secrets.token_urlsafe(18)
        self._following, self._leaf, self._tip = None, None, None
        if self._widget is not None:
            self._widget.conversation = self._conversation
            # What is typed there has the tools, too.
            self._connected()

    def export(self, path: str | os.PathLike[str]) -> Path:
        """Write the conversation to a file: `.md`, `.jsonl` (a message a line) or `.ipynb`.

        Returns the path. Raises `BadRequest` for another ending.
        """
        return write(self._state(), self._follows(), Path(path))

    def record(self, path: str | os.PathLike[str]) -> None:
        """From now on keep what is answered here, with its times, in a cassette.

        Each answer that this chat asks for is added to the file when it has ended, however it did;
        those of `map` and of a fork are not.
        """
        self._cassette = Path(path)

    @classmethod
    def replay(cls, path: str | os.PathLike[str], *, speed: float = 1.0) -> Chat:
        """A chat that answers from a cassette: the same deltas at the same times, no provider.

        `speed` 2 is twice as fast, `float("inf")` at once. Raises `BadRequest` for a file that is
        no cassette.
        """
        # What has ended by now is written in the loop's turn in which it ended.
        background().run(asyncio.sleep(0))
        return cls(Cassette(path, speed=speed))

    def to_dict(self) -> dict[str, Any]:
        """What `from_dict` makes this chat of again, as JSON can hold it; its tools are not in it.

        A chat with a function has the function's name in it, which answers while its kernel lives.
        """
        return {
            "conversation": self._conversation,
            "model": self._model,
            "system": self._system,
            "params": self.params,
        }

    @classmethod
    def list(
        cls, search: str = "", *, limit: int = 50, before: KeptChat | None = None
    ) -> Conversations:
        """Your conversations at the relay, the one used last first.

        With `search` those whose title, prompts and answers hold all of its words, whatever their
        case and accents. At most `limit` (1 to 1,000) of them; those after `before`, which is one
        of an earlier list. Raises `BadRequest` for another limit, and `RelayNotFound` where there
        is no relay.

        >>> reply = Chat("demo/echo").send("What was it again?").wait()
        >>> Chat.list()[0].title
        'What was it again?'
        >>> Chat.list("WAS it")[0].open().messages[-1].role
        'assistant'
        """
        return Conversations(overview(limit, before, search), cls)

    @classmethod
    def from_dict(cls, saved: dict[str, Any]) -> Chat:
        """The chat that `to_dict` was asked of; its messages are where they were, at the relay.

        >>> chat = Chat("demo/echo")
        >>> Chat.from_dict(chat.to_dict()).conversation == chat.conversation
        True
        """
        known = {"conversation", "model", "system", "params"}
        if not isinstance(saved, dict) or not saved.keys() <= known:
            raise BadRequest(f"This is no chat: a dictionary of {', '.join(sorted(known))} is.")
        return cls(
            saved.get("model"),
            system=saved.get("system"),
            params=saved.get("params"),
            conversation=saved.get("conversation"),
        )

    def unfinished(self) -> builtins.list[str]:
        """The ids of the runs that have not ended yet, whoever asked for them."""
        runs = () if self._following is None else self._following.state.runs.values()
        return [record.id for record in runs if record.state not in _ENDED]

    def stop(self) -> None:
        """Stop everything that is being answered in this conversation, whoever asked for it."""
        if self._following is None:
            return
        client, _ = self._connected()
        for reply in self._replies:
            reply.stop()
        for run in self.unfinished():
            client.stop(run)

    def models(self) -> Models:
        """The models that can be asked now, and why some providers have none.

        >>> "demo/fast" in Chat().models()
        True
        """
        return Models(connect().catalog())

    def usage(self) -> Allowance:
        """What you have used today and this conversation in all, and what is left of a limit.

        A `budget` of the chat's own is among them.

        >>> "tokens used today" in repr(Chat("demo/echo").usage())
        True
        """
        return Allowance(connect().spendings(self._conversation), budget=self.budget)

    def __repr__(self) -> str:
        return f"<Chat {self._conversation}{f' with {self.model}' if self.model else ''}>"


def _asked(message: Message) -> bool:
    return message.role == "user"
