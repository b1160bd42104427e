"""Structured output: the relay's `response_schema` as each wire has it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from streamchat_relay.model import BadRequest

PARAM = "response_schema"
"""`{"name": …, "schema": a JSON schema}`."""


def openai_format(params: Mapping[str, Any]) -> dict[str, Any]:
    """What goes into a body of Chat Completions."""
    found = _asked(params)
    if found is None:
        return {}
    name, schema = found
    strict = _closed(schema)
    form = {"name": name, "schema": schema, "strict": _complete(strict)}
    if form["strict"]:
        form["schema"] = strict
    return {"response_format": {"type": "json_schema", "json_schema": form}}


def anthropic_format(params: Mapping[str, Any]) -> dict[str, Any]:
    """What goes into a body of Messages; what else `output_config` holds stays."""
    found = _asked(params)
    if found is None:
        return {}
    given = params.get("output_config")
    form = {"type": "json_schema", "schema": _closed(found[1])}
    return {"output_config": {**(given if isinstance(given, dict) else {}), "format": form}}


def _asked(params: Mapping[str, Any]) -> tuple[str, dict[str, Any]] | None:
    asked = params.get(PARAM)
    if asked is None:
        return None
    match asked:
        case {"name": str(name), "schema": dict(schema)}:
            return name, schema
        case _:
            raise BadRequest(f"params['{PARAM}'] must be {{'name': …, 'schema': a JSON schema}}.")


def _closed(schema: Any) -> Any:
    """The schema with objects that take nothing but their properties, as both wires want it."""
    if isinstance(schema, list):
        return [_closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: _closed(value) for name, value in schema.items()}
    if isinstance(made.get("properties"), dict) and made.get("type", "object") == "object":
        made.setdefault("additionalProperties", False)
    return made


def _complete(schema: Any) -> bool:
    """Whether every object requires all of its properties, without which OpenAI is not strict."""
    if isinstance(schema, list):
        return all(map(_complete, schema))
    if not isinstance(schema, dict):
        return True
    properties = schema.get("properties")
    if isinstance(properties, dict) and (
        set(properties) != set(schema.get("required", ()))
        or schema.get("additionalProperties") is not False
    ):
        return False
    return all(map(_complete, schema.values()))
