"""A Chromium that renders frame after frame without a pause, and what a renderer costs in it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, CDPSession, Page, Playwright, Route
from playwright.sync_api import TimeoutError as Late

from bench.markdown import bundles

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
UNLIMITED = ["--disable-frame-rate-limit", "--disable-gpu-vsync"]
SITE = "http://bench.test/"
"""Answered from memory; isolated from other origins, which gives clocks of 5 microseconds."""
PAGE = """<!doctype html><meta charset="utf-8"><style>
body { margin: 0; font: 14px sans-serif }
.scroller { width: 900px; height: 800px; overflow: auto }
blockquote { margin: 0 0 0 1px }
pre { overflow-x: auto }
</style>"""
ISOLATED = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
}
CALL = """async ([renderer, script, name, options]) => {
    const [peer, driver] = await Promise.all(
        [renderer, script].map(folder => import(`/${folder}/index.js`))
    );
    const create = peer.create ?? peer.createMarkdownStream;
    return await driver[name](create, {furniture: peer.furniture, ...options});
}"""
START = f"""arguments => void ({CALL})(arguments)
    .catch(error => ({{error: String(error?.stack ?? error)}}))
    .then(found => {{ window.found = found; console.log('found'); }})"""
PARTS = ("TaskDuration", "ScriptDuration", "LayoutDuration", "RecalcStyleDuration", "LayoutCount")


@dataclass(frozen=True)
class Feed:
    """How a text comes: characters a push, pushes a frame, who says when to render."""

    name: str
    chunk: int = 64
    pushes: int = 1
    flush: bool = True
    follow: bool = True
    """The page follows the end of the text, as a chat does; else its beginning is in sight."""


FRAMES = Feed("frames")
TOKENS = Feed("tokens", chunk=4)
SCHEDULED = Feed("scheduled", chunk=4, pushes=16, flush=False)
UNSEEN = Feed("out of sight", follow=False)
BIG = Feed("big", chunk=1024)

Found = dict[str, Any]


class PeerError(Exception):
    """A renderer threw, or did not come back."""


class Chromium:
    """One browser for many cells, each in a fresh page; started anew when a page hangs."""

    def __init__(self, playwright: Playwright, ours: Path, *, unlimited: bool = True) -> None:
        self._playwright = playwright
        self._shipped = {
            f"{bundles.STREAMCHAT}/index.js": ours,
            f"{bundles.WHOLE}/index.js": bundles.ALL,
        }
        self._flags = FLAGS + (UNLIMITED if unlimited else [])
        self._browser: Browser | None = None
        self.loaded: dict[str, dict[str, float]] = {}

    def gzip_kb(self) -> dict[str, float]:
        """By peer: all scripts that its pages have fetched, in KB gzip."""
        return {peer: sum(files.values()) for peer, files in self.loaded.items()}

    def close(self) -> None:
        if self._browser is not None:
            self._browser.close()
            self._browser = None

    @contextmanager
    def page(self, peer: str) -> Iterator[Page]:
        """A page that has the peer and the scripts of this folder to import."""
        if self._browser is None:
            names = ("chromium", "chromium-browser", "google-chrome")
            self._browser = self._playwright.chromium.launch(
                executable_path=next(filter(None, map(shutil.which, names)), None),
                args=self._flags,
            )
        page = self._browser.new_page()

        def answer(route: Route) -> None:
            file = route.request.url.removeprefix(SITE)
            if file == "":
                route.fulfill(body=PAGE, content_type="text/html", headers=ISOLATED)
                return
            path = self._shipped.get(file, bundles.MADE / file)
            if not path.is_file():
                route.fulfill(status=404)
                return
            if file.startswith(f"{peer}/"):
                self.loaded.setdefault(peer, {})[file] = bundles.gzip_kb(path)
            route.fulfill(path=path)

        page.route(f"{SITE}**", answer)
        page.goto(SITE)
        page.evaluate("peer => void (document.title = peer)", peer)
        try:
            yield page
        except Late as late:
            # A page that hangs cannot be closed by itself.
            self.close()
            raise PeerError(f"{peer} hung") from late
        else:
            page.close()

    def call(self, page: Page, script: str, name: str, options: Found, timeout_s: float) -> Any:
        """What the function of the script gives; nothing is polled while it runs."""
        peer = page.evaluate("document.title")
        with page.expect_console_message(
            lambda message: message.text == "found", timeout=timeout_s * 1000
        ):
            page.evaluate(START, [peer, script, name, options])
        found = page.evaluate("window.found")
        if isinstance(found, dict) and "error" in found:
            raise PeerError(f"{peer}, {name} of {script}.js: {found['error']}")
        return found

    def feed(
        self,
        peer: str,
        text: str,
        feed: Feed,
        *,
        warm: tuple[str, float],
        budget_s: float,
    ) -> Found:
        """What the peer costs for the text, after it was warmed up with another for some seconds.

        Times are in milliseconds of the main thread's own processor time. `share` is below 1
        when the budget ended it: the figures are those of the beginning then.
        """
        options: Found = {
            "chunk": feed.chunk,
            "pushes": feed.pushes,
            "flush": feed.flush,
            "follow": feed.follow,
        }
        try:
            with self.page(peer) as page:
                warming = {**options, "chunk": 64, "text": warm[0], "budget": warm[1] * 1000}
                self.call(page, "drive", "feed", warming, 30)
                session = page.context.new_cdp_session(page)
                session.send("Performance.enable", {"timeDomain": "threadTicks"})
                session.send("HeapProfiler.collectGarbage")
                before = metrics(session)
                measured = {**options, "text": text, "budget": budget_s * 1000}
                found: Found = self.call(page, "drive", "feed", measured, 3 * budget_s)
                after = metrics(session)
        except PeerError as error:
            return {"share": 0.0, "error": str(error)}
        task, script, layout, style, layouts = (after[part] - before[part] for part in PARTS)
        if found["promised"]:
            # The browser counts only callbacks as script, not what promises go on with.
            script += found["spent"] / 1000
        return {
            "share": found["done"] / found["total"],
            "frames": found["frames"],
            "tokens": -(-found["done"] // feed.chunk),
            "task_ms": task * 1000,
            "script_ms": script * 1000,
            "layout_ms": (layout + style) * 1000,
            "work_ms": (script + layout + style) * 1000,
            "layouts": layouts,
            "longest_flush_ms": found["longest"],
            "flush_ms": found["spent"],
        }


def metrics(session: CDPSession) -> dict[str, float]:
    """The page's counters so far."""
    sent = session.send("Performance.getMetrics")
    return {one["name"]: one["value"] for one in sent["metrics"]}
