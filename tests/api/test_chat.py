"""What `Chat` promises: one conversation, shared with whoever else is in it."""

from __future__ import annotations

import gc
import os
from pathlib import Path
from typing import Any

import pytest

import jupyter_streamchat
from jupyter_streamchat import BadRequest, Chat, Internal, RelayLost, connect
from jupyter_streamchat.client import RelayClient
from jupyter_streamchat.loop import background
from streamchat_relay.model import Message, MessageAdded, SettingsChanged, TextPart
from streamchat_relay.protocol.frames import Hello, Leave, Open, Send, Stop
from tests.api.conftest import KERNEL
from tests.api.fake_relay import FakeRelay


def test_making_a_chat_asks_nothing(relay: FakeRelay) -> None:
    chat = Chat("fake/model", system="Be brief.")
    assert (chat.model, chat.system) == ("fake/model", "Be brief.")
    assert len(chat.conversation) >= 22
    assert relay.probes == []
    assert repr(chat) == f"<Chat {chat.conversation} with fake/model>"


def test_model_system_and_params_travel_with_the_prompt(relay: FakeRelay) -> None:
    chat = Chat("fake/model", system="Be brief.", params={"temperature": 0})
    chat.send("hi", max_tokens=5)
    send = relay.next_send()
    assert send.model == "fake/model"
    assert send.params == {"temperature": 0, "max_tokens": 5, "system": "Be brief."}
    assert send.message is not None
    assert send.message.parts[0] == TextPart(text="hi")
    chat.send("again", model="fake/other", temperature=1)
    send = relay.next_send()
    assert (send.model, send.params) == ("fake/other", {"temperature": 1, "system": "Be brief."})


@pytest.mark.parametrize("prompt", ["", "  \n", None, 3, b"\xff\x00", [], ["hi", 3], "cut \ud83d"])
def test_a_prompt_must_say_something(relay: FakeRelay, prompt: Any) -> None:
    with pytest.raises(BadRequest, match="prompt"):
        Chat().send(prompt)
    assert relay.frames == []


@pytest.mark.parametrize(
    "arguments",
    [
        {"conversation": "no spaces"},
        {"conversation": ""},
        {"conversation": "x" * 65},
        {"model": 3},
        {"system": ["x"]},
        {"params": {"f": object()}},
        {"params": {"budget_tokens": True}},
        {"params": {"budget_tokens": -1}},
        {"budget": 1.5},
    ],
)
def test_bad_arguments_are_refused_with_their_name(arguments: dict[str, Any]) -> None:
    with pytest.raises(BadRequest):
        Chat(**arguments)


def test_what_is_no_title_and_no_rating_is_refused_here(relay: FakeRelay) -> None:
    chat = Chat("fake/model")
    for title in (7, "x" * 121):
        with pytest.raises(BadRequest, match="`title`"):
            chat.title = title  # type: ignore[assignment]
    with pytest.raises(BadRequest, match="'up', 'down' or 'none', not 'great'"):
        chat.send("hi").rate("great")  # type: ignore[arg-type]
    with pytest.raises(BadRequest, match="`search` must be a str, not int"):
        Chat.list(7)  # type: ignore[arg-type]


def test_messages_are_those_of_both_sides(relay: FakeRelay) -> None:
    chat = Chat()
    reply = chat.send("from the kernel")
    relay.answer(relay.next_send(), ["fine"])
    reply.wait()
    assert [message.text for message in chat.messages] == ["from the kernel", "fine"]
    widgets = Message(
        id="w",
        role="user",
        parts=(TextPart(text="from the page"),),
        parent=chat.messages[-1].id,
        run="r2",
    )
    relay.emit(chat.conversation, MessageAdded(t=0, message=widgets))
    last = chat.send("and on")
    relay.answer(relay.next_send(), [])
    last.wait()
    messages = {
        message.id: message
        for message in connect.connect().follow(chat.conversation).state.messages
    }
    assert messages["w"].text == "from the page"


def test_a_chat_that_cannot_be_written_down_goes_on(relay: FakeRelay) -> None:
    chat = Chat()
    told: list[int] = []

    def fails() -> None:
        told.append(1)
        raise OSError("no place for it")

    reply = chat.send("Hi")
    reply._following.watchers.add(fails)
    send = relay.next_send()
    relay.answer(send, ["fine"])
    assert reply.wait(timeout=10).text == "fine"
    assert told
    # Nor did it take the relay's words for damaged, and connect again.
    assert sum(isinstance(frame, Hello) for frame in relay.frames) == 1


def test_an_earlier_conversation_is_gone_on_with(relay: FakeRelay) -> None:
    first = Chat()
    reply = first.send("hi")
    relay.answer(relay.next_send(), ["hello"])
    reply.wait()
    connect.disconnect()
    assert [one.text for one in Chat(conversation=first.conversation).messages] == ["hi", "hello"]


def test_a_chat_without_a_model_has_the_conversations_last(relay: FakeRelay) -> None:
    chat = Chat()
    assert chat.model is None
    relay.logs[chat.conversation] = [SettingsChanged(t=0, model="fake/model")]
    assert chat.messages == ()
    assert chat.model == "fake/model"


def test_stop_stops_what_runs_whoever_asked(relay: FakeRelay) -> None:
    chat = Chat()
    reply = chat.send("hi")
    mine = relay.next_send()
    relay.accept(mine)
    theirs = mine.__class__(
        id="q9", conversation=chat.conversation, run="theirs", message=mine.message
    )
    relay.accept(theirs)
    relay.say(mine, "x")
    next(iter(reply))
    chat.stop()
    assert {relay.next_stop().run, relay.next_stop().run} >= {mine.run}
    assert relay.next_stop().run in {mine.run, "theirs"}


def test_models_read_like_a_list(relay: FakeRelay) -> None:
    models = Chat().models()
    assert list(models) == ["fake/model"]
    assert models.default == "fake/model"
    assert repr(models) == "fake/model (default)"


def test_all_chats_share_one_socket_and_one_who_is_gone_leaves(relay: FakeRelay) -> None:
    chats = [Chat(), Chat()]
    for chat in chats:
        assert chat.messages == ()
    gone = chats.pop().conversation
    del chat
    gc.collect()
    # The answer to a later request shows that the leave before it was taken.
    chats[0].models()
    assert sum(isinstance(one, Hello) for one in relay.frames) == 1
    assert [one.conversation for one in relay.frames if isinstance(one, Leave)] == [gone]


def test_a_reply_that_nobody_keeps_goes_on(relay: FakeRelay) -> None:
    conversation = Chat()
    conversation.send("hi")
    send = relay.next_send()
    gc.collect()
    relay.answer(send, ["kept"])
    follow_up = conversation.send("next")
    relay.answer(relay.next_send(), [])
    follow_up.wait()
    assert "kept" in [
        one.text for one in connect.connect().follow(send.conversation).state.messages
    ]


def test_a_restarted_server_is_found_again_on_its_new_port(relay: FakeRelay) -> None:
    chat = Chat()
    assert chat.messages == ()
    relay.next_connection()
    relay.close()
    relay.reopen()
    relay.next_connection()
    reply = chat.send("hi")
    relay.answer(relay.next_send(), ["back"])
    assert reply.wait().text == "back"


def test_a_relay_that_stays_away_ends_the_wait(kernel: Path) -> None:
    with FakeRelay(kernel, KERNEL) as relay:

        async def resolve() -> Any:
            return await jupyter_streamchat.discovery.find(KERNEL)

        client = RelayClient(background(), resolve, lost_after=0.0)
        connect._client = client
        reply = Chat().send("hi")
        relay.accept(relay.next_send())
        relay.close()
        with pytest.raises(RelayLost, match="could not be reached"):
            reply.wait()
        assert not client.usable
        relay.reopen()
        again = Chat().send("hi")
        relay.answer(relay.next_send(), ["new"])
        assert again.wait().text == "new"


def test_a_silent_relay_is_pinged_then_dropped_and_the_prompt_survives(kernel: Path) -> None:
    with FakeRelay(kernel, KERNEL, heartbeat_s=0.05) as relay:
        chat = Chat()
        assert chat.messages == ()
        relay.next_connection()
        relay.silent = True
        reply = chat.send("hi")
        # A ping after the prompt: both were swallowed.
        while not any(
            isinstance(frame, Send)
            for frame in relay.frames[: relay.frames.index(relay.next_ping())]
        ):
            pass
        relay.silent = False
        relay.answer(relay.next_send(), ["there"])
        assert reply.wait().text == "there"
        assert sum(isinstance(frame, Open) for frame in relay.frames) >= 2


def test_frames_of_another_release_end_the_wait_with_words(relay: FakeRelay) -> None:
    reply = Chat().send("hi")
    send = relay.next_send()
    relay.accept(send)
    relay.say(send, "kept")
    assert next(iter(reply)) == "kept"
    relay.damage(send.conversation)
    with pytest.raises(Internal, match="same release"):
        reply.wait()
    assert reply.text == "kept"


def test_a_forked_child_says_that_the_reply_is_its_parents(relay: FakeRelay) -> None:
    reply = Chat().send("hi")
    relay.accept(relay.next_send())
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            reply.wait(20)
        except RelayLost as error:
            os.write(write, str(error).encode())
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    assert b"forked" in os.read(read, 1000)
    os.close(read)
    os.close(write)
    assert not [frame for frame in relay.frames if isinstance(frame, Stop)]


def test_the_public_names_are_these() -> None:
    assert {"Chat", "Reply", "RelayNotFound", "load_ipython_extension"} <= set(
        jupyter_streamchat.__all__
    )
    for name in jupyter_streamchat.__all__:
        assert getattr(jupyter_streamchat, name) is not None


def test_who_follows_a_conversation_again_at_once_gets_its_whole_state(relay: FakeRelay) -> None:
    # Whichever of the two threads is first: the one that is here, or the one of the connection.
    for _ in range(50):
        chat = Chat()
        relay.logs[chat.conversation] = [SettingsChanged(t=0, model="fake/model")]
        assert chat.messages == ()
        again = Chat(conversation=chat.conversation)
        del chat
        assert again.messages == ()
        assert again.model == "fake/model"
