"""Files of prompts: addresses in the log, bytes in what a provider is told."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from streamchat_relay.model import BadRequest, FilePart, Message, TextPart
from streamchat_relay.providers import anthropic, openai
from streamchat_relay.providers.endpoint import Endpoint
from streamchat_relay.relay import files, tokens
from streamchat_relay.relay.hub import Hub
from streamchat_relay.relay.ports import Call
from streamchat_relay.stores import MemoryBlobs, MemoryStore
from tests.fakes.pictures import png
from tests.fakes.recordings import MP3, wav
from tests.fakes.relay import FakeCall, FakeClient, FakeClock, FakeProvider, FakeRegistry

RED = png(255, 0, 0)
PDF = b"%PDF-1.7 a page"
NOTES = "größer\n".encode()
OPENAI = Endpoint(provider="openai", base_url="https://x")


@pytest.fixture
def blobs() -> MemoryBlobs:
    return MemoryBlobs()


@pytest.fixture
async def hub(provider: FakeProvider, blobs: MemoryBlobs, clock: FakeClock) -> AsyncIterator[Hub]:
    made = Hub(MemoryStore(), FakeRegistry(provider), blobs=blobs, clock=clock)
    yield made
    await made.close()


async def kept(
    blobs: MemoryBlobs, data: bytes, media_type: str, *, user: str = "ada", **fields: Any
) -> dict[str, Any]:
    """The part of a prompt that refers to a file which is uploaded."""
    sha256 = hashlib.sha256(data).hexdigest()
    await blobs.keep(user, sha256, data)
    return {"type": "file", "url": f"blob:sha256/{sha256}", "media_type": media_type, **fields}


async def told(
    client: FakeClient, provider: FakeProvider, run: str, *parts: dict[str, Any]
) -> tuple[FakeCall, list[dict[str, Any]]]:
    """Send these parts; what the provider is asked, and what the client sees."""
    text = {"type": "text", "text": "What is it?"}
    written = await client.send(run, None, message={"parts": [*parts, text]})
    assert "ok" in [frame["type"] for frame in written], written
    return await provider.next_call(), written


async def test_the_provider_gets_bytes_and_the_log_an_address(
    client: FakeClient, provider: FakeProvider, blobs: MemoryBlobs
) -> None:
    part = await kept(blobs, RED, "image/png", name="red.png")
    call, written = await told(client, provider, "r1", part)
    seen = call.call.messages[0].parts[0]
    assert isinstance(seen, FilePart)
    assert seen.url == f"data:image/png;base64,{base64.b64encode(RED).decode()}"
    assert seen.name == "red.png"
    logged = json.dumps(written)
    assert part["url"] in logged
    assert base64.b64encode(RED).decode() not in logged


@pytest.mark.parametrize("wire", ["openai", "anthropic"])
async def test_every_wire_gets_pictures_papers_and_texts_in_its_own_form(
    client: FakeClient, provider: FakeProvider, blobs: MemoryBlobs, wire: str
) -> None:
    parts = [
        await kept(blobs, RED, "image/png"),
        await kept(blobs, PDF, "application/pdf", name="paper.pdf"),
        await kept(blobs, NOTES, "text/plain", name="notes.txt"),
    ]
    call, _ = await told(client, provider, "r1", *parts)
    red, paper = (base64.b64encode(data).decode() for data in (RED, PDF))
    if wire == "openai":
        content = openai.request_body(call.call, OPENAI)["messages"][-1]["content"]
        assert content[0]["image_url"]["url"] == f"data:image/png;base64,{red}"
        assert content[1]["file"]["file_data"] == f"data:application/pdf;base64,{paper}"
    else:
        content = anthropic.request_body(call.call)["messages"][-1]["content"]
        assert content[0]["source"]["data"] == red
        assert content[1]["source"]["data"] == paper
    assert content[2]["text"] == "notes.txt:\ngrößer\n"


async def test_audio_reaches_openais_wire_and_only_a_prompt_with_it_is_refused_by_anthropics(
    client: FakeClient, provider: FakeProvider, blobs: MemoryBlobs
) -> None:
    tone = wav(0.1)
    parts = [
        await kept(blobs, tone, "audio/wav", name="tone.wav"),
        await kept(blobs, MP3, "text/plain", name="silence.mp3"),
    ]
    call, _ = await told(client, provider, "r1", *parts)
    content = openai.request_body(call.call, OPENAI)["messages"][-1]["content"]
    assert [piece["input_audio"] for piece in content[:2]] == [
        {"data": base64.b64encode(tone).decode(), "format": "wav"},
        {"data": base64.b64encode(MP3).decode(), "format": "mp3"},
    ]
    with pytest.raises(BadRequest, match=r"tone\.wav cannot be heard by this model"):
        anthropic.request_body(call.call)
    call.finish()
    await client.send("r2", "And now?")
    later = anthropic.request_body((await provider.next_call()).call)
    assert later["messages"][0]["content"][0]["text"] == "[tone.wav: audio that you cannot hear]"


async def test_a_file_is_what_its_bytes_are_whatever_a_page_says(
    client: FakeClient, provider: FakeProvider, blobs: MemoryBlobs
) -> None:
    parts = [
        await kept(blobs, RED, "image/jpeg", size=1),
        await kept(blobs, PDF, "text/plain"),
        await kept(blobs, NOTES, "text/csv"),
        await kept(blobs, b"more", "image/png"),
    ]
    call, _ = await told(client, provider, "r1", *parts)
    seen = [part for part in call.call.messages[0].parts if isinstance(part, FilePart)]
    assert [(part.media_type, part.size) for part in seen] == [
        ("image/png", len(RED)),
        ("application/pdf", len(PDF)),
        ("text/csv", len(NOTES)),
        ("text/plain", 4),
    ]


async def test_another_users_file_is_not_known(
    client: FakeClient, provider: FakeProvider, blobs: MemoryBlobs
) -> None:
    part = await kept(blobs, RED, "image/png", user="bob", name="red.png")
    (refused,) = await client.send("r1", None, message={"parts": [part]})
    assert refused["error"]["code"] == "bad_request"
    assert refused["error"]["message"].startswith("red.png is not known here: upload it first")
    assert provider.count == 0


async def test_a_conversation_goes_on_without_a_file_that_is_gone(
    client: FakeClient, provider: FakeProvider, blobs: MemoryBlobs
) -> None:
    part = await kept(blobs, RED, "image/png", name="red.png")
    call, _ = await told(client, provider, "r1", part)
    call.finish()
    blobs._kept.clear()
    await client.send("r2", "And now?")
    again = await provider.next_call()
    assert again.call.messages[0].parts[0] == TextPart(
        text="[red.png was here and is not kept any more]"
    )


async def test_a_file_is_read_once_for_all_rounds_of_an_answer(
    blobs: MemoryBlobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[str] = []
    read = blobs.read

    async def counted(user: str, sha256: str) -> bytes | None:
        reads.append(sha256)
        return await read(user, sha256)

    monkeypatch.setattr(blobs, "read", counted)
    part = await kept(blobs, RED, "image/png", name="red.png", size=len(RED))
    again = {**part, "name": "the same.png"}
    parts = [FilePart(**{k: v for k, v in one.items() if k != "type"}) for one in (part, again)]
    call = Call(model="m", messages=(Message(id="m", role="user", parts=tuple(parts)),))
    known: dict[str, FilePart] = {}
    for _ in range(3):
        told = await files.Files(blobs).told("ada", call, known)
        first, second = told.messages[0].parts
        assert isinstance(first, FilePart)
        assert isinstance(second, FilePart)
        assert first.url == second.url == f"data:image/png;base64,{base64.b64encode(RED).decode()}"
        assert (first.name, second.name) == ("red.png", "the same.png")
    assert len(reads) == 1


async def test_of_too_many_files_the_newest_are_told(
    client: FakeClient,
    provider: FakeProvider,
    blobs: MemoryBlobs,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = await kept(blobs, b"a" * 60, "text/plain", name="first.txt")
    second = await kept(blobs, b"b" * 60, "text/plain", name="second.txt")
    monkeypatch.setattr(files, "MOST_BYTES", 100)
    both = await client.send("r0", None, message={"parts": [first, second]})
    assert both[0]["error"]["code"] == "bad_request"
    assert "Remove some" in both[0]["error"]["message"]
    call, _ = await told(client, provider, "r1", first)
    call.finish()
    call, _ = await told(client, provider, "r2", second)
    old, new = call.call.messages[0].parts[0], call.call.messages[2].parts[0]
    assert isinstance(old, TextPart)
    assert "first.txt is left out here" in old.text
    assert isinstance(new, FilePart)
    assert new.url.startswith("data:text/plain;base64,")


def test_audio_counts_by_its_length() -> None:
    minute = 60 * 16_000
    large = FilePart(url=f"blob:sha256/{'0' * 64}", media_type="audio/mpeg", size=minute)
    within = FilePart(
        url="data:audio/mpeg;base64," + "A" * (minute * 4 // 3), media_type="audio/mpeg"
    )
    for part in (large, within):
        messages = Call(model="m", messages=(Message(id="m", role="user", parts=(part,)),)).messages
        assert 60 * 10 <= tokens.likely(messages, {}) <= 60 * 32
        assert tokens.at_most(messages, {}) >= 60 * 32


def test_a_text_file_counts_as_the_text_that_it_is() -> None:
    large = FilePart(url=f"blob:sha256/{'0' * 64}", media_type="text/plain", size=400_000)
    within = FilePart(url="data:text/plain," + "x" * 400_000, media_type="text/plain")
    for part in (large, within):
        messages = Call(model="m", messages=(Message(id="m", role="user", parts=(part,)),)).messages
        assert tokens.likely(messages, {}) >= 75_000
        assert tokens.at_most(messages, {}) >= 150_000
