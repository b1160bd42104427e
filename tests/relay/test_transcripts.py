"""Whole conversations between clients, relay and provider, as transcripts that vitest reads too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from streamchat_relay.model import Output, ProviderOverloaded
from streamchat_relay.relay.hub import Hub
from streamchat_relay.stores import MemoryStore
from tests.fakes.relay import (
    FakeCall,
    FakeClient,
    FakeClock,
    FakeProvider,
    FakeRegistry,
    settle,
)

TRANSCRIPTS = sorted((Path(__file__).parent.parent / "transcripts").glob("relay-*.jsonl"))


class Stage:
    """Plays one transcript's steps on a real hub; ids that the relay makes are numbered."""

    def __init__(self) -> None:
        self.provider = FakeProvider()
        self.clock = FakeClock()
        self.hub = Hub(MemoryStore(), FakeRegistry(self.provider), clock=self.clock)
        self._clients: dict[str, FakeClient] = {}
        self._calls: list[FakeCall] = []
        self._names: dict[str, str] = {}

    async def play(self, step: dict[str, Any]) -> dict[str, list[Any]]:
        """What each client gets because of this step."""
        if "client" in step:
            name = step["client"]
            if name not in self._clients:
                self._clients[name] = FakeClient(self.hub, step.get("user", "ada"))
            if step.get("lost"):
                self._clients.pop(name).connection.closed()
            else:
                frame = json.loads(self._real(json.dumps(step["in"])))
                await self._clients[name].connection.receive(json.dumps(frame))
        elif "tick" in step:
            self.clock.advance(step["tick"])
        elif "provider" in step:
            await self._provide(step["provider"])
        await settle()
        return {
            name: [json.loads(self._numbered(json.dumps(frame))) for frame in frames]
            for name, client in self._clients.items()
            if (frames := client.transport.take())
        }

    async def _provide(self, says: list[Any]) -> None:
        if not self._calls or self._calls[-1].ended.done():
            self._calls.append(await self.provider.next_call())
        call = self._calls[-1]
        for one in says:
            if one == "end":
                call.ended.set_result(None)
            elif one == "overloaded":
                call.ended.set_exception(ProviderOverloaded("The provider is full. Try again."))
            else:
                kind = next(kind for kind in Output.__args__ if kind.__name__ == one["is"])
                fields = {name: value for name, value in one.items() if name != "is"}
                call.push(msgspec.convert(fields, kind))

    def _numbered(self, text: str) -> str:
        """Replace ids of the relay's making by `m1`, `m2`, … and epochs by `e1`, …"""
        for value in _made_ids(json.loads(text)):
            kind = "e" if len(value) == 8 else "m"
            taken = sum(name.startswith(kind) for name in self._names.values())
            self._names.setdefault(value, f"{kind}{taken + 1}")
        for real, name in self._names.items():
            text = text.replace(real, name)
        return text

    def _real(self, text: str) -> str:
        for real, name in self._names.items():
            text = text.replace(f'"{name}"', f'"{real}"')
        return text


def _made_ids(value: Any) -> list[str]:
    found: list[str] = []
    if isinstance(value, dict):
        if isinstance(value.get("epoch"), str):
            found.append(value["epoch"])
        if isinstance(value.get("id"), str) and "role" in value:
            found.append(value["id"])
        if "duplicate" in value:
            found.append(value["message"])
        for inner in value.values():
            found += _made_ids(inner)
    elif isinstance(value, list):
        for inner in value:
            found += _made_ids(inner)
    return found


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
async def test_the_relay_follows_the_transcript(path: Path) -> None:
    stage = Stage()
    for number, line in enumerate(path.read_text("utf-8").splitlines()[1:], start=2):
        step = json.loads(line)
        assert await stage.play(step) == step["out"], f"{path.name}:{number}"
    await stage.hub.close()


def test_there_are_transcripts_for_the_relay() -> None:
    assert len(TRANSCRIPTS) >= 4
