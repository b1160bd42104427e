"""Fakes for the relay's ports: a provider that says what a test tells it, a transport, a clock.

To make a provider fail in a new way, settle `FakeCall.ended` with the exception. To make a
transport slow, set `busy` and call `Connection.drained` after clearing it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import msgspec

from streamchat_relay.model import (
    Catalog,
    FinishOutput,
    ModelInfo,
    ModelUnknown,
    Output,
    TextOutput,
    Usage,
    UsageOutput,
)
from streamchat_relay.protocol.server import ServerSession
from streamchat_relay.relay.connection import Connection
from streamchat_relay.relay.hub import Hub
from streamchat_relay.relay.ports import Call, Sink


class FakeClock:
    """A clock that stands still until `advance`."""

    def __init__(self) -> None:
        self._now = 1000.0
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def now(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        """Let this time pass, and wake who slept so long."""
        self._now += seconds
        for until, woken in self._sleepers:
            if until <= self._now and not woken.done():
                woken.set_result(None)

    @property
    def sleeping(self) -> int:
        """How many sleep."""
        return sum(not woken.done() for _, woken in self._sleepers)

    async def sleep(self, seconds: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self._now + seconds, woken))
        await woken


class FakeCall:
    """One call of a `FakeProvider`: push into it, then let it end.

    It is its own source: `paused` says whether the relay wants it to wait.
    """

    def __init__(self, call: Call, sink: Sink) -> None:
        self.call = call
        self.sink = sink
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.closed = False
        self.paused = False
        self.pauses = 0

    def pause(self) -> None:
        self.paused = True
        self.pauses += 1

    def resume(self) -> None:
        self.paused = False

    def text(self, *deltas: str) -> None:
        """Say these deltas in one read."""
        self.sink.push([TextOutput(delta) for delta in deltas])

    def push(self, *outputs: Output) -> None:
        """Say anything in one read."""
        self.sink.push(outputs)

    def finish(self, usage: Usage | None = None) -> None:
        """Say that the answer is complete, and return."""
        if usage is not None:
            self.sink.push([UsageOutput(usage)])
        self.sink.push([FinishOutput("stop", "stop")])
        self.ended.set_result(None)


class FakeProvider:
    """Answers nothing by itself; `await next_call()` gives the test the other end."""

    def __init__(self, name: str = "fake") -> None:
        self.name = name
        self.reads: int | None = None
        self.count = 0
        self._calls: asyncio.Queue[FakeCall] = asyncio.Queue()

    def context(self, model: str) -> int | None:
        return self.reads

    async def stream(self, call: Call, sink: Sink) -> None:
        fake = FakeCall(call, sink)
        self.count += 1
        self._calls.put_nowait(fake)
        try:
            with call.drawing(fake):
                await fake.ended
        finally:
            fake.closed = True

    async def next_call(self) -> FakeCall:
        """The next call, once the relay makes it."""
        return await self._calls.get()


class FakeRegistry:
    """Knows one provider, `fake`, with one model, `fake/one`."""

    def __init__(self, provider: FakeProvider) -> None:
        self.provider = provider

    def resolve(self, model: str) -> tuple[FakeProvider, str]:
        provider, _, name = model.partition("/")
        if provider != self.provider.name:
            raise ModelUnknown(f"No model {model!r}. Did you mean 'fake/one'?")
        return self.provider, name

    async def catalog(self) -> Catalog:
        return Catalog(
            models=(ModelInfo(id="fake/one", provider="fake", name="one"),), default="fake/one"
        )

    async def default_model(self) -> str:
        return "fake/one"


class FakeTransport:
    """Keeps the frames that were written."""

    def __init__(self) -> None:
        self.busy = False
        self.frames: list[dict[str, Any]] = []
        self.sizes: list[int] = []
        self.writes = 0
        self.close_code: int | None = None

    def write(self, frames: Sequence[bytes]) -> None:
        self.writes += 1
        self.frames += [json.loads(frame) for frame in frames]
        self.sizes += [len(frame) for frame in frames]

    def close(self, code: int, reason: str) -> None:
        self.close_code = code

    def take(self) -> list[dict[str, Any]]:
        """The frames since the last time."""
        frames, self.frames = self.frames, []
        return frames


class FakeClient:
    """A client of a hub, without a socket."""

    def __init__(self, hub: Hub, user: str = "ada", clock: FakeClock | None = None) -> None:
        self.transport = FakeTransport()
        session = ServerSession(session="s1", user=user, version="0")
        self.connection = Connection(hub, user, self.transport, session, clock=clock)

    async def say(self, **frame: Any) -> list[dict[str, Any]]:
        """Send one frame; returns what was written by the time it was carried out."""
        await self.connection.receive(json.dumps(frame))
        return self.transport.take()

    async def hello(self) -> FakeClient:
        """Be greeted."""
        await self.say(type="hello", client="test/1")
        return self

    async def open(self, conversation: str, **fields: Any) -> list[dict[str, Any]]:
        """Follow a conversation."""
        return await self.say(type="open", id="o1", conversation=conversation, **fields)

    async def send(self, run: str, text: str | None = "hi", **fields: Any) -> list[dict[str, Any]]:
        """Start a run in `c1`, or in the `conversation` given."""
        if text is not None:
            fields["message"] = {"parts": [{"type": "text", "text": text}]}
        fields.setdefault("conversation", "c1")
        written = await self.say(type="send", id="x1", run=run, **fields)
        await settle()
        return written + self.transport.take()


def events_in(frames: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The events that these frames carry, in order; fails on a hole."""
    events: list[dict[str, Any]] = []
    expected = None
    for frame in frames:
        if frame["type"] != "events":
            continue
        assert frame["to"] - frame["from"] + 1 == len(frame["events"])
        assert expected in {None, frame["from"]}
        expected = frame["to"] + 1
        events += frame["events"]
    return events


def types(frames: Sequence[dict[str, Any]]) -> list[str]:
    """The types of the events that these frames carry."""
    return [event["type"] for event in events_in(frames)]


def plain(value: Any) -> Any:
    """A value as the JSON it becomes on the wire."""
    return json.loads(msgspec.json.encode(value))


async def settle() -> None:
    """Let everything that is ready on the loop happen."""
    for _ in range(10):
        await asyncio.sleep(0)
