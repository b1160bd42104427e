"""How a chat feels in Chromium: its first paint, a prompt's way to the screen, a thousand messages.

`python -m bench.feel` prints a table. The relay is a few lines in the page, so that nothing but the
page's own work is measured.
"""

from __future__ import annotations

import json
import shutil
import statistics
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from bench.page import FLAGS, PAGE, STATIC

MESSAGES = 1000
ROUNDS = 10
ADDRESS = "http://bench.invalid/"

# What a relay says, of one conversation that is there already.
RELAY = """
    window.relay = {state: null};
    window.WebSocket = class extends EventTarget {
        static OPEN = 1;
        protocol = 'streamchat.v1';
        bufferedAmount = 0;
        readyState = 0;
        constructor() {
            super();
            setTimeout(() => { this.readyState = 1; this.#tell('open', {}); });
        }
        #tell(type, fields) {
            const event = Object.assign(new Event(type), fields);
            this.dispatchEvent(event);
            this['on' + type]?.(event);
        }
        #say(frame) {
            this.#tell('message', {data: JSON.stringify(frame)});
        }
        send(text) {
            const frame = JSON.parse(text);
            const {type, id, conversation} = frame;
            if (type === 'hello') this.#say({type: 'welcome', session: 's', user: 'u',
                heartbeat_s: 900, version: '0', limits: {max_frame_bytes: 1e7, window_bytes: 262144,
                join_bytes: 65536, max_blob_bytes: 0}});
            else if (type === 'models') this.#say({type: 'ok', id, problems: [], default: 'a/b',
                models: [{id: 'a/b', provider: 'a', name: 'b'}]});
            else if (type === 'open') {
                this.#say({type: 'ok', id, conversation, epoch: 'e', head: 1});
                this.#say({type: 'snapshot', conversation, epoch: 'e', seq: 1, state: relay.state});
            }
        }
        close() {}
    };
"""

FIRST = """
    async ([source, style, state]) => {
        relay.state = state;
        document.head.append(Object.assign(document.createElement('style'), {textContent: style}));
        const url = URL.createObjectURL(new Blob([source], {type: 'text/javascript'}));
        const values = {conversation: 'c', run: '', model: 'a/b', params: {}, relay: 'server'};
        const model = {get: name => values[name], on() {}, off() {}, send() {}};
        const {signal} = new AbortController();
        const painted = () => new Promise(done => requestAnimationFrame(() => setTimeout(done)));
        const root = document.getElementById('root');
        await painted();
        const began = performance.now();
        const widget = (await import(url)).default;
        const ran = performance.now();
        widget.initialize({model, signal});
        widget.render({model, el: root, signal});
        await painted();
        const first = performance.now();
        while (root.querySelectorAll('.streamchat-prompt').length < (state.messages.length ? 1 : 0))
            await painted();
        return {module: ran - began, paint: first - ran, conversation: performance.now() - ran};
    }
"""
# From the key to the frame that has the prompt, and to that frame's end.
WATCH = """
    () => {
        window.sent = [];
        const area = document.querySelector('textarea');
        document.addEventListener('keydown', event => {
            if (event.key !== 'Enter') return;
            const [text, key] = [area.value, performance.now()];
            let frames = 0;
            const look = () => {
                frames += 1;
                const rows = [...document.querySelectorAll('.streamchat-prompt')];
                if (!rows.some(row => row.textContent === text)) return requestAnimationFrame(look);
                setTimeout(() => sent.push([frames, performance.now() - key]));
            };
            requestAnimationFrame(look);
        }, true);
    }
"""
SCROLL = """
    async () => {
        const list = document.querySelector('.streamchat-list');
        const frames = [];
        let last = await new Promise(requestAnimationFrame);
        for (let step = 0; step < 200; step += 1) {
            list.scrollTop -= 120;
            const now = await new Promise(requestAnimationFrame);
            frames.push(now - last);
            last = now;
        }
        frames.sort((one, other) => one - other);
        const elements = document.querySelectorAll('.streamchat *').length;
        return {elements, p50: frames[100], p95: frames[190], longest: frames[199]};
    }
"""
# All mounted, as for paper; the second with what browsers offer for that.
ALL = "dispatchEvent(new Event('beforeprint'))"
CONTAINED = (
    "document.head.append(Object.assign(document.createElement('style'), {textContent:"
    " '.streamchat-row {content-visibility: auto; contain-intrinsic-size: auto 200px}'}))"
)


def conversation(messages: int) -> dict[str, Any]:
    """A state of prompts and answers of a few paragraphs, some with code."""
    state: dict[str, Any] = {"messages": [], "runs": {}, "settings": {"model": "", "params": {}}}
    parent = None
    for number in range(messages // 2):
        run, asked, answer = f"r{number}", f"u{number}", f"a{number}"
        text = "\n\n".join(
            f"Line {line} of {number}, with **words**." for line in range(1 + number % 9)
        )
        text += "\n\n```python\n" + "x = 1\n" * (number % 30) + "```\n" if number % 4 == 0 else ""
        for id_, role, said in ((asked, "user", f"Question {number}"), (answer, "assistant", text)):
            part = {"type": "text", "id": "1", "text": said}
            state["messages"].append(
                {"id": id_, "role": role, "parent": parent, "run": run, "parts": [part]}
            )
            parent = id_
        state["runs"][run] = {
            "id": run,
            "message": answer,
            "model": "a/b",
            "provider": "a",
            "state": "done",
            "finish_reason": "stop",
        }
    return {**state, "title": ""}


def opened(browser: Browser, state: dict[str, Any]) -> tuple[Page, dict[str, float]]:
    """A fresh page with a chat, and what its first paint took."""
    page = browser.new_page()
    page.add_init_script(RELAY)
    page.route("**/*", lambda route: route.fulfill(body=PAGE, content_type="text/html"))
    page.goto(ADDRESS)
    files = [(STATIC / f"widget.{kind}").read_text("utf-8") for kind in ("js", "css")]
    return page, page.evaluate(FIRST, [*files, state])


def measure(browser: Browser, messages: int) -> dict[str, float]:
    """Medians in milliseconds."""
    state = conversation(messages)
    firsts = []
    for _ in range(ROUNDS):
        page, first = opened(browser, state)
        firsts.append(first)
        page.close()
    page, _ = opened(browser, state)
    page.evaluate(WATCH)
    box = page.get_by_role("textbox", name="Prompt")
    for number in range(ROUNDS):
        box.fill(f"A new prompt {number}")
        box.press("Enter")
        page.wait_for_function("count => sent.length >= count", arg=number + 1)
    sent = page.evaluate("sent")
    page.close()
    return {
        "module_ms": statistics.median(one["module"] for one in firsts),
        "first_paint_ms": statistics.median(one["paint"] for one in firsts),
        "conversation_ms": statistics.median(one["conversation"] for one in firsts),
        "frames_to_prompt": max(frames for frames, _ in sent),
        "prompt_painted_ms": statistics.median(took for _, took in sent),
    }


def scrolling(browser: Browser) -> dict[str, dict[str, float]]:
    """A thousand messages scrolled through, by how they are mounted."""
    found = {}
    for name, before in {
        "only what is near": [],
        "all": [ALL],
        "all, content-visibility": [CONTAINED, ALL],
    }.items():
        page, _ = opened(browser, conversation(MESSAGES))
        page.wait_for_timeout(500)
        for step in before:
            page.evaluate(step)
        page.wait_for_timeout(500)
        found[name] = page.evaluate(SCROLL)
        page.close()
    return found


def main() -> None:
    """Print what was measured."""
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next(filter(None, map(shutil.which, names)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        for messages in (0, MESSAGES):
            print(messages, "messages:", json.dumps(measure(browser, messages)))
        for name, figures in scrolling(browser).items():
            print(f"{name}:", json.dumps(figures))
        browser.close()


if __name__ == "__main__":
    main()
