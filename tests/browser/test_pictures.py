"""Every state of the chat looks as it looked: `make screenshots` takes the pictures anew."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from tests.browser.kit import change_theme
from tests.pictures.compared import difference
from tests.pictures.stage import Stage
from tests.pictures.states import STATES, State
from tests.pictures.taken import THEMES, kept, take

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.name)
@pytest.mark.parametrize("theme", THEMES)
async def test_a_state_looks_as_it_looked(
    stage: Stage, theme: str, state: State, tmp_path: Path
) -> None:
    await change_theme(stage.lab, THEMES[theme])
    taken = await take(stage, state)
    found = difference(Image.open(kept(state, theme)), taken)
    if found:
        taken.save(tmp_path / "taken.png")
        found.marked.save(tmp_path / "marked.png")
    assert not found, (
        f"{state.name} in the {theme} theme: {found.why}; see {tmp_path}. "
        "If it is meant to look so, run `make screenshots` and look at what changed."
    )
