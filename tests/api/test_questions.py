"""A prompt may end with a question mark, and nothing else of a cell is touched."""

from __future__ import annotations

import io
import tokenize

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from IPython.core.interactiveshell import InteractiveShell

from jupyter_streamchat.questions import keep_questions, open_quote


def kept(code: str) -> str:
    return "".join(keep_questions(code.splitlines(keepends=True)))


CALL = "get_ipython().run_line_magic('streamchat', 'Why {x}?')\n"


@pytest.mark.parametrize(
    ("written", "run"),
    [
        ("%streamchat Why {x}?\n", CALL),
        ("if True:\n    %streamchat Why {x}?\n", f"if True:\n    {CALL}"),
        ("answer = %streamchat Why {x}?\n", f"answer = {CALL}"),
        ("answers['why?'] = %streamchat Why {x}?\n", f"answers['why?'] = {CALL}"),
        ("answer: Reply = %streamchat Why {x}?", f"answer: Reply = {CALL}"),
        ('q = \'"""\'\n%streamchat Why {x}?\n', f'q = \'"""\'\n{CALL}'),
        ('# it\'s """\n%streamchat Why {x}?\n', f'# it\'s """\n{CALL}'),
        ("!echo it's '''\n%streamchat Why {x}?\n", f"!echo it's '''\n{CALL}"),
        ("q = '''a\nb'''\n%streamchat Why {x}?\n", f"q = '''a\nb'''\n{CALL}"),
    ],
)
def test_a_question_is_a_prompt(written: str, run: str) -> None:
    assert kept(written) == run


@pytest.mark.parametrize(
    "code",
    [
        '"""\n%streamchat what is this?\n"""\n',
        'f(r"""a \\"""\n  %streamchat what is this?\n""")\n',
        "x = 'one \\\n%streamchat two?'\n",
        "s = 'x = %streamchat why?'\n",
        "# x = %streamchat why?\n",
        "x += %streamchat why?\n",
        "x == %streamchat why?\n",
        "%streamchat?\n",
        "%streamchat what is this\n",
        "%%bash\n%streamchat what is this?\n",
    ],
)
def test_all_else_stays_as_it_is(code: str) -> None:
    assert kept(code) == code


BODY = st.lists(
    st.sampled_from(["'", '"', "\\'", '\\"', "\\\\", "\\\n", "#", "\n", "a"]), max_size=6
)
STRING = st.tuples(st.sampled_from(["'", '"', "'''", '"""']), BODY.map("".join)).map(
    lambda made: f"x = {made[0]}{made[1]}{made[0]} # '\n"
)


@given(st.lists(STRING, min_size=1, max_size=3).map("".join))
def test_a_line_is_in_a_string_where_python_says_so(code: str) -> None:
    try:
        compile(code, "code", "exec")
    except (SyntaxError, ValueError):
        assume(False)
    inside = {
        line
        for token in tokenize.generate_tokens(io.StringIO(code).readline)
        if token.type == tokenize.STRING
        for line in range(token.start[0] + 1, token.end[0] + 1)
    }
    quote, found = "", set()
    for number, line in enumerate(code.splitlines(keepends=True), start=1):
        if quote:
            found.add(number)
        quote = open_quote(line, quote)
    assert found == inside


def test_a_question_can_be_kept_in_a_variable(shell: InteractiveShell) -> None:
    cell = "answer = %streamchat What is a p-value?\n"
    assert shell.transform_cell(cell) == (
        "answer = get_ipython().run_line_magic('streamchat', 'What is a p-value?')\n"
    )
