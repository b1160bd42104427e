"""A place in a real JupyterLab that shows one staged conversation as a cell would, in known fonts.

Fonts are the tests' own (those of matplotlib), since a machine's are as it likes. The clock stands
still, so that a countdown says the same in each picture.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import matplotlib as mpl
from playwright.async_api import Locator, Page, ViewportSize, expect
from typing_extensions import Self

from streamchat_relay.model.overview import ConversationInfo
from tests.fakes.lab import LabPage
from tests.pictures.staged import NOW, Staged, StagedRelay

STATIC = Path(__file__).parents[2] / "jupyter_streamchat" / "static"
FONTS = Path(mpl.get_data_path()) / "fonts" / "ttf"
FACES = {
    ("Staged", "normal", 400): "DejaVuSans",
    ("Staged", "normal", 700): "DejaVuSans-Bold",
    ("Staged", "italic", 400): "DejaVuSans-Oblique",
    ("Staged Mono", "normal", 400): "DejaVuSansMono",
}
PERSON: dict[str, Any] = {
    "viewport": {"width": 1100, "height": 1600},
    "locale": "en-US",
    "timezone_id": "UTC",
}
"""Whose browser it is."""
LOW = ViewportSize(width=1100, height=620)
CALM: dict[str, Any] = {"contrast": "no-preference", "forced_colors": "none"}

SHOW = """
    async ([values, width]) => {
        const heard = new Set();
        const model = {
            get: name => values[name], set() {}, save_changes() {},
            on: (event, listener) => event === 'msg:custom' && heard.add(listener),
            off: (event, listener) => heard.delete(listener),
            // A kernel that tells its variables.
            send: ({type, id}) => type === 'names' && queueMicrotask(() =>
                heard.forEach(listener => listener({id, names: [
                    {name: 'frame', type: 'DataFrame', shape: [120, 3]},
                    {name: 'rate', type: 'float', shape: []},
                ]}))),
        };
        window.staged?.abort();
        document.getElementById('stage')?.remove();
        window.staged = new AbortController();
        const {signal} = window.staged;
        const stage = document.createElement('div');
        stage.id = 'stage';
        stage.className = 'jp-Notebook';
        stage.style.cssText = `position: fixed; inset: 0 auto auto 0; width: ${width}px;
            padding: 12px; box-sizing: border-box; z-index: 9999; height: auto; overflow: visible;
            background: var(--jp-layout-color0); outline: 400px solid var(--jp-layout-color0)`;
        const area = document.createElement('div');
        area.className = 'jp-OutputArea jp-Cell-outputArea';
        area.innerHTML = '<div class="jp-OutputArea-output"></div>';
        stage.append(area);
        document.body.append(stage);
        const el = area.firstChild;
        await window.widget.initialize?.({model, signal});
        await window.widget.render({model, el, signal});
    }
"""
LOAD = """
    async ([source, style, fonts]) => {
        for (const text of [style, fonts]) {
            const sheet = document.createElement('style');
            sheet.textContent = text;
            document.head.append(sheet);
        }
        await Promise.all([...document.fonts].map(face => face.load()));
        const url = URL.createObjectURL(new Blob([source], {type: 'text/javascript'}));
        window.widget = (await import(url)).default;
    }
"""
# As the plugin tells of a notebook; without cells, as if there was no plugin.
NOTEBOOK = """
    sources => {
        const key = Symbol.for('jupyter_streamchat.notebooks/1');
        if (sources === null) {
            delete globalThis[key];
            return;
        }
        const cells = sources.map((source, index) => ({
            id: `cell-${index}`, index, type: 'code', executionCount: index + 1, editable: true,
            source, outputs: [],
        }));
        const notebook = {
            path: 'notebook.ipynb', language: 'python', kernel: null, cells: () => cells,
            cell: () => cells.at(-1), insertBelow: () => null, replace: () => false,
        };
        globalThis[key] = {find: () => notebook, subscribe() {}};
    }
"""
# One socket for all stages would have told its refusal to all of them.
FORGET = """
    () => {
        for (const key of Object.getOwnPropertySymbols(globalThis)) {
            const name = key.description ?? '';
            if (name.startsWith('jupyter_streamchat.connection')) delete globalThis[key];
        }
    }
"""


class Stage:
    """Shows states, one after the other."""

    def __init__(self, lab: LabPage) -> None:
        self.lab = lab
        self.relay = StagedRelay(lab.page)
        self._shown = 0

    @property
    def conversation(self) -> str:
        """The one that was shown last."""
        return f"stage-{self._shown}"

    async def open_panel(self, conversations: tuple[ConversationInfo, ...]) -> Locator:
        """Open the side panel, with these conversations in its list."""
        self.relay.all = conversations
        await self.page.set_viewport_size(LOW)
        await self.page.evaluate("document.getElementById('stage')?.remove()")
        await self.lab.command("streamchat:open")
        panel = self.page.locator(".streamchat-panel")
        await expect(panel.get_by_role("textbox", name="Prompt")).to_be_visible()
        return panel

    @property
    def page(self) -> Page:
        """The page of Lab."""
        return self.lab.page

    async def set(self) -> Self:
        """Load Lab with the staged relay, the widget's bundle and the fonts."""
        await self.page.clock.set_fixed_time(NOW)
        await self.relay.listen()
        await self.lab.start("stage")
        script = (STATIC / "widget.js").read_text("utf-8")
        style = (STATIC / "widget.css").read_text("utf-8")
        await self.page.evaluate(LOAD, [script, style, fonts()])
        return self

    async def show(
        self,
        staged: Staged,
        *,
        width: int = 640,
        media: dict[str, Any] | None = None,
        cells: Sequence[str] | None = None,
    ) -> Locator:
        """Draw a conversation; returns where it is.

        `cells` are the notebook around it, as JupyterLab's plugin tells of one: the last one is
        selected.
        """
        self._shown += 1
        await self.page.set_viewport_size(PERSON["viewport"])
        # What is under the mouse looks otherwise.
        await self.page.mouse.move(1, PERSON["viewport"]["height"] - 1)
        conversation = self.conversation
        self.relay.conversations[conversation] = staged
        self.relay.refused = staged.refused
        await self.page.evaluate(FORGET)
        wanted = {**CALM, **(media or {})}
        await self.page.emulate_media(**wanted)
        await self.page.evaluate(NOTEBOOK, cells)
        values = {"conversation": conversation, "run": "", "model": "", "params": {}}
        await self.page.evaluate(SHOW, [{**values, "relay": "server", "link": ""}, width])
        stage = self.page.locator("#stage")
        if staged.refused is None and not staged.deleted:
            # The models have been told, and the conversation before them.
            await expect(
                stage.get_by_label("Model", exact=True).locator("option")
            ).not_to_have_count(1)
        return stage


@lru_cache(maxsize=1)
def fonts() -> str:
    """The style sheet that makes all text one of `FACES`."""
    rules = []
    for (family, style, weight), name in FACES.items():
        data = base64.b64encode((FONTS / f"{name}.ttf").read_bytes()).decode()
        source = f"url(data:font/ttf;base64,{data})"
        rules.append(
            f"@font-face {{font-family: '{family}'; font-style: {style}; font-weight: {weight}; "
            f"src: {source}}}"
        )
    rules.append(
        "#stage, #stage *, .streamchat-panel, .streamchat-panel * {"
        "--jp-ui-font-family: Staged !important; --jp-content-font-family: Staged !important;"
        "--jp-code-font-family: 'Staged Mono' !important;"
        "--jp-code-font-family-default: 'Staged Mono' !important}"
    )
    return "\n".join(rules)
