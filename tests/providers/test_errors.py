"""Every failure of a provider becomes an error of ours, in words, without a secret."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import anthropic
import httpx2
import openai
import pytest
from anthropic import _exceptions as anthropic_exceptions
from anthropic._error_classes import ERROR_CLASSES

from streamchat_relay.model import (
    BadRequest,
    ContentFiltered,
    ContextLength,
    Internal,
    ModelUnknown,
    ProviderAuth,
    ProviderError,
    ProviderOverloaded,
    ProviderRateLimited,
    StreamChatError,
    TimedOut,
    TooLarge,
    Truncated,
)
from streamchat_relay.providers import ProviderRegistry, RegistrySettings
from streamchat_relay.providers.errors import from_exception, from_refusal
from streamchat_relay.providers.refusal import refusal_from
from tests.fakes.provider_server import Answer, ProviderServer
from tests.providers.kit import AT, KEY, Recorder, call
from tests.providers.test_http import answering, serving

SECRET = "sk-proj-9876543210"  # what providers quote in their own texts
REQUEST = httpx2.Request("POST", "https://x.example/v1", headers={"authorization": KEY})


def exception_classes(module: Any) -> Iterator[type[BaseException]]:
    for _, found in inspect.getmembers(module, inspect.isclass):
        if issubclass(found, BaseException) and found.__module__.startswith(module.__name__[:6]):
            yield found


SDK_CLASSES = {
    *exception_classes(openai),
    *exception_classes(openai._exceptions),
    *exception_classes(anthropic),
    *exception_classes(anthropic_exceptions),
    *ERROR_CLASSES.values(),
}


def made(cls: type[BaseException]) -> BaseException:
    """An instance as the SDK would raise it, without calling its many constructors."""
    error = cls.__new__(cls, f"text with {SECRET}")
    error.args = (f"text with {SECRET}",)
    status = getattr(cls, "status_code", None)
    names = {base.__name__ for base in cls.__mro__}
    if "APIStatusError" in names:
        status = status if isinstance(status, int) else 500
        error.status_code = status  # type: ignore[attr-defined]
        error.response = httpx2.Response(status, request=REQUEST)  # type: ignore[attr-defined]
        error.body = {"error": {"message": SECRET}}  # type: ignore[attr-defined]
    return error


@pytest.mark.parametrize("cls", sorted(SDK_CLASSES, key=lambda cls: f"{cls.__module__}{cls}"))
def test_every_exception_class_of_both_sdks_is_mapped(cls: type[BaseException]) -> None:
    if not issubclass(cls, (openai.OpenAIError, anthropic.AnthropicError)):
        assert cls.__name__ in {"InvalidWebhookSignatureError", "MissingStainlessError"} or (
            not issubclass(cls, Exception) or issubclass(cls, (Warning, ValueError, TypeError))
        ), f"{cls} is outside both trees: map it"
        return
    error = from_exception(made(cls), AT, "m")
    assert isinstance(error, (ProviderError, BadRequest))
    assert not isinstance(error, Internal)
    assert SECRET not in str(error)
    assert KEY not in str(error)


def test_every_exception_class_of_the_http_client_is_mapped() -> None:
    for cls in exception_classes(httpx2):
        if issubclass(cls, (httpx2.HTTPError, httpx2.InvalidURL)):
            error = from_exception(made(cls), AT, "m")
            assert isinstance(error, ProviderError), cls
            assert SECRET not in str(error)


def body(message: str = "", code: Any = None, kind: str = "", param: Any = None) -> Any:
    return {"error": {"message": message, "code": code, "type": kind, "param": param}}


TABLE: list[tuple[int, Any, type[StreamChatError], str]] = [
    (401, body(f"Incorrect API key provided: {SECRET}", "invalid_api_key"), ProviderAuth,
     "FAKE_KEY"),
    (401, {"type": "error", "error": {"type": "authentication_error"}}, ProviderAuth, "FAKE_KEY"),
    (403, body("Country not supported"), ProviderAuth, "not allow"),
    (404, body("The model `x` does not exist", "model_not_found"), ModelUnknown, "no model 'm'"),
    (404, body("model: claude-x", kind="not_found_error"), ModelUnknown, "no model 'm'"),
    (404, "<html>nginx</html>", ProviderError, "base URL"),
    (429, body("Rate limit reached", "rate_limit_exceeded"), ProviderRateLimited, "Wait"),
    (429, body("You exceeded", "insufficient_quota"), ProviderRateLimited, "quota"),
    (400, body("Your credit balance is too low", kind="invalid_request_error"),
     ProviderRateLimited, "credit"),
    (529, body("Overloaded", kind="overloaded_error"), ProviderOverloaded, "capacity"),
    (503, "Service Unavailable", ProviderOverloaded, "capacity"),
    (400, body("This model's maximum context length is 8 tokens", "context_length_exceeded"),
     ContextLength, "too long"),
    (400, body("prompt is too long: 9 tokens > 8 maximum", kind="invalid_request_error"),
     ContextLength, "too long"),
    (400, body("the request exceeds the available context size", kind="exceed_context_size_error"),
     ContextLength, "too long"),
    (400, body("input length and `max_tokens` exceed context limit: 9 + 9 > 10"),
     ContextLength, "too long"),
    (400, body("rejected", "content_filter"), ContentFiltered, "refused the content"),
    (400, body("Unsupported value: 'temperature' does not support 0.2", "unsupported_value",
               param="temperature"), BadRequest, "'temperature'"),
    (400, body("`temperature` is deprecated for this model.", kind="invalid_request_error"),
     BadRequest, "'temperature'"),
    (400, body("top_k: Extra inputs are not permitted", kind="invalid_request_error"),
     BadRequest, "'top_k'"),
    (400, body("max_tokens: 9 > 8, which is the maximum allowed number of output tokens"),
     BadRequest, "max_tokens"),
    (400, [{"error": {"code": 400, "message": "x", "status": "INVALID_ARGUMENT"}}],
     ProviderError, "invalid_argument"),
    (413, body("Request too large", kind="request_too_large"), TooLarge, "size"),
    (408, "", TimedOut, "in time"),
    (504, "", TimedOut, "in time"),
    (500, body("boom", kind="server_error"), ProviderError, "Try again"),
    (418, "I'm a teapot", ProviderError, "did not accept"),
    (301, "", ProviderError, "redirect"),
]  # fmt: skip


@pytest.mark.parametrize(("status", "answer", "cls", "words"), TABLE)
def test_a_refusal_is_put_into_words(
    status: int, answer: Any, cls: type[StreamChatError], words: str
) -> None:
    error = from_refusal(refusal_from(answer, status), AT, "m")
    assert type(error) is cls
    assert words in error.message
    assert SECRET not in error.message
    assert error.message.endswith((".", "?"))


@pytest.mark.parametrize(("status", "answer", "cls", "words"), TABLE)
@pytest.mark.parametrize("model", ["openai/m", "anthropic/m"])
async def test_a_refusal_is_the_same_through_the_sdks(
    server: ProviderServer,
    registry: ProviderRegistry,
    model: str,
    status: int,
    answer: Any,
    cls: type[StreamChatError],
    words: str,
) -> None:
    raw = answer.encode() if isinstance(answer, str) else answer
    server.answers.append(Answer(status=status, body=raw, headers={"retry-after": "7"}))
    provider, name = registry.resolve(model)
    with pytest.raises(cls) as caught:
        await provider.stream(call(model=name), Recorder())
    assert SECRET not in repr(caught.value)
    assert KEY not in repr(caught.value)
    assert caught.value.__cause__ is None
    if cls is ProviderRateLimited and caught.value.retryable:
        assert caught.value.retry_after == 7.0


def test_a_code_that_could_be_a_secret_is_not_shown() -> None:
    error = from_refusal(refusal_from(body("x", SECRET, "Bearer abc"), 500), AT, "m")
    assert error.message == "fake failed (500). Try again later."


async def test_nobody_listening_is_said_with_the_address(
    registry: ProviderRegistry, server: ProviderServer
) -> None:
    await server.__aexit__(None, None, None)
    provider, name = registry.resolve("mine/x")
    words = r"Cannot reach mine at 127\.0\.0\.1:\d+: connection refused.*running"
    with pytest.raises(ProviderError, match=words):
        await provider.stream(call(model=name), Recorder())


@pytest.mark.parametrize("wire", [b"", b"<html>Welcome</html>", b": keep-alive\n\n"])
async def test_an_answer_that_says_nothing_is_not_called_one_that_broke_off(
    registry: ProviderRegistry, server: ProviderServer, wire: bytes
) -> None:
    provider, name = registry.resolve("openai/x")
    server.answers.append(Answer(wire=wire))
    with pytest.raises(Truncated, match="before it had said anything"):
        await provider.stream(call(model=name), Recorder())


async def test_an_answer_that_is_compressed_unasked_is_named_so(
    registry: ProviderRegistry, server: ProviderServer
) -> None:
    provider, name = registry.resolve("openai/x")
    zipped = {"content-type": "text/event-stream", "content-encoding": "gzip"}
    server.answers.append(Answer(headers=zipped, wire=b"\x1f\x8b"))
    with pytest.raises(ProviderError, match="compressed its answer"):
        await provider.stream(call(model=name), Recorder())


@pytest.mark.parametrize(
    ("answer", "retryable", "words"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", True, r"with nothing \(204\)"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", True, "with nothing"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n", True, "with nothing"),
        (b"HTTP/1.1 200 OK\r\n\r\n<html>hi</html>", False, "does not say what it is"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=x\r\n\r\nupstream error",
            False,
            "with text/plain, which is no stream",
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Type: s\xc3\xa9cret\r\n\r\nupstream error",
            False,
            r"with \?, which is no stream",
        ),
    ],
)
async def test_what_came_instead_of_an_answer_is_named(
    answer: bytes, words: str, *, retryable: bool
) -> None:
    async with serving(answering(answer)) as origin:
        settings = RegistrySettings(providers={"mine": {"base_url": f"http://{origin}/v1"}})
        registry = ProviderRegistry(settings, environ={})
        provider, name = registry.resolve("mine/x")
        with pytest.raises(ProviderError, match=words) as caught:
            await provider.stream(call(model=name), Recorder())
        await registry.close()
    assert type(caught.value) is ProviderError
    assert caught.value.retryable is retryable


async def test_a_stream_of_another_type_is_an_answer_all_the_same(
    registry: ProviderRegistry, server: ProviderServer
) -> None:
    server.answers.append(Answer(headers={"content-type": "application/octet-stream"}))
    provider, name = registry.resolve("mine/x")
    sink = Recorder()
    await provider.stream(call(model=name), sink)
    assert sink.text == "Hello, world"


async def test_a_web_page_and_a_whole_answer_are_no_stream(
    registry: ProviderRegistry, server: ProviderServer
) -> None:
    provider, name = registry.resolve("openai/x")
    page = {"content-type": "text/html"}
    server.answers.append(Answer(body=b"<html>", headers=page))
    with pytest.raises(ProviderError, match="web page"):
        await provider.stream(call(model=name), Recorder())
    server.answers.append(Answer(body={"choices": []}))
    with pytest.raises(ProviderError, match="not a stream"):
        await provider.stream(call(model=name), Recorder())
    server.answers.append(Answer(body=body("x", "insufficient_quota")))
    with pytest.raises(ProviderRateLimited):
        await provider.stream(call(model=name), Recorder())
