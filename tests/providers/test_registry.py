"""Which providers there are, where their keys come from, and what is said when one is missing."""

from __future__ import annotations

import asyncio
import json
import socket
from pathlib import Path
from typing import Any

import pytest

from streamchat_relay.model import ModelUnknown, ProviderAuth, ProviderError
from streamchat_relay.providers import ProviderRegistry, RegistrySettings
from streamchat_relay.providers.compatible import ollama_address
from streamchat_relay.providers.keys import KEY_FILE
from tests.fakes.provider_server import Answer, ProviderServer, running_provider_server
from tests.providers.kit import KEY, Recorder, call


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def nothing_local() -> dict[str, str]:
    """An environment in which no Ollama is found, whatever runs on this machine."""
    return {"OLLAMA_HOST": f"127.0.0.1:{free_port()}"}


async def key_sent(registry: ProviderRegistry, server: ProviderServer, model: str) -> str:
    provider, name = registry.resolve(model)
    try:
        await provider.stream(call(model=name), Recorder())
    finally:
        await registry.close()
    return server.requests[-1].headers.get("authorization", "")


def write_keys(directory: Path, keys: Any, mode: int = 0o600) -> Path:
    path = directory / KEY_FILE
    path.write_text(keys if isinstance(keys, str) else json.dumps(keys))
    path.chmod(mode)
    return path


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
async def test_configuration_beats_the_environment_and_that_the_key_file(
    server: ProviderServer, tmp_path: Path, provider: str
) -> None:
    url = server.openai_url if provider == "openai" else server.anthropic_url
    upper = provider.upper()
    write_keys(tmp_path, {provider: "from-file"})
    environ = {f"{upper}_BASE_URL": url}

    def made(**fields: Any) -> ProviderRegistry:
        return ProviderRegistry(RegistrySettings(**fields), environ=environ, config_dir=tmp_path)

    assert await key_sent(made(), server, f"{provider}/x") == "Bearer from-file"
    environ[f"{upper}_API_KEY"] = "from-environ"
    assert await key_sent(made(), server, f"{provider}/x") == "Bearer from-environ"
    keys = {provider: "from-config"}
    assert await key_sent(made(keys=keys), server, f"{provider}/x") == "Bearer from-config"
    environ[f"{upper}_BASE_URL"] = "http://127.0.0.1:1"
    sent = await key_sent(made(keys=keys, base_urls={provider: url}), server, f"{provider}/x")
    assert sent == "Bearer from-config"


async def test_a_key_that_comes_later_is_used_without_a_restart(server: ProviderServer) -> None:
    environ = {"OPENAI_BASE_URL": server.openai_url}
    registry = ProviderRegistry(environ=environ)
    provider, name = registry.resolve("openai/x")
    with pytest.raises(ProviderAuth):
        await provider.stream(call(model=name), Recorder())
    environ["OPENAI_API_KEY"] = "later"
    assert await key_sent(registry, server, "openai/x") == "Bearer later"


async def test_a_missing_key_names_variable_setting_and_file(tmp_path: Path) -> None:
    registry = ProviderRegistry(environ={}, config_dir=tmp_path)
    for name in ("openai", "anthropic", "groq", "gemini"):
        provider, model = registry.resolve(f"{name}/x")
        with pytest.raises(ProviderAuth) as caught:
            await provider.stream(call(model=model), Recorder())
        for word in (f"{name.upper()}_API_KEY", f"c.StreamChat.keys['{name}']", KEY_FILE):
            assert word in caught.value.message


@pytest.mark.parametrize(
    ("content", "mode", "words"),
    [
        ({"openai": "k"}, 0o644, "chmod 600"),
        ({"openai": "k"}, 0o620, "chmod 600"),
        ("{", 0o600, "not a JSON object"),
        ({"openai": 3}, 0o600, "not a JSON object"),
        (["k"], 0o600, "not a JSON object"),
    ],
)
async def test_an_unfit_key_file_is_not_used_and_says_why(
    tmp_path: Path, content: Any, mode: int, words: str
) -> None:
    write_keys(tmp_path, content, mode)
    registry = ProviderRegistry(environ=nothing_local(), config_dir=tmp_path)
    provider, name = registry.resolve("openai/x")
    with pytest.raises(ProviderAuth, match=words):
        await provider.stream(call(model=name), Recorder())
    catalog = await registry.catalog()
    assert [problem.provider for problem in catalog.problems] == ["keys"]
    assert words in catalog.problems[0].message
    await registry.close()


async def test_a_key_with_a_line_break_or_spaces_inside_is_refused_before_it_is_sent() -> None:
    for key in ("a b", "a\nb", "ключ"):
        registry = ProviderRegistry(environ={"OPENAI_API_KEY": key})
        provider, name = registry.resolve("openai/x")
        with pytest.raises(ProviderAuth, match="Copy it again") as caught:
            await provider.stream(call(model=name), Recorder())
        assert key not in caught.value.message


def test_keys_are_in_no_repr(server: ProviderServer) -> None:
    settings = RegistrySettings(keys={"openai": KEY}, providers={"m": {"key": KEY}})
    registry = ProviderRegistry(settings, environ={})
    shown = [repr(settings), repr(registry), repr(vars(registry)), repr(vars(registry._keys))]
    assert not [text for text in shown[:3] if KEY in text]
    assert KEY not in repr(registry._entries) + repr(registry._places)


@pytest.mark.parametrize(
    ("model", "near"),
    [
        ("opnai/gpt", "openai"),
        ("gpt-5", "The providers are"),
        ("nope/x", "The providers are"),
        ("openai", r"like openai/…\.$"),
        ("demo", r"like demo/fast\.$"),
        ("", "provider/model"),
        ("openai/", "provider/model"),
        ("/x", "no provider|names no model"),
    ],
)
def test_an_unknown_provider_names_the_near_ones(model: str, near: str) -> None:
    with pytest.raises(ModelUnknown, match=near):
        ProviderRegistry(environ={}).resolve(model)


def test_names_of_models_may_hold_slashes_and_colons() -> None:
    registry = ProviderRegistry(environ={})
    assert registry.resolve("vllm/meta-llama/Llama-3")[1] == "meta-llama/Llama-3"
    assert registry.resolve("ollama/qwen3:0.6b")[1] == "qwen3:0.6b"


async def test_an_unknown_model_names_the_near_ones(
    server: ProviderServer, registry: ProviderRegistry
) -> None:
    error = {"error": {"message": "The model does not exist", "code": "model_not_found"}}
    server.answers.append(Answer(status=404, body=error))
    provider, name = registry.resolve("openai/fake-11")
    with pytest.raises(ModelUnknown, match=r"'fake-11'.*Did you mean.*openai/fake-1"):
        await provider.stream(call(model=name), Recorder())


async def test_the_near_ones_are_asked_of_their_own_provider_only(
    server: ProviderServer, registry: ProviderRegistry
) -> None:
    error = {"error": {"message": "The model does not exist", "code": "model_not_found"}}
    server.answers.append(Answer(status=404, body=error))
    provider, name = registry.resolve("openai/fake-11")
    with pytest.raises(ModelUnknown, match="Did you mean"):
        await provider.stream(call(model=name), Recorder())
    assert [request.target for request in server.requests] == ["/v1/chat/completions", "/v1/models"]
    assert not [request for request in server.requests if "x-api-key" in request.headers]


async def test_a_provider_that_never_names_its_models_keeps_no_unknown_one_waiting(
    server: ProviderServer, registry: ProviderRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streamchat_relay.providers.registry.HINT", 0.01)
    error = {"error": {"message": "The model does not exist", "code": "model_not_found"}}
    server.answers.append(Answer(status=404, body=error))
    provider, name = registry.resolve("openai/fake-11")
    monkeypatch.setattr(provider, "models", asyncio.Event().wait)
    with pytest.raises(ModelUnknown, match=r"'fake-11'[^?]*$"):
        await provider.stream(call(model=name), Recorder())


async def test_the_catalog_holds_what_can_chat_and_ends_with_the_demo(
    registry: ProviderRegistry,
) -> None:
    catalog = await registry.catalog()
    ids = [model.id for model in catalog.models]
    assert ids[:4] == [
        "anthropic/claude-fake-2",
        "anthropic/claude-fake-1",
        "openai/fake-old",
        "openai/fake-1",
    ]
    assert ids[-4:] == ["demo/fast", "demo/slow", "demo/echo", "demo/tools"]
    assert all(model.id == f"{model.provider}/{model.name}" for model in catalog.models)
    assert catalog.default == "anthropic/claude-fake-2"
    # Ollama's address is configured in this registry, and nobody is there.
    assert [problem.provider for problem in catalog.problems] == ["ollama"]


async def test_the_default_of_openai_is_its_newest_model_for_chat(server: ProviderServer) -> None:
    server.openai_models.append({"id": "gpt-9-pro", "created": 99})
    server.openai_models.append({"id": "gpt-realtime-9", "created": 98})
    environ = {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": server.openai_url, **nothing_local()}
    registry = ProviderRegistry(environ=environ)
    assert await registry.default_model() == "openai/fake-1"
    await registry.close()


async def test_without_a_key_the_default_is_the_demo_and_nothing_is_a_problem() -> None:
    registry = ProviderRegistry(environ=nothing_local())
    catalog = await registry.catalog()
    assert catalog.default == await registry.default_model() == "demo/fast"
    assert not catalog.problems
    assert {model.provider for model in catalog.models} == {"demo"}
    await registry.close()


async def test_a_configured_default_beats_all() -> None:
    registry = ProviderRegistry(RegistrySettings(default_model="demo/echo"), environ={})
    assert await registry.default_model() == "demo/echo"


async def test_a_provider_that_fails_is_a_problem_and_the_others_are_there(
    server: ProviderServer,
) -> None:
    settings = RegistrySettings(
        keys={"openai": KEY, "anthropic": KEY},
        base_urls={"openai": "http://127.0.0.1:1/v1", "anthropic": server.anthropic_url},
        providers={"broken": {"base_url": "ftp://x"}, "worse": {"url": 1}},
    )
    registry = ProviderRegistry(settings, environ=nothing_local())
    catalog = await registry.catalog()
    assert [problem.provider for problem in catalog.problems] == ["broken", "worse", "openai"]
    assert catalog.default == "anthropic/claude-fake-2"
    await registry.close()


async def test_a_list_may_tell_how_much_a_model_reads_and_the_provider_knows_it_then(
    server: ProviderServer,
) -> None:
    told = {"a": {"context_window": 131072}, "b": {"max_model_len": "4096"}, "c": {}}
    odd = {"d": {"context_length": -1}, "e": {"context_length": [7]}}
    server.openai_models = [{"id": name, **size} for name, size in {**told, **odd}.items()]
    server.anthropic_models[0]["max_input_tokens"] = 200_000
    places = {"openai": server.openai_url, "anthropic": server.anthropic_url}
    keys = dict.fromkeys(places, KEY)
    registry = ProviderRegistry(
        RegistrySettings(keys=keys, base_urls=places), environ=nothing_local()
    )
    provider, _ = registry.resolve("openai/a")
    assert provider.context("a") is None
    sizes = {model.name: model.context for model in (await registry.catalog()).models}
    assert [sizes[name] for name in "abcde"] == [131072, 4096, None, None, None]
    assert sizes["claude-fake-2"] == 200_000
    assert provider.context("a") == 131072
    await registry.close()


async def test_what_a_model_looks_at_is_said_only_where_its_provider_tells_it(
    server: ProviderServer,
) -> None:
    told: dict[str, dict[str, Any]] = {
        "sees": {"capabilities": {"image_input": {"supported": True}}},
        "blind": {"capabilities": {"image_input": {"supported": False}}},
        "silent": {"capabilities": {"thinking": {"supported": True}}},
        "older": {},
    }
    server.anthropic_models = [{"id": name, "type": "model", **can} for name, can in told.items()]
    registry = ProviderRegistry(
        RegistrySettings(keys={"anthropic": KEY}, base_urls={"anthropic": server.anthropic_url}),
        environ=nothing_local(),
    )
    models = {model.name: model.capabilities for model in (await registry.catalog()).models}
    assert [models[name] for name in told] == [("text", "image"), ("text",), (), ()]
    await registry.close()


async def test_a_list_that_tells_what_models_take_says_who_hears(server: ProviderServer) -> None:
    told: dict[str, dict[str, Any]] = {
        "hears": {"architecture": {"input_modalities": ["audio", "text"]}},
        "reads": {"architecture": {"input_modalities": ["text"]}},
        "odd": {"architecture": ["text"]},
        "gpt-audio": {},
    }
    server.openai_models = [{"id": name, **fields} for name, fields in told.items()]
    registry = ProviderRegistry(
        RegistrySettings(keys={"openai": KEY}, base_urls={"openai": server.openai_url}),
        environ=nothing_local(),
    )
    models = {model.name: model.capabilities for model in (await registry.catalog()).models}
    assert [models[name] for name in told] == [("text", "audio"), ("text",), (), ()]
    await registry.close()


async def test_askers_at_once_share_one_listing(
    server: ProviderServer, registry: ProviderRegistry
) -> None:
    await asyncio.gather(*(registry.catalog() for _ in range(5)))
    assert len(server.requests) == 3


async def test_ollama_is_found_by_itself_when_it_runs(server: ProviderServer) -> None:
    registry = ProviderRegistry(environ={"OLLAMA_HOST": f"0.0.0.0:{server.port}"})
    catalog = await registry.catalog()
    assert "ollama/fake-1" in [model.id for model in catalog.models]
    sink = Recorder()
    provider, name = registry.resolve("ollama/fake-1")
    await provider.stream(call(model=name, max_tokens=5), sink)
    assert sink.text == "Hello, world"
    assert "authorization" not in server.calls[0].headers
    assert server.calls[0].json["max_tokens"] == 5
    await registry.close()


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:11434/v1"),
        (":9", "http://127.0.0.1:9/v1"),
        ("0.0.0.0:9", "http://127.0.0.1:9/v1"),
        ("http://gpu.lan", "http://gpu.lan:80/v1"),
        ("https://gpu.lan/ollama/", "https://gpu.lan:443/ollama/v1"),
        ("[::]:9", "http://127.0.0.1:9/v1"),
        ("::1", "http://[::1]:11434/v1"),
    ],
)
def test_ollama_host_is_read_as_ollama_reads_it(host: str, url: str) -> None:
    assert ollama_address(host) == url


async def test_vllm_needs_an_address_and_says_so() -> None:
    provider, name = ProviderRegistry(environ={}).resolve("vllm/x")
    with pytest.raises(ProviderError, match="VLLM_BASE_URL"):
        await provider.stream(call(model=name), Recorder())


async def test_a_configured_provider_gets_its_headers_and_none_of_openais(
    server: ProviderServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-mine")
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "admin-mine")
    monkeypatch.setenv("OPENAI_API_KEY", "openai-mine")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Mine: secret-mine")
    own = {"base_url": server.openai_url, "headers": {"X-Team": "blue"}, "stream_options": False}
    registry = ProviderRegistry(RegistrySettings(providers={"own": own}), environ={})
    assert await key_sent(registry, server, "own/x") == ""
    request = server.requests[-1]
    assert request.headers["x-team"] == "blue"
    assert not [value for value in request.headers.values() if "mine" in value]
    assert "stream_options" not in request.json


def test_the_key_variables_can_be_hidden_from_kernels() -> None:
    own = {"own": {"base_url": "http://x", "key_variable": "OWN_KEY"}}
    names = ProviderRegistry(RegistrySettings(providers=own), environ={}).hidden_variables()
    assert {"OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GOOGLE_API_KEY", "OWN_KEY"} <= set(names)
    assert "OPENAI_BASE_URL" not in names


async def test_warming_contacts_nobody(server: ProviderServer, registry: ProviderRegistry) -> None:
    await registry.warm()
    assert not server.requests
    assert server.connections == 0


def test_the_fake_provider_runs_in_a_thread_of_its_own() -> None:
    with running_provider_server() as server:
        server.answers.append(Answer(wire=b"data: x\n\n"))
        with socket.create_connection(("127.0.0.1", server.port)) as sock:
            sock.sendall(b"POST /v1/messages HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}")
            server.arrived().result(5)
            assert sock.recv(12) == b"HTTP/1.1 200"
        server.requests[0].closed.result(5)
