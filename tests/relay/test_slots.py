"""Who may begin and who waits, told of the slots alone."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from streamchat_relay.relay.rates import Rates
from streamchat_relay.relay.slots import Key, Slots


def test_a_run_begins_at_once_while_there_is_room() -> None:
    slots = Slots(in_all=3, per_user=2, rates=Rates())
    assert slots.ask(("ada", "1"), "demo")
    assert slots.ask(("ada", "2"), "demo")
    assert not slots.ask(("ada", "3"), "demo")
    assert slots.ask(("bob", "4"), "demo")
    assert not slots.ask(("bob", "5"), "demo")
    assert slots.line() == [("ada", "3"), ("bob", "5")]


def test_turns_go_round_the_users_however_many_one_of_them_asks() -> None:
    slots = Slots(in_all=1, per_user=1, rates=Rates())
    slots.ask(("zoe", "0"), "demo")
    for number in range(5):
        slots.ask(("ada", str(number)), "demo")
    slots.ask(("bob", "b"), "demo")
    slots.ask(("eve", "e"), "demo")
    order = []
    last: Key = ("zoe", "0")
    while begun := slots.leave(last):
        (last,) = begun
        order.append(last)
    assert order[:4] == [("ada", "0"), ("bob", "b"), ("eve", "e"), ("ada", "1")]
    assert order[4:] == [("ada", "2"), ("ada", "3"), ("ada", "4")]


def test_who_stops_waiting_leaves_the_line() -> None:
    slots = Slots(in_all=1, per_user=1, rates=Rates())
    slots.ask(("ada", "1"), "demo")
    slots.ask(("ada", "2"), "demo")
    slots.ask(("ada", "3"), "demo")
    assert slots.leave(("ada", "2")) == []
    assert slots.leave(("ada", "1")) == [("ada", "3")]
    assert slots.leave(("ada", "unknown")) == []


Step = tuple[str, int]


@given(
    st.integers(1, 4),
    st.integers(1, 3),
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 9)), max_size=60),
)
def test_no_limit_is_passed_and_no_room_is_left_to_who_could_use_it(
    in_all: int, per_user: int, steps: list[Step]
) -> None:
    slots = Slots(in_all=in_all, per_user=per_user, rates=Rates())
    going: set[Key] = set()
    waiting: set[Key] = set()
    for user, number in steps:
        run = (user, str(number))
        if run in going or run in waiting:
            going.discard(run)
            waiting.discard(run)
            begun = slots.leave(run)
            assert set(begun) <= waiting
            waiting -= set(begun)
            going |= set(begun)
        elif slots.ask(run, "demo"):
            going.add(run)
        else:
            waiting.add(run)
        of_user = Counter(user for user, _ in going)
        assert len(going) <= in_all
        assert max(of_user.values(), default=0) <= per_user
        assert set(slots.line()) == waiting
        assert len(slots.line()) == len(waiting)
        if len(going) < in_all:
            assert all(of_user[user] == per_user for user, _ in waiting)
