"""Structured answers: a type as a JSON schema for the provider, and its answer as a value of it."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

from jupyter_streamchat.errors import AnswerMismatch
from streamchat_relay.model import BadRequest

_FENCED = re.compile(r"```(?:json)?[ \t]*\n(.*?)```", re.DOTALL | re.IGNORECASE)
_NAME = re.compile(r"[^A-Za-z0-9_-]+")


class Shape:
    """What an answer shall be: a type that msgspec or pydantic knows, or a JSON schema.

    >>> Shape(list[int]).read("[1, 2]")
    [1, 2]
    """

    def __init__(self, kind: Any) -> None:
        self._kind = kind
        self._pydantic = callable(getattr(kind, "model_json_schema", None))
        self.name = _NAME.sub("_", getattr(kind, "__name__", "answer"))[:64] or "answer"
        try:
            schema = _schema(kind, pydantic=self._pydantic)
        except TypeError as error:
            raise BadRequest(
                f"`schema` must be a type that JSON can hold (a msgspec.Struct, a pydantic model, "
                f"a dataclass, list[int], …) or a JSON schema: {error}"
            ) from None
        # Providers want an object at the root, and no reference there.
        self._wrapped = schema.get("type") != "object"
        self.schema = _wrapped(schema) if self._wrapped else schema

    @property
    def spec(self) -> dict[str, Any]:
        """What the relay translates for the provider, as `params['response_schema']`."""
        return {"name": self.name, "schema": self.schema}

    def read(self, text: str) -> Any:
        """The value that an answer holds, alone or in a block of code.

        Raises `AnswerMismatch`, which keeps the text.
        """
        problem: Exception | None = None
        for candidate in (text, *reversed(_FENCED.findall(text))):
            try:
                return self._decoded(candidate.strip())
            except (ValueError, msgspec.MsgspecError) as error:  # noqa: PERF203 - a handful
                # What is said of the block is more to the point than what is said of the prose.
                problem = error
        raise AnswerMismatch(
            f"The answer is not {self.name}: {problem}. The error's `text` has all of it.", text
        )

    def _decoded(self, text: str) -> Any:
        if self._wrapped:
            # A model that was not held to the schema may well answer without the wrapping.
            value = json.loads(text)
            inner = value["value"] if isinstance(value, dict) and set(value) == {"value"} else value
            text = json.dumps(inner)
        if isinstance(self._kind, dict):
            return json.loads(text)
        if self._pydantic:
            return self._kind.model_validate_json(text)
        return msgspec.json.decode(text, type=self._kind)


def _schema(kind: Any, *, pydantic: bool) -> dict[str, Any]:
    if isinstance(kind, dict):
        return kind
    found: dict[str, Any] = kind.model_json_schema() if pydantic else msgspec.json.schema(kind)
    reference = found.pop("$ref", None)
    if reference is not None:
        # Its definition may be one that others refer to, so it stays there too.
        found = {**found["$defs"][reference.rsplit("/", 1)[-1]], **found}
    return found


def _wrapped(schema: dict[str, Any]) -> dict[str, Any]:
    definitions = schema.pop("$defs", None)
    return {
        "type": "object",
        "properties": {"value": schema},
        "required": ["value"],
        **({"$defs": definitions} if definitions else {}),
    }
