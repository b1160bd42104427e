"""Never a false "done": every provider's answer, cut at every byte, is an error with what came."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator

import pytest

from streamchat_relay.model import ProviderError, Truncated
from streamchat_relay.providers import ProviderRegistry, RegistrySettings
from tests.providers.kit import KEY, Recorder, call, decoder_of
from tests.providers.raw_answers import ANSWERS, DONE, RawAnswer

SHORTEST = "llama.cpp and vLLM"
FRAMINGS = {
    "chunked": b"Transfer-Encoding: chunked",
    "length": b"Content-Length: %d",
    "close": b"Connection: close",
}


def response(answer: RawAnswer, framing: str) -> bytes:
    """All bytes that a server sends, from its status line on."""
    field, body = FRAMINGS[framing], answer.stream
    if framing == "length":
        field %= len(body)
    elif framing == "chunked":
        chunks = [b"%x\r\n%b\r\n" % (len(event), event) for event in answer.events]
        body = b"".join([*chunks, b"0\r\n\r\n"])
    return b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n%b\r\n\r\n%b" % (field, body)


def enough(answer: RawAnswer, framing: str) -> int:
    """How many of these bytes are a whole answer: to the end of the event that says that it is."""
    whole = response(answer, framing)
    last = answer.events[-1]
    # Chunked, the event is there before its chunk has ended.
    return whole.rindex(last) + len(last)


class Cutter:
    """Answers each request with the next so many bytes, then ends the connection."""

    def __init__(self) -> None:
        self.bytes = b""
        self.port = 0

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        await reader.readexactly(int(head.split(b"content-length: ")[1].split(b"\r\n")[0]))
        writer.write(self.bytes)
        writer.close()


@pytest.fixture
async def cutter() -> AsyncIterator[Cutter]:
    made = Cutter()
    server = await asyncio.start_server(made.handle, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    server.close()
    await asyncio.sleep(0)


@pytest.fixture
async def cut(cutter: Cutter) -> AsyncIterator[ProviderRegistry]:
    url = f"http://127.0.0.1:{cutter.port}"
    registry = ProviderRegistry(
        RegistrySettings(
            keys={"openai": KEY, "anthropic": KEY},
            base_urls={"openai": f"{url}/v1", "anthropic": url},
        ),
        environ={},
    )
    yield registry
    await registry.close()


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("name", ANSWERS)
async def test_a_connection_cut_at_any_byte_is_an_error_and_only_a_whole_answer_is_done(
    cutter: Cutter, cut: ProviderRegistry, name: str, framing: str
) -> None:
    answer = ANSWERS[name]
    whole, end = response(answer, framing), enough(answer, framing)
    provider, model = cut.resolve(f"{answer.wire}/fake-1")
    # The others at some bytes: their decoder is asked about every one below.
    step = 1 if framing == "chunked" and name == SHORTEST else 31
    for at in {*range(0, len(whole), step), end - 1, end, len(whole)}:
        cutter.bytes = whole[:at]
        sink = Recorder()
        if at >= end:
            await provider.stream(call(model=model), sink)
            assert (sink.text, sink.reasoning) == (answer.text, answer.reasoning)
            continue
        with pytest.raises(ProviderError) as caught:
            await provider.stream(call(model=model), sink)
        assert sink.finish is None
        assert answer.text.startswith(sink.text)
        assert caught.value.code == "truncated" or not sink.outputs


@pytest.mark.parametrize("certain", [True, False])
@pytest.mark.parametrize("name", ANSWERS)
def test_a_stream_cut_at_any_byte_is_truncated_and_keeps_every_event_that_came(
    name: str, certain: bool
) -> None:
    answer = ANSWERS[name]
    stream = answer.stream
    # A server that sends no [DONE] ends its body by itself, and is believed where that is certain.
    whole = len(stream) - (len(DONE) if answer.wire == "openai" and certain else 0)
    texts = {0: ""}
    for at in range(len(stream) + 1):
        sink = Recorder()
        decoder = decoder_of(answer.wire, sink)
        decoder.feed(stream[:at])
        texts[at] = sink.text
        if at == len(stream):
            decoder.end(certain=certain)
            assert sink.text == answer.text
        elif at < whole and b"stop" not in stream[:at]:
            with pytest.raises(Truncated):
                decoder.end(certain=certain)
            assert sink.finish is None
        elif not certain or answer.wire == "anthropic":
            with pytest.raises(Truncated):
                decoder.end(certain=certain)
    came = [texts[at] for at in sorted(texts)]
    assert all(later.startswith(earlier) for earlier, later in itertools.pairwise(came))
