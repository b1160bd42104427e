"""A real JupyterLab in a real Chromium, driven through its own commands.

`LabPage.open([...])` makes a notebook of these cells and opens it with a kernel of its own;
`run(n)` runs a cell and returns at once, `ran(n)` waits until it is done, `output(n)` is what it
shows. `NotebookPage` is the same for Notebook 7.
"""

from __future__ import annotations

import json
import re
import shutil
import textwrap
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import nbformat
from playwright.async_api import Browser, Error, Locator, Page, Playwright, expect
from typing_extensions import Self

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
    "JupyterNotebookApp": {"expose_app_in_browser": True},
}

# Gives the tests a notebook's panel, once its cells are there and its kernel answers.
_TAKE = """
    async (panel, cells) => {
        await panel.context.ready;
        await panel.sessionContext.ready;
        const kernel = panel.sessionContext.session.kernel;
        while (kernel.connectionStatus !== 'connected'
               || panel.content.widgets.length < cells) {
            await new Promise(done => setTimeout(done, 20));
        }
        await kernel.info;
        window.panel = panel;
        panel.node.dataset.test = panel.context.path;
    }
"""


async def launch(playwright: Playwright) -> Browser:
    """The machine's Chromium, else Playwright's. What is installed may still not start."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    for path in filter(None, map(shutil.which, names)):
        with suppress(Error):
            return await playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
    return await playwright.chromium.launch(args=CHROMIUM_FLAGS)


LABEXTENSION = Path(__file__).parents[2] / "jupyter_streamchat" / "labextension"


def lab_server(directory: Path, *, config: dict[str, Any] | None = None) -> JupyterServer:
    """A JupyterLab that asks no questions: no news, no recommendations.

    It has this tree's plugin, whichever is installed.
    """
    extensions = directory / "share" / "labextensions"
    extensions.mkdir(parents=True, exist_ok=True)
    if not (extensions / "jupyter-streamchat").exists():
        (extensions / "jupyter-streamchat").symlink_to(LABEXTENSION)
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
        config={**LAB_CONFIG, **(config or {})},
        environ={
            "JUPYTERLAB_SETTINGS_DIR": str(directory / "settings"),
            "JUPYTER_PATH": str(directory / "share"),
        },
    )


class LabPage:
    """One tab of JupyterLab; `url` where it does not come straight from the server."""

    def __init__(self, server: JupyterServer, page: Page, *, url: str = "") -> None:
        self.server = server
        self.page = page
        self.url = url or server.url
        self._notebooks = 0
        self._home = ""
        self.path = ""

    async def start(self, workspace: str = "") -> Self:
        """Load Lab with an empty workspace; tabs that are open at once need one each."""
        path = f"lab/workspaces/{workspace}" if workspace else "lab"
        self._home = f"{self.url}{path}?token={self.server.token}&reset"
        await self.page.goto(self._home)
        await self._ready()
        return self

    async def open(self, sources: list[str], *, name: str | None = None) -> None:
        """Make a notebook of these cells, open it and wait for its kernel."""
        self._write(sources, name)
        await self.reopen(len(sources))

    def _write(self, sources: list[str], name: str | None) -> None:
        self._notebooks += 1
        self.path = name or f"test-{id(self)}-{self._notebooks}.ipynb"
        book = nbformat.v4.new_notebook(
            cells=[
                nbformat.v4.new_code_cell(textwrap.dedent(source).strip()) for source in sources
            ],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        )
        nbformat.write(book, self.server.directory / "work" / self.path)

    async def reopen(self, cells: int = 1) -> None:
        """Open the notebook again, for example after a reload."""
        await self.page.evaluate(
            f"""async ([path, cells]) => {{
                const {{commands}} = window.jupyterapp;
                await ({_TAKE})(await commands.execute('docmanager:open', {{path}}), cells);
            }}""",
            [self.path, cells],
        )

    async def run(self, number: int) -> None:
        """Start a cell; does not wait for it."""
        await self.page.evaluate(
            """async number => {
                const {content, id} = window.panel;
                const {shell, commands} = window.jupyterapp;
                content.activeCellIndex = number;
                content.deselectAll();
                // The command means the notebook in front.
                while (shell.currentWidget?.id !== id) {
                    shell.activateById(id);
                    await new Promise(done => setTimeout(done, 20));
                }
                void commands.execute('notebook:run-cell');
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

    async def command(self, name: str, **arguments: Any) -> None:
        """Execute one of Lab's commands and wait for it."""
        await self.page.evaluate(
            "([name, args]) => window.jupyterapp.commands.execute(name, args)",
            [name, arguments],
        )

    @asynccontextmanager
    async def without_dialogs(self) -> AsyncIterator[None]:
        """Close what Lab asks or says meanwhile, for example that the server is away.

        Playwright looks for dialogs before it clicks, fills or expects, not before it presses a
        key: a dialog may still swallow that.
        """
        dialog = self.page.locator(".jp-Dialog").first

        async def close(_: Locator) -> None:
            await dialog.locator(".jp-Dialog-button").last.click()

        await self.page.add_locator_handler(dialog, close)
        try:
            yield
        finally:
            await self.page.remove_locator_handler(dialog)

    async def set_setting(self, plugin: str, name: str, value: Any) -> None:
        """Change a setting as the settings editor does."""
        await self.page.evaluate(
            """async ([plugin, name, value]) => {
                const {pluginRegistry} = window.jupyterapp;
                const tokens = [...pluginRegistry._services.keys()];
                const token = tokens.find(one => one.name.endsWith('coreutils:ISettingRegistry'));
                const registry = await window.jupyterapp.resolveRequiredService(token);
                await registry.set(plugin, name, value);
            }""",
            [plugin, name, value],
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
        if self._home:
            # What Lab opens again by itself may come late, in front of the next test's notebook.
            await self.page.goto(self._home)
        else:
            await self.page.reload()
        await self._ready()
        await self.reopen()

    def saved(self) -> Any:
        """The notebook's file."""
        return nbformat.read(self.server.directory / "work" / self.path, as_version=4)

    def cell(self, number: int) -> Locator:
        """A cell."""
        # In the tests' own notebook, whatever else Lab has opened again.
        return self.page.locator(f'[data-test="{self.path}"] .jp-CodeCell').nth(number)

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
                // What came after it was saved is not worth a question.
                panel.context.model.dirty = false;
                panel.close();
                window.panel = undefined;
            }"""
        )

    async def _ready(self) -> None:
        await self.page.wait_for_function("() => window.jupyterapp !== undefined")
        await self.page.evaluate("() => window.jupyterapp.restored")


class NotebookPage(LabPage):
    """One tab of Notebook 7, which shows one notebook."""

    async def reopen(self, cells: int = 1) -> None:
        """Load the page of the notebook."""
        await self.page.goto(f"{self.url}notebooks/{self.path}?token={self.server.token}")
        await self._ready()
        await self.page.wait_for_function(
            "path => window.jupyterapp.shell.currentWidget?.context?.path === path", arg=self.path
        )
        await self.page.evaluate(
            f"cells => ({_TAKE})(window.jupyterapp.shell.currentWidget, cells)", cells
        )
