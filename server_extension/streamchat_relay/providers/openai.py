"""Chat Completions: OpenAI itself and every server that speaks its wire."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec
from typing_extensions import override

from streamchat_relay.model import ModelInfo, ToolSpec
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
from streamchat_relay.providers.openai_wire import ChatDecoder
from streamchat_relay.providers.pool import HttpPool
from streamchat_relay.providers.reading import read_json
from streamchat_relay.providers.sdk_provider import SdkProvider
from streamchat_relay.providers.steps import Step, ToolUse, ids, steps
from streamchat_relay.providers.structured import openai_format
from streamchat_relay.relay.ports import Call, Sink

if TYPE_CHECKING:
    import httpx2

    from streamchat_relay.providers.openai_sdk import Client

STOPPED = "(This answer was ended here.)"


class _Model(msgspec.Struct):
    id: str
    created: float | None = None
    # Servers that speak this wire tell under different names how much a model reads at once.
    context_window: Any = None
    context_length: Any = None
    max_model_len: Any = None
    # OpenRouter tells what each of its models takes, and few others do.
    architecture: Any = None

    @property
    def capabilities(self) -> tuple[str, ...]:
        told = (
            self.architecture.get("input_modalities")
            if isinstance(self.architecture, dict)
            else None
        )
        if not isinstance(told, list) or "text" not in told:
            return ()
        return ("text", *(sense for sense in ("image", "audio") if sense in told))

    @property
    def context(self) -> int | None:
        told = (self.context_window, self.context_length, self.max_model_len)
        return next((size for size in map(count, told) if size), None)


class _Models(msgspec.Struct):
    data: list[_Model] | None = None


class OpenAIProvider(SdkProvider["Client"]):
    """Chat Completions at one endpoint."""

    @override
    def client_maker(self) -> Callable[[Endpoint, HttpPool, Timeouts], Client]:
        from streamchat_relay.providers import openai_sdk  # noqa: PLC0415 - imports the SDK

        return openai_sdk.client

    @override
    def request_body(self, call: Call, at: Endpoint) -> dict[str, Any]:
        return request_body(call, at)

    @override
    async def post(self, client: Client, body: dict[str, Any]) -> httpx2.Response:
        return await client.post("/chat/completions", body)

    @override
    async def list_models(self, client: Client, at: Endpoint) -> list[tuple[ModelInfo, float]]:
        response = await client.get("/models")
        models = []
        for model in read_json(response, _Models, at).data or []:
            # Gemini's compatible endpoint lists `models/…` and answers to both.
            name = model.id.removeprefix("models/")
            info = ModelInfo(
                id=f"{self.name}/{name}",
                provider=self.name,
                name=name,
                capabilities=model.capabilities,
                context=model.context,
            )
            models.append((info, model.created or 0.0))
        return models

    @override
    def decoder(
        self, sink: Sink, at: Endpoint, model: str, time: Callable[[], float]
    ) -> StreamDecoder:
        return ChatDecoder(sink, at, model, time)


def request_body(call: Call, at: Endpoint) -> dict[str, Any]:
    """The request for a call; raises `BadRequest` for what this wire cannot say."""
    messages = _messages(call, at.provider)
    body: dict[str, Any] = {"model": call.model, "messages": messages, "stream": True}
    if at.stream_options:
        body["stream_options"] = {"include_usage": True}
    given = settings(call.params, {"max_tokens": at.length_field})
    tools = [*map(_tool, call.tools), *listed(given.pop("tools", []))]
    if tools:
        body["tools"] = tools
    return {**body, **given, **openai_format(call.params)}


def _tool(tool: ToolSpec) -> dict[str, Any]:
    return {
        "type": "function",
        "function": {
            "name": tool.name,
            "description": tool.description,
            "parameters": tool.input_schema,
        },
    }


def _messages(call: Call, provider: str) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []
    system = system_text(call.params, call.messages)
    if system:
        messages.append({"role": "system", "content": system})
    names = ids()
    for message in call.messages:
        if message.role == "user":
            if messages and messages[-1]["role"] == "tool":
                # An answer that was ended there. Mistral's models refuse a prompt behind a result.
                messages.append({"role": "assistant", "content": STOPPED})
            messages.append({"role": "user", "content": _said(contents(message.parts)) or ""})
        elif message.role == "assistant":
            thinks_in = ""
            for step in steps(message, names):
                thinks_in = _thinks_in(step, provider) or thinks_in
                messages += _step(step, provider, thinks_in)
    return messages


def _thinks_in(step: Step, provider: str) -> str:
    """The field in which this provider wants to be told its thoughts."""
    told = [use.metadata for use in step.uses]
    told += [part.provider_metadata or {} for part in step.thoughts]
    kept = (one.get("openai", {}) for one in told)
    theirs = (one for one in kept if one.get("provider", provider) == provider)
    return next((one["thinks_in"] for one in theirs if one.get("thinks_in")), "")


def _step(step: Step, provider: str, thinks_in: str) -> list[dict[str, Any]]:
    said = _said(step.contents)
    # DeepSeek refuses calls without the thoughts around them; others refuse the field.
    thought = {thinks_in: "".join(one.text for one in step.thoughts)} if thinks_in else {}
    if not step.uses:
        return [{"role": "assistant", "content": said, **thought}] if said else []
    calls = [
        {
            "id": use.id,
            "type": "function",
            "function": {"name": use.name, "arguments": use.arguments},
            **_extra(use, provider),
        }
        for use in step.uses
    ]
    return [
        {"role": "assistant", "content": said or None, **thought, "tool_calls": calls},
        *(
            {
                "role": "tool",
                "tool_call_id": use.id,
                "content": f"Error: {use.result}" if use.failed else use.result,
            }
            for use in step.uses
        ),
    ]


def _extra(use: ToolUse, provider: str) -> dict[str, Any]:
    """What came with the call, for who sent it.

    Gemini refuses a call without the signature of its thought, and others refuse one with it.
    """
    kept = use.metadata.get("openai", {})
    theirs = kept.get("provider", provider) == provider
    return {"extra_content": kept["extra_content"]} if theirs and "extra_content" in kept else {}


def _said(found: list[Content]) -> str | list[dict[str, Any]]:
    if all(isinstance(content, Text) for content in found):
        return "".join(content.text for content in found if isinstance(content, Text))
    return [_content(part) for part in found]


def _content(content: Content) -> dict[str, Any]:
    match content:
        case Text():
            return {"type": "text", "text": content.text}
        case FileContent(media_type="application/pdf"):
            data = f"data:{content.media_type};base64,{content.data}"
            return {
                "type": "file",
                "file": {"filename": content.name or "file.pdf", "file_data": data},
            }
        case FileContent(audio=str(form)) if form:
            return {"type": "input_audio", "input_audio": {"data": content.data, "format": form}}
        case FileContent():
            url = content.url or f"data:{content.media_type};base64,{content.data}"
            return {"type": "image_url", "image_url": {"url": url}}
