"""Variables in prompts: which can be mentioned, what goes along, and that nothing else runs."""

from __future__ import annotations

import os
import re
import threading
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.core.interactiveshell import InteractiveShell

from jupyter_streamchat import mentions
from jupyter_streamchat.mentions import Variable, descriptions, variables
from jupyter_streamchat.tables import MAX_SUMMARY
from jupyter_streamchat.values import MOST, described, shape_of
from jupyter_streamchat.widget import StreamChatWidget


class Trap:
    """Notices whatever looks at it, but for its `repr`."""

    looked: list[str]

    def __init__(self) -> None:
        object.__setattr__(self, "looked", [])

    def __getattribute__(self, name: str) -> Any:
        if name == "looked":
            return object.__getattribute__(self, name)
        object.__getattribute__(self, "looked").append(name)
        raise RuntimeError(name)

    def __repr__(self) -> str:
        return "a trap"


class Shapeless(np.ndarray):
    """An array as a nested tensor is one: it has no shape that could be told."""

    @property
    def shape(self) -> Any:
        raise RuntimeError("no shape")


class Nowhere:
    """Its class says nothing of where it is from."""

    __module__ = property(lambda _: "nowhere")  # type: ignore[assignment]


def test_a_variable_that_cannot_tell_its_shape_hides_no_other() -> None:
    namespace = {"odd": np.zeros(3).view(Shapeless), "nowhere": Nowhere(), "x": [1]}
    assert variables(namespace) == [
        Variable("nowhere", "Nowhere"),
        Variable("odd", "Shapeless"),
        Variable("x", "list", (1,)),
    ]
    odd, x = descriptions(namespace, ["odd", "x"])
    assert "takes longer" not in odd.problem
    assert "[1]" in x.text


def test_a_series_of_lists_or_structs_is_shown_without_figures() -> None:
    for values in ([[1, 2], [3]], [{"int": 1}]):
        text = described(pl.Series("x", values))
        assert str(values[0]) in text
        assert "from" not in text


def test_variables_are_listed_with_their_types_and_sizes() -> None:
    namespace = {
        "frame": pd.DataFrame({"a": [1, 2], "b": [3, 4], "c": [5, 6]}),
        "Lazy": pl.DataFrame({"a": [1]}),
        "column": pd.Series([1, 2, 3]),
        "grid": np.zeros((3, 4)),
        "text": "hello",
        "number": 3,
    }
    assert variables(namespace) == [
        Variable("column", "Series", (3,)),
        Variable("frame", "DataFrame", (2, 3)),
        Variable("grid", "ndarray", (3, 4)),
        Variable("Lazy", "DataFrame", (1, 1)),
        Variable("number", "int"),
        Variable("text", "str", (5,)),
    ]


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("_x", 1, "private"),
        ("re", re, "code"),
        ("listed", variables, "code"),
        ("built_in", len, "code"),
        ("Kind", Trap, "code"),
        ("environ", os.environ, "environment"),
        ("api_key", "abc", "secret"),
        ("DB_PASSWORD", "abc", "secret"),
        ("githubToken", "abc", "secret"),
        ("dbPassword", "abc", "secret"),
        ("credentials", {"a": "b"}, "secret"),
    ],
)
def test_what_is_private_code_or_a_secret_is_neither_listed_nor_sent(
    name: str, value: object, why: str
) -> None:
    namespace = {name: value}
    assert variables(namespace) == []
    (told,) = descriptions(namespace, [name])
    assert told.text == ""
    assert told.problem.startswith(f"{name} is not sent: ")
    assert why in told.problem


def test_a_value_with_a_key_in_it_goes_without_the_key() -> None:
    (told,) = descriptions(
        {"settings": {"key": "sk-proj-abcdefghijklmnop", "size": 3}}, ["settings"]
    )
    assert "abcdefghijklmnop" not in told.text
    assert "left out" in told.text
    assert "size" in told.text


def test_nothing_of_a_value_runs_but_its_repr() -> None:
    trap = Trap()
    assert variables({"trap": trap}) == [Variable("trap", "Trap")]
    (told,) = descriptions({"trap": trap}, ["trap"])
    assert "a trap" in told.text
    assert trap.looked == []


def test_a_frame_goes_as_its_summary_and_an_array_with_its_range() -> None:
    frame = pd.DataFrame({"height": [1.5, 2.5, None]})
    assert "3 rows and 1 columns" in described(frame)
    assert "| height | float64 | 1 |" in described(frame)
    array = described(np.array([[1.0, np.nan], [-2.5, 9.0]]))
    assert "shape (2, 2), type float64, from -2.5 to 9" in array
    assert "An array, shape (0,), type object" in described(np.array([], dtype=object))
    assert "from" not in described(np.array(["a"]))
    for make in (pd.Series, pl.Series):
        series = described(make([3, 1, 2]))
        assert "A Series" in series
        assert "of 3 values of the type" in series
        assert ", from 1 to 3" in series
    assert described("a ``` b") == "````\na ``` b\n````"


anything = st.recursive(
    st.none() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner),
    max_leaves=60,
)


@given(anything)
def test_any_value_is_described_in_bounds_and_as_text_that_travels(value: object) -> None:
    text = described(value)
    assert len(text) <= MAX_SUMMARY
    text.encode()
    assert all(isinstance(size, int) for size in shape_of(value))


@pytest.mark.parametrize(
    "value", ["x" * 10**6, list(range(10**6)), dict.fromkeys(range(10**4), "y" * 99)]
)
def test_what_is_long_is_cut_and_says_so(value: Any) -> None:
    text = described(value)
    assert len(text) < MOST + 100
    assert "cut here" in text or "..." in text


def test_of_a_large_frame_no_figures_are_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jupyter_streamchat.values.LARGE", 3)
    text = described(pd.DataFrame({"a": [1, 2], "b": [3, 4]}))
    assert "describe" not in text
    assert "| a | int64 | ? |" in text


def test_a_value_that_takes_for_ever_or_fails_says_so_and_the_others_come() -> None:
    release = threading.Event()

    class Slow:
        def __repr__(self) -> str:
            release.wait(60)
            return "late"

    class Broken:
        def __repr__(self) -> str:
            raise ValueError("no")

    namespace = {"slow": Slow(), "broken": Broken(), "fine": 3}
    try:
        told = descriptions(namespace, ["fine", "broken", "gone", "slow"], patience=0.3)
    finally:
        release.set()
    assert told[0].text == "```\n3\n```"
    assert "<Broken instance at" in told[1].text
    assert told[2].problem == "There is no variable gone."
    assert told[3].problem == "slow takes longer than 0.3 s to be shown. Mention a part of it."


def test_outside_of_a_notebook_nothing_can_be_mentioned() -> None:
    assert mentions.names().names == ()


def test_an_expression_that_a_page_evaluates_shows_the_kernels_own_variables_as_json(
    shell: InteractiveShell,
) -> None:
    shell.run_cell("import re\nheights = [1, 2, 3]\n_hidden = 1\n3")
    asked = "__import__('jupyter_streamchat.mentions', fromlist=['x'])"
    found = shell.user_expressions(
        {"names": f"{asked}.names()", "x": f"{asked}.describe(['heights'])"}
    )
    told = found["names"]["data"][mentions.MIME]
    assert [one["name"] for one in told["names"]] == ["heights"]
    assert [*found["x"]["data"][mentions.MIME]["described"]] == [
        {"name": "heights", "type": "list", "shape": (3,), "text": "```\n[1, 2, 3]\n```"}
    ]


def test_a_widget_tells_its_page_what_it_asks_for(
    shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell.run_cell("heights = [1, 2]")
    told: list[dict[str, Any]] = []
    monkeypatch.setattr(StreamChatWidget, "send", lambda _, content: told.append(content))
    widget = StreamChatWidget(conversation="c1")
    for asked in (
        {"type": "names", "id": "a"},
        {"type": "describe", "id": "b", "names": ["heights", 3]},
        {"type": "describe", "id": "c", "names": "heights"},
    ):
        widget._handle_custom_msg(asked, [])
    names, described, nothing = told
    assert (names["type"], names["id"]) == ("names", "a")
    assert [one["name"] for one in names["names"]] == ["heights"]
    assert [one.get("text", "") for one in described["described"]] == ["```\n[1, 2]\n```", ""]
    assert described["described"][1]["problem"] == "There is no variable 3."
    assert (nothing["id"], [*nothing["described"]]) == ("c", [])
