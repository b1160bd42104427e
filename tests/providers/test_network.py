"""Proxies and TLS, on loopback."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ssl
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from streamchat_relay.model import Output, ProviderError
from streamchat_relay.providers import ProviderRegistry, RegistrySettings
from streamchat_relay.providers import pool as pool_module
from streamchat_relay.providers.failures import ConnectFailed
from streamchat_relay.providers.proxy import Proxy, is_loopback, proxy_for
from tests.fakes.provider_server import Answer, ProviderServer
from tests.providers.kit import KEY, Recorder, call

CA = trustme.CA()

# Python 3.10 forgets to close the inner transport of a handshake that failed, and then warns.
pytestmark = pytest.mark.filterwarnings(
    "ignore:.*_SSLProtocolTransport:pytest.PytestUnraisableExceptionWarning"
    if sys.version_info < (3, 11)
    else "error"
)


def server_tls(name: str) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    CA.issue_cert(name).configure_cert(context)
    return context


def trust() -> ssl.SSLContext:
    context = ssl.create_default_context()
    CA.configure_trust(context)
    return context


def registry_for(base_url: str, *, trusting: bool = True) -> ProviderRegistry:
    settings = RegistrySettings(keys={"openai": KEY}, base_urls={"openai": base_url})
    if trusting:
        return ProviderRegistry(settings, environ={}, trust=trust)
    return ProviderRegistry(settings, environ={})


async def ask(registry: ProviderRegistry) -> Recorder:
    sink = Recorder()
    provider, name = registry.resolve("openai/x")
    try:
        await provider.stream(call(model=name), sink)
    finally:
        await registry.close()
    return sink


class LittleProxy:
    """A proxy that goes to one server, whatever name it is asked for, and keeps the heads."""

    def __init__(self, port: int, refuse: bytes = b"") -> None:
        self.heads: list[bytes] = []
        self.port = port
        self._refuse = refuse

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.heads.append(head)
        if self._refuse:
            writer.write(self._refuse)
            writer.close()
            return
        there, onward = await asyncio.open_connection("127.0.0.1", self.port)
        if head.startswith(b"CONNECT"):
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            onward.write(head)
        await asyncio.gather(self._copy(reader, onward), self._copy(there, writer))

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
        except ConnectionError:
            pass
        finally:
            writer.close()


@asynccontextmanager
async def proxying(proxy: LittleProxy) -> AsyncIterator[int]:
    server = await asyncio.start_server(proxy.handle, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    await asyncio.sleep(0.01)


async def test_a_trusted_certificate_is_accepted() -> None:
    async with ProviderServer(tls=server_tls("localhost"), host="localhost") as server:
        sink = await ask(registry_for(server.openai_url))
    assert sink.text == "Hello, world"


async def test_stop_in_mid_stream_closes_a_tls_connection() -> None:
    class Signal(Recorder):
        came = asyncio.Event()

        def push(self, outputs: Sequence[Output], /) -> None:
            self.came.set()

    async with ProviderServer(tls=server_tls("localhost"), host="localhost") as server:
        server.answers.append(Answer(finish=None, ending="hang"))
        registry = registry_for(server.openai_url)
        provider, name = registry.resolve("openai/x")
        sink = Signal()
        task = asyncio.ensure_future(provider.stream(call(model=name), sink))
        await sink.came.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await server.requests[0].wait_closed()
        await registry.close()


@pytest.mark.parametrize("through_proxy", [False, True])
async def test_stop_in_the_handshake_closes_the_socket(
    monkeypatch: pytest.MonkeyPatch, *, through_proxy: bool
) -> None:
    came, gone = asyncio.Event(), asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        came.set()
        with contextlib.suppress(ConnectionError):
            await reader.read()
        gone.set()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    if through_proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
    registry = registry_for(f"https://{'llm.example' if through_proxy else '127.0.0.1'}:{port}")
    provider, name = registry.resolve("openai/x")
    task = asyncio.ensure_future(provider.stream(call(model=name), Recorder()))
    await came.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await gone.wait()
    server.close()
    await registry.close()


async def test_a_certificate_for_another_name_is_refused() -> None:
    async with ProviderServer(tls=server_tls("example.org"), host="localhost") as server:
        with pytest.raises(ProviderError, match="certificate"):
            await ask(registry_for(server.openai_url))
        assert not server.requests


async def test_a_certificate_of_an_unknown_authority_is_refused() -> None:
    async with ProviderServer(tls=server_tls("localhost"), host="localhost") as server:
        with pytest.raises(ProviderError, match="certificate"):
            await ask(registry_for(server.openai_url, trusting=False))
        assert not server.requests


async def test_certificates_of_ssl_cert_file_are_trusted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    CA.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    async with ProviderServer(tls=server_tls("localhost"), host="localhost") as server:
        sink = await ask(registry_for(server.openai_url, trusting=False))
    assert sink.text == "Hello, world"


async def test_https_goes_through_a_tunnel_and_the_proxy_sees_no_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with ProviderServer(tls=server_tls("llm.example")) as server:
        proxy = LittleProxy(server.port)
        async with proxying(proxy) as port:
            monkeypatch.setenv("HTTPS_PROXY", f"http://me:s3cret@127.0.0.1:{port}")
            sink = await ask(registry_for("https://llm.example/v1"))
    assert sink.text == "Hello, world"
    (head,) = proxy.heads
    assert head.startswith(b"CONNECT llm.example:443 HTTP/1.1\r\n")
    assert base64.b64encode(b"me:s3cret") in head
    assert KEY.encode() not in head


async def test_http_goes_to_the_proxy_in_absolute_form(monkeypatch: pytest.MonkeyPatch) -> None:
    async with ProviderServer() as server:
        proxy = LittleProxy(server.port)
        async with proxying(proxy) as port:
            monkeypatch.setenv("HTTP_PROXY", f"127.0.0.1:{port}")
            sink = await ask(registry_for("http://llm.example:8000/v1"))
    assert sink.text == "Hello, world"
    assert proxy.heads[0].startswith(b"POST http://llm.example:8000/v1/chat/completions HTTP/1.1")


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (b"HTTP/1.1 407 Login\r\nContent-Length: 0\r\n\r\n", "login"),
        (b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n", "refused"),
    ],
)
async def test_a_proxy_that_refuses_is_named(
    monkeypatch: pytest.MonkeyPatch, refusal: bytes, words: str
) -> None:
    async with proxying(LittleProxy(0, refusal)) as port:
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:s3cret@127.0.0.1:{port}")
        with pytest.raises(ProviderError, match=words) as caught:
            await ask(registry_for("https://llm.example/v1"))
    assert "s3cret" not in caught.value.message


async def test_loopback_is_never_proxied(
    monkeypatch: pytest.MonkeyPatch, server: ProviderServer
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    assert (await ask(registry_for(server.openai_url))).text == "Hello, world"


def test_no_proxy_is_honoured() -> None:
    environ = {"https_proxy": "http://p:1", "no_proxy": "lan, .example.org,10.0.0.0/8,h:8443"}
    direct = ["lan", "a.lan", "example.org", "x.example.org", "10.2.3.4"]
    assert all(proxy_for("https", host, 443, environ) is None for host in direct)
    assert proxy_for("https", "h", 8443, environ) is None
    for host in ("h", "notlan", "11.0.0.1", "api.openai.com"):
        assert proxy_for("https", host, 443, environ) == Proxy("p", 1)
    assert proxy_for("https", "h", 443, {**environ, "NO_PROXY": "*", "no_proxy": "*"}) is None


def test_a_socks_proxy_is_refused_in_words() -> None:
    with pytest.raises(ConnectFailed, match="socks5"):
        proxy_for("https", "api.openai.com", 443, {"ALL_PROXY": "socks5://127.0.0.1:9"})


def test_a_proxys_password_is_not_in_its_repr() -> None:
    proxy = proxy_for("https", "a.org", 443, {"HTTPS_PROXY": "http://u:s3cret@p"})
    assert proxy is not None
    assert "s3cret" not in repr(proxy)


@given(st.text())
def test_any_host_name_is_loopback_or_not(host: str) -> None:
    is_loopback(host)


async def test_idle_connections_expire(
    server: ProviderServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_module, "IDLE_EXPIRY", 0.02)
    registry = registry_for(server.openai_url)
    provider, name = registry.resolve("openai/x")
    await provider.stream(call(model=name), Recorder())
    await server.requests[0].wait_closed()
    await registry.close()
