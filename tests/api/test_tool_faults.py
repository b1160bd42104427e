"""What goes wrong in a tool ends its call in words, and a call runs once, as it was allowed."""

from __future__ import annotations

import asyncio
import datetime as dt
import enum
import queue
import threading
from collections.abc import Callable
from typing import Annotated, Any, Literal

import msgspec
import pytest

from jupyter_streamchat.tools import Approve, Called, Tool, ToolFailed
from jupyter_streamchat.workbench import KEPT, Workbench
from streamchat_relay.model import MAX_ERROR, BadRequest, digest_of
from streamchat_relay.protocol.codec import encode
from streamchat_relay.protocol.frames import Asking, Returned, ToolRun

PATIENCE_S = 20.0


class Bench:
    """A workbench whose loop is this thread, and what it says to the relay."""

    def __init__(self, *tools: Tool) -> None:
        self._calls: queue.Queue[Callable[[], object]] = queue.Queue()
        self.said: list[Returned | Asking] = []
        self.bench = Workbench(self._calls.put, self._say)
        self.bench.add("c1", {tool.name: tool for tool in tools})

    def _say(self, what: Returned | Asking) -> None:
        encode(what)
        self.said.append(what)

    def call(self, name: str, call: str = "call", **arguments: Any) -> Returned | Asking:
        """Have it called; returns what is said of it."""
        self.tell(name, call, **arguments)
        return self.next()

    def tell(self, name: str, call: str = "call", **arguments: Any) -> None:
        self.bench.called(
            ToolRun(call=call, conversation="c1", run="r", part="1", name=name, input=arguments)
        )

    def next(self) -> Returned | Asking:
        count = len(self.said)
        while len(self.said) == count:
            self._calls.get(timeout=PATIENCE_S)()
        return self.said[-1]


class Unreadable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


class Hostile:
    @property
    def tolist(self) -> Any:
        raise AttributeError("boo")

    def model_dump(self, mode: str) -> Any:
        raise KeyError(mode)


def throws(error: BaseException) -> Any:
    def tool() -> Any:
        "Fails."
        raise error

    return tool


def throws_async(error: BaseException) -> Any:
    async def tool() -> Any:
        "Fails."
        raise error

    return tool


def returns(value: Any) -> Any:
    def tool() -> Any:
        "Returns."
        return value

    return tool


@pytest.mark.parametrize("made", [throws, throws_async])
@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ValueError("no"), "failed with ValueError: no"),
        (SystemExit(3), "failed with SystemExit: 3"),
        (KeyboardInterrupt(), "failed with KeyboardInterrupt"),
        (asyncio.CancelledError(), "ended with CancelledError"),
        (TimeoutError("the database"), "failed with TimeoutError: the database"),
        (Unreadable(), "failed with Unreadable: its message cannot be read"),
        (ValueError("half \ud83d"), "failed with ValueError: half ?"),
        (ValueError("\x1b[31mred\x1b[0m\x07\x9b2J"), "failed with ValueError: red2J"),
    ],
)
def test_whatever_a_tool_raises_ends_its_call(
    made: Callable[[BaseException], Any], error: BaseException, words: str
) -> None:
    said = Bench(Tool(made(error), approve=True)).call("tool")
    assert isinstance(said, Returned)
    if made is throws and isinstance(error, asyncio.CancelledError):
        words = "failed with CancelledError"
    assert words in said.error


def test_an_iterator_that_is_empty_ends_the_call_of_a_tool() -> None:
    def first() -> int:
        "The first of nothing."
        return next(iter([]))

    said = Bench(Tool(first, approve=True)).call("first")
    assert isinstance(said, Returned)
    assert "first failed with StopIteration" in said.error


@pytest.mark.parametrize("error", [SystemExit(1), Unreadable(), StopIteration()])
def test_whatever_approve_raises_ends_the_call(error: BaseException) -> None:
    def approve(_call: Called) -> bool:
        raise error

    said = Bench(Tool(returns(1), approve=approve)).call("tool")
    assert isinstance(said, Returned)
    assert f"`approve` failed with {type(error).__name__}" in said.error


def endless() -> Any:
    made: list[Any] = []
    made.append(made)
    return made


@pytest.mark.parametrize(
    "value",
    [object(), endless(), {(1, 2): 3}, Hostile(), "half \ud83d", (one for one in "ab"), [len]],
)
def test_whatever_json_cannot_hold_is_an_error_for_the_model(value: Any) -> None:
    said = Bench(Tool(returns(value), approve=True)).call("tool")
    assert isinstance(said, Returned)
    assert "which JSON cannot hold" in said.error
    assert said.output is None


@pytest.mark.parametrize(
    ("value", "output"),
    [
        ([float("nan"), float("inf")], [None, None]),
        (10**30, 10**30),
        ({1, 2}, [1, 2]),
        (b"\xff", "/w=="),
        ({1: dt.date(2026, 1, 2)}, {"1": "2026-01-02"}),
        (None, None),
    ],
)
def test_what_json_can_hold_in_some_way_is_returned(value: Any, output: Any) -> None:
    said = Bench(Tool(returns(value), approve=True)).call("tool")
    assert said == Returned(call="call", output=output)


def test_the_words_of_an_error_are_bounded() -> None:
    said = Bench(Tool(throws(ValueError("x" * 20_000_000)), approve=True)).call("tool")
    assert isinstance(said, Returned)
    assert len(said.error) == MAX_ERROR
    said = Bench(Tool(returns(1), approve=True)).call("tool", **{"x" * 100_000: 1})
    assert isinstance(said, Returned)
    assert len(said.error) <= MAX_ERROR


def test_an_approve_that_changes_the_arguments_changes_nothing_of_what_runs() -> None:
    seen: list[Any] = []

    def remove(names: list[str]) -> None:
        "Removes."
        seen.append(list(names))

    def approve(call: Called) -> bool:
        call.arguments["names"].append("everything")
        return True

    Bench(Tool(remove, approve=approve)).call("remove", names=["a"])
    assert seen == [["a"]]


def test_a_result_that_is_not_kept_any_more_does_not_make_a_call_run_again() -> None:
    ran: list[int] = []

    def add(number: int) -> int:
        "Adds."
        ran.append(number)
        return number

    bench = Bench(Tool(add, approve=True))
    for number in range(KEPT + 10):
        bench.call("add", f"call{number}", number=number)
    ran.clear()
    for number in range(KEPT + 10):
        bench.tell("add", f"call{number}", number=number)
    again = bench.said[-KEPT - 10 :]
    assert ran == []
    lost = [one for one in again if isinstance(one, Returned) and "was lost" in one.error]
    assert len(lost) == 10
    assert again[-1] == Returned(call=f"call{KEPT + 9}", output=KEPT + 9)


def test_a_call_that_was_cancelled_is_not_run_when_it_is_told_again() -> None:
    bench = Bench(Tool(returns(1)))
    assert bench.call("tool") == Asking(call="call")
    bench.bench.cancelled("call")
    bench.tell("tool")
    assert isinstance(bench.said[-1], Returned)


@pytest.mark.parametrize("approve", [None, False])
def test_a_call_that_is_allowed_for_another_digest_does_not_run(approve: Approve | None) -> None:
    ran: list[Any] = []

    def pay(amount: Any) -> str:
        "Pays."
        ran.append(amount)
        return "paid"

    bench = Bench(Tool(pay, approve=approve))
    assert bench.call("pay", amount=1) == Asking(call="call")
    for other in (1.0, True, "1", [1], 10**30, None):
        bench.bench.allowed("call", digest_of("pay", {"amount": other}))
    bench.bench.allowed("call", digest_of("Pay", {"amount": 1}))
    bench.bench.allowed("call", digest_of("pay", {"amount": 1}))
    bench.bench.allowed("call", digest_of("pay", {"amount": 1}))
    assert bench.next() == Returned(call="call", output="paid")
    assert ran == [1]


SENTINEL = object()


class Colour(enum.Enum):
    RED = "red"


class Point(msgspec.Struct):
    x: int = 1


def test_defaults_that_json_cannot_show_are_used_and_not_told() -> None:
    seen: list[Any] = []

    def draw(
        colour: Colour = Colour.RED,
        when: dt.date = dt.date(2026, 1, 2),
        limit: float | None = SENTINEL,  # type: ignore[assignment]
        at: Point = Point(2),  # noqa: B008 - as people write it
        kind: Literal["a", "b"] = "a",
        many: Annotated[list[int], msgspec.Meta(description="Sizes.")] = [1],  # noqa: B006
        far: float = float("inf"),
    ) -> None:
        "Draws."
        seen.append((colour, when, limit, at, kind, many, far))

    tool = Tool(draw, approve=True)
    properties = tool.spec.input_schema["properties"]
    assert "default" not in properties["limit"]
    assert "default" not in properties["at"]
    assert properties["kind"] == {"enum": ["a", "b"], "default": "a"}
    assert properties["many"]["description"] == "Sizes."
    assert properties["when"]["default"] == "2026-01-02"
    assert tool.spec.input_schema["required"] == []
    Bench(tool).call("draw")
    assert seen == [(Colour.RED, dt.date(2026, 1, 2), SENTINEL, Point(2), "a", [1], float("inf"))]


class Foreign:
    pass


def test_an_argument_that_no_model_can_send_is_named() -> None:
    def plot(x: int, y: Foreign) -> None:
        "Plots."

    with pytest.raises(BadRequest, match=r"`y: Foreign`\. Use `str`.*a dataclass"):
        Tool(plot)


def test_a_method_is_a_tool() -> None:
    class Shop:
        def price(self, thing: str) -> str:
            "The price."
            return f"{thing}: 3"

    said = Bench(Tool(Shop().price, approve=True)).call("price", thing="tea")
    assert said == Returned(call="call", output="tea: 3")


def test_fifty_calls_run_at_the_same_time() -> None:
    together = threading.Barrier(50, timeout=PATIENCE_S)

    def meet() -> str:
        "Meets."
        together.wait()
        return "met"

    bench = Bench(Tool(meet, approve=True))
    for number in range(50):
        bench.tell("meet", f"call{number}")
    while len(bench.said) < 50:
        bench.next()
    assert {one.output for one in bench.said if isinstance(one, Returned)} == {"met"}


def test_a_kernel_without_threads_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    bench = Bench(Tool(returns(1), approve=True))
    monkeypatch.setattr(threading.Thread, "start", start)
    said = bench.call("tool")
    assert isinstance(said, Returned)
    assert "has no thread" in said.error


def test_what_a_tool_failed_with_is_plain_text() -> None:
    assert str(ToolFailed("a\x1b]0;title\x07b\tc\n")) == "a0;titleb\tc\n"
