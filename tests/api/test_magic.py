"""The magics in a real kernel: options, what goes with a prompt, and the commands of the line."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api.kernel import Outcome, RunningKernel
from tests.fakes.jupyter import JupyterServer

ECHO = "This is a **demo** that repeats what it was told:"


@pytest.fixture(scope="module")
def shared(jupyter: JupyterServer) -> Iterator[RunningKernel]:
    with RunningKernel(jupyter) as kernel:
        assert kernel.run("%load_ext jupyter_streamchat").error == ""
        yield kernel


@pytest.fixture
def kernel(shared: RunningKernel) -> RunningKernel:
    """The notebook's chat is empty, and the echo answers."""
    assert shared.run("%streamchat reset\n%streamchat alias echo demo/echo").error == ""
    return shared


def value(kernel: RunningKernel, code: str) -> str:
    outcome = kernel.run(f"print({code})")
    assert outcome.error == "", outcome.message
    return outcome.text.strip()


def ran(kernel: RunningKernel, code: str) -> Outcome:
    outcome = kernel.run(code)
    assert outcome.error == "", outcome.message
    return outcome


def test_two_braces_are_a_value_and_one_never_is(kernel: RunningKernel) -> None:
    ran(kernel, "x = {'a': 1}\nf = lambda d: d['k']")
    ran(
        kernel,
        "%%streamchat echo -o said -f text\n{x} ${y} {{x['a'] + 1}} {{ f({'k': 'v'}) }} {{}}",
    )
    assert value(kernel, "said").startswith(ECHO)
    assert value(kernel, "said.splitlines()[-1]") == "{x} ${y} 2 v {{}}"


def test_a_picture_or_a_frame_in_braces_goes_as_one(kernel: RunningKernel) -> None:
    ran(kernel, "import pandas as pd\nfrom PIL import Image\nframe = pd.DataFrame({'a': [1, 2]})")
    ran(kernel, "%%streamchat echo\nWhat of {{frame}} and {{Image.new('L', (2, 2))}} here?")
    ran(kernel, "chat = %streamchat")
    kinds = "[type(part).__name__ for part in chat.messages[-2].parts]"
    assert value(kernel, kinds) == "['TextPart', 'FilePart', 'TextPart']"
    assert "2 rows and 1 columns" in value(kernel, "chat.messages[-2].text")


@pytest.mark.parametrize(
    ("form", "shown"),
    [
        ("code", "'x = 1'"),
        ("json", "{'a': [1]}"),
        ("text", repr(f"{ECHO}\n\nhi\n")),
    ],
)
def test_the_answer_is_shown_and_kept_in_the_form_that_was_asked_for(
    kernel: RunningKernel, form: str, shown: str
) -> None:
    prompts = {"code": "```py\nx = 1\n```", "json": '```json\n{"a": [1]}\n```', "text": "hi"}
    outcome = ran(kernel, f"%%streamchat echo -f {form} -o got\n{prompts[form]}")
    assert value(kernel, "repr(got)") == shown
    bundle = [*outcome.data, *outcome.updates.values()][-1]
    if form == "json":
        assert bundle["application/json"] == {"a": [1]}
    else:
        assert "tokens" not in str(bundle)


def test_settings_of_the_line_reach_the_provider(kernel: RunningKernel) -> None:
    ran(kernel, "%%streamchat demo/fast -s 'Be brief.' -t 0.5 --max-tokens 7 -o reply\nhi")
    assert value(kernel, "reply.finish_reason") == "length"
    ran(kernel, "chat = %streamchat")
    assert value(kernel, "chat.system") == "Be brief."


def test_a_prompt_without_history_leaves_the_chat_as_it_is(kernel: RunningKernel) -> None:
    ran(kernel, "%%streamchat echo\nfirst")
    ran(kernel, "%%streamchat echo --no-history -o aside\nbeside")
    ran(kernel, "chat = %streamchat")
    said = "[one.text for one in chat.messages if one.role == 'user']"
    assert value(kernel, said) == "['first']"
    assert "beside" in value(kernel, "aside.text")
    ran(kernel, "%%streamchat echo --new\nanew")
    assert value(kernel, said) == "['anew']"


def test_a_prompt_without_history_has_the_chats_tools_and_parameters(kernel: RunningKernel) -> None:
    ran(
        kernel,
        """
chat = %streamchat
chat.budget = 50_000
@chat.tool(approve=True)
def shout(word: str) -> str:
    "Shout a word."
    return word.upper()
""",
    )
    ran(kernel, "%%streamchat demo/tools --no-history -o aside\nshout 'abc'")
    assert value(kernel, "[call.output for call in aside.tool_calls]") == "['ABC']"
    assert "budget_tokens" in value(kernel, "aside._following.state.settings.params")


def test_cells_errors_and_variables_go_with_the_prompt(kernel: RunningKernel) -> None:
    ran(kernel, "height = 7 * 6\nheight")
    ran(kernel, "%%streamchat echo --context last -o said -f text\nWhat is it?")
    assert "height = 7 * 6" in value(kernel, "said")
    assert "42" in value(kernel, "said")
    assert kernel.run("def half(n):\n    return 1 / n\nhalf(0)").error == "ZeroDivisionError"
    ran(kernel, "%%streamchat echo --context errors --context vars=height -o said -f text\nWhy?")
    said = value(kernel, "said")
    assert "half(0)" in said
    assert "ZeroDivisionError" in said
    assert "The variable `height`, a int:" in said
    ran(kernel, "%%streamchat echo --context above -o said -f text\nSum up")
    assert value(kernel, "said").count("Cell [") > 3


def test_fix_explains_the_last_error_and_offers_the_mended_cell(kernel: RunningKernel) -> None:
    kernel.run("oops = 1 +* 2")
    assert kernel.run("undefined_name + 1").error == "NameError"
    ran(kernel, "%%streamchat echo\nso that the echo answers")
    ran(kernel, "%streamchat fix")
    # The echo's block is the failed cell itself.
    ran(kernel, "chat = %streamchat")
    asked = value(kernel, "chat.messages[-2].text")
    assert "undefined_name + 1" in asked
    assert "NameError" in asked
    assert "\x1b[" not in asked


def test_the_commands_of_the_line(kernel: RunningKernel) -> None:
    assert "demo/fast" in ran(kernel, "%streamchat list").data[0]["text/plain"]
    assert "echo" in ran(kernel, "%streamchat alias").data[0]["text/plain"]
    assert "--no-history" in ran(kernel, "%streamchat help").text
    ran(kernel, "%%streamchat echo\nhello")
    assert "2 messages, no answers being written" in ran(kernel, "%streamchat status").text
    assert "tokens used today" in ran(kernel, "%streamchat usage").data[0]["text/plain"]
    ran(kernel, "chat = %streamchat\nslow = chat.send('x', model='demo/slow')\nnext(iter(slow))")
    assert "1 answer being written" in ran(kernel, "%streamchat status").text
    ran(kernel, "%streamchat stop")
    assert value(kernel, "slow.wait(20).state") == "interrupted"
    ran(kernel, "%streamchat reset")
    assert "0 messages" in ran(kernel, "%streamchat status").text
    # A prompt may begin with such a word.
    ran(kernel, "%%streamchat echo\nx")
    assert "list three" in ran(kernel, "said = %streamchat list three\nprint(said.text)").text


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("%%streamchat echo -f yaml\nx", "Argument -f/--format: invalid choice: 'yaml'"),
        ("%%streamchat echo -t hot\nx", "Argument -t/--temperature: invalid float value: 'hot'"),
        ("%%streamchat echo --what\nx", "Unrecognized arguments: --what"),
        ("%%streamchat echo -o 2x\nx", "'2x' is none"),
        ("%%streamchat echo -s 'open\nx", "Close the quotes"),
        ("%%streamchat echo --context all\nx", "--context takes last, above, errors or vars=a,b"),
        ("%%streamchat echo --context vars=nobody\nx", "there is no variable 'nobody'"),
        ("%%streamchat nick\nx", "The aliases are echo"),
        ("%%streamchat echo\n{{1/0}}", "{{1/0}} failed: ZeroDivisionError"),
        ("%%streamchat echo\n{{missing}}", "name 'missing' is not defined"),
    ],
)
def test_a_line_that_cannot_be_meant_says_why_and_asks_nothing(
    kernel: RunningKernel, code: str, words: str
) -> None:
    outcome = kernel.run(code)
    assert outcome.text.startswith("UsageError: ")
    assert words in outcome.text
    assert "0 messages" in ran(kernel, "%streamchat status").text


def test_the_tab_key_offers_models_options_and_commands(kernel: RunningKernel) -> None:
    def offered(line: str) -> set[str]:
        word = line.rpartition(" ")[2]
        code = f"get_ipython().complete({word!r}, {line!r}, {len(line)})[1]"
        return set(value(kernel, f"' '.join({code})").split())

    assert {"demo/fast", "echo"} <= offered("%%streamchat ")
    assert {"--context", "--no-history"} <= offered("%%streamchat echo --")
    assert offered("%%streamchat -f ") == {"markdown", "code", "text", "json"}
    assert {"fix", "status"} <= offered("%streamchat ")
