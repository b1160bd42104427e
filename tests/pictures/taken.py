"""A picture of a state, and where the one that it has to be like is kept."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image
from playwright.async_api import expect

from tests.browser.kit import DARK, LIGHT
from tests.pictures.stage import Stage
from tests.pictures.states import State

KEPT = Path(__file__).parent / "kept"
THEMES = {"light": LIGHT, "dark": DARK}


async def take(stage: Stage, state: State) -> Image.Image:
    """Show a state, let a person do what belongs to it, and take its picture."""
    if state.past is None:
        shown = await stage.show(
            state.staged, width=state.width, media=state.media, cells=state.cells
        )
    else:
        shown = await stage.open_panel(state.past)
    if state.shows:
        await expect(shown.locator(state.shows).first).to_be_visible()
    if state.do is not None:
        await state.do(shown)
    if state.of:
        shown = shown.locator(state.of)
    if state.height is None:
        data = await shown.screenshot(animations="disabled")
    else:
        box = await shown.bounding_box()
        assert box is not None, "it is on the screen"
        clip = {**box, "height": state.height}
        data = await stage.page.screenshot(animations="disabled", clip=clip)  # type: ignore[arg-type]
    return Image.open(io.BytesIO(data))


def kept(state: State, theme: str) -> Path:
    """The file of its picture."""
    return KEPT / f"{state.name}-{theme}.png"


def keep(picture: Image.Image, path: Path) -> None:
    """Write a small file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.convert("RGB").save(path, optimize=True)
