"""What a model cannot read at once is left out from the old end, and said."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streamchat_relay.model import Conversation, Message, RunRecord, TextPart, Usage
from streamchat_relay.relay import tokens
from streamchat_relay.relay.context import Contexts
from streamchat_relay.relay.hub import Hub
from streamchat_relay.stores import MemoryStore
from tests.fakes.relay import FakeClient, FakeProvider, FakeRegistry, events_in, settle

MODEL = "fake/one"


def talk(*lengths: int) -> tuple[Message, ...]:
    """Prompts and answers in turns, of so many tokens by the estimate."""
    return tuple(
        Message(
            id=f"m{number}",
            role="assistant" if number % 2 else "user",
            parts=(TextPart(id="1", text="word" * length),),
            parent=f"m{number - 1}" if number else None,
            run=f"r{number // 2}",
        )
        for number, length in enumerate(lengths)
    )


@given(
    st.lists(st.integers(1, 300), min_size=1, max_size=15), st.integers(1, 2000), st.integers(1, 99)
)
def test_the_newest_messages_that_fit_are_kept_from_a_prompt_on(
    lengths: list[int], size: int, most: int
) -> None:
    messages = talk(*lengths)
    fitted = Contexts({"fake/*": size}).fit(MODEL, messages, {"max_tokens": most}, Conversation())
    assert fitted.messages == messages[fitted.left_out :]
    assert fitted.messages
    assert fitted.messages[0].role == "user"
    last = 2 - len(messages) % 2
    if len(fitted.messages) > last:
        assert tokens.likely(fitted.messages, {}) + most <= size
    # No turn more would have fitted.
    longer = messages[max(0, fitted.left_out - 2) :]
    if fitted.left_out and longer[0].role == "user":
        assert tokens.likely(longer, {}) + most > size


def test_a_model_without_a_size_gets_everything() -> None:
    messages = talk(10**6, 10**6, 1)
    assert Contexts({"other/*": 10}).fit(MODEL, messages, {}, Conversation()) == (messages, 0)


def test_what_the_provider_counted_before_corrects_the_estimate() -> None:
    messages = talk(100, 100, 100, 100, 100)
    counted = Usage(input=900, output=1)
    record = RunRecord(id="r1", message="m3", model=MODEL, provider="fake", usage=counted)
    state = Conversation(messages=messages, runs={"r1": record})
    contexts = Contexts({MODEL: 1000})
    assert contexts.fit(MODEL, messages, {"max_tokens": 50}, Conversation()).left_out == 0
    # Three times as many as estimated: 300 of them fit.
    assert contexts.fit(MODEL, messages, {"max_tokens": 50}, state).left_out == 2


def test_what_the_provider_tells_is_the_size_unless_one_is_configured() -> None:
    messages = talk(300, 300, 300)
    params = {"max_tokens": 10}
    fit = Contexts({}).fit
    assert fit(MODEL, messages, params, Conversation(), known=400).left_out == 2
    configured = Contexts({MODEL: 2000}).fit
    assert configured(MODEL, messages, params, Conversation(), known=400).left_out == 0


async def test_a_run_says_how_many_messages_were_left_out_and_the_log_keeps_them_all(
    provider: FakeProvider,
) -> None:
    provider.reads = 200
    hub = Hub(MemoryStore(), FakeRegistry(provider))
    client = await FakeClient(hub).hello()
    await client.open("c1")
    await client.send("r1", "long " * 150)
    first = await provider.next_call()
    first.text("an answer")
    first.finish()
    await settle()
    client.transport.take()
    events = events_in(await client.send("r2", "short"))
    call = await provider.next_call()
    assert [message.text for message in call.call.messages] == ["short"]
    assert [event.get("left_out") for event in events if event["type"] == "status"] == [2]
    call.finish()
    await settle()
    told = await FakeClient(hub).hello()
    (snapshot,) = [one for one in await told.open("c1") if one["type"] == "snapshot"]
    assert len(snapshot["state"]["messages"]) == 4
    assert snapshot["state"]["runs"]["r2"]["left_out"] == 2
    await hub.close()
