"""Whether two pictures show the same, however fine their letters are drawn.

Both are blurred a little and compared square by square: another rasterizer moves a letter's edge by
part of a pixel, which the blur takes away; what is missing, moved or of another colour stays.
"""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image, ImageChops, ImageDraw, ImageFilter

SQUARE = 12
"""Pixels; a small icon fills one."""
BLUR = 2.0
MOST = 9.0
"""How far a square's mean may be from the other's, of 255."""


@dataclass
class Difference:
    """Where two pictures differ: squares, and the picture with them marked."""

    squares: list[tuple[int, int, float]]
    marked: Image.Image
    why: str

    def __bool__(self) -> bool:
        return self.why != ""


def difference(expected: Image.Image, actual: Image.Image) -> Difference:
    """What `actual` shows otherwise."""
    marked = actual.convert("RGB")
    if expected.size != actual.size:
        why = f"it is {actual.size} and was {expected.size}"
        return Difference([], marked, why)
    delta = ImageChops.difference(_soft(expected), _soft(actual))
    # The mean of a square, by the picture's own scaling; of the channel that differs most.
    red, green, blue = delta.split()
    worst = ImageChops.lighter(ImageChops.lighter(red, green), blue)
    size = (max(1, worst.width // SQUARE), max(1, worst.height // SQUARE))
    means = worst.resize(size, Image.Resampling.BOX)
    squares = [
        (x, y, float(value))
        for y in range(means.height)
        for x in range(means.width)
        if (value := means.getpixel((x, y))) > MOST  # type: ignore[operator]
    ]
    draw = ImageDraw.Draw(marked)
    for x, y, _ in squares:
        left, top = x * SQUARE, y * SQUARE
        draw.rectangle((left, top, left + SQUARE, top + SQUARE), outline="red")
    why = f"{len(squares)} squares differ" if squares else ""
    return Difference(squares, marked, why)


def _soft(picture: Image.Image) -> Image.Image:
    return picture.convert("RGB").filter(ImageFilter.GaussianBlur(BLUR))
