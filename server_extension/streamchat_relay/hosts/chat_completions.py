"""OpenAI's Chat Completions as a client asks for them: requests read, errors written."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from streamchat_relay.model import (
    BadRequest,
    Catalog,
    ErrorInfo,
    FilePart,
    Message,
    Part,
    ReasoningPart,
    Role,
    TextPart,
    ToolPart,
    ToolSpec,
)
from streamchat_relay.model.reduce import replace
from streamchat_relay.relay.aside import thread
from streamchat_relay.relay.depth import MAX_DEPTH, deeper

_OURS = frozenset(
    ["model", "messages", "stream", "stream_options", "n", "response_format", "user", "tools"]
)
_ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
}
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
    tools: tuple[ToolSpec, ...]
    stream: bool
    counted: bool
    """Whether the stream ends with the usage."""


def read(body: Any) -> Asked:
    """The request in a body; raises `BadRequest` for what cannot be done here."""
    if not isinstance(body, dict) or not isinstance(body.get("messages"), list):
        raise BadRequest("The body must be a JSON object with `messages`.")
    if deeper(body, 2 * MAX_DEPTH):
        raise BadRequest(f"The body is nested more than {2 * MAX_DEPTH} levels deep.")
    model = body.get("model") or ""
    if not isinstance(model, str):
        raise BadRequest("`model` must be a text, provider/model.")
    if body.get("n") not in {None, 1}:
        raise BadRequest("Only one answer can be asked for: leave `n` out.")
    if body.get("functions"):
        raise BadRequest("`functions` are not passed on here. Give them as `tools`.")
    options = body.get("stream_options")
    return Asked(
        model=model,
        messages=thread(_messages(body["messages"])),
        params={
            **{name: value for name, value in body.items() if name not in _OURS},
            **_form(body.get("response_format")),
        },
        tools=tuple(map(_tool, _list(body, "tools"))),
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


def _messages(given: list[Any]) -> list[tuple[Role, tuple[Part, ...]]]:
    """The messages; what tools returned is told with their calls."""
    made: list[tuple[Role, list[Part]]] = []
    calls: dict[str, tuple[list[Part], int]] = {}
    for message in given:
        if not isinstance(message, dict):
            raise BadRequest("Each of `messages` must be an object with `role` and `content`.")
        content = message.get("content")
        pieces = content if isinstance(content, list) else [{"type": "text", "text": content or ""}]
        parts: list[Part] = list(map(_part, pieces))
        if message.get("role") == "tool":
            known = calls.get(str(message.get("tool_call_id")))
            if known is None:
                raise BadRequest("A message of the role 'tool' answers no call before it.")
            answered, at = known
            text = "".join(part.text for part in parts if isinstance(part, TextPart))
            answered[at] = replace(answered[at], state="output-available", output=text)
            continue
        role = _ROLES.get(str(message.get("role")))
        if role is None:
            raise BadRequest(
                f"Messages of the role {message.get('role')!r} are not passed on here."
            )
        for field in ("reasoning_content", "reasoning"):
            thought = message.get(field)
            if role == "assistant" and thought and isinstance(thought, str):
                # DeepSeek refuses calls without it.
                kept = {"openai": {"thinks_in": field}}
                parts.insert(0, ReasoningPart(text=thought, provider_metadata=kept))
                break
        for call in _list(message, "tool_calls"):
            calls[str(call.get("id")) if isinstance(call, dict) else ""] = (parts, len(parts))
            parts.append(_call(call, len(parts)))
        made.append((role, parts))
    return [(role, tuple(parts)) for role, parts in made]


def _call(call: Any, number: int) -> ToolPart:
    match call:
        case {"function": {"name": str(name), "arguments": str(arguments)}}:
            try:
                given = msgspec.json.decode(arguments or "{}", type=dict[str, Any])
            except (msgspec.DecodeError, RecursionError):
                given = {}
            if deeper(given):
                raise BadRequest("The arguments of one of `tool_calls` are nested too deep.")
            extra = call.get("extra_content")
            return ToolPart(
                id=f"t{number}",
                name=name,
                state="input-available",
                input_text=arguments,
                input=given,
                provider_metadata={"openai": {"extra_content": extra}} if extra else None,
            )
        case _:
            raise BadRequest("Each of `tool_calls` must have a function's `name` and `arguments`.")


def _list(fields: dict[str, Any], name: str) -> list[Any]:
    value = fields.get(name) or []
    if not isinstance(value, list):
        raise BadRequest(f"`{name}` must be a list.")
    return value


def _tool(tool: Any) -> ToolSpec:
    match tool:
        case {"type": "function", "function": {"name": str(name), **rest}}:
            schema = rest.get("parameters")
            return ToolSpec(
                name=name,
                description=str(rest.get("description") or ""),
                input_schema=schema if isinstance(schema, dict) else {"type": "object"},
            )
        case _:
            raise BadRequest("Each of `tools` must be of the type 'function', with a `name`.")


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
        case {"type": "input_audio", "input_audio": {"data": str(data), "format": str(form)}}:
            kind = f"audio/{form}"
            return FilePart(url=f"data:{kind};base64,{data}", media_type=kind)
        case _:
            raise BadRequest(
                "Content may be text, pictures (`image_url`), audio (`input_audio`) and files "
                "(`file_data`)."
            )


def _form(form: Any) -> dict[str, Any]:
    match form:
        case None:
            return {}
        case {"type": "json_schema", "json_schema": {"name": str(name), "schema": dict(schema)}}:
            return {"response_schema": {"name": name, "schema": schema}}
        case _:
            return {"response_format": form}
