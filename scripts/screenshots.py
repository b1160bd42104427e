"""Takes pictures of a real JupyterLab: `make screenshots` writes docs/images and the tests' own.

`states` are the pictures that `tests/browser/test_pictures.py` compares with, `readme` those of the
README, `animation` its moving one; without a word it takes all.
"""

from __future__ import annotations

import asyncio
import io
import re
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.async_api import Browser, Locator, Page, async_playwright, expect

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.browser.kit import DARK, LIGHT, Paced, change_theme  # noqa: E402
from tests.fakes.jupyter import JupyterServer  # noqa: E402
from tests.fakes.lab import LabPage, lab_server, launch  # noqa: E402
from tests.fakes.provider_server import (  # noqa: E402
    Answer,
    ProviderServer,
    running_provider_server,
)
from tests.pictures.compared import difference  # noqa: E402
from tests.pictures.stage import PERSON, Stage  # noqa: E402
from tests.pictures.states import STATES  # noqa: E402
from tests.pictures.taken import KEPT, THEMES, keep, kept, take  # noqa: E402

IMAGES = ROOT / "docs" / "images"
LOCAL = "local/qwen4"
CHAT = f"""
    from jupyter_streamchat import Chat
    chat = Chat("{LOCAL}")
    chat
    """
FAILED = [
    """
    prices = ["12.50", "8", "n/a", "31"]
    total = sum(prices)
    """,
]
EXPLAINED = """\
**The prices are texts.** `sum` begins with the number 0, and a text cannot be added to it.
Make numbers of them, and leave out what is none:

```python
prices = ["12.50", "8", "n/a", "31"]
total = sum(float(one) for one in prices
            if one != "n/a")
```

For a whole column, pandas does both at once:

```python
pd.to_numeric(column, errors="coerce").sum()
```
"""
PAINTED = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
FRAME_MS = 80
STORY = """\
Walk **downhill**, one step at a time:

```python
def descend(x, gradient, rate=0.1):
    for _ in range(100):
        x = x - rate * gradient(x)
    return x
```

| Rate | What happens |
|-----:|:-------------|
| 0.01 | slow |
| 0.1 | it arrives |
| 2 | it jumps over the valley |

Too long a step jumps over the valley, and the next one jumps back. Halve the rate until the loss
falls, then keep it, and watch the loss for a while before you trust it.
"""


async def readme(server: JupyterServer, browser: Browser, provider: ProviderServer) -> None:
    """The side panel beside a notebook, with an error that it has explained."""
    for theme, name in ((LIGHT, "panel"), (DARK, "panel-dark")):
        words = re.findall(r"\s*\S+", EXPLAINED)
        provider.answers.append(Answer(deltas=words, input=412, output=len(words), rate=45))
        lab = await notebook(server, browser, theme, FAILED, name, width=1280, height=640)
        await lab.run_done(0)
        explain = lab.output(0).get_by_role("button", name="Explain this error")
        await explain.click()
        panel = lab.page.locator(".streamchat-panel")
        await panel.get_by_role("button", name="Copy answer as Markdown").wait_for()
        await lab.page.mouse.move(1, 1)
        await lab.page.screenshot(path=IMAGES / f"{name}.png")
        await lab.close()
        await lab.page.context.close()


async def animation(server: JupyterServer, browser: Browser, provider: ProviderServer) -> None:
    """An answer streams and is stopped while the kernel computes."""
    pieces = [STORY[at : at + 7] for at in range(0, len(STORY), 7)]
    paced = Paced(provider, [*pieces, "…"])
    cells = [CHAT, "while True:\n    pass  # the kernel is busy"]
    lab = await notebook(server, browser, LIGHT, cells, "animation", scale=1.5)
    heard = Deltas(lab.page)
    await lab.run_done(0)
    await lab.run(1)
    await lab.started(1)
    panel = lab.page.locator(".jp-NotebookPanel")
    film = Film(panel)
    chat = lab.output(0)
    box = chat.get_by_role("textbox", name="Prompt")
    await box.click()
    await film.frame(6)
    for letter in "What is gradient descent?":
        await lab.page.keyboard.type(letter)
        await film.frame()
    await film.frame(3)
    await lab.page.mouse.move(1, 1)
    await box.press("Enter")
    await expect(chat.locator(".streamchat-progress")).to_be_visible()
    await film.frame(5)
    for _ in range(len(pieces) - 10):
        paced.say(1)
        await heard.next()
        await film.frame()
    await chat.get_by_role("button", name="Stop").first.hover()
    await film.frame(6)
    await chat.get_by_role("button", name="Stop").first.click()
    await expect(chat.locator(".streamchat-ending")).to_have_text("Stopped")
    await film.frame(25)
    film.save(IMAGES / "chat.webp")
    paced.finish()
    await lab.interrupt()
    await lab.close()
    await lab.page.context.close()


class Deltas:
    """The tokens that a page has been told of, one after the other."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._came = 0
        self._drawn = 0
        self._more = asyncio.Event()
        page.on("websocket", lambda socket: socket.on("framereceived", self._count))

    async def next(self) -> None:
        """Wait until one more is on the screen."""
        self._drawn += 1
        while self._came < self._drawn:
            self._more.clear()
            await self._more.wait()
        await self._page.evaluate(PAINTED)

    def _count(self, frame: str | bytes) -> None:
        self._came += str(frame).count('"text-delta"')
        self._more.set()


class Film:
    """Pictures of one place, one after the other; those that are the same are one that stays."""

    def __init__(self, place: Locator) -> None:
        self._place = place
        self._frames: list[Image.Image] = []
        self._times: list[int] = []

    async def frame(self, times: int = 1) -> None:
        """What is there now, for so many frames."""
        data = await self._place.screenshot(animations="disabled", caret="initial")
        picture = Image.open(io.BytesIO(data)).convert("RGB")
        if self._frames and picture.tobytes() == self._frames[-1].tobytes():
            self._times[-1] += times * FRAME_MS
            return
        self._frames.append(picture)
        self._times.append(times * FRAME_MS)

    def save(self, path: Path) -> None:
        """Write the film, which begins anew for ever."""
        first, *rest = self._frames
        first.save(
            path,
            save_all=True,
            append_images=rest,
            duration=self._times,
            loop=0,
            quality=75,
            method=4,
            minimize_size=True,
        )
        print(
            f"{path.relative_to(ROOT)}: {len(self._frames)} frames, {path.stat().st_size:,} bytes"
        )


async def states(server: JupyterServer, browser: Browser) -> None:
    """Keep a picture of every state; one that looks as it looked stays as it is."""
    context = await browser.new_context(**PERSON)
    stage = await Stage(LabPage(server, await context.new_page())).set()
    gone = set(KEPT.glob("*.png"))
    for theme, name in THEMES.items():
        await change_theme(stage.lab, name)
        for state in STATES:
            path = kept(state, theme)
            gone.discard(path)
            picture = await take(stage, state)
            if path.exists() and not difference(Image.open(path), picture):
                continue
            keep(picture, path)
            print(f"{path.relative_to(ROOT)} is new")
    for path in gone:
        path.unlink()
        print(f"{path.relative_to(ROOT)} is gone")
    await context.close()


async def notebook(
    server: JupyterServer,
    browser: Browser,
    theme: str,
    cells: list[str],
    name: str,
    *,
    scale: float = 2,
    width: int = 920,
    height: int = 830,
) -> LabPage:
    """A notebook in a Lab without its left side."""
    context = await browser.new_context(
        viewport={"width": width, "height": height}, device_scale_factor=scale
    )
    lab = await LabPage(server, await context.new_page()).start(name)
    await change_theme(lab, theme)
    if await lab.page.locator("#jp-left-stack").is_visible():
        await lab.command("application:toggle-left-area")
    await lab.open(cells, name=f"{name}.ipynb")
    return lab


async def main(wanted: list[str]) -> None:
    """Start Lab once, take what is wanted."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with running_provider_server() as provider:
        provider.openai_models = [{"id": LOCAL.partition("/")[2], "object": "model", "created": 1}]
        providers = {"local": {"base_url": provider.openai_url}}
        config = {"StreamChat": {"providers": providers, "default_model": LOCAL}}
        with lab_server(Path(tempfile.mkdtemp()), config=config) as server:
            async with async_playwright() as playwright:
                browser = await launch(playwright)
                if not wanted or "states" in wanted:
                    await states(server, browser)
                if not wanted or "readme" in wanted:
                    await readme(server, browser, provider)
                if not wanted or "animation" in wanted:
                    await animation(server, browser, provider)
                await browser.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
