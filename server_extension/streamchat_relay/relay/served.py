"""Served models: those that run in a client, which answers for them over its own socket."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable

import msgspec
from typing_extensions import assert_never

from streamchat_relay.model import (
    FinishOutput,
    ModelUnknown,
    Output,
    ReasoningOutput,
    TextOutput,
    ToolCallOutput,
    ToolInputOutput,
    ToolResultOutput,
    Truncated,
    UsageOutput,
    error_from,
)
from streamchat_relay.protocol.frames import Cancel, Done, Piece, Said, ServedCall, ServerFrame
from streamchat_relay.relay.ports import Call, Sink

PROVIDER = "kernel"
"""The first half of their ids."""
GONE = (
    "The kernel that runs this model is gone, or has lost its connection. Run the cell that made "
    "its chat again, and ask once more. What came is kept."
)


class Served:
    """The models of one client: calls travel to it and are answered there."""

    def __init__(self, write: Callable[[ServerFrame], None]) -> None:
        self._write = write
        self._calls: dict[str, tuple[Sink, asyncio.Future[Done]]] = {}

    async def stream(self, call: Call, sink: Sink) -> None:
        """Ask the client; see `relay.ports.Provider`."""
        name = secrets.token_urlsafe(12)
        ended: asyncio.Future[Done] = asyncio.get_running_loop().create_future()
        self._calls[name] = (sink, ended)
        self._write(
            ServedCall(
                call=name,
                model=call.model,
                messages=call.messages,
                params=call.params,
                tools=call.tools,
            )
        )
        try:
            done = await ended
        except asyncio.CancelledError:
            self._write(Cancel(call=name))
            raise
        finally:
            del self._calls[name]
        if done.error is not None:
            raise error_from(done.error)
        if done.usage is not None:
            sink.push([UsageOutput(done.usage)])
        sink.push([FinishOutput(done.finish_reason, done.finish_reason, done.abort)])

    def said(self, said: Said) -> None:
        """Some of an answer; of one that nobody waits for, nothing."""
        known = self._calls.get(said.call)
        if known is not None:
            known[0].push([output for piece in said.pieces for output in _outputs(piece)])

    def done(self, done: Done) -> None:
        """The end of an answer."""
        known = self._calls.get(done.call)
        if known is not None and not known[1].done():
            known[1].set_result(done)

    def gone(self) -> None:
        """The client is gone, and what it was asked stays without an end."""
        for _, ended in self._calls.values():
            if not ended.done():
                ended.set_exception(Truncated(GONE))


class ServedModels:
    """Who serves which model, for each user."""

    def __init__(self) -> None:
        self._served: dict[tuple[str, str], Served] = {}

    def add(self, user: str, model: str, served: Served) -> str:
        """From now on this client answers for it; returns the model's id."""
        self._served[user, model] = served
        return f"{PROVIDER}/{model}"

    def remove(self, served: Served) -> None:
        """The client is gone."""
        self._served = {key: one for key, one in self._served.items() if one is not served}
        served.gone()

    def now(self, user: str, name: str) -> Served | None:
        """Who serves a model at this moment."""
        return self._served.get((user, name))

    def find(self, user: str, model: str) -> tuple[ServedModel, str]:
        """A model, and its name there; raises `ModelUnknown` where nobody serves it."""
        name = model.removeprefix(f"{PROVIDER}/")
        if self.now(user, name) is None:
            raise ModelUnknown(
                f"The model {name!r} runs in a kernel that is gone, or has not begun to serve it. "
                "Run the cell that made its chat, or choose another model."
            )
        return ServedModel(self, user), name


class ServedModel:
    """A `Provider` of one user's models: each call goes to who serves its model then.

    A run outlives a connection of the kernel's: it waits in line, or for a tool, and asks again.
    """

    name = PROVIDER

    def __init__(self, models: ServedModels, user: str) -> None:
        self._models = models
        self._user = user

    def context(self, model: str, /) -> None:
        """Nobody knows how much a function reads."""

    async def stream(self, call: Call, sink: Sink, /) -> None:
        """Ask the client; see `relay.ports.Provider`."""
        served = self._models.now(self._user, call.model)
        if served is None:
            raise Truncated(GONE)
        await served.stream(call, sink)


def _outputs(piece: Piece) -> tuple[Output, ...]:
    match piece.kind:
        case "text":
            return (TextOutput(piece.delta),)
        case "reasoning":
            return (ReasoningOutput(piece.delta),)
        case "tool-call":
            arguments = msgspec.json.encode(piece.value or {}).decode()
            return (ToolCallOutput(piece.id, piece.tool), ToolInputOutput(piece.id, arguments))
        case "tool-result":
            return (ToolResultOutput(piece.id, piece.value, piece.error),)
        case _:
            assert_never(piece.kind)
