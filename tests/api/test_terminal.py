"""In a terminal's IPython, where nothing can be rendered or changed later, replies are printed."""

from __future__ import annotations

import threading

import pytest
from IPython.core.interactiveshell import InteractiveShell

from tests.api.fake_relay import FakeRelay, problem


def answer_in_background(relay: FakeRelay, *deltas: str) -> list[str]:
    prompts: list[str] = []

    def answer() -> None:
        send = relay.next_send()
        assert send.message is not None
        prompts.append(send.message.parts[0].text)  # type: ignore[union-attr]
        relay.answer(send, deltas)

    threading.Thread(target=answer).start()
    return prompts


def test_the_magic_prints_deltas(
    relay: FakeRelay, shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    prompts = answer_in_background(relay, "It ", "is {so}.")
    shell.run_cell("%streamchat Is it {so}?")
    assert "It is {so}." in capsys.readouterr().out
    assert prompts == ["Is it {so}?"]


def test_a_reply_as_the_last_line_prints_itself(
    relay: FakeRelay, shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    answer_in_background(relay, "printed")
    shell.run_cell("from jupyter_streamchat import Chat\nChat().send('x')")
    assert "printed\n" in capsys.readouterr().out


def test_an_error_is_printed_after_the_text(
    relay: FakeRelay, shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    relay.refuse(problem("model_unknown", "There is no such model."))
    shell.run_cell("%streamchat x")
    assert "[ModelUnknown] There is no such model." in capsys.readouterr().out


def test_a_chat_shows_its_transcript(
    relay: FakeRelay, shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    answer_in_background(relay, "Because.")
    shell.run_cell("%streamchat Why?")
    shell.run_cell("%streamchat")
    out = capsys.readouterr().out
    assert "Answer: Because." in out
    assert "widget" not in out


def test_without_a_relay_the_sentence_is_all_there_is(
    kernel: object, shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.run_cell("%streamchat x")
    shell.run_cell("%streamchat")
    out, err = capsys.readouterr()
    assert (out + err).count("pip install jupyter-streamchat") == 2
    assert "Traceback" not in out + err
