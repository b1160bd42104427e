"""A provider's failures, put into the error tree and into a user's words.

Nothing here forwards what a provider wrote: its texts quote keys, headers and prompts. Its error
*codes* are shown, when they look like codes.
"""

from __future__ import annotations

import re

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
    Stalled,
    StreamChatError,
    TimedOut,
    TooLarge,
    Truncated,
)
from streamchat_relay.providers import naming
from streamchat_relay.providers.endpoint import Endpoint
from streamchat_relay.providers.failures import (
    BodyCut,
    ConnectFailed,
    ConnectTimedOut,
    Dropped,
    HttpFailure,
    NotHttp,
    ReadTimedOut,
)
from streamchat_relay.providers.proxy import is_loopback
from streamchat_relay.providers.refusal import Refusal, refusal_from

_NAME = re.compile(r"[a-zA-Z][a-zA-Z_.\[\]0-9-]{0,40}")

_CONTEXT = re.compile(
    r"context.?length|context.?window|context.?size|maximum context|prompt is too long"
    r"|input is too long|too many input tokens|exceed\w* the (available )?context"
    r"|exceed context limit|inputs? tokens? \+ ",
)
_QUOTA = re.compile(r"insufficient_quota|billing|credit balance|quota exceeded|spend.limit")
_FILTER = re.compile(r"content_filter|content_policy|content management policy|responsibleai")
_OVERLOADED = re.compile(r"overloaded|server_busy|engine is currently|at capacity")
_MODEL = re.compile(r"\bmodel\b|model_not_found")
_REFUSED_SETTING = re.compile(
    r"unsupported_parameter|unsupported_value|unknown_parameter|unsupported parameter"
    r"|unsupported value|unknown parameter|unrecognized request argument|extra inputs are not"
    r"|does not support|not supported|is deprecated|extra_forbidden|cannot both be specified"
)
_NO_TOOLS = re.compile(
    r"(not support|no endpoints found that support) (the )?(tools?\b|tool.us|function.?call)"
    r"|(tools?|tool.?us\w+|tool.?call\w*|tool.?choice|function.?call\w*) (is|are) not supported"
    # vLLM and llama.cpp, started without what they need for it.
    r"|--enable-auto-tool-choice|tools param requires"
)
_NO_PICTURES = re.compile(
    r"(not support|no endpoints found that support) (the )?(image|picture|vision|multimodal)"
    r"|(image|vision)[\w ]* (is|are) not supported|not a (multimodal|vision) model"
    r"|image_url is only supported|--mmproj"
)
_NO_AUDIO = re.compile(
    r"(not support|no endpoints found that support) (the )?(input )?audio"
    r"|audio[\w ]* (is|are) not supported|invalid value: 'input_audio'|input_audio is not supported"
)
_SETTINGS = (
    "temperature", "top_p", "top_k", "max_completion_tokens", "max_tokens", "stop_sequences",
    "stop", "presence_penalty", "frequency_penalty", "reasoning_effort", "logprobs", "seed",
    "logit_bias", "response_format", "stream_options", "thinking", "tools",
)  # fmt: skip


def from_refusal(refusal: Refusal, at: Endpoint, model: str) -> StreamChatError:
    """The error for what a provider answered."""
    status, shown = refusal.status, refusal.shown
    who, model = at.provider, naming.shown(model)
    words = f"{refusal.code} {refusal.kind} {refusal.message}".lower()
    if 300 <= status < 400:
        return ProviderError(
            f"{who} at {at.where} answered with a redirect ({status}), and redirects are not "
            "followed, because they would carry the key along. Check the base URL.",
            retryable=False,
        )
    if status == 401 or "authentication_error" in words or "invalid_api_key" in words:
        return ProviderAuth(f"{who} refused the API key{shown}. {at.key_hint}".rstrip())
    if _QUOTA.search(words) and status in {0, 400, 402, 403, 429}:
        return ProviderRateLimited(
            f"The quota or credit of this {who} account is used up{shown}. "
            "Look at its billing page; waiting alone will not help.",
            retryable=False,
        )
    if status == 403 or "permission_error" in words or "permission_denied" in words:
        return ProviderAuth(
            f"{who} does not allow this key to do that{shown}. {at.key_hint}".rstrip()
        )
    if status == 429 or "rate_limit" in words or "resource_exhausted" in words:
        return ProviderRateLimited(
            f"{who} limits how much may be asked{shown}. Wait and try again.",
            retry_after=refusal.retry_after,
        )
    if status in {503, 529} or _OVERLOADED.search(words):
        return ProviderOverloaded(
            f"{who} has no capacity at the moment{shown}. Try again later.",
            retry_after=refusal.retry_after,
        )
    if _CONTEXT.search(words) and status in {0, 400, 413, 422, 500}:
        return ContextLength(
            f"The prompt and the conversation before it are too long for {model}{shown}. "
            "Start a new conversation, or shorten the prompt."
        )
    if _FILTER.search(words):
        return ContentFiltered(f"{who} refused the content{shown}. Put the prompt differently.")
    if _NO_TOOLS.search(words) and status in {0, 400, 404, 422, 500}:
        return BadRequest(
            f"{model} takes no tools{shown}. Choose a model that does, or ask in a chat without "
            "tools. Some servers have to be started with tools switched on."
        )
    if _NO_AUDIO.search(words) and status in {0, 400, 404, 422, 500}:
        return BadRequest(
            f"{model} takes no audio{shown}. Choose a model that does, or begin a conversation "
            "without it: `chat.clear()`, or `chat.edit(…)` the prompt that has some."
        )
    if _NO_PICTURES.search(words) and status in {0, 400, 404, 422, 500}:
        return BadRequest(
            f"{model} takes no pictures{shown}. Choose a model that does, or begin a conversation "
            "without them: `chat.clear()`, or `chat.edit(…)` the prompt that has one."
        )
    if status == 404 or "model_not_found" in words or "not_found_error" in words:
        return _not_found(refusal, at, model, words)
    if status in {400, 422, 0} and _REFUSED_SETTING.search(words):
        return _refused_setting(refusal, model, words)
    if status == 400 and "max_tokens" in words:
        return BadRequest(
            f"max_tokens is not right for {model}{shown}. Set params['max_tokens'] to less."
        )
    if status == 413:
        return TooLarge(f"{who} takes no request of this size{shown}. Send less at once.")
    if status in {408, 504}:
        return TimedOut(f"{who} did not answer in time{shown}. Try again.")
    if 400 <= status < 500 or "invalid_request" in words:
        return ProviderError(
            f"{who} did not accept the request for {model}{shown}.",
            retryable=status in {409, 425},
        )
    return ProviderError(f"{who} failed{shown}. Try again later.", retry_after=refusal.retry_after)


def _not_found(refusal: Refusal, at: Endpoint, model: str, words: str) -> StreamChatError:
    if _MODEL.search(words):
        hint = at.unknown_model_hint
        return ModelUnknown(f"{at.provider} has no model {model!r}. {hint}".rstrip())
    return ProviderError(
        f"{at.provider} at {at.where} does not know this address{refusal.shown}. "
        "Check the base URL; most end in /v1.",
        retryable=False,
    )


def _refused_setting(refusal: Refusal, model: str, words: str) -> StreamChatError:
    name = refusal.param if _NAME.fullmatch(refusal.param) else ""
    if not name:
        name = next((name for name in _SETTINGS if re.search(rf"\b{name}\b", words)), "")
    setting = f"the setting {name!r}" if name else "one of the settings"
    return BadRequest(
        f"{model} does not take {setting}, or not this value{refusal.shown}. Leave it out."
    )


def from_exception(
    error: BaseException,
    at: Endpoint,
    model: str,
    *,
    started: bool = False,
) -> StreamChatError:
    """The error for an exception of an SDK, of httpx2 or of our own transport.

    `started` says that a part of the answer came already. Raise the result `from None`: the SDKs'
    exceptions hold the request with its key.
    """
    if isinstance(error, StreamChatError):
        return error
    status = getattr(error, "status_code", None)
    # A class of both SDKs that is no failure of the status it carries.
    names = {cls.__name__ for cls in type(error).__mro__}
    if isinstance(status, int) and "APIResponseValidationError" not in names:
        headers = getattr(getattr(error, "response", None), "headers", {})
        refusal = refusal_from(getattr(error, "body", None), status, headers)
        return from_refusal(refusal, at, model)
    failure = _failure_beneath(error)
    if failure is not None:
        return _from_failure(failure, at, started=started)
    # By name, because importing the SDKs takes seconds and their trees have the same names.
    if names & {"APITimeoutError", "TimeoutException", "TimeoutError"}:
        return _from_failure(ReadTimedOut(), at, started=started)
    if names & {"InvalidURL", "UnsupportedProtocol", "LocalProtocolError", "UnicodeEncodeError"}:
        return ProviderError(
            f"The base URL, key or headers configured for {at.provider} are not valid.",
            retryable=False,
        )
    if names & {"CredentialsError", "SubjectTokenProviderError", "OAuthError"}:
        return ProviderAuth(f"{at.provider} could not log in. {at.key_hint}".rstrip())
    if names & {"APIConnectionError", "TransportError", "OSError"}:
        return _from_failure(ConnectFailed("the connection failed"), at, started=started)
    if names & {"OpenAIError", "AnthropicError", "HTTPError"}:
        body = getattr(error, "body", None)
        if body is not None and "APIResponseValidationError" not in names:
            return from_refusal(refusal_from(body), at, model)
        return ProviderError(f"{at.provider} answered with something that is not its API.")
    return Internal(f"A fault while talking to {at.provider}; the server's log says more.")


def _failure_beneath(error: BaseException | None) -> HttpFailure | None:
    seen = 0
    while error is not None and seen < 10:
        if isinstance(error, HttpFailure):
            return error
        error, seen = error.__cause__ or error.__context__, seen + 1
    return None


def _from_failure(failure: HttpFailure, at: Endpoint, *, started: bool) -> StreamChatError:
    who, where = at.provider, at.where
    match failure:
        case ConnectFailed():
            host = where.rpartition(":")[0].strip("[]")
            ask = "Is it running?" if is_loopback(host) else "Check the network and the base URL."
            return ProviderError(f"Cannot reach {who} at {where}: {failure}. {ask}")
        case ConnectTimedOut():
            return TimedOut(f"Cannot reach {who} at {where} in time. Is it running?")
        case ReadTimedOut() if started:
            return Stalled(f"{who} went silent in the middle of its answer.")
        case ReadTimedOut():
            return TimedOut(f"{who} at {where} did not begin to answer in time. Try again.")
        case BodyCut():
            return truncated(at, started=started)
        case Dropped():
            return ProviderError(f"{who} at {where} closed the connection without an answer.")
        case NotHttp():
            return ProviderError(
                f"What {who} at {where} answered is not HTTP: {failure}. Check the base URL.",
                retryable=False,
            )
        case _:
            return ProviderError(f"The connection to {who} at {where} failed.")


def truncated(at: Endpoint, *, started: bool) -> Truncated:
    """The answer stopped before the provider said that it was done."""
    if not started:
        return Truncated(
            f"{at.provider} at {at.where} ended its answer before it had said anything. Try again; "
            "if that does not help, check the base URL and the server's log."
        )
    return Truncated(f"{at.provider} broke off in the middle of its answer. What came is kept.")


def undecodable(at: Endpoint) -> ProviderError:
    """The stream holds something that is not this wire."""
    return ProviderError(
        f"{at.provider} at {at.where} streamed something that is not its API. "
        "Check the base URL and the server's version.",
        retryable=False,
    )
