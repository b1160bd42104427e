"""The whole way: a provider's real wire, a real Jupyter server, a socket, and back on Stop."""

from __future__ import annotations

import asyncio
import json
import socket as sockets
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.jupyter import JupyterServer, RelaySocket
from tests.fakes.provider_server import Answer, Gate, ProviderServer, running_provider_server
from tests.hosts.kit import Run, next_call, soon, written_by

WIRES = ("openai", "anthropic")
MARK = "s3cr3t"
KEYS = {name: f"sk-{MARK}-{name}-0123456789abcdef" for name in (*WIRES, "lab")}
REFUSED = "127.0.0.1:9"


@pytest.fixture(scope="module")
def provider() -> Iterator[ProviderServer]:
    with running_provider_server() as server:
        yield server


@pytest.fixture(scope="module")
def ollama() -> Iterator[ProviderServer]:
    with running_provider_server() as server:
        server.openai_models = [{"id": "tiny:1b", "object": "model", "created": 1}]
        yield server


@pytest.fixture(scope="module")
def server(
    provider: ProviderServer, ollama: ProviderServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[JupyterServer]:
    """At its most talkative: what it logs is searched for keys."""
    with JupyterServer(
        tmp_path_factory.mktemp("providers"),
        config={
            "ServerApp": {"log_level": 10},
            "StreamChat": {
                # What each single failure leads to is told here.
                "retries": 0,
                "providers": {
                    "lab": {
                        "base_url": provider.openai_url,
                        "key_variable": "LAB_KEY",
                        "headers": {"X-Project": "stats-101"},
                    },
                    "keyless": {"base_url": provider.openai_url, "key_variable": "KEYLESS_KEY"},
                    "modern": {
                        "base_url": provider.openai_url,
                        "length_field": "max_completion_tokens",
                    },
                    "gone": {"base_url": f"http://{REFUSED}/v1"},
                },
            },
        },
        environ={
            "OPENAI_BASE_URL": provider.openai_url,
            "ANTHROPIC_BASE_URL": provider.anthropic_url,
            "OPENAI_API_KEY": KEYS["openai"],
            "ANTHROPIC_API_KEY": KEYS["anthropic"],
            "OPENAI_LOG": "debug",
            "ANTHROPIC_LOG": "debug",
            "LAB_KEY": KEYS["lab"],
            "OLLAMA_HOST": f"127.0.0.1:{ollama.port}",
        },
    ) as made:
        yield made


@pytest.fixture
async def socket(server: JupyterServer, provider: ProviderServer) -> AsyncIterator[RelaySocket]:
    """A socket over which, as in all that the server wrote, no key may have come."""
    assert not provider.answers
    async with await server.socket() as made:
        yield made
    assert MARK not in json.dumps(made.frames)
    assert MARK.encode() not in written_by(server)


def path_of(wire: str) -> str:
    return "/v1/chat/completions" if wire == "openai" else "/v1/messages"


def head(wire: str) -> int:
    """How many writes of the provider come before its first delta."""
    return 1 if wire == "openai" else 3


@pytest.mark.parametrize("wire", WIRES)
async def test_text_reasoning_usage_and_the_finish_reason_come_through(
    socket: RelaySocket, provider: ProviderServer, wire: str
) -> None:
    before = len(provider.calls)
    provider.answers.append(
        Answer(
            deltas=["Grüße, ", "**you**", "\n"],
            reasoning=["Let me ", "think."],
            finish="length",
            input=21,
            output=9,
            cached=4,
            thought=3,
        )
    )
    run = Run(socket, f"{wire}/fake-1")
    end = await run.answer("Say hello")
    assert (run.text(), run.text("reasoning-delta")) == ("Grüße, **you**\n", "Let me think.")
    assert (end["type"], end["finish_reason"]) == ("finish", "length")
    assert end["raw_reason"] == {"openai": "length", "anthropic": "max_tokens"}[wire]
    assert end["usage"] == {"input": 21, "output": 9, "cached": 4, "reasoning": 3}
    assert 0 <= end["timing"]["ttft_ms"] <= end["timing"]["total_ms"]
    assert [event["type"] for event in run.events] == [
        "start",
        "status",
        "reasoning-start",
        "reasoning-delta",
        "reasoning-delta",
        "reasoning-end",
        "text-start",
        "text-delta",
        "text-delta",
        "text-delta",
        "text-end",
        "finish",
    ]
    call = provider.calls[before]
    assert call.target == path_of(wire)
    assert call.json["model"] == "fake-1"
    assert "Say hello" in json.dumps(call.json["messages"])
    sent = call.headers.get("authorization", "") + call.headers.get("x-api-key", "")
    assert KEYS[wire] in sent


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("openai", "max_completion_tokens"),
        ("anthropic", "max_tokens"),
        ("lab", "max_tokens"),
        ("modern", "max_completion_tokens"),
    ],
)
@pytest.mark.parametrize("given", ["max_tokens", "max_completion_tokens"])
async def test_the_length_of_an_answer_is_told_under_the_providers_own_name_for_it(
    socket: RelaySocket, provider: ProviderServer, name: str, told: str, given: str
) -> None:
    before = len(provider.calls)
    run = Run(socket, f"{name}/fake-1")
    await run.send(params={given: 77})
    await run.end()
    body = (await next_call(provider, before)).json
    lengths = {key: size for key, size in body.items() if key.endswith("_tokens")}
    assert lengths == {told: 77}


@pytest.mark.parametrize("given", ["max_tokens", "max_completion_tokens"])
async def test_the_demo_ends_at_the_length_under_either_name(
    socket: RelaySocket, given: str
) -> None:
    run = Run(socket, "demo/fast")
    await run.send(params={given: 3})
    end = await run.end()
    assert (end["finish_reason"], end["usage"]["output"]) == ("length", 3)


@pytest.mark.parametrize(
    ("reason", "openai", "anthropic"),
    [
        ("stop", "stop", "end_turn"),
        ("length", "length", "max_tokens"),
        ("content-filter", "content_filter", "refusal"),
        ("other", "brand_new", "brand_new"),
    ],
)
async def test_finish_reasons_have_one_name_and_keep_the_providers(
    socket: RelaySocket, provider: ProviderServer, reason: str, openai: str, anthropic: str
) -> None:
    for wire, raw in zip(WIRES, (openai, anthropic), strict=True):
        provider.answers.append(Answer(finish=raw))
        end = await Run(socket, f"{wire}/fake-1").answer()
        assert (end["finish_reason"], end["raw_reason"]) == (reason, raw)


@pytest.mark.parametrize("wire", WIRES)
async def test_each_chunk_leaves_as_its_own_frame_before_the_next_came(
    socket: RelaySocket, provider: ProviderServer, wire: str
) -> None:
    gate, before = Gate(head(wire)), len(provider.calls)
    deltas = [f"word{number} " for number in range(6)]
    provider.answers.append(Answer(deltas=deltas, gate=gate))
    run = Run(socket, f"{wire}/fake-1")
    await run.send()
    call = await next_call(provider, before)
    for number, delta in enumerate(deltas, 1):
        gate.release()
        event = await run.until("text-delta", count=number)
        assert event["delta"] == delta
        assert call.sent <= head(wire) + number
        frame = socket.frames[-1]
        assert (frame["from"], frame["events"]) == (frame["to"], [event])
    gate.open()
    assert (await run.end())["type"] == "finish"


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("elsewhere", [False, True], ids=["this socket", "another socket"])
async def test_stop_in_mid_stream_closes_the_providers_connection(
    socket: RelaySocket, server: JupyterServer, provider: ProviderServer, wire: str, elsewhere: bool
) -> None:
    gate, before = Gate(head(wire) + 2), len(provider.calls)
    provider.answers.append(Answer(deltas=["kept ", "too ", *["never "] * 100], gate=gate))
    run = Run(socket, f"{wire}/fake-1")
    await run.send()
    await run.until("text-delta", count=2)
    call = await next_call(provider, before)
    if elsewhere:
        async with await server.socket() as other:
            state = (await other.ask(type="stop", run=run.id))["state"]
    else:
        state = (await socket.ask(type="stop", run=run.id))["state"]
    assert state in {"stopping", "interrupted"}
    end = await run.end()
    assert (end["type"], end["reason"]) == ("abort", "user")
    await soon(call.wait_closed())
    gate.open()
    assert call.sent == head(wire) + 2
    assert run.text() == "kept too "
    assert run.events[-2]["type"] == "text-end"
    assert (await socket.ask(type="stop", run=run.id))["state"] == "interrupted"
    again = await socket.ask(type="open", conversation=run.conversation)
    snapshot = await socket.until(lambda frame: frame["type"] == "snapshot")
    assert snapshot["seq"] == again["head"]
    assert snapshot["state"]["messages"][-1]["parts"][0]["text"] == "kept too "
    assert snapshot["state"]["runs"][run.id]["abort_reason"] == "user"


async def test_a_fast_provider_gets_to_send_next_to_nothing_after_stop(
    socket: RelaySocket, provider: ProviderServer
) -> None:
    before, total = len(provider.calls), 5000
    provider.answers.append(Answer(deltas=["x"] * total, rate=200))
    run = Run(socket, "openai/fake-1")
    await run.send()
    await run.until("text-delta", count=5)
    call = await next_call(provider, before)
    sent = call.sent
    await socket.ask(type="stop", run=run.id)
    await soon(call.wait_closed())
    # The promise is 250 ms, or 50 deltas; a machine that is busy with other things may take longer.
    assert call.sent - sent < total / 5
    assert (await run.end())["type"] == "abort"


@pytest.mark.parametrize("wire", WIRES)
async def test_stop_before_the_headers_closes_the_providers_connection(
    socket: RelaySocket, provider: ProviderServer, wire: str
) -> None:
    gate, before = Gate(), len(provider.calls)
    provider.answers.append(Answer(before_headers=gate))
    run = Run(socket, f"{wire}/fake-1")
    await run.send()
    call = await next_call(provider, before)
    await socket.ask(type="stop", run=run.id)
    assert (await run.end())["reason"] == "user"
    await soon(call.wait_closed())
    gate.open()
    assert (call.sent, run.text()) == (0, "")


async def test_a_run_stopped_while_queued_never_reaches_the_provider(
    socket: RelaySocket, provider: ProviderServer
) -> None:
    gate, before = Gate(head("openai") + 1), len(provider.calls)
    provider.answers.append(Answer(deltas=["first ", "answer"], gate=gate))
    first = Run(socket, "openai/fake-1")
    await first.send()
    await first.until("text-delta")
    second = Run(socket, "openai/fake-1", first.conversation)
    third = Run(socket, "openai/fake-1", first.conversation)
    await second.send("the second prompt")
    assert (await second.until("status"))["state"] == "queued"
    assert (await socket.ask(type="stop", run=second.id))["state"] == "interrupted"
    assert (await second.end())["reason"] == "user"
    await third.send("the third prompt")
    gate.open()
    assert (await first.end())["type"] == "finish"
    assert (await third.end())["type"] == "finish"
    prompts = [call.json["messages"][-1]["content"] for call in provider.calls[before:]]
    assert prompts == ["Hi", "the third prompt"]


async def test_closing_every_socket_leaves_the_providers_connection_open(
    socket: RelaySocket, server: JupyterServer, provider: ProviderServer
) -> None:
    gate, before = Gate(head("anthropic") + 1), len(provider.calls)
    provider.answers.append(Answer(deltas=["before ", "between ", "after"], gate=gate))
    run = Run(socket, "anthropic/fake-1")
    await run.send()
    await run.until("text-delta")
    call = await next_call(provider, before)
    await socket.close()
    gate.release()
    async with await server.socket() as other:
        await other.ask(type="open", conversation=run.conversation, after=0)
        later = Run(other, run.model, run.conversation)
        later.id = run.id
        await later.until("text-delta", count=2)
        assert not call.closed.done()
        gate.open()
        assert (await later.end())["type"] == "finish"
        assert later.text() == "before between after"
    assert len(provider.calls) == before + 1


def failure(message: str, kind: str, code: str | None = None) -> dict[str, Any]:
    """An error body as both wires have it, quoting what it should not."""
    quoted = f"{message} (key {KEYS['openai']}, {KEYS['anthropic']})"
    return {
        "type": "error",
        "error": {"type": kind, "code": code, "message": quoted, "param": None},
    }


FAILURES = [
    (401, {}, failure("Incorrect API key", "authentication_error"), "provider_auth", "{KEY}"),
    (404, {}, failure("model: fake-2", "not_found_error"), "model_unknown", "Did you mean"),
    (429, {"retry-after": "7"}, failure("Slow", "rate_limit_error"), "provider_rate_limited",
     "Wait"),
    (529, {}, failure("Overloaded", "overloaded_error"), "provider_overloaded", "capacity"),
    (400, {}, failure("prompt is too long: 9 tokens > 8", "invalid_request_error",
                      "context_length_exceeded"), "context_length", "shorten the prompt"),
]  # fmt: skip


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize(
    ("status", "headers", "body", "code", "says"), FAILURES, ids=[str(row[0]) for row in FAILURES]
)
async def test_a_refusal_has_its_code_and_a_sentence_that_says_what_to_do(
    socket: RelaySocket,
    provider: ProviderServer,
    wire: str,
    status: int,
    headers: dict[str, str],
    body: Any,
    code: str,
    says: str,
) -> None:
    before = len(provider.calls)
    provider.answers.append(Answer(status=status, headers=headers, body=body))
    end = await Run(socket, f"{wire}/fake-2").answer()
    assert end["type"] == "error"
    error = end["error"]
    assert error["code"] == code
    assert says.replace("{KEY}", f"{wire.upper()}_API_KEY") in error["message"]
    assert error.get("retry_after") == (7.0 if headers else None)
    assert error["retryable"] == (status in {429, 529})
    assert len(provider.calls) == before + 1
    # The conversation is none the worse.
    assert (await Run(socket, f"{wire}/fake-1").answer())["type"] == "finish"


async def test_a_refused_connection_says_who_cannot_be_reached_and_where(
    socket: RelaySocket,
) -> None:
    error = (await Run(socket, "gone/any").answer())["error"]
    assert (error["code"], error["retryable"]) == ("provider_error", True)
    assert f"gone at {REFUSED}" in error["message"]
    assert "Is it running?" in error["message"]


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("ending", ["close", "reset", "complete"])
async def test_a_cut_stream_is_an_error_that_keeps_what_came(
    socket: RelaySocket, provider: ProviderServer, wire: str, ending: Any
) -> None:
    gate = Gate(head(wire) + 2)
    provider.answers.append(
        Answer(deltas=["half ", "an answer"], finish=None, ending=ending, gate=gate)
    )
    run = Run(socket, f"{wire}/fake-1")
    await run.send()
    # An RST may overtake what the socket holds, so it is sent when all was read.
    await run.until("text-delta", count=2)
    gate.open()
    end = await run.end()
    assert (end["type"], end["error"]["code"]) == ("error", "truncated")
    assert "What came is kept" in end["error"]["message"]
    assert run.text() == "half an answer"
    # A second prompt goes on from what came.
    before = len(provider.calls)
    assert (await Run(socket, f"{wire}/fake-1", run.conversation).answer())["type"] == "finish"
    assert "half an answer" in json.dumps(provider.calls[before].json["messages"])


async def test_an_error_within_the_stream_keeps_what_came(
    socket: RelaySocket, provider: ProviderServer
) -> None:
    body = json.dumps(failure("Overloaded", "overloaded_error"))
    wire = (
        'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,'
        '"delta":{"type":"text_delta","text":"begun"}}\n\n'
        f"event: error\ndata: {body}\n\n"
    )
    provider.answers.append(Answer(wire=wire.encode()))
    run = Run(socket, "anthropic/fake-1")
    error = (await run.answer())["error"]
    assert error["code"] == "provider_overloaded"
    assert run.text() == "begun"


async def test_the_models_are_the_providers_own_and_a_failure_is_a_problem(
    socket: RelaySocket, server: JupyterServer
) -> None:
    catalog = await socket.ask(type="models")
    ids = [model["id"] for model in catalog["models"]]
    assert {"openai/fake-1", "anthropic/claude-fake-1", "lab/fake-old", "demo/fast"} <= set(ids)
    assert not [name for name in ids if name.startswith(("keyless/", "groq/", "gone/"))]
    [problem] = catalog["problems"]
    assert problem["provider"] == "gone"
    assert REFUSED in problem["message"]
    assert catalog["default"] == "anthropic/claude-fake-2"
    over_http = server.get("streamchat/models")
    assert {name: catalog[name] for name in over_http} == over_http


async def test_a_compatible_server_gets_its_headers_and_its_own_key_only(
    socket: RelaySocket, provider: ProviderServer
) -> None:
    before = len(provider.calls)
    provider.answers.append(Answer(deltas=["from the lab"]))
    run = Run(socket, "lab/fake-1")
    assert (await run.answer())["type"] == "finish"
    headers = provider.calls[before].headers
    assert headers["authorization"] == f"Bearer {KEYS['lab']}"
    assert headers["x-project"] == "stats-101"
    assert KEYS["openai"] not in json.dumps(headers)
    assert run.text() == "from the lab"


async def test_an_ollama_is_found_by_itself_and_gets_no_key(
    socket: RelaySocket, ollama: ProviderServer
) -> None:
    catalog = await socket.ask(type="models")
    assert "ollama/tiny:1b" in [model["id"] for model in catalog["models"]]
    run = Run(socket, "ollama/tiny:1b")
    assert (await run.answer())["type"] == "finish"
    assert run.text() == "Hello, world"
    assert "authorization" not in ollama.calls[-1].headers
    missing = Answer(status=404, body={"error": {"message": 'model "huge" not found'}})
    ollama.answers.append(missing)
    error = (await Run(socket, "ollama/huge").answer())["error"]
    assert error["code"] == "model_unknown"
    assert "ollama pull" in error["message"]


@pytest.mark.parametrize(
    ("model", "variable"), [("groq/llama", "GROQ_API_KEY"), ("keyless/fake-1", "KEYLESS_KEY")]
)
async def test_without_a_key_the_error_names_the_variable_to_set(
    socket: RelaySocket, provider: ProviderServer, model: str, variable: str
) -> None:
    before = len(provider.requests)
    error = (await Run(socket, model).answer())["error"]
    assert (error["code"], error["retryable"]) == ("provider_auth", False)
    assert f"Set {variable}" in error["message"]
    assert len(provider.requests) == before


@pytest.mark.parametrize(
    ("model", "says"), [("opnai/fake-1", "Did you mean openai?"), ("fake-1", "provider/model")]
)
async def test_an_unknown_provider_is_refused_before_anything_is_logged(
    socket: RelaySocket, model: str, says: str
) -> None:
    run = Run(socket, model)
    error = (await run.send())["error"]
    assert error["code"] == "model_unknown"
    assert says in error["message"]
    assert (await socket.ask(type="open", conversation=run.conversation))["head"] == 0


async def test_an_unknown_demo_is_told_which_there_are(socket: RelaySocket) -> None:
    error = (await Run(socket, "demo/quick").answer())["error"]
    assert error["code"] == "model_unknown"
    assert "echo, fast, slow" in error["message"]


async def test_what_is_searched_for_keys_holds_the_log_and_the_conversations(
    socket: RelaySocket, server: JupyterServer
) -> None:
    """The search for keys at the end of every test of this module would find them."""
    await Run(socket, "openai/fake-1").answer("a prompt to be found again")
    # Another load comes after every append before it, so what was said is on disk.
    await socket.ask(type="stop", run="nothing")
    written = written_by(server)
    assert b"a prompt to be found again" in written
    assert b"DEBUG] Request options" in server.log_path.read_bytes(), "the SDKs log too"


async def test_nothing_is_left_open_at_the_provider(
    socket: RelaySocket, provider: ProviderServer
) -> None:
    gates = [Gate(head("openai") + 1) for _ in range(8)]
    before = len(provider.calls)
    provider.answers.extend(Answer(deltas=["a", "b"], gate=gate) for gate in gates)
    runs = [Run(socket, "openai/fake-1") for _ in gates]
    for run in runs:
        await run.send()
        await run.until("text-delta")
    for run in runs[::2]:
        await socket.ask(type="stop", run=run.id)
    for gate in gates:
        gate.open()
    ends = [(await run.end())["type"] for run in runs]
    assert ends == ["abort", "finish"] * 4
    await soon(
        asyncio.gather(*(call.wait_closed() for call in provider.calls[before : before + 8 : 2]))
    )


async def test_a_provider_that_limits_its_rate_is_asked_again_and_answers(
    provider: ProviderServer, tmp_path: Path
) -> None:
    environ = {"OPENAI_BASE_URL": provider.openai_url, "OPENAI_API_KEY": KEYS["openai"]}
    with JupyterServer(tmp_path, environ=environ) as server:
        async with await server.socket() as socket:
            before = len(provider.calls)
            body = failure("Slow", "rate_limit_error")
            slow = Answer(status=429, headers={"retry-after-ms": "20"}, body=body)
            provider.answers += [slow, slow]
            run = Run(socket, "openai/fake-1")
            assert (await run.answer())["type"] == "finish"
    states = [event["state"] for event in run.events if event["type"] == "status"]
    assert states == ["running", "retrying", "running", "retrying", "running"]
    assert len(provider.calls) == before + 3


async def test_a_provider_that_never_lists_its_models_holds_up_no_prompt_and_no_stop(
    provider: ProviderServer, tmp_path: Path
) -> None:
    with closing(sockets.socket()) as mute:
        # Connections are made by the kernel, and nobody ever answers on them.
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        with JupyterServer(
            tmp_path,
            config={
                "StreamChat": {
                    "providers": {"mute": {"base_url": f"http://127.0.0.1:{mute.getsockname()[1]}"}}
                }
            },
            environ={
                "ANTHROPIC_BASE_URL": provider.anthropic_url,
                "ANTHROPIC_API_KEY": KEYS["anthropic"],
            },
        ) as server:
            async with await server.socket() as socket:
                await socket.say(type="models", id="models")
                gate = Gate(head("anthropic") + 1)
                provider.answers.append(Answer(deltas=["one", "two"], gate=gate))
                run = Run(socket, "")
                await run.send()
                await run.until("text-delta")
                assert run.events[0]["model"] == "anthropic/claude-fake-2"
                await socket.ask(type="stop", run=run.id)
                assert (await run.end())["reason"] == "user"
                assert not [frame for frame in socket.frames if frame.get("id") == "models"]
