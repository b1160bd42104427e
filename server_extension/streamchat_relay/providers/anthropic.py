"""Messages: Anthropic's API."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import msgspec
from typing_extensions import override

from streamchat_relay.model import BadRequest, ModelInfo, ReasoningPart, ToolSpec
from streamchat_relay.providers.anthropic_wire import MessagesDecoder
from streamchat_relay.providers.content import (
    Content,
    FileContent,
    Text,
    contents,
    listed,
    settings,
    system_text,
)
from streamchat_relay.providers.decoding import StreamDecoder
from streamchat_relay.providers.dialect import count
from streamchat_relay.providers.endpoint import Endpoint, Timeouts
from streamchat_relay.providers.pool import HttpPool
from streamchat_relay.providers.reading import read_json
from streamchat_relay.providers.sdk_provider import SdkProvider
from streamchat_relay.providers.steps import Step, ids, steps, tool_names
from streamchat_relay.providers.structured import anthropic_format
from streamchat_relay.relay.ports import Call, Sink

if TYPE_CHECKING:
    import httpx2
    from anthropic import AsyncAnthropic

DEFAULT_MAX_TOKENS = 16_384
"""The API wants a limit with every request; `params["max_tokens"]` sets another."""


class _Support(msgspec.Struct):
    supported: bool = False


class _Capabilities(msgspec.Struct):
    image_input: _Support | None = None
    thinking: _Support | None = None


class _Model(msgspec.Struct):
    id: str
    capabilities: _Capabilities | None = None
    lifecycle: str = "active"
    max_input_tokens: Any = None


class _Models(msgspec.Struct):
    data: list[_Model] = []


class AnthropicProvider(SdkProvider["AsyncAnthropic"]):
    """Messages at Anthropic's API, or at a gateway that speaks it."""

    @override
    def client_maker(self) -> Callable[[Endpoint, HttpPool, Timeouts], AsyncAnthropic]:
        from streamchat_relay.providers import anthropic_sdk  # noqa: PLC0415 - imports the SDK

        return anthropic_sdk.client

    @override
    def request_body(self, call: Call, at: Endpoint) -> dict[str, Any]:
        return request_body(call)

    @override
    async def post(self, client: AsyncAnthropic, body: dict[str, Any]) -> httpx2.Response:
        import anthropic  # noqa: PLC0415 - heavy, and by now imported
        import httpx2  # noqa: PLC0415 - heavy, and by now imported by the SDK

        # The SDK's way to any path: it builds, signs and checks, and this type comes back unread.
        response = await client.post(
            "/v1/messages",
            cast_to=httpx2.Response,
            body=body,
            stream=True,
            stream_cls=anthropic.AsyncStream[Any],
        )
        return cast("httpx2.Response", response)

    @override
    async def list_models(
        self, client: AsyncAnthropic, at: Endpoint
    ) -> list[tuple[ModelInfo, float]]:
        import httpx2  # noqa: PLC0415 - heavy, and by now imported by the SDK

        response = await client.get(
            "/v1/models", cast_to=httpx2.Response, options={"params": {"limit": 1000}}
        )
        models = read_json(response, _Models, at).data
        return [(self._info(model), 0.0) for model in models if model.lifecycle != "retired"]

    @override
    def decoder(
        self, sink: Sink, at: Endpoint, model: str, time: Callable[[], float]
    ) -> StreamDecoder:
        return MessagesDecoder(sink, at, model, time)

    def _info(self, model: _Model) -> ModelInfo:
        can = model.capabilities or _Capabilities()
        capabilities = ["text"]
        if can.image_input is not None and can.image_input.supported:
            capabilities.append("image")
        if can.thinking is not None and can.thinking.supported:
            capabilities.append("reasoning")
        return ModelInfo(
            id=f"{self.name}/{model.id}",
            provider=self.name,
            name=model.id,
            # Who is not told whether it sees must not read here that it does not.
            capabilities=tuple(capabilities) if can.image_input is not None else (),
            context=count(model.max_input_tokens) or None,
        )


def request_body(call: Call) -> dict[str, Any]:
    """The request for a call; raises `BadRequest` for what this wire cannot say."""
    body: dict[str, Any] = {
        "model": call.model,
        "messages": _messages(call),
        "stream": True,
        "max_tokens": DEFAULT_MAX_TOKENS,
    }
    system = system_text(call.params, call.messages)
    if system:
        body["system"] = system
    given = settings(call.params, {"stop": "stop_sequences"})
    if isinstance(given.get("stop_sequences"), str):
        given["stop_sequences"] = [given["stop_sequences"]]
    given |= _choice(given)
    tools = [*map(_tool, call.tools), *listed(given.pop("tools", []))]
    if not tools and (called := tool_names(call.messages)):
        # Calls of before must be of tools that the request has, also when nobody runs them now.
        tools = [_gone(name) for name in called]
        given["tool_choice"] = {"type": "none"}
    if tools:
        body["tools"] = tools
    return {**body, **given, **anthropic_format(call.params)}


def _choice(given: Mapping[str, Any]) -> dict[str, Any]:
    """`tool_choice` as this API has it, where it is said as Chat Completions say it."""
    match given.get("tool_choice"):
        case "auto" | "none" as choice:
            return {"tool_choice": {"type": choice}}
        case "required":
            return {"tool_choice": {"type": "any"}}
        case {"function": {"name": str(name)}}:
            return {"tool_choice": {"type": "tool", "name": name}}
        case _:
            return {}


def _tool(tool: ToolSpec) -> dict[str, Any]:
    return {
        "name": tool.name,
        "description": tool.description,
        "input_schema": tool.input_schema,
    }


def _gone(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "description": "Not available any more.",
        "input_schema": {"type": "object"},
    }


def _messages(call: Call) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []
    names = ids()
    newest = next((one for one in reversed(call.messages) if one.role == "user"), None)
    for message in call.messages:
        if message.role == "user":
            found = _without_audio(contents(message.parts), asked=message is newest)
            if blocks := _blocks(found):
                messages.append({"role": "user", "content": blocks})
        elif message.role == "assistant":
            for step in steps(message, names):
                messages += _step(step)
    if not messages:
        raise BadRequest("There is nothing to answer: the prompt is blank.")
    if messages[-1]["role"] == "assistant" and messages[-1]["content"][-1]["type"] == "text":
        # A prefill must not end in white space, says the API.
        last = messages[-1]["content"][-1]
        last["text"] = last["text"].rstrip()
    return messages


def _without_audio(found: Sequence[Content], *, asked: bool) -> list[Content]:
    """The API takes none: a prompt with some is refused, one of before is told without it."""
    told: list[Content] = []
    for one in found:
        if not isinstance(one, FileContent) or not one.audio:
            told.append(one)
        elif asked:
            raise BadRequest(
                f"{one.name or 'The recording'} cannot be heard by this model: Anthropic's take no "
                "audio. Choose another model, or remove it."
            )
        else:
            told.append(Text(f"[{one.name or 'A recording'}: audio that you cannot hear]"))
    return told


def _step(step: Step) -> list[dict[str, Any]]:
    said = _blocks(step.said if step.uses else step.contents)
    calls = [
        {"type": "tool_use", "id": use.id, "name": use.name, "input": use.input}
        for use in step.uses
    ]
    results = [
        {
            "type": "tool_result",
            "tool_use_id": use.id,
            # The API refuses blank texts.
            **({"content": use.result} if use.result.strip() else {}),
            **({"is_error": True} if use.failed else {}),
        }
        for use in step.uses
    ]
    messages: list[dict[str, Any]] = []
    if said or calls:
        messages.append({"role": "assistant", "content": [*said, *calls]})
    if results:
        messages.append({"role": "user", "content": results})
    return messages


def _thought(part: ReasoningPart) -> dict[str, Any] | None:
    """The thought as it came: the API refuses calls without the thought that led to them."""
    kept = (part.provider_metadata or {}).get("anthropic", {})
    if "redacted" in kept:
        return {"type": "redacted_thinking", "data": kept["redacted"]}
    if "signature" in kept:
        return {"type": "thinking", "thinking": part.text, "signature": kept["signature"]}
    return None


def _blocks(found: Sequence[Content | ReasoningPart]) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    for one in found:
        if isinstance(one, ReasoningPart):
            thought = _thought(one)
            blocks += [thought] if thought else []
        # The API refuses blank texts: an answer that was stopped at once has none.
        elif not isinstance(one, Text) or one.text.strip():
            blocks.append(_block(one))
    return blocks


def _block(content: Content) -> dict[str, Any]:
    match content:
        case Text():
            return {"type": "text", "text": content.text}
        case FileContent():
            kind = "document" if content.media_type == "application/pdf" else "image"
            source = (
                {"type": "url", "url": content.url}
                if content.url
                else {"type": "base64", "media_type": content.media_type, "data": content.data}
            )
            return {"type": kind, "source": source}
