"""What the tests of providers share: a sink that remembers, calls, and providers at a server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from streamchat_relay.model import (
    FinishOutput,
    Message,
    Output,
    ReasoningOutput,
    TextOutput,
    TextPart,
    UsageOutput,
)
from streamchat_relay.providers import ProviderRegistry, RegistrySettings
from streamchat_relay.providers.anthropic_wire import MessagesDecoder
from streamchat_relay.providers.decoding import StreamDecoder
from streamchat_relay.providers.endpoint import Endpoint
from streamchat_relay.providers.openai_wire import ChatDecoder
from streamchat_relay.relay.ports import Call
from tests.fakes.provider_server import Answer, ProviderServer
from tests.fakes.provider_wires import anthropic_events, openai_events

KEY = "sk-secret-0123456789abcdef"

AT = Endpoint(provider="fake", base_url="http://127.0.0.1:1/v1", key=KEY, key_hint="Set FAKE_KEY.")

WIRES = ("openai", "anthropic")

ENDS = {
    "openai": b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n',
    "anthropic": b'data: {"type":"message_delta","delta":{"stop_reason":"end_turn"}}\n\n'
    b'data: {"type":"message_stop"}\n\n',
}
"""The last events of a whole answer, by wire."""


class Recorder:
    """A sink that keeps all outputs, and how they were batched."""

    def __init__(self) -> None:
        self.batches: list[list[Output]] = []

    def push(self, outputs: Sequence[Output], /) -> None:
        self.batches.append(list(outputs))

    @property
    def outputs(self) -> list[Output]:
        return [output for batch in self.batches for output in batch]

    @property
    def text(self) -> str:
        return "".join(o.delta for o in self.outputs if isinstance(o, TextOutput))

    @property
    def reasoning(self) -> str:
        return "".join(o.delta for o in self.outputs if isinstance(o, ReasoningOutput))

    @property
    def usage(self) -> Any:
        return [o.usage for o in self.outputs if isinstance(o, UsageOutput)][-1]

    @property
    def finish(self) -> FinishOutput | None:
        found = [o for o in self.outputs if isinstance(o, FinishOutput)]
        return found[0] if found else None


def call(prompt: str = "Hi", model: str = "fake-1", **params: Any) -> Call:
    message = Message(id="m1", role="user", parts=(TextPart(text=prompt),))
    return Call(model=model, messages=(message,), params=params)


def registry_at(server: ProviderServer, **fields: Any) -> ProviderRegistry:
    """All kinds of providers at one server: `openai`, `anthropic` and the compatible `mine`."""
    settings: dict[str, Any] = {
        "keys": {"openai": KEY, "anthropic": KEY},
        "base_urls": {
            "openai": server.openai_url,
            "anthropic": server.anthropic_url,
            "ollama": "http://127.0.0.1:1/v1",
        },
        "providers": {"mine": {"base_url": server.openai_url, "key": KEY}},
        **fields,
    }
    return ProviderRegistry(RegistrySettings(**settings), environ={})


def events_of(wire: str, answer: Answer) -> list[bytes]:
    return (openai_events if wire == "openai" else anthropic_events)(answer)


def saying(wire: str, literal: str) -> bytes:
    """The event that says a text, which is given as a JSON literal."""
    if wire == "openai":
        data = f'{{"choices":[{{"delta":{{"content":{literal}}}}}]}}'
    else:
        data = f'{{"type":"content_block_delta","delta":{{"text":{literal}}}}}'
    return f"data: {data}\n\n".encode()


def decoder_of(wire: str, sink: Recorder) -> StreamDecoder:
    kind = ChatDecoder if wire == "openai" else MessagesDecoder
    return kind(sink, AT, "fake-1", lambda: 1.0)


def decoded(wire: str, pieces: Sequence[bytes]) -> Recorder:
    """What a wire's decoder says about a stream that came whole, in these pieces."""
    sink = Recorder()
    decoder = decoder_of(wire, sink)
    for piece in pieces:
        if decoder.feed(piece):
            break
    decoder.end()
    return sink
