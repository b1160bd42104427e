"""What an administrator limits, on a real server: budgets, prices and the content filter."""

from __future__ import annotations

import logging
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from traitlets import TraitError

from streamchat_relay.hosts.rules import RulesTraits
from streamchat_relay.model import ContentFiltered
from streamchat_relay.relay.screen import Passage
from streamchat_relay.stores import SQLiteLedger
from tests.fakes.jupyter import JupyterServer, RelaySocket

FILTER = """
from jupyter_streamchat import ContentFiltered

def screen(passage):
    if "secret" in passage.text and passage.role == "user":
        raise ContentFiltered("Secrets do not leave this house.")
    return passage.text.upper() if passage.role == "assistant" else None
"""


def limited(directory: Path, **traits: Any) -> JupyterServer:
    (directory / "house.py").write_text(FILTER)
    return JupyterServer(
        directory, config={"StreamChat": traits}, environ={"PYTHONPATH": str(directory)}
    )


async def ask(socket: RelaySocket, run: str, text: str, **fields: Any) -> dict[str, Any]:
    """The last event of the run that answers this, in a conversation of its own."""
    await socket.ask(type="open", conversation=run)
    answer = await socket.prompt(run, run, text, **fields)
    if answer["type"] == "fail":
        return answer
    frame = await socket.until(
        lambda got: (
            got["type"] == "events"
            and got["conversation"] == run
            and got["events"][-1]["type"] in {"finish", "abort", "error"}
        )
    )
    found: dict[str, Any] = frame["events"][-1]
    return found


async def test_what_was_used_is_told_survives_a_kill_and_at_the_cap_the_answer_keeps_what_came(
    tmp_path: Path,
) -> None:
    prices = {"demo/*": {"input": 1, "output": 1000}}
    with limited(tmp_path, tokens_per_day=300, prices=prices) as server:
        async with await server.socket() as socket:
            end = await ask(socket, "r1", "hello " * 10, model="demo/echo")
            used = end["usage"]["input"] + end["usage"]["output"]
            told = server.get("streamchat/usage?conversation=r1")
            assert told["tokens_today"] == {"used": used, "limit": 300}
            assert told["tokens_in_conversation"] == {"used": used}
            assert 0 < told["usd_today"]["used"] < 1
            assert told["estimated"]
            assert told["renews"].endswith("T00:00:00Z")
            end = await ask(socket, "r2", "Go on", model="demo/fast")
            assert end["reason"] == "budget"
            await socket.ask(type="open", conversation="r2")
            snapshot = await socket.until(lambda frame: frame["type"] == "snapshot")
            assert snapshot["state"]["messages"][-1]["parts"][-1]["text"]
        server.kill()
        server.start()
        async with await server.socket() as socket:
            told = server.get("streamchat/usage")
            assert 200 < told["tokens_today"]["used"] <= 300
            refused = await ask(socket, "r3", "More", model="demo/fast")
            assert refused["type"] == "fail" or refused["type"] == "error"
            assert refused["error"]["code"] == "budget_exhausted"
        assert server.status("streamchat/usage") == 403
        server.stop()
        assert (tmp_path / "data/streamchat/usage.sqlite3").stat().st_mode & 0o77 == 0


async def test_a_killed_answer_is_charged_with_what_was_held(tmp_path: Path) -> None:
    with limited(tmp_path, tokens_per_day=100_000, answer_tokens=500) as server:
        socket = await server.socket()
        await socket.ask(type="open", conversation="r1")
        await socket.prompt("r1", "r1", "Hello", model="demo/slow")
        await socket.until(lambda got: got["type"] == "events" and "delta" in str(got))
        held = server.get("streamchat/usage")["tokens_today"]["held"]
        assert held > 500
        server.kill()
        server.start()
        assert server.get("streamchat/usage")["tokens_today"] == {"used": held, "limit": 100_000}


async def test_a_filter_named_in_the_configuration_sees_prompts_and_answers(
    tmp_path: Path,
) -> None:
    with limited(tmp_path, content_filter="house:screen") as server:
        async with await server.socket() as socket:
            refused = await ask(socket, "r1", "a secret", model="demo/echo")
            assert refused["error"]["message"] == "Secrets do not leave this house."
            await ask(socket, "r2", "shout", model="demo/echo")
            assert "SHOUT" in str(socket.frames)


async def test_a_filter_that_cannot_be_loaded_lets_nothing_pass_and_the_log_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    rules = RulesTraits(content_filter="house:nothing").rules(None, logging.getLogger("t"))
    with pytest.raises(ContentFiltered):
        await rules.screen.passed(Passage("hello", "user", "ada", "c1", "demo/fast"))
    assert "'house:nothing' cannot be loaded" in caplog.text


async def test_a_damaged_file_of_what_was_used_is_moved_aside(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "usage.sqlite3"
    path.write_bytes(b"no database at all " * 100)
    ledger = SQLiteLedger(path)
    day, _ = await ledger.taken("ada", date(2030, 1, 1), "")
    assert day.tokens == 0
    await ledger.close()
    (aside,) = tmp_path.glob("usage.sqlite3.unread-*")
    assert aside.read_bytes().startswith(b"no database")
    assert str(aside) in caplog.text


@pytest.mark.parametrize(
    ("trait", "value", "words"),
    [
        ("prices", {"a/b": {"input": 1}}, "must be {'input': …, 'output': …}"),
        ("prices", {"a/b": {"input": 1, "output": -1}}, "output"),
        ("tokens_per_day", -1, "tokens_per_day"),
        ("requests_per_minute", {"openai": 0}, "requests_per_minute"),
    ],
)
def test_a_rule_that_makes_no_sense_is_named(trait: str, value: object, words: str) -> None:
    with pytest.raises(TraitError) as refused:
        RulesTraits(**{trait: value})
    assert words in str(refused.value)
