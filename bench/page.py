"""From the provider's first byte to the first token that is drawn in a page, in Chromium."""

from __future__ import annotations

import shutil
import statistics
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

from bench import relays

STATIC = Path(__file__).parent.parent / "jupyter_streamchat" / "static"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
]

PAGE = """<!doctype html><html><head>
<script id="jupyter-config-data" type="application/json">{"baseUrl": "/", "wsUrl": ""}</script>
</head><body><div id="root"></div></body></html>"""

# A model of anywidget's kind, and a watch for the first time stamp that is on the screen.
START = """async ([source, style]) => {
    document.head.append(Object.assign(document.createElement('style'), {textContent: style}));
    const url = URL.createObjectURL(new Blob([source], {type: 'text/javascript'}));
    const widget = (await import(url)).default;
    const values = {conversation: 'bench-' + crypto.randomUUID(), run: '', model: 'openai/bench',
                    params: {}};
    const model = {get: name => values[name], set() {}, save_changes() {}, on() {}, off() {},
                   send() {}};
    const signal = new AbortController().signal;
    const root = document.getElementById('root');
    await widget.initialize?.({model, signal});
    await widget.render({model, el: root, signal});
    window.seen = [];
    const known = new Set();
    new MutationObserver(() => {
        for (const [, written] of root.innerText.matchAll(/@(\\d+),\\d+@/g)) {
            if (known.has(written)) continue;
            known.add(written);
            const found = performance.timeOrigin + performance.now();
            requestAnimationFrame(() => setTimeout(() =>
                window.seen.push([written, found, performance.timeOrigin + performance.now()])));
        }
    }).observe(root, {subtree: true, childList: true, characterData: true});
}"""


def measure(provider_port: int, prompts: int = 20) -> dict[str, float]:
    """Medians in milliseconds: until it is in the document, and until it is painted."""
    offset = time.time_ns() - time.monotonic_ns()
    with relays.started(relays.OURS, provider_port) as (port, _), sync_playwright() as playwright:
        time.sleep(6)
        names = ("chromium", "chromium-browser", "google-chrome")
        browser = playwright.chromium.launch(
            executable_path=next(filter(None, map(shutil.which, names)), None), args=FLAGS
        )
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{port}/api/me?token={relays.TOKEN}")
        page.goto(f"http://127.0.0.1:{port}/no-such-page")
        page.set_content(PAGE)
        script = (STATIC / "widget.js").read_text("utf-8")
        page.evaluate(START, [script, (STATIC / "widget.css").read_text("utf-8")])
        box = page.get_by_role("textbox", name="Prompt")
        for number in range(prompts):
            box.fill("rate=200 tokens=5")
            box.press("Enter")
            page.wait_for_function("count => window.seen.length >= count", arg=number + 1)
        seen = page.evaluate("window.seen")
        browser.close()
    written = [(int(stamp) + offset) / 1e6 for stamp, _, _ in seen]
    return {
        "in_document_ms": statistics.median(
            found - at for at, (_, found, _) in zip(written, seen, strict=True)
        ),
        "painted_ms": statistics.median(
            painted - at for at, (_, _, painted) in zip(written, seen, strict=True)
        ),
    }
