"""A provider's second request is its first but for the body, whoever built it."""

from __future__ import annotations

import pytest

from streamchat_relay.model import ProviderRateLimited
from tests.fakes.provider_server import Answer, ProviderServer
from tests.providers.kit import Recorder, call, registry_at


async def test_the_second_request_differs_from_the_first_in_nothing_but_its_body(
    server: ProviderServer,
) -> None:
    registry = registry_at(server)
    provider, name = registry.resolve("openai/fake-1")
    for prompt in ("Hi", "Grüße, 日本語 and 👩‍🔬", "Hi"):
        sink = Recorder()
        await provider.stream(call(prompt, name, temperature=0.5), sink)
        assert sink.text == "Hello, world"
    first, second, third = server.calls
    lengths = [one.headers.pop("content-length") for one in (first, second, third)]
    assert first.headers == second.headers == third.headers
    assert (first.target, first.method) == (second.target, second.method)
    assert lengths[0] == lengths[2]
    assert first.json == third.json
    assert second.json["messages"][0]["content"] == "Grüße, 日本語 and 👩‍🔬"
    await registry.close()


@pytest.mark.parametrize("before", [0, 1])
async def test_a_refusal_reads_the_same_at_the_first_request_and_at_the_next(
    server: ProviderServer, before: int
) -> None:
    registry = registry_at(server)
    provider, name = registry.resolve("openai/fake-1")
    for _ in range(before):
        await provider.stream(call("Hi", name), Recorder())
    error = {"error": {"message": "Slow down", "code": "rate_limit_exceeded"}}
    server.answers.append(Answer(status=429, body=error, headers={"retry-after": "3"}))
    with pytest.raises(ProviderRateLimited) as limited:
        await provider.stream(call("Hi", name), Recorder())
    assert limited.value.info.retry_after == 3
    assert "rate_limit_exceeded" in limited.value.message
    await provider.stream(call("Hi", name), Recorder())
    await registry.close()
