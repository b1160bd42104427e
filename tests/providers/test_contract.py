"""One suite for all wires and all providers: what `relay.ports.Provider` promises."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamchat_relay.model import (
    ContextLength,
    FinishOutput,
    ProviderError,
    ProviderOverloaded,
    ProviderRateLimited,
    Truncated,
)
from streamchat_relay.providers import DemoProvider, ProviderRegistry
from tests.fakes.provider_server import Answer, ProviderServer
from tests.providers.kit import (
    ENDS,
    WIRES,
    Recorder,
    call,
    decoded,
    decoder_of,
    events_of,
    saying,
)
from tests.providers.test_sse import cut

WHOLE = Answer(
    deltas=["Grüße", ", ", "日本語 👩‍🔬", "\n\n", "end"],
    reasoning=["Let me", " think"],
    cached=4,
    thought=3,
)

REAL = ["openai/fake-1", "anthropic/fake-1", "mine/fake-1"]


def every(size: int) -> Callable[[bytes], Iterable[bytes]]:
    return lambda stream: (stream[at : at + size] for at in range(0, len(stream), size))


@pytest.mark.parametrize("wire", WIRES)
@given(places=st.lists(st.integers(min_value=0), max_size=30))
def test_any_cut_of_the_wire_gives_the_same_outputs(wire: str, places: list[int]) -> None:
    events = events_of(wire, WHOLE)
    assert decoded(wire, cut(b"".join(events), places)).outputs == decoded(wire, events).outputs


@pytest.mark.parametrize("wire", WIRES)
def test_a_stream_truncated_at_any_byte_is_never_complete(wire: str) -> None:
    events = events_of(wire, WHOLE)
    stream = b"".join(events)
    # Chat Completions are also complete when the body ends by itself after a finish reason.
    ends = len(stream) if wire == "anthropic" else len(b"".join(events[:-2]))
    for at in range(len(stream)):
        sink = Recorder()
        decoder = decoder_of(wire, sink)
        decoder.feed(stream[:at])
        if at < ends:
            with pytest.raises(Truncated):
                decoder.end()
            assert sink.finish is None
        assert WHOLE.text.startswith(sink.text)


@pytest.mark.parametrize("model", REAL)
@pytest.mark.parametrize("ending", ["close", "reset"])
async def test_a_connection_cut_anywhere_in_the_stream_is_truncated(
    server: ProviderServer, registry: ProviderRegistry, model: str, ending: str
) -> None:
    provider, name = registry.resolve(model)
    stream = b"".join(events_of("anthropic" if "anthropic" in model else "openai", WHOLE))
    last = stream.rindex(b"data:")
    for at in [*range(0, last, 97), last]:
        server.answers.append(Answer(wire=stream[:at], ending=ending))  # type: ignore[arg-type]
        sink = Recorder()
        with pytest.raises(ProviderError) as caught:
            await provider.stream(call(model=name), sink)
        # A reset may overtake the headers; then nothing of an answer came.
        assert isinstance(caught.value, Truncated) or (ending == "reset" and not sink.outputs)
        assert sink.finish is None


@pytest.mark.parametrize("model", REAL)
@pytest.mark.parametrize("framing", ["chunked", "length", "close"])
@pytest.mark.parametrize("size", [1, 7, 100_000])
async def test_outputs_are_the_same_however_the_body_is_framed_and_cut(
    server: ProviderServer, registry: ProviderRegistry, model: str, framing: str, size: int
) -> None:
    server.answers.append(
        Answer(
            deltas=WHOLE.deltas,
            reasoning=WHOLE.reasoning,
            cached=4,
            thought=3,
            framing=framing,  # type: ignore[arg-type]
            pieces=every(size),
        )
    )
    provider, name = registry.resolve(model)
    sink = Recorder()
    await provider.stream(call(model=name), sink)
    assert sink.text == WHOLE.text
    assert sink.reasoning == "Let me think"
    assert (sink.usage.input, sink.usage.output) == (11, 7)
    assert (sink.usage.cached, sink.usage.reasoning) == (4, 3)
    assert isinstance(sink.outputs[-1], FinishOutput)
    assert sink.finish is not None
    assert sink.finish.finish_reason == "stop"


@pytest.mark.parametrize("model", REAL)
@pytest.mark.parametrize(
    ("finish", "reason"),
    [
        ("stop", "stop"),
        ("length", "length"),
        ("tool-calls", "tool-calls"),
        ("content-filter", "content-filter"),
        ("something_new", "other"),
    ],
)
async def test_finish_reasons_are_ours_and_keep_the_raw_one(
    server: ProviderServer, registry: ProviderRegistry, model: str, finish: str, reason: str
) -> None:
    server.answers.append(Answer(finish=finish))
    provider, name = registry.resolve(model)
    sink = Recorder()
    await provider.stream(call(model=name), sink)
    assert sink.finish is not None
    assert sink.finish.finish_reason == reason
    assert sink.finish.raw_reason


@pytest.mark.parametrize("wire", WIRES)
def test_all_of_one_read_is_pushed_as_one_batch(wire: str) -> None:
    sink = decoded(wire, [b"".join(events_of(wire, WHOLE))])
    assert len(sink.batches) == 1


@pytest.mark.parametrize("wire", WIRES)
def test_an_error_in_the_stream_comes_after_the_text_before_it(wire: str) -> None:
    events = events_of(wire, Answer(finish=None))
    error = {
        "openai": b'data: {"error":{"message":"x","type":"server_error","code":"server_busy"}}\n\n',
        "anthropic": b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error",'
        b'"message":"Overloaded"}}\n\n',
    }[wire]
    sink = Recorder()
    with pytest.raises(ProviderOverloaded):
        decoder_of(wire, sink).feed(b"".join(events) + error)
    assert sink.text == "Hello, world"
    assert sink.finish is None


@pytest.mark.parametrize(
    ("error", "cls"),
    [
        (b'data: {"error":{"message":"x","code":429}}', ProviderRateLimited),
        (b'data: {"choices":null,"error":{"message":"x","code":429}}', ProviderRateLimited),
        (b'data: {"choices":[],"error":"Overloaded"}', ProviderOverloaded),
        (b'data: [{"error":{"message":"x","code":429}}]', ProviderRateLimited),
        (b'data: {"object":"error","message":"x","code":429}', ProviderRateLimited),
        (b'data: {"message":"x","code":429}', ProviderRateLimited),
        (b'data: {"type":"error","error":null,"message":"Overloaded"}', ProviderOverloaded),
        (b'data: {"message":"x","type":"overloaded_error"}', ProviderOverloaded),
        (b'event: error\ndata: {"message":"x","type":"overloaded_error"}', ProviderOverloaded),
        (b'event: error\ndata: {"code":429,"text":"x"}', ProviderRateLimited),
        (b"event: error\ndata: Overloaded", ProviderOverloaded),
        (
            b'data: {"object":"error","message":"maximum context length is 8","code":400}',
            ContextLength,
        ),
    ],
)
@pytest.mark.parametrize("wire", WIRES)
def test_an_error_in_the_stream_is_known_in_any_wrapping(
    wire: str, error: bytes, cls: type[ProviderError]
) -> None:
    sink = Recorder()
    with pytest.raises(cls):
        decoder_of(wire, sink).feed(saying(wire, '"abc"') + error + b"\n\n" + ENDS[wire])
    assert sink.text == "abc"
    assert sink.finish is None


@pytest.mark.parametrize("wire", WIRES)
def test_what_is_not_the_wire_is_an_error_without_its_text(wire: str) -> None:
    with pytest.raises(ProviderError) as caught:
        decoder_of(wire, Recorder()).feed(b"data: sk-leaked <html>\n\n")
    assert "sk-leaked" not in str(caught.value)


@pytest.mark.parametrize("wire", WIRES)
def test_bytes_that_are_not_utf_8_are_replaced(wire: str) -> None:
    events = [event.replace(b"Hello", b"\xff") for event in events_of(wire, Answer())]
    assert decoded(wire, events).text == "\ufffd, world"


async def test_the_demo_keeps_the_same_promises() -> None:
    sink = Recorder()
    await DemoProvider(rate=1e6).stream(call(model="fast"), sink)
    assert sink.text
    assert isinstance(sink.outputs[-1], FinishOutput)
