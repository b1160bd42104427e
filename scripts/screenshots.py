"""Takes the README's pictures of a real JupyterLab: `make screenshots` writes docs/images."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from playwright.async_api import Browser, async_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.fakes.jupyter import JupyterServer  # noqa: E402 - after the path is set
from tests.fakes.lab import LabPage, lab_server, launch  # noqa: E402

IMAGES = ROOT / "docs" / "images"
CELLS = [
    """
    from jupyter_streamchat import Chat
    chat = Chat("demo/fast")
    chat
    """,
    "reply = chat.send('And now in one word?', model='demo/echo')",
    "reply.wait().usage, reply.timing",
]


async def picture(server: JupyterServer, browser: Browser, theme: str, name: str) -> None:
    """A chat in the middle of an answer, with a table and code in view."""
    context = await browser.new_context(
        viewport={"width": 920, "height": 1000}, device_scale_factor=2
    )
    lab = await LabPage(server, await context.new_page()).start()
    execute = "([id, args]) => window.jupyterapp.commands.execute(id, args)"
    await lab.page.evaluate(execute, ["apputils:change-theme", {"theme": theme}])
    if await lab.page.locator("#jp-left-stack").is_visible():
        await lab.page.evaluate(execute, ["application:toggle-left-area", {}])
    await lab.open(CELLS, name=f"{name}.ipynb")
    await lab.run_done(0)
    box = lab.output(0).get_by_role("textbox", name="Prompt")
    await box.fill("Show me gradient descent as a table and as code")
    await box.press("Enter")
    # The table is complete then, and the code still in view.
    await lab.output(0).locator("h2").filter(has_text="Mathematics").wait_for()
    await lab.page.locator(".jp-NotebookPanel").screenshot(path=IMAGES / f"{name}.png")
    await lab.close()
    await context.close()


async def main() -> None:
    """Start Lab once, take every picture."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with lab_server(Path(tempfile.mkdtemp())) as server:
        async with async_playwright() as playwright:
            browser = await launch(playwright)
            await picture(server, browser, "JupyterLab Light", "chat")
            await picture(server, browser, "JupyterLab Dark", "chat-dark")
            await browser.close()


if __name__ == "__main__":
    asyncio.run(main())
