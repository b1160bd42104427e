from __future__ import annotations

import difflib

import pytest

from streamchat_relay.model import ModelUnknown
from streamchat_relay.providers import DemoProvider, ProviderRegistry
from streamchat_relay.providers.errors import from_refusal
from streamchat_relay.providers.naming import LONGEST, near, shown
from streamchat_relay.providers.refusal import refusal_from
from tests.providers.kit import AT, Recorder, call

HUGE = "gpt" * 3_000_000


def test_a_name_is_cut_to_what_a_message_can_hold() -> None:
    assert shown("x" * 80) == "x" * 80
    assert shown("x" * 81) == "x" * 79 + "…"


def test_what_is_near_is_named_first_and_else_what_there_is() -> None:
    models = [f"model-{letter}" for letter in "abcdefghi"]
    assert near("Model-A", ["model-a", "o3"]) == "Did you mean model-a?"
    assert near("quite different", models, "It has").startswith("It has model-a, model-b, ")
    assert near("quite different", models).endswith("model-h, ….")
    assert near("x", []) == ""


def test_names_that_are_too_long_are_compared_with_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(difflib, "get_close_matches")
    assert near("x" * (LONGEST + 1), ["x"], "It has") == ""
    monkeypatch.undo()
    assert near("x", ["x" * (LONGEST + 1)], "It has") == ""


@pytest.mark.parametrize("model", [HUGE, f"{HUGE}/", f"{HUGE}/x"])
def test_a_huge_model_is_refused_in_a_short_message(model: str) -> None:
    with pytest.raises(ModelUnknown, match="…") as caught:
        ProviderRegistry(environ={}).resolve(model)
    assert len(caught.value.message) < 300


async def test_a_huge_model_of_the_demo_is_refused_in_a_short_message() -> None:
    with pytest.raises(ModelUnknown, match="…") as caught:
        await DemoProvider().stream(call(model=HUGE), Recorder())
    assert len(caught.value.message) < 300


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (404, "model_not_found"),
        (400, "context_length_exceeded"),
        (400, "unsupported_parameter"),
        (400, "max_tokens"),
        (418, ""),
    ],
)
def test_errors_that_name_the_model_cut_its_name(status: int, code: str) -> None:
    refusal = refusal_from({"error": {"code": code}}, status)
    message = from_refusal(refusal, AT, HUGE).message
    assert "gptg" in message
    assert len(message) < 300
