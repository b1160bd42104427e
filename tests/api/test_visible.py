"""Characters that steer a terminal, turn a line or hide a text are shown wherever text goes."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.core.interactiveshell import InteractiveShell

from jupyter_streamchat.display import Showable, static
from jupyter_streamchat.models import Models
from streamchat_relay.hosts.command import main
from streamchat_relay.model import Catalog, Conversation, Message, ModelInfo, TextPart, ToolPart
from streamchat_relay.model.markdown import safe_markdown
from streamchat_relay.model.transcript import conversation_markdown, conversation_text
from streamchat_relay.model.visible import visible
from streamchat_relay.stores import SQLiteStore
from tests.api.fake_relay import FakeRelay, problem
from tests.api.test_terminal import answer_in_background
from tests.hosts.test_command import talk

ROOT = Path(__file__).parents[2]
STEERING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]"
)
HIDDEN = "".join(chr(0xE0000 + ord(one)) for one in "<img src=x>")
HOSTILE = (
    "red \x1b[31m title \x1b]0;owned\x07 clipboard \x1b]52;c;ZXZpbA==\x07 c1 \x9b2J over\rwritten "
    f"bidi \u202egnp.exe\u202c \u2066x\u2069 nul \x00 del \x7f tags {HIDDEN}"
)
SEEN = ("␛[31m", "␛]52;", "⟨U+009B⟩", "over␍", "⟨U+202E⟩", "⟨U+2066⟩", "␀", "␡", "hidden: ")
SCOTLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"

anything = st.text(
    st.one_of(st.characters(codec="utf-8"), st.sampled_from("\x1b\r\n\t\x9b\u202e\U000e0041"))
)


@given(anything)
def test_nothing_steers_in_what_is_visible_and_all_else_stays(text: str) -> None:
    shown = visible(text.replace("\U0001f3f4", ""))
    assert not STEERING.search(shown)
    assert visible(shown) == shown
    if not STEERING.search(text):
        assert visible(text) == text


def test_lines_tabs_and_flags_stay_as_they_are() -> None:
    assert visible(f"a\tb\r\nc {SCOTLAND}") == f"a\tb\nc {SCOTLAND}"


def test_python_and_the_page_know_the_same_characters() -> None:
    script = (ROOT / "js/src/markdown/safety.ts").read_text("utf-8")
    (found,) = re.findall(r"const UNSEEN = /\[(.*?)\]\|\(", script)
    page = re.compile(
        "[" + re.sub(r"\\u([0-9a-f]{4})", lambda one: chr(int(one[1], 16)), found) + "]"
    )
    for code in range(0x10000):
        if not 0xD800 <= code < 0xE000 and code != 0x0D:
            assert (visible(chr(code)) != chr(code)) == bool(page.match(chr(code))), hex(code)


def told(text: str) -> bool:
    assert not STEERING.search(text)
    assert all(form in text for form in SEEN)
    return True


def test_a_terminal_obeys_nothing_of_an_answer(
    relay: FakeRelay, shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    # Delta by delta, as it would be cut.
    answer_in_background(relay, *HOSTILE[:-11], HIDDEN)
    shell.run_cell("%streamchat Hello")
    assert told(capsys.readouterr().out)
    shell.run_cell("%streamchat")
    assert told(capsys.readouterr().out)


def test_a_terminal_obeys_nothing_of_an_error(
    relay: FakeRelay, shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    relay.refuse(problem("model_unknown", HOSTILE))
    shell.run_cell("%streamchat x")
    assert told(capsys.readouterr().out)


def test_an_output_of_a_notebook_holds_none_of_them() -> None:
    fields: dict[str, Any] = dict.fromkeys(
        ("finish_reason", "abort_reason", "usage", "timing", "error")
    )
    calls = ToolPart(name=HOSTILE, state="output-error", input={HOSTILE: 1}, error=HOSTILE)
    fields["parts"] = (TextPart(text=HOSTILE), calls)
    reply = SimpleNamespace(text=HOSTILE, model=f"demo/{HOSTILE}", state="done", **fields)
    bundle = static(cast("Showable", reply))
    assert told(bundle["text/plain"])
    assert told(bundle["text/markdown"])
    message = Message(id="m", role="user", parts=(TextPart(id="1", text=HOSTILE),))
    conversation = Conversation(messages=(message,))
    assert told(conversation_text(conversation))
    assert told(conversation_markdown(conversation))
    # What was hidden is text, and no element.
    assert "<img" not in safe_markdown(HOSTILE)
    assert "&lt;img src=x>" in safe_markdown(HOSTILE)


def test_the_name_of_a_model_is_only_a_name() -> None:
    name = f"lab/`![x](http://evil/)` {HOSTILE}"
    models = Models(Catalog(models=(ModelInfo(id=name, provider="lab", name=name),), default=name))
    assert told(repr(models))
    assert told(models._repr_markdown_())
    assert "![" not in models._repr_markdown_()
    assert models[0] == name


async def test_an_export_to_read_holds_none_of_them_and_one_to_import_keeps_all(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    path = tmp_path / "db.sqlite3"
    store = SQLiteStore(path)
    store.append("ada", "c1", "e1", 1, talk("r1", HOSTILE))
    await store.close()
    assert main(["--database", str(path), "export", "--format", "markdown"]) == 0
    assert told(capfdbinary.readouterr().out.decode())
    assert main(["--database", str(path), "export", str(tmp_path / "all")]) == 0
    assert main(["--database", str(tmp_path / "new"), "import", str(tmp_path / "all")]) == 0
    kept = []
    for file in (path, tmp_path / "new"):
        with closing(sqlite3.connect(file)) as connection:
            kept.append(b"\n".join(one for (one,) in connection.execute("SELECT data FROM events")))
    assert kept[0] == kept[1]
