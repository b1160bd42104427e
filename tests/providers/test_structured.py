"""A schema for the answer, as each provider's wire has it."""

from __future__ import annotations

from typing import Any

import pytest

from streamchat_relay.model import BadRequest
from streamchat_relay.providers import anthropic, openai
from streamchat_relay.providers.structured import anthropic_format, openai_format
from tests.providers.kit import AT, call

OPEN = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
CLOSED = {**OPEN, "additionalProperties": False}


def asked(schema: Any, **params: Any) -> dict[str, Any]:
    return {**params, "response_schema": {"name": "Answer", "schema": schema}}


def test_without_a_schema_nothing_is_added() -> None:
    assert openai_format({"temperature": 1}) == anthropic_format({}) == {}


def test_the_bodies_have_it_in_place_of_the_relays_own_parameter() -> None:
    params = asked(OPEN, temperature=0)
    bodies = openai.request_body(call(**params), AT), anthropic.request_body(call(**params))
    for body, name in zip(bodies, ("response_format", "output_config"), strict=True):
        assert name in body
        assert body["temperature"] == 0
        assert "response_schema" not in body


def test_openai_is_strict_where_every_property_is_required() -> None:
    form = openai_format(asked(OPEN))["response_format"]["json_schema"]
    assert form == {"name": "Answer", "schema": CLOSED, "strict": True}
    optional = {**OPEN, "required": []}
    form = openai_format(asked(optional))["response_format"]["json_schema"]
    assert form == {"name": "Answer", "schema": optional, "strict": False}
    nested = {**OPEN, "$defs": {"B": {"type": "object", "properties": {"b": {}}}}}
    assert not openai_format(asked(nested))["response_format"]["json_schema"]["strict"]


def test_anthropic_gets_closed_objects_and_keeps_what_else_is_configured() -> None:
    made = anthropic_format(asked({"anyOf": [OPEN]}, output_config={"effort": "low"}))
    assert made == {
        "output_config": {
            "effort": "low",
            "format": {"type": "json_schema", "schema": {"anyOf": [CLOSED]}},
        }
    }


@pytest.mark.parametrize("odd", [3, "x", {"schema": {}}, {"name": "n", "schema": "s"}])
def test_what_is_no_schema_is_refused(odd: object) -> None:
    for form in (openai_format, anthropic_format):
        with pytest.raises(BadRequest, match="response_schema"):
            form({"response_schema": odd})
