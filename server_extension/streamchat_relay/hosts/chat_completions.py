"""OpenAI's Chat Completions as a client speaks them: requests read, answers and chunks written."""

from __future__ import annotations

import time
from typing import Any, NamedTuple

from streamchat_relay.model import (
    Abort,
    BadRequest,
    Catalog,
    ErrorInfo,
    FilePart,
    Finish,
    Message,
    TextPart,
    Usage,
)
from streamchat_relay.relay.aside import thread

_OURS = frozenset(["model", "messages", "stream", "stream_options", "n", "response_format", "user"])
_ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}
_REASONS = {"stop": "stop", "length": "length", "content-filter": "content_filter"}
_STATUS = {
    "bad_request": 400,
    "too_large": 413,
    "context_length": 400,
    "content_filtered": 400,
    "model_unknown": 404,
    "unauthorized": 401,
    "forbidden": 403,
    "rate_limited": 429,
    "budget_exhausted": 429,
    "provider_rate_limited": 429,
    "provider_overloaded": 503,
    "timeout": 504,
    "stalled": 504,
    "internal": 500,
}


class Asked(NamedTuple):
    """A request: whom, what, with what, and how the answer shall come."""

    model: str
    messages: tuple[Message, ...]
    params: dict[str, Any]
    stream: bool
    counted: bool
    """Whether the stream ends with the usage."""


def read(body: Any) -> Asked:
    """The request in a body; raises `BadRequest` for what cannot be done here."""
    if not isinstance(body, dict) or not isinstance(body.get("messages"), list):
        raise BadRequest("The body must be a JSON object with `messages`.")
    model = body.get("model") or ""
    if not isinstance(model, str):
        raise BadRequest("`model` must be a text, provider/model.")
    if body.get("n") not in {None, 1}:
        raise BadRequest("Only one answer can be asked for: leave `n` out.")
    if body.get("tools") or body.get("functions"):
        raise BadRequest("Tools are not passed on here. Leave `tools` out.")
    options = body.get("stream_options")
    return Asked(
        model=model,
        messages=thread([_message(message) for message in body["messages"]]),
        params={
            **{name: value for name, value in body.items() if name not in _OURS},
            **_form(body.get("response_format")),
        },
        stream=bool(body.get("stream")),
        counted=isinstance(options, dict) and bool(options.get("include_usage")),
    )


def error_body(error: ErrorInfo) -> dict[str, Any]:
    """An error as a client of OpenAI's reads it."""
    return {
        "error": {"message": error.message, "type": error.code, "code": error.code, "param": None}
    }


def status_of(error: ErrorInfo) -> int:
    """The status that makes clients do the right thing: wait, mend the request, or give up."""
    return _STATUS.get(error.code, 502)


def models(catalog: Catalog) -> dict[str, Any]:
    """The list of models."""
    return {
        "object": "list",
        "data": [
            {"id": model.id, "object": "model", "created": 0, "owned_by": model.provider}
            for model in catalog.models
        ],
    }


class Writer:
    """Writes one answer, whole or in chunks."""

    def __init__(self, run: str, model: str) -> None:
        self._head = {"id": f"chatcmpl-{run}", "created": int(time.time()), "model": model}

    def chunk(self, delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
        """A piece of the answer."""
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        return {**self._head, "object": "chat.completion.chunk", "choices": [choice]}

    def count(self, usage: Usage | None) -> dict[str, Any]:
        """The chunk that only counts."""
        made = {**self._head, "object": "chat.completion.chunk", "choices": []}
        return {**made, "usage": _usage(usage)}

    def whole(self, text: str, reasoning: str, reason: str, usage: Usage | None) -> dict[str, Any]:
        """The answer at once."""
        message: dict[str, Any] = {"role": "assistant", "content": text}
        if reasoning:
            message["reasoning_content"] = reasoning
        choice = {"index": 0, "message": message, "finish_reason": reason, "logprobs": None}
        made = {**self._head, "object": "chat.completion", "choices": [choice]}
        return {**made, "usage": _usage(usage)}


def reason_of(end: Finish | Abort) -> str:
    """Why it ended; what the budget cut is as good as too long."""
    return "length" if isinstance(end, Abort) else _REASONS.get(end.finish_reason, "stop")


def _usage(usage: Usage | None) -> dict[str, Any] | None:
    if usage is None:
        return None
    return {
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.input + usage.output,
        "prompt_tokens_details": {"cached_tokens": usage.cached or 0},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning or 0},
    }


def _message(message: Any) -> tuple[str, tuple[TextPart | FilePart, ...]]:
    if not isinstance(message, dict):
        raise BadRequest("Each of `messages` must be an object with `role` and `content`.")
    role = _ROLES.get(str(message.get("role")))
    if role is None:
        raise BadRequest(f"Messages of the role {message.get('role')!r} are not passed on here.")
    content = message.get("content")
    pieces = content if isinstance(content, list) else [{"type": "text", "text": content or ""}]
    return role, tuple(map(_part, pieces))


def _part(piece: Any) -> TextPart | FilePart:
    match piece:
        case {"type": "text", "text": str(text)}:
            return TextPart(text=text)
        case {"type": "image_url", "image_url": {"url": str(url)} | str(url)}:
            kind = url[5:].partition(";")[0] if url.startswith("data:") else "image/*"
            return FilePart(url=url, media_type=kind)
        case {"type": "file", "file": {"file_data": str(url), **rest}}:
            kind = url[5:].partition(";")[0] if url.startswith("data:") else ""
            return FilePart(url=url, media_type=kind, name=str(rest.get("filename") or ""))
        case _:
            raise BadRequest("Content may be text, pictures (`image_url`) and files (`file_data`).")


def _form(form: Any) -> dict[str, Any]:
    match form:
        case None:
            return {}
        case {"type": "json_schema", "json_schema": {"name": str(name), "schema": dict(schema)}}:
            return {"response_schema": {"name": name, "schema": schema}}
        case _:
            return {"response_format": form}
