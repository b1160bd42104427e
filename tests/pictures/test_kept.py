"""The kept pictures are those of the states."""

from tests.pictures.states import STATES
from tests.pictures.taken import KEPT, THEMES, kept


def test_every_kept_picture_is_of_a_state_and_every_state_has_one_in_each_theme() -> None:
    expected = {kept(state, theme).name for state in STATES for theme in THEMES}
    assert {path.name for path in KEPT.iterdir()} == expected
