"""A real JupyterLab in a real Chromium, driven through its own commands.

`LabPage.open([...])` makes a notebook of these cells and opens it with a kernel of its own;
`run(n)` runs a cell and returns at once, `ran(n)` waits until it is done, `output(n)` is what it
shows.
"""

from __future__ import annotations

import json
import re
import shutil
import textwrap
from pathlib import Path
from typing import Any

import nbformat
from playwright.async_api import Browser, Locator, Page, Playwright, expect

from tests.fakes.jupyter import JupyterServer

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]

_NUMBERED = re.compile(r"\[\d+\]:")

LAB_CONFIG: dict[str, Any] = {
    "LabApp": {"expose_app_in_browser": True, "extension_manager": "readonly"},
}


async def launch(playwright: Playwright) -> Browser:
    """The machine's Chromium, else Playwright's."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    found = next(filter(None, map(shutil.which, names)), None)
    return await playwright.chromium.launch(executable_path=found, args=CHROMIUM_FLAGS)


def lab_server(directory: Path) -> JupyterServer:
    """A JupyterLab that asks no questions: no news, no recommendations."""
    settings = directory / "settings" / "@jupyterlab"
    for plugin, values in {
        "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
        "docmanager-extension/plugin": {"autosave": False},
    }.items():
        path = settings / f"{plugin}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values), "utf-8")
    return JupyterServer(
        directory,
        application="lab",
        config=LAB_CONFIG,
        environ={"JUPYTERLAB_SETTINGS_DIR": str(directory / "settings")},
    )


class LabPage:
    """One tab of JupyterLab."""

    def __init__(self, server: JupyterServer, page: Page) -> None:
        self.server = server
        self.page = page
        self._notebooks = 0
        self.path = ""

    async def start(self) -> LabPage:
        """Load Lab with an empty workspace."""
        await self.page.goto(f"{self.server.url}lab?token={self.server.token}&reset")
        await self._ready()
        return self

    async def open(self, sources: list[str], *, name: str | None = None) -> None:
        """Make a notebook of these cells, open it and wait for its kernel."""
        self._notebooks += 1
        self.path = name or f"test-{id(self)}-{self._notebooks}.ipynb"
        book = nbformat.v4.new_notebook(
            cells=[
                nbformat.v4.new_code_cell(textwrap.dedent(source).strip()) for source in sources
            ],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        )
        nbformat.write(book, self.server.directory / "work" / self.path)
        await self.reopen(len(sources))

    async def reopen(self, cells: int = 1) -> None:
        """Open the notebook again, for example after a reload."""
        await self.page.evaluate(
            """async ([path, cells]) => {
                const app = window.jupyterapp;
                const panel = await app.commands.execute('docmanager:open', {path});
                await panel.context.ready;
                await panel.sessionContext.ready;
                const kernel = panel.sessionContext.session.kernel;
                while (kernel.connectionStatus !== 'connected'
                       || panel.content.widgets.length < cells) {
                    await new Promise(done => setTimeout(done, 20));
                }
                await kernel.info;
                window.panel = panel;
            }""",
            [self.path, cells],
        )

    async def run(self, number: int) -> None:
        """Start a cell; does not wait for it."""
        await self.page.evaluate(
            """async number => {
                const {content, sessionContext} = window.panel;
                content.activeCellIndex = number;
                content.deselectAll();
                window.jupyterapp.shell.activateById(window.panel.id);
                void window.jupyterapp.commands.execute('notebook:run-cell');
            }""",
            number,
        )

    async def ran(self, number: int) -> None:
        """Wait until a cell has its number."""
        prompt = self.cell(number).locator(".jp-InputPrompt")
        await expect(prompt).to_have_text(_NUMBERED, timeout=60_000)

    async def started(self, number: int) -> None:
        """Wait until a cell shows that it is running."""
        await expect(self.cell(number).locator(".jp-InputPrompt")).to_have_text("[*]:")

    async def run_done(self, number: int) -> None:
        """Run a cell and wait for it."""
        await self.run(number)
        await self.ran(number)

    async def command(self, name: str) -> None:
        """Execute one of Lab's commands; does not wait."""
        await self.page.evaluate(
            "name => void window.jupyterapp.commands.execute(name)",
            name,
        )

    async def interrupt(self) -> None:
        """The stop button of the notebook's toolbar."""
        await self.page.evaluate("() => window.panel.sessionContext.session.kernel.interrupt()")

    async def restart_kernel(self) -> None:
        """Restart the kernel and wait for it."""
        await self.page.evaluate(
            "() => window.panel.sessionContext.session.kernel.restart()",
        )

    async def save(self) -> None:
        """Save the notebook."""
        await self.page.evaluate("() => window.panel.context.save()")

    async def reload(self) -> None:
        """Reload the page and open the notebook again."""
        await self.page.reload()
        await self._ready()
        await self.reopen()

    def saved(self) -> Any:
        """The notebook's file."""
        return nbformat.read(self.server.directory / "work" / self.path, as_version=4)

    def cell(self, number: int) -> Locator:
        """A cell."""
        return self.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-CodeCell").nth(number)

    def output(self, number: int) -> Locator:
        """What a cell shows."""
        return self.cell(number).locator(".jp-Cell-outputArea")

    async def text(self, number: int) -> str:
        """What a cell shows, as text."""
        return await self.output(number).inner_text()

    async def close(self) -> None:
        """Shut the notebook's kernel down and close it without a question."""
        await self.page.evaluate(
            """async () => {
                const panel = window.panel;
                if (!panel || panel.isDisposed) return;
                await panel.context.save();
                await panel.sessionContext.shutdown();
                panel.close();
                window.panel = undefined;
            }"""
        )

    async def _ready(self) -> None:
        await self.page.wait_for_function("() => window.jupyterapp !== undefined")
        await self.page.evaluate("() => window.jupyterapp.restored")
