"""Addresses come from the server's configuration: nothing that a client or provider says is one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.fakes.jupyter import JupyterServer
from tests.fakes.provider_server import Answer, ProviderServer
from tests.hosts.kit import Run


class Inside:
    """A service that nobody outside may reach: it counts who tries, and keeps what they say."""

    def __init__(self) -> None:
        self.url = ""
        self.said: list[bytes] = []

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.said.append(await reader.read(65536))
        writer.close()


@pytest.fixture
async def inside() -> AsyncIterator[Inside]:
    made = Inside()
    server = await asyncio.start_server(made.handle, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield made
    server.close()
    await asyncio.sleep(0)
    assert made.said == []


NAMES = (
    *(
        "base_url",
        "api_base",
        "api_url",
        "url",
        "endpoint",
        "host",
        "proxy",
        "proxies",
        "http_client",
    ),
    *(
        "_base_url",
        "azure_endpoint",
        "websocket_base_url",
        "organization",
        "api_key",
        "api_version",
    ),
)


async def test_parameters_are_only_ever_fields_of_the_body(
    hosted: JupyterServer, upstream: ProviderServer, inside: Inside
) -> None:
    before = len(upstream.calls)
    headers = {"Host": "inside", "Authorization": "Bearer theirs", "X-Evil": "1"}
    params: dict[str, Any] = dict.fromkeys(NAMES, inside.url)
    params.update((name, headers) for name in ("headers", "extra_headers", "default_headers"))
    params.update((name, {"evil": "1"}) for name in ("query", "extra_query", "extra_body"))
    params.update(timeout=0, max_retries=9)
    async with await hosted.socket() as socket:
        run = Run(socket, "openai/fake-1")
        assert (await run.send(params=params))["type"] == "ok"
        assert (await run.end())["type"] == "finish"
    (call,) = upstream.calls[before:]
    assert call.target == "/v1/chat/completions"
    assert call.headers["host"] == f"127.0.0.1:{upstream.port}"
    assert call.headers["authorization"] == "Bearer sk-none"
    assert "x-evil" not in call.headers
    assert {name: call.json[name] for name in params} == params


async def test_a_frame_names_no_address(
    hosted: JupyterServer, upstream: ProviderServer, inside: Inside
) -> None:
    before = len(upstream.calls)
    async with await hosted.socket() as socket:
        fields = dict.fromkeys(("base_url", "provider", "endpoint", "url"), inside.url)
        run = Run(socket, "openai/fake-1")
        assert (await run.send(**fields))["type"] == "ok"
        assert (await run.end())["type"] == "finish"
        for model in (f"{inside.url}/v1", f"//{inside.url}", f"openai@{inside.url[7:]}/x", "../x"):
            refused = await Run(socket, model).send()
            assert refused["error"]["code"] == "model_unknown"
        name = f"../../x?a=b#c\r\nHost: inside\r\n\r\nGET {inside.url}"
        assert (await Run(socket, f"openai/{name}").answer())["type"] == "finish"
    own, odd = upstream.calls[before:]
    assert own.target == odd.target == "/v1/chat/completions"
    assert odd.json["model"] == name


@pytest.mark.parametrize("scheme", ["http", "file"])
async def test_a_file_that_is_somewhere_else_is_not_fetched(
    hosted: JupyterServer, inside: Inside, scheme: str
) -> None:
    url = f"{inside.url}/latest/meta-data" if scheme == "http" else "file:///etc/passwd"
    async with await hosted.socket() as socket:
        run = Run(socket, "openai/fake-1")
        await socket.ask(type="open", conversation=run.conversation)
        file = {"type": "file", "url": url, "media_type": "image/png"}
        sent = await socket.ask(
            type="send",
            conversation=run.conversation,
            run=run.id,
            model=run.model,
            message={"parts": [{"type": "text", "text": "x"}, file]},
        )
        if scheme == "http":
            # The provider is told the address of a picture on the web, and may look for itself.
            assert sent["type"] == "ok"
            assert (await run.end())["type"] == "finish"
        else:
            assert sent["error"]["code"] == "bad_request"
        assert "root:" not in str(socket.frames)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_to_another_host_is_not_followed_with_the_key(
    hosted: JupyterServer, upstream: ProviderServer, inside: Inside, status: int
) -> None:
    upstream.answers.append(
        Answer(status=status, body={}, headers={"location": f"{inside.url}/v1/chat/completions"})
    )
    async with await hosted.socket() as socket:
        error = (await Run(socket, "openai/fake-1").answer())["error"]
    assert error["code"] == "provider_error"
    assert "redirect" in error["message"]
    assert inside.url not in error["message"]
