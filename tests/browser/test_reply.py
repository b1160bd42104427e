"""A reply in its cell does not move when JupyterLab's Markdown takes the widget's place."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Locator, expect

from tests.fakes.lab import LabPage

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

ASK = "from jupyter_streamchat import Chat\nreply = Chat({model!r}).send({prompt!r}).wait()"
# Of the demo's answer MathJax, which only JupyterLab's Markdown has, changes two paragraphs, and a
# picture is offered in a third: what follows them moves, but keeps its size.
MATHEMATICS = "Mathematics and pictures"
WHOLE = """# One

Some *words* of `code` and <https://jupyter.org>.

> A quotation
>
> ```python
> x = 1
> ```

1. one
   - two

     with a paragraph
2. three

- [x] done
- [ ] open

| a | b |
|---|--:|
| 1 | 2 |

***

    indented

###### End

A last paragraph.
"""
LIVE = """
    from IPython.display import display
    from jupyter_streamchat.display import Place, static
    from jupyter_streamchat.widget import chat_widget, view
    widget = chat_widget(reply.conversation, run=reply.run)
    place = Place()
    place.show({**view(widget), **static(reply)})
"""
SWAP = "place.replace(static(reply))\nwidget.close()"

CLOSE = 2
"""Pixels."""

BLOCKS = "h1, h2, h3, h4, h5, h6, p, li, blockquote, pre, table, tr, hr, .streamchat-meta"
MEASURE = """
    (output, blocks) => {
        const {top, height} = output.getBoundingClientRect();
        const boxes = [...output.querySelectorAll(blocks)].map(node => {
            const box = node.getBoundingClientRect();
            const name = node.classList.contains('streamchat-meta') ? 'P' : node.tagName;
            return [name, box.top - top, box.height, box.left, node.innerText];
        });
        return {height, boxes};
    }
"""


async def measure(output: Locator) -> Any:
    """Where each block of an output is, and how high it is."""
    return await output.evaluate(MEASURE, BLOCKS)


async def live(lab: LabPage, model: str = "demo/fast", prompt: str = "Explain") -> Locator:
    """A finished reply that the widget still shows."""
    await lab.open([ASK.format(model=model, prompt=prompt), LIVE, SWAP])
    await lab.run_done(0)
    await lab.run_done(1)
    output = lab.output(1)
    await expect(output.locator(".streamchat-figures")).to_contain_text("tokens/s")
    return output


async def swap(lab: LabPage, output: Locator) -> None:
    """Show the Markdown, and wait until JupyterLab has made it."""
    await lab.run_done(2)
    await expect(output.locator(".streamchat")).to_have_count(0)
    await expect(output.locator("small")).to_contain_text("tokens/s")


def differ(old: list[Any], new: list[Any], columns: slice) -> bool:
    """Whether a block's place or size is another one."""
    pairs = zip(old[columns], new[columns], strict=True)
    return old[0] != new[0] or any(abs(one - other) > CLOSE for one, other in pairs)


async def test_nothing_moves_when_the_markdown_takes_the_widgets_place(lab: LabPage) -> None:
    output = await live(lab)
    before = (await measure(output))["boxes"]
    await swap(lab, output)
    after = (await measure(output))["boxes"]
    pairs = list(zip(before, after, strict=True))
    cut = next(at for at, box in enumerate(before) if MATHEMATICS in box[4])
    assert {box[0] for box in before[:cut]} >= {"H1", "P", "LI", "PRE", "TR", "BLOCKQUOTE"}
    assert [pair for pair in pairs[: cut + 1] if differ(*pair, slice(1, 4))] == []
    assert [pair for pair in pairs[cut + 4 :] if differ(*pair, slice(2, 4))] == []


async def test_an_output_keeps_its_height_when_the_markdown_comes(lab: LabPage) -> None:
    output = await live(lab, "demo/echo", WHOLE)
    before = await measure(output)
    await swap(lab, output)
    after = await measure(output)
    pairs = zip(before["boxes"], after["boxes"], strict=True)
    assert [pair for pair in pairs if differ(*pair, slice(1, 4))] == []
    assert before["height"] == pytest.approx(after["height"], abs=4)


async def test_the_last_line_reads_the_same_in_the_same_place(lab: LabPage) -> None:
    output = await live(lab)
    facts = output.locator(".streamchat-figures > span")
    # The dots between are the style sheet's.
    text = " · ".join(await facts.all_inner_texts())
    first, last = await facts.first.bounding_box(), await facts.last.bounding_box()
    await swap(lab, output)
    small = output.locator("small")
    assert await small.inner_text() == text
    box = await small.bounding_box()
    assert first is not None
    assert last is not None
    assert box is not None
    assert first["x"] == pytest.approx(box["x"], abs=CLOSE)
    assert first["height"] == pytest.approx(box["height"], abs=CLOSE)
    assert last["x"] + last["width"] == pytest.approx(box["x"] + box["width"], abs=CLOSE)


async def test_code_of_a_reply_is_copied_by_keyboard(lab: LabPage) -> None:
    output = await live(lab)
    button = output.locator(".streamchat-md-action").last
    await expect(button).to_have_accessible_name("Copy")
    await expect(button.locator("..")).to_have_css("opacity", "0")
    await button.focus()
    await expect(button.locator("..")).to_have_css("opacity", "1")
    await button.press("Enter")
    await expect(button).to_have_accessible_name("Copied")
