"""The static form keeps the text and lets nothing active through."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamchat_relay.model import (
    AbortReason,
    Conversation,
    FinishReason,
    Message,
    ReasoningPart,
    RunRecord,
    TextPart,
    Timing,
    Usage,
)
from streamchat_relay.model.ending import Ending, ending
from streamchat_relay.model.markdown import safe_markdown
from streamchat_relay.model.transcript import (
    MOST,
    REMARK_BYTES,
    conversation_markdown,
    conversation_text,
    footer,
    reply_markdown,
)

PIECES = [
    *("<script>", "<img src=x>", "<!--", "</pre>", "<b", "<", ">", "![", "](", "]:", "!", "[", "]"),
    *("`", "``", "```", "~~~", "\n", "\n\n", "    ", "$", "$$", "\\", "(", "javascript:x)"),
    *(
        "http://e",
        "<https://e>",
        "<mailto:",
        "<javascript:x>",
        "text",
        " ",
        "- ",
        "> ",
        "&lt;",
        "|",
    ),
]
hostile = st.lists(st.sampled_from(PIECES), max_size=25).map("".join)


@given(hostile)
def test_no_html_and_no_image_of_the_models_gets_through(text: str) -> None:
    out = safe_markdown(text)
    others = re.sub(r"</?(?:pre|code)>|<span>&#36;</span>", "·", out)
    assert not re.search(r"<[A-Za-z/!?]", others)
    assert "![" not in out
    assert not re.search(r"\]\((?!\s*<?(?:https?://|mailto:))", out)
    assert "]:" not in out


@given(hostile)
def test_a_dollar_that_is_left_is_one_of_a_pair_or_in_code(text: str) -> None:
    blocks = re.compile(r"<pre>.*?</pre>|^(```+).*?^\1$", re.MULTILINE | re.DOTALL)
    out = blocks.sub("", safe_markdown(text))
    for paragraph in re.split(r"\n[ \t]*\n", out):
        prose = re.sub(r"(?<!`)(`+)(?!`).+?(?<!`)\1(?!`)", "", paragraph, flags=re.DOTALL)
        assert re.sub(r"\\.", "", prose).count("$") % 2 == 0


@given(hostile)
def test_the_only_html_is_whole_code_elements(text: str) -> None:
    out = safe_markdown(text)
    tags = re.findall(r"</?(?:pre|code)>", out)
    depth = 0
    for tag in tags:
        depth += -1 if tag.startswith("</") else 1
        assert 0 <= depth <= 2
    assert depth == 0


@pytest.mark.parametrize(
    "text",
    [
        "# Title\n\n- *one*\n- **two**\n\n| a | b |\n|---|---|\n| 1 | 2 |",
        "`x = 1` and $a < b$ and 1 < 2",
        "```python\nfor i in range(3):\n    print(i)\n```",
        "[docs](https://example.org/a)",
    ],
)
def test_harmless_markdown_stays_as_it_is(text: str) -> None:
    assert safe_markdown(text) == text


def test_code_with_html_in_it_is_shown_as_it_was() -> None:
    out = safe_markdown("```html\n<b>&amp;</b>\n```")
    assert out.startswith("<pre><code>&#60;b&#62;&#38;amp&#59;")


@pytest.mark.parametrize(
    "text",
    ["\\" * MOST, " ".join("`" * length for length in range(1, 630)), "$\\a" * 60_000],
    ids=["backslashes", "ticks", "math"],
)
def test_a_text_that_is_made_to_be_slow_is_read_in_a_moment(text: str) -> None:
    begun = time.process_time()
    safe_markdown(text)
    # The server saves nothing else meanwhile. It was minutes, or nearly a second.
    assert time.process_time() - begun < 0.5


def test_code_ends_at_the_next_run_of_as_many_ticks() -> None:
    assert safe_markdown("`<a` `` ` <b `` ``` <c") == (
        "<code>&#60;a</code> <code>&#96; &#60;b</code> ``` &lt;c"
    )
    assert safe_markdown("`` <a ` <b ``` <c ``") == (
        "<code>&#60;a &#96; &#60;b &#96;&#96;&#96; &#60;c</code>"
    )


def test_an_unclosed_fence_is_closed() -> None:
    assert safe_markdown("```py\nx = 1") == "```py\nx = 1\n```"


def test_math_is_kept_readable() -> None:
    assert safe_markdown("$a<b$ and <b>") == "$a< b$ and &lt;b>"


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        (
            "costs $5 a month and the big plan $15 a month",
            "costs ¤5 a month and the big plan ¤15 a month",
        ),
        ("from $5-$10, or \\$7 and \\\\$8", "from ¤5-¤10, or ¤7 and \\\\¤8"),
        ("$x^2$ for $5", "$x^2$ for ¤5"),
        ("$$\nx\n$$", "$$\nx\n$$"),
        ("$\\text{5\\$}$", "$\\text{5\\$}$"),
        ("`$x` costs $5", "`$x` costs ¤5"),
        ("| $5 | $6 |", "| ¤5 | ¤6 |"),
        ("[**$5**](https://e/?a=$5)", "[**¤5**](https://e/?a=%245)"),
        ("<https://e/$a$b>", "[https://e/%24a%24b](https://e/%24a%24b)"),
    ],
)
def test_a_dollar_that_is_no_math_stays_a_dollar(written: str, shown: str) -> None:
    assert safe_markdown(written) == shown.replace("¤", "<span>&#36;</span>")


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("![a valley](https://e/v.png)", "[image: a valley](https://e/v.png)"),
        ('![](http://e "T")', '[image](http://e "T")'),
        ("![a](<https://e>)", "[image: a](https://e)"),
        ("![a](data:image/png;base64,x)", "!\\[a]\\(data:image/png;base64,x)"),
        ("![a](mailto:e@e)", "!\\[a](mailto:e@e)"),
        ("![a](/files/x.png)", "!\\[a]\\(/files/x.png)"),
        ("!![a](https://e)", "!\\[image: a](https://e)"),
        ("\\![a](https://e)", "\\!\\[a](https://e)"),
        ("`![a](https://e)`", "<code>&#33;&#91;a&#93;&#40;https&#58;&#47;&#47;e&#41;</code>"),
    ],
)
def test_an_image_is_a_link_to_it_if_the_web_has_it(written: str, shown: str) -> None:
    assert safe_markdown(written) == shown


def test_a_conversation_reads_from_top_to_bottom_without_the_reasoning() -> None:
    asked = Message(id="1", role="user", parts=(TextPart(text="Why?"),))
    thought = ReasoningPart(text="secret musing")
    told = Message(id="2", role="assistant", parent="1", parts=(thought, TextPart(text="So.")))
    conversation = Conversation(messages=(asked, told))
    assert conversation_text(conversation) == "You: Why?\n\nAnswer: So."
    markdown = conversation_markdown(conversation)
    assert markdown.index("Why?") < markdown.index("So.")
    assert "musing" not in markdown


@pytest.mark.parametrize(
    ("written", "linked"),
    [
        ("<https://jupyter.org>", "[https://jupyter.org](https://jupyter.org)"),
        ("<mailto:me@e.org>", "[mailto:me@e.org](mailto:me@e.org)"),
        ("<http://e/a_(b)>", "[http://e/a&#95;(b)](http://e/a_%28b%29)"),
        ("[docs](<https://e/a b>)", "[docs]\\(&lt;https://e/a b>)"),
        ("[docs](<https://e/a>)", "[docs](https://e/a)"),
        ("!<https://e>", "!\\[https://e](https://e)"),
        ("[<https://e>](javascript:x)", "[[https://e](https://e)]\\(javascript:x)"),
        ("<javascript:x>", "&lt;javascript:x>"),
        ("\\<https://e>", "\\&lt;https://e>"),
    ],
)
def test_an_address_in_angle_brackets_is_a_link_if_it_is_of_the_web_or_mail(
    written: str, linked: str
) -> None:
    assert safe_markdown(written) == linked


@pytest.mark.parametrize(
    ("timing", "usage", "line"),
    [
        (
            Timing(total_ms=2000, ttft_ms=125.0, output_per_s=58.5),
            Usage(input=4, output=90, estimated=True),
            "m/n · 0.13 s to first token · ~59 tokens/s · ~90 tokens",
        ),
        (
            Timing(total_ms=20_000, ttft_ms=1250.0, output_per_s=9.25),
            Usage(input=4, output=0),
            "m/n · 1.3 s to first token · 9.3 tokens/s",
        ),
        (Timing(total_ms=20_000, ttft_ms=12_500.0), None, "m/n · 13 s to first token"),
    ],
)
def test_the_footer_has_the_widgets_words_in_the_widgets_order(
    timing: Timing, usage: Usage | None, line: str
) -> None:
    assert footer(model="m/n", usage=usage, timing=timing) == line


def ended(how: Ending | None) -> str:
    return reply_markdown(
        (TextPart(text="Half"),), model="m/n", usage=None, timing=None, ending=how
    )


def test_a_calm_ending_stands_before_the_figures_and_a_bad_one_above_them() -> None:
    assert ended(None) == "Half\n\n<small>m/n</small>"
    assert ended(ending("interrupted")) == "Half\n\n<small>Stopped · m/n</small>"
    cut = "Cut off at the model\u2019s length limit"
    assert ended(ending("done", finish_reason="length")) == f"Half\n\n<small>{cut} · m/n</small>"
    lost = "The server was restarted while it answered. This is what came."
    assert (
        ended(ending("interrupted", abort_reason="server_lost"))
        == f"Half\n\n**{lost}**\n\n<small>m/n</small>"
    )
    assert ended(ending("error", failure="No <b>key</b>.")).startswith(
        "Half\n\n**No &lt;b>key&lt;/b>.**"
    )


def test_endings_are_word_for_word_the_widgets() -> None:
    view = Path(__file__).parents[2] / "js/src/view"
    words = (view / "words.ts").read_text("utf-8")
    said = re.findall(
        r'const (\w+) = \(\) =>\s*trans\.__\("(.*?)"\)', (view / "strings.ts").read_text("utf-8")
    )
    names = {text: name for name, text in said}
    endings = [
        *(ending("interrupted", abort_reason=reason) for reason in get_args(AbortReason)),
        *(ending("done", finish_reason=reason) for reason in get_args(FinishReason)),
        ending("error"),
    ]
    told = {one for one in endings if one is not None}
    assert len(told) == 7
    for one in told:
        named = rf'tone: "{one.tone}",[^}}]*strings\.{names[one.text]}\(\)'
        assert re.search(named, words), one


def test_a_conversation_says_which_answers_are_not_whole() -> None:
    cut = Message(id="1", role="assistant", run="r", parts=(TextPart(text="One"),))
    record = RunRecord(id="r", message="1", model="m/n", provider="m", state="interrupted")
    conversation = Conversation(messages=(cut,), runs={"r": record})
    assert conversation_text(conversation) == "Answer: One\n\n[Stopped]"
    assert conversation_markdown(conversation).endswith("One\n\n<small>Stopped</small>")


def spoken(*texts: str) -> Conversation:
    """A conversation in which these were said in turns."""
    messages = tuple(
        Message(
            id=str(number),
            role="assistant" if number % 2 else "user",
            parent=str(number - 1) if number else None,
            parts=(TextPart(id="1", text=text),),
        )
        for number, text in enumerate(texts)
    )
    return Conversation(messages=messages)


FORMS = pytest.mark.parametrize("form", [conversation_markdown, conversation_text])


@FORMS
@given(
    texts=st.lists(st.one_of(hostile, st.text(max_size=400), st.just("é" * 700)), max_size=12),
    most=st.integers(300, 3000),
)
def test_a_transcript_keeps_to_its_bound_and_has_the_newest_messages_whole(
    form: Callable[..., str], texts: list[str], most: int
) -> None:
    whole = form(spoken(*texts), 10**9)
    bounded = form(spoken(*texts), most)
    assert len(bounded.encode()) <= most
    if len(whole.encode()) <= most - REMARK_BYTES - 2 * len(texts):
        assert bounded == whole
    told = re.match(r"\*?\(([\d,]+) earlier messages? w(?:as|ere) left out here;.*\n\n", bounded)
    if told is not None and "Cut here" not in bounded:
        assert bounded[told.end() :] == form(spoken(*texts), 10**9)[-len(bounded) + told.end() :]


@FORMS
def test_a_transcript_says_how_many_messages_are_left_out(form: Callable[..., str]) -> None:
    texts = [f"message {number} " + "x" * 100 for number in range(40)]
    bounded = form(spoken(*texts), 1500)
    kept = [number for number in range(40) if f"message {number} " in bounded]
    assert kept == list(range(kept[0], 40))
    assert 2 < len(kept) < 15
    assert f"{40 - len(kept)} earlier messages were left out here" in bounded.split("\n\n")[0]


@FORMS
def test_a_message_that_is_too_long_is_cut_and_says_so(form: Callable[..., str]) -> None:
    bounded = form(spoken("before", "<" * 100_000), 5000)
    assert len(bounded.encode()) <= 5000
    assert "Cut here" in bounded
    assert "1 earlier message was left out" in bounded
    assert len(bounded) > 1000


def test_the_bound_is_the_one_that_the_guide_names() -> None:
    guide = (Path(__file__).parents[2] / "docs/guide.md").read_text("utf-8")
    assert f"{MOST // 1000} KB" in guide
    assert len(conversation_markdown(spoken(*["word " * 5000] * 40)).encode()) <= MOST


def test_an_answer_that_is_being_written_says_so_in_the_transcript() -> None:
    conversation = Conversation(
        messages=(
            Message(id="1", role="assistant", run="r1", parts=(TextPart(id="1", text="So f"),)),
        ),
        runs={"r1": RunRecord(id="r1", message="1", model="m", provider="p", state="running")},
    )
    assert "still being written" in conversation_markdown(conversation)
    assert "still being written" in conversation_text(conversation)
