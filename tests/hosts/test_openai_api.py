"""OpenAI's API at the relay, as the openai SDK speaks it, without a key of a provider's."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import openai
import pytest

from tests.api.kernel import RunningKernel
from tests.fakes.gate import Gate
from tests.fakes.jupyter import TOKEN, JupyterServer
from tests.fakes.provider_server import Answer, ProviderServer, running_provider_server

HELLO: Any = [{"role": "user", "content": "Hello!"}]
FAKE = "fake/fake-1"


@pytest.fixture(scope="module")
def provider() -> Iterator[ProviderServer]:
    with running_provider_server() as server:
        yield server


@pytest.fixture(scope="module")
def server(
    provider: ProviderServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[JupyterServer]:
    traits = {
        "providers": {"fake": {"base_url": provider.openai_url}},
        "tokens_per_conversation": 20_000,
        "retries": 0,
    }
    directory = tmp_path_factory.mktemp("openai")
    with JupyterServer(directory, base_url="/b/", config={"StreamChat": traits}) as made:
        yield made


@pytest.fixture
def client(server: JupyterServer) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(
        base_url=f"{server.url}streamchat/openai/v1", api_key=TOKEN, max_retries=0
    ) as made:
        yield made


def test_an_answer_comes_whole_with_its_count(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(model="demo/echo", messages=HELLO)
    (choice,) = answer.choices
    assert "Hello!" in (choice.message.content or "")
    assert choice.finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert answer.model == "demo/echo"


def test_an_answer_streams_token_by_token_and_ends_with_its_count(
    client: openai.OpenAI, provider: ProviderServer
) -> None:
    gate = Gate(2)
    provider.answers.append(Answer(deltas=["one ", "two ", "three"], gate=gate))
    stream = client.chat.completions.create(
        model=FAKE, messages=HELLO, stream=True, stream_options={"include_usage": True}
    )
    said = []
    count = None
    for chunk in stream:
        said += [one.delta.content for one in chunk.choices if one.delta.content]
        if said == ["one "]:
            # The rest leaves the provider only now.
            gate.open()
        count = chunk.usage or count
    assert said == ["one ", "two ", "three"]
    assert count is not None
    assert count.completion_tokens > 0


def test_messages_settings_and_pictures_reach_the_provider(
    client: openai.OpenAI, provider: ProviderServer
) -> None:
    before = len(provider.calls)
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
    sound = {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}}
    client.chat.completions.create(
        model=FAKE,
        messages=[
            {"role": "developer", "content": "Be brief."},
            {"role": "user", "content": "One"},
            {"role": "assistant", "content": "Two"},
            {"role": "user", "content": [{"type": "text", "text": "And this?"}, picture, sound]},  # type: ignore[list-item]
        ],
        temperature=0.5,
        response_format={
            "type": "json_schema",
            "json_schema": {"name": "A", "schema": {"type": "object", "properties": {}}},
        },
    )
    (call,) = provider.calls[before:]
    assert [one["role"] for one in call.json["messages"]] == ["system", "user", "assistant", "user"]
    content = call.json["messages"][-1]["content"]
    assert content[1]["type"] == "image_url"
    assert content[2] == sound
    assert call.json["temperature"] == 0.5
    assert call.json["response_format"]["json_schema"]["name"] == "A"


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_either_name_of_the_length_reaches_a_provider_that_knows_one(
    client: openai.OpenAI, provider: ProviderServer, name: str
) -> None:
    before = len(provider.calls)
    client.chat.completions.create(model=FAKE, messages=HELLO, **{name: 77})  # type: ignore[call-overload]
    (call,) = provider.calls[before:]
    assert {key: size for key, size in call.json.items() if key.endswith("_tokens")} == {
        "max_tokens": 77
    }


def test_who_leaves_closes_the_providers_connection(
    client: openai.OpenAI, provider: ProviderServer
) -> None:
    provider.answers.append(Answer(deltas=["one ", "two"], gate=Gate(2)))
    before = len(provider.calls)
    stream = client.chat.completions.create(model=FAKE, messages=HELLO, stream=True)
    next(iter(stream))
    stream.close()
    provider.calls[before].closed.result(20)


def test_the_models_are_the_catalogs(client: openai.OpenAI) -> None:
    ids = {model.id for model in client.models.list()}
    assert {"demo/echo", FAKE} <= ids


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        ({"model": "nobody/x"}, 404, "no provider"),
        ({"messages": []}, 400, "nothing to answer"),
        ({"messages": "hi"}, 400, "`messages`"),
        ({"messages": [{"role": "tool", "content": "x"}]}, 400, "answers no call before it"),
        ({"messages": [{"role": "function", "content": "x"}]}, 400, "are not passed on"),
        ({"messages": [{"role": "user", "content": [{"type": "input_audio"}]}]}, 400, "pictures"),
        ({"n": 2}, 400, "leave `n` out"),
        ({"tools": [{"type": "function"}]}, 400, "with a `name`"),
        ({"functions": [{"name": "x"}]}, 400, "Give them as `tools`"),
        ({"model": 3}, 400, "`model` must be a text"),
        (
            {"messages": [{"role": "user", "content": "x" * 90_000}], "model": FAKE},
            429,
            "conversation",
        ),
    ],
)
def test_what_cannot_be_done_has_a_status_and_words(
    client: openai.OpenAI, fields: dict[str, Any], status: int, words: str
) -> None:
    body = {"model": "demo/echo", "messages": HELLO, **fields}
    with pytest.raises(openai.APIStatusError) as refused:
        client.post("/chat/completions", body=body, cast_to=object)
    assert refused.value.status_code == status
    assert words in refused.value.message


@pytest.mark.parametrize("stream", [False, True])
def test_a_providers_refusal_keeps_its_kind_before_the_first_token(
    client: openai.OpenAI, provider: ProviderServer, stream: bool
) -> None:
    provider.answers.append(Answer(status=429, body={}, headers={"retry-after": "7"}))
    with pytest.raises(openai.RateLimitError) as limited:
        client.chat.completions.create(model=FAKE, messages=HELLO, stream=stream)
    assert int(limited.value.response.headers["retry-after"]) >= 7


def test_without_a_login_nothing_is_answered(server: JupyterServer) -> None:
    for path in ("models", "chat/completions"):
        assert server.status(f"streamchat/openai/v1/{path}", Authorization="Bearer wrong") >= 403
    stranger = openai.OpenAI(
        base_url=f"{server.url}streamchat/openai/v1", api_key="wrong", max_retries=0
    )
    with stranger, pytest.raises(openai.PermissionDeniedError):
        stranger.chat.completions.create(model="demo/echo", messages=HELLO)


def test_a_kernels_clients_need_no_key_and_nothing_is_kept(server: JupyterServer) -> None:
    with RunningKernel(server) as kernel:
        outcome = kernel.run(
            """
import jupyter_streamchat
client = jupyter_streamchat.openai_client()
asked = dict(model="demo/echo", messages=[{"role": "user", "content": "from the kernel"}])
print(client.chat.completions.create(**asked).choices[0].message.content)
other = jupyter_streamchat.async_openai_client()
parts = [c async for c in await other.chat.completions.create(**asked, stream=True)]
print(len(parts) > 3, any(m.id == "demo/fast" for m in client.models.list()))
"""
        )
        assert outcome.error == "", outcome.message
        assert "from the kernel" in outcome.text
        assert "True True" in outcome.text
    assert "from the kernel" not in str(list((server.directory / "data").rglob("*")))
    database = server.directory / "data/streamchat/conversations.sqlite3"
    kept = b"".join(
        path.read_bytes() for path in database.parent.glob("conversations*") if path.is_file()
    )
    assert b"from the kernel" not in kept


def test_another_kernel_or_key_does_not_pass_the_side_door(server: JupyterServer) -> None:
    (path,) = server.runtime_dir.glob("streamchat-*.json")
    door = json.loads(path.read_text())
    for kernel, key in (("nobody", door["capability"]), ("nobody", "x")):
        request = urllib.request.Request(
            f"{door['url']}/kernel/{kernel}/streamchat/openai/v1/models",
            headers={"Authorization": f"Bearer {key}"},
        )
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=20)
        assert refused.value.code == (404 if key != "x" else 403)
        refused.value.close()


ADD: Any = {
    "type": "function",
    "function": {
        "name": "add",
        "description": "Adds.",
        "parameters": {"type": "object", "properties": {"a": {"type": "integer"}}},
    },
}


def test_calls_of_tools_come_whole_and_their_results_are_told(
    client: openai.OpenAI, provider: ProviderServer
) -> None:
    provider.answers.append(
        Answer(deltas=[], calls=[("add", '{"a": 1}'), ("add", "")], finish="tool-calls")
    )
    asked = client.chat.completions.create(model=FAKE, messages=HELLO, tools=[ADD])
    (choice,) = asked.choices
    assert choice.finish_reason == "tool_calls"
    calls: Any = choice.message.tool_calls
    assert [(call.function.name, call.function.arguments) for call in calls] == [
        ("add", '{"a": 1}'),
        ("add", "{}"),
    ]
    assert len({call.id for call in calls}) == 2
    results: Any = [
        {"role": "tool", "tool_call_id": call.id, "content": f"result {number}"}
        for number, call in enumerate(calls)
    ]
    told: Any = [*HELLO, choice.message.model_dump(exclude_none=True), *results]
    client.chat.completions.create(model=FAKE, messages=told, tools=[ADD])
    sent = provider.requests[-1].json
    assert sent["tools"] == [ADD]
    assert [message["role"] for message in sent["messages"]] == [
        *("user", "assistant", "tool", "tool")
    ]
    assert [message["content"] for message in sent["messages"][2:]] == ["result 0", "result 1"]
    assert [one["id"] for one in sent["messages"][1]["tool_calls"]] == [
        message["tool_call_id"] for message in sent["messages"][2:]
    ]


def test_calls_of_tools_stream_as_the_sdk_gathers_them(
    client: openai.OpenAI, provider: ProviderServer
) -> None:
    provider.answers.append(
        Answer(deltas=["Hm"], calls=[("add", '{"a": 12345}'), ("add", "")], finish="tool-calls")
    )
    with client.chat.completions.stream(model=FAKE, messages=HELLO, tools=[ADD]) as stream:
        final = stream.get_final_completion().choices[0]
    assert (final.finish_reason, final.message.content) == ("tool_calls", "Hm")
    calls: Any = final.message.tool_calls
    assert [(call.function.name, call.function.arguments) for call in calls] == [
        ("add", '{"a": 12345}'),
        ("add", "{}"),
    ]
