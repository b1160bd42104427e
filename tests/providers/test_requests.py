"""What goes out: messages, files and settings, as each wire wants them."""

from __future__ import annotations

from typing import Any

import pytest

from streamchat_relay.model import BadRequest, FilePart, Message, Part, ReasoningPart, TextPart
from streamchat_relay.providers import DemoProvider, anthropic, openai
from streamchat_relay.providers.demo_text import tokens, topic_of
from streamchat_relay.providers.endpoint import Endpoint
from streamchat_relay.providers.openai_wire import ChatDecoder
from streamchat_relay.relay.ports import Call
from tests.providers.kit import AT, Recorder, call

PIXEL = "data:image/png;base64,iVBORw0KGgo="
OPENAI = Endpoint(provider="openai", base_url="https://x", length_field="max_completion_tokens")


def said(role: Any, *parts: Part) -> Message:
    return Message(id="m", role=role, parts=parts)


def asked(*messages: Message, **params: Any) -> Call:
    return Call(model="m", messages=messages, params=params)


CONVERSATION = asked(
    said("user", TextPart(text="Look"), FilePart(url=PIXEL, media_type="image/png")),
    said("assistant"),
    said("assistant", ReasoningPart(text="hm"), TextPart(text="A pixel.")),
    said("user", TextPart(text="Why?")),
    system="Be brief.",
    max_tokens=9,
    temperature=0.5,
    stop=["END"],
    top_p=None,
    top_k=3,
)


def test_chat_completions_get_messages_images_and_settings() -> None:
    assert openai.request_body(CONVERSATION, OPENAI) == {
        "model": "m",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "Look"},
                    {"type": "image_url", "image_url": {"url": PIXEL}},
                ],
            },
            {"role": "assistant", "content": "A pixel."},
            {"role": "user", "content": "Why?"},
        ],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_completion_tokens": 9,
        "temperature": 0.5,
        "stop": ["END"],
        "top_k": 3,
    }


def test_messages_get_system_images_and_settings() -> None:
    text = {"type": "text", "text": "Look"}
    source = {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}
    assert anthropic.request_body(CONVERSATION) == {
        "model": "m",
        "messages": [
            {"role": "user", "content": [text, {"type": "image", "source": source}]},
            {"role": "assistant", "content": [{"type": "text", "text": "A pixel."}]},
            {"role": "user", "content": [{"type": "text", "text": "Why?"}]},
        ],
        "stream": True,
        "system": "Be brief.",
        "max_tokens": 9,
        "temperature": 0.5,
        "stop_sequences": ["END"],
        "top_k": 3,
    }


@pytest.mark.parametrize(
    ("kind", "form"), [("audio/wav", "wav"), ("audio/x-wav", "wav"), ("audio/mpeg", "mp3")]
)
def test_chat_completions_get_audio_in_the_formats_that_they_take(kind: str, form: str) -> None:
    part = FilePart(url=f"data:{kind};base64,UklGRg==", media_type=kind, name="it")
    body = openai.request_body(asked(said("user", part)), OPENAI)
    assert body["messages"][0]["content"] == [
        {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": form}}
    ]


def test_messages_always_say_how_much_may_come() -> None:
    assert anthropic.request_body(call())["max_tokens"] == anthropic.DEFAULT_MAX_TOKENS


def test_text_files_and_pdfs_are_sent_and_others_refused_in_words() -> None:
    notes = FilePart(url="data:text/plain,a%20b", media_type="text/plain", name="notes.txt")
    paper = FilePart(url="data:application/pdf;base64,JVBERi0=", media_type="application/pdf")
    body = anthropic.request_body(asked(said("user", notes, paper)))
    blocks = body["messages"][0]["content"]
    assert blocks[0] == {"type": "text", "text": "notes.txt:\na b"}
    assert blocks[1]["type"] == "document"
    assert openai.request_body(asked(said("user", paper)), AT)["messages"][0]["content"][0]["file"][
        "file_data"
    ].startswith("data:application/pdf;base64,")
    for url, media_type in [
        ("data:video/mp4;base64,AAAA", "video/mp4"),
        ("data:audio/ogg;base64,AAAA", "audio/ogg"),
        ("data:image/png;base64,%%%", "image/png"),
        ("file:///etc/passwd", "image/png"),
        ("http://localhost/x", "text/plain"),
    ]:
        bad = asked(said("user", FilePart(url=url, media_type=media_type, name="it")))
        with pytest.raises(BadRequest, match="it "):
            openai.request_body(bad, AT)


@pytest.mark.parametrize("name", ["model", "messages", "stream", "stream_options", "n"])
def test_what_the_relay_sets_cannot_be_a_parameter(name: str) -> None:
    for body in (lambda c: openai.request_body(c, AT), anthropic.request_body):
        with pytest.raises(BadRequest, match=name):
            body(Call(model="m", messages=call().messages, params={name: 1}))


def test_a_system_prompt_that_is_no_text_and_a_blank_prompt_are_refused() -> None:
    with pytest.raises(BadRequest, match="system"):
        openai.request_body(call(system=["x"]), AT)
    with pytest.raises(BadRequest, match="blank"):
        anthropic.request_body(call("  "))


@pytest.mark.parametrize(
    ("delta", "text", "reasoning"),
    [
        (b'{"reasoning":"r"}', "", "r"),
        (b'{"reasoning_content":"r","content":null}', "", "r"),
        (b'{"refusal":"No."}', "No.", ""),
        (
            b'{"content":[{"type":"thinking","thinking":[{"text":"r"}]},{"type":"text","text":"t"}]}',
            "t",
            "r",
        ),
        (b"null", "", ""),
        (b'{"tool_calls":[{"index":0}],"new":{}}', "", ""),
    ],
)  # fmt: skip
def test_what_compatible_servers_send_is_understood(
    delta: bytes, text: str, reasoning: str
) -> None:
    sink = Recorder()
    decoder = ChatDecoder(sink, AT, "m", lambda: 1.0)
    decoder.feed(b'data: {"choices":[{"delta":' + delta + b"}]}\n\n")
    assert (sink.text, sink.reasoning) == (text, reasoning)


def test_usage_in_every_chunk_is_told_when_it_changes() -> None:
    sink = Recorder()
    decoder = ChatDecoder(sink, AT, "m", lambda: 1.0)
    for count in (1, 1, 2):
        usage = b'{"prompt_tokens":3,"completion_tokens":%d}' % count
        decoder.feed(b'data: {"choices":[],"usage":' + usage + b"}\n\n")
    assert len(sink.outputs) == 2
    assert sink.usage.output == 2


async def test_the_demo_keeps_its_rate_by_the_clock_and_not_by_the_sum_of_its_sleeps() -> None:
    now = 0.0

    async def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds * 1.25  # a loop that is always late

    demo = DemoProvider(rate=10, sleep=sleep, time=lambda: now)
    sink = Recorder()
    await demo.stream(call(model="fast"), sink)
    count = len(sink.batches) - 1
    assert count / 10 <= now < count / 10 + 0.2


async def test_the_demo_names_the_prompt_itself_and_its_usage_is_estimated() -> None:
    sink = Recorder()
    await DemoProvider(rate=1e9).stream(call("Explain *gradient* descent", model="slow"), sink)
    assert "Explain gradient descent" in sink.text
    assert "demo" in sink.text.lower()
    assert "Explain" in sink.reasoning
    assert sink.usage.estimated
    assert sink.usage.output > 500


async def test_the_demo_echoes_and_honours_max_tokens() -> None:
    sink = Recorder()
    await DemoProvider(rate=1e9).stream(call("{a} *b*", model="echo"), sink)
    assert "{a} *b*" in sink.text
    short = Recorder()
    await DemoProvider(rate=1e9).stream(call(model="fast", max_tokens=3), short)
    assert short.finish is not None
    assert short.finish.finish_reason == "length"
    with pytest.raises(BadRequest):
        await DemoProvider(rate=1e9).stream(call(model="fast", max_tokens="x"), Recorder())


def test_the_demo_speaks_in_tokens() -> None:
    pieces = tokens("gradient descent, again and again")
    assert "".join(pieces) == "gradient descent, again and again"
    assert {len(piece) for piece in pieces[:-1]} == {3, 4, 5}
    assert topic_of("  ") == "nothing"
    assert len(topic_of("x" * 500)) == 80


@pytest.mark.parametrize(
    "encoded", ["iVBORw0KGgo", "iVBO=w0K", "iVBORw0=Gg==", "iVBO w0K", "größ", "a===", "===="]
)
def test_a_picture_that_is_not_base64_is_refused_before_anybody_is_asked(encoded: str) -> None:
    part = FilePart(url=f"data:image/png;base64,{encoded}", media_type="image/png", name="plot")
    with pytest.raises(BadRequest, match="plot is damaged"):
        openai.request_body(asked(said("user", part)), OPENAI)


def test_a_picture_goes_out_in_the_very_base64_that_it_came_in() -> None:
    for encoded in ("iVBO", "iVBORw0=", "iVBORw==", ""):
        part = FilePart(url=f"data:image/png;base64,{encoded}", media_type="image/png")
        content = anthropic.request_body(asked(said("user", part)))["messages"][0]["content"]
        assert content[0]["source"]["data"] == encoded
