"""What counts as the same picture: other edges of letters do, other things do not."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import pytest
from PIL import Image, ImageDraw, ImageFont

from tests.pictures.compared import difference

FONT = Path(mpl.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
LINES = ("What is a closure?", "A closure keeps the variables of the place where", "it was made.")


def drawn(
    *, at: float = 0.0, lines: tuple[str, ...] = LINES, icon: str = "#757575", ground: str = "white"
) -> Image.Image:
    """A page of text with a thin icon of 13 pixels."""
    picture = Image.new("RGB", (480, 200), ground)
    draw = ImageDraw.Draw(picture)
    font = ImageFont.truetype(str(FONT), 14)
    for number, line in enumerate(lines):
        draw.text((24 + at, 24 + 28 * number), line, font=font, fill="#212121")
    if icon:
        draw.rectangle((400, 150, 412, 162), outline=icon, width=1)
    return picture


@pytest.mark.parametrize("at", [0.0, 0.25, 0.5])
def test_letters_that_stand_part_of_a_pixel_aside_are_the_same(at: float) -> None:
    assert not difference(drawn(), drawn(at=at))


@pytest.mark.parametrize(
    ("actual", "why"),
    [
        (drawn(icon=""), "a button is missing"),
        (drawn(icon="#d32f2f"), "a button has another colour"),
        (drawn(lines=LINES[:2]), "a line is missing"),
        (drawn(lines=("What is a function?", *LINES[1:])), "a word is another"),
        (drawn(at=6), "all is moved"),
        (drawn(ground="#dddddd"), "the ground has another colour"),
    ],
)
def test_what_a_person_would_see_is_a_difference(actual: Image.Image, why: str) -> None:
    assert difference(drawn(), actual), why


def test_another_size_is_a_difference() -> None:
    assert difference(drawn(), drawn().crop((0, 0, 480, 190)))
