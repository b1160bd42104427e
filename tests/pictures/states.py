"""Every state of the chat that a person may see, each with the name of its picture."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from playwright.async_api import Locator, expect

from streamchat_relay.model import ErrorInfo, FilePart
from streamchat_relay.model.overview import ConversationInfo
from streamchat_relay.protocol.frames import View
from tests.fakes.pictures import png
from tests.pictures.staged import NOW, Staged
from tests.pictures.talk import Talk

Do = Callable[[Locator], Awaitable[Any]]

MARKDOWN = """\
## Gradient descent

It walks **downhill**, one step at a time, as *far* as the slope is steep [^1]:

| Step | Loss | Rate |
|-----:|-----:|:-----|
| 1 | 0.82 | `0.1` |
| 2 | 0.31 | `0.1` |

```python
def descend(x, gradient, rate=0.1):
    # one step against the gradient
    return x - rate * gradient(x)
```

1. Begin anywhere.
2. Repeat until it *stays*:
   - look around,
   - [x] take a step.

> A step that is too long jumps over the valley.

[^1]: See [the course](https://example.org/course).
"""
SHORT = "A **closure** keeps the variables of the place where it was made."
CELLS = (
    "import math",
    "def descend(x, gradient):\n    return x - 0.1 * gradient(x)",
)
SUGGESTED = """\
With a rate of your choice:

```python
def descend(x, gradient, rate=0.1):
    # one step against the gradient
    return x - rate * gradient(x)
```
"""
CONTEXT = "\n\nCell [2]:\n\n```python\n1 / 0\n```\n\n```\nZeroDivisionError: division by zero\n```"
_NOON = NOW.timestamp()
PAST = tuple(
    ConversationInfo(id=f"past-{number}", title=title, used=_NOON - age, messages=4, answering=now)
    for number, (title, age, now) in enumerate(
        [
            ("What is gradient descent, and when does it arrive?", 40, True),
            ("Closures in R", 3 * 3600, False),
            ("Why is my DataFrame empty after the merge?", 26 * 3600, False),
            ("Plot the loss", 5 * 86400, False),
            ("Regular expressions", 60 * 86400, False),
        ]
    )
)
RTL = "## مرحبا\n\nهذا نص من اليمين إلى اليسار مع `code` في الوسط.\n\n- أولا\n- ثانيا\n"


@dataclass
class State:
    """A conversation, and what a person does before the picture is taken."""

    name: str
    talk: Talk
    do: Do | None = None
    shows: str = ""
    """A selector of what has to be there before the picture is taken."""
    width: int = 640
    height: int | None = None
    """Of the picture, where something floats below the chat or the place is taller."""
    of: str = ""
    """A selector of what the picture is of, where that is not the whole chat."""
    spendings: dict[str, Any] | None = None
    refused: ErrorInfo | None = None
    views: tuple[View, ...] = ()
    deleted: bool = False
    cells: tuple[str, ...] | None = None
    """The code cells of the notebook around it; None where no plugin tells of one."""
    past: tuple[ConversationInfo, ...] | None = None
    """It is the side panel, with these conversations in its list."""
    media: dict[str, Any] | None = None
    """What the person's system wants: `forced_colors` or `contrast`."""

    @property
    def staged(self) -> Staged:
        """For the relay."""
        spendings = self.spendings or {"tokens_today": {"used": 530}}
        return Staged(
            tuple(self.talk.events),
            spendings,
            refused=self.refused,
            views=self.views,
            deleted=self.deleted,
        )


def talk() -> Talk:
    """A new one."""
    return Talk()


async def _edit(stage: Locator) -> None:
    await stage.get_by_role("button", name="Edit prompt").first.click()


async def _unfold(stage: Locator) -> None:
    for summary in await stage.locator("summary").all():
        await summary.click()


async def _rename(stage: Locator) -> None:
    await stage.locator(".streamchat-title button").first.click()


async def _models(stage: Locator) -> None:
    await stage.get_by_role("button", name="Choose another model").last.click()
    await expect(stage.get_by_role("menuitem").first).to_be_visible()


async def _attach(stage: Locator) -> None:
    await stage.locator("input[type=file]").set_input_files(
        [
            {"name": "loss.png", "mimeType": "image/png", "buffer": png(31, 119, 180, side=64)},
            {"name": "paper.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7\n%%EOF"},
            {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"Remember the rate."},
        ]
    )
    await stage.get_by_role("textbox", name="Prompt").fill("What does this curve say?")
    await expect(stage.locator("progress")).to_have_count(0)


async def _menu(stage: Locator) -> None:
    await stage.get_by_role("button", name="Export or delete this conversation").click()
    await expect(stage.get_by_role("menuitem").first).to_be_visible()


async def _mention(stage: Locator) -> None:
    await stage.get_by_role("textbox", name="Prompt").press_sequentially("What is odd in @")
    await expect(stage.get_by_role("listbox").get_by_role("option").first).to_be_visible()


async def _review(stage: Locator) -> None:
    await stage.get_by_role("button", name="Replace cell [2]").click()
    await expect(stage.get_by_role("dialog")).to_be_visible()


async def _list(panel: Locator) -> None:
    await panel.get_by_role("button", name="Conversations", exact=True).click()
    await expect(panel.get_by_text("Closures in R")).to_be_visible()


async def _write(stage: Locator) -> None:
    await stage.get_by_role("textbox", name="Prompt").fill("And in R?")


def _file(name: str, media_type: str, number: int) -> FilePart:
    return FilePart(
        id=f"f{number}",
        url=f"data:{media_type};base64,JVBERi0xLjcK",
        media_type=media_type,
        name=name,
        size=48_213,
    )


STATES = (
    State("empty", talk()),
    State("written", talk(), _write),
    State("waiting", talk().asks("What is a closure?").stands("running")),
    State("queued", talk().asks("What is a closure?").stands("queued", position=3)),
    State("retrying", talk().asks("What is a closure?").stands("retrying", retry_after=8)),
    State(
        "streaming",
        talk().asks("Explain gradient descent").stands("running").says(MARKDOWN[:360], open=True),
    ),
    State("answered", talk().asks("Explain gradient descent").answers(MARKDOWN)),
    State("narrow", talk().asks("Explain gradient descent").answers(MARKDOWN), width=300),
    State(
        "contrast",
        talk().asks("Explain gradient descent").answers(MARKDOWN).rated("up"),
        media={"forced_colors": "active"},
    ),
    State("right-to-left", talk().asks("ما هو الإغلاق؟").answers(RTL)),
    State(
        "thought",
        talk()
        .asks("How many r are in strawberry?")
        .stands("running")
        .thinks("s-t-r-a-w-b-e-r-r-y: the letter **r** is the 3rd, the 8th and the 9th.")
        .says("Three.")
        .ends(),
        _unfold,
    ),
    State(
        "follow-ups",
        talk()
        .asks("What is a closure?")
        .stands("running")
        .says("A **closure** keeps", open=True)
        .asks("And in R?")
        .stands("queued", position=1)
        .asks("Which one is faster?")
        .stands("queued", position=2),
    ),
    State(
        "stopped",
        talk().asks("What is a closure?").stands("running").says("A **closure** keeps").aborts(),
    ),
    State(
        "cut-off",
        talk().asks("What is a closure?").stands("running").says(SHORT).ends("length"),
    ),
    State(
        "failed",
        talk()
        .asks("What is a closure?")
        .breaks(
            "provider_auth",
            "openai refused the API key. Check OPENAI_API_KEY where Jupyter was started.",
        ),
    ),
    State(
        "server-lost",
        talk()
        .asks("What is a closure?")
        .stands("running")
        .says("A **closure** keeps")
        .aborts("server_lost"),
    ),
    State(
        "branches",
        talk()
        .called("Closures")
        .asks("What is a closure?")
        .answers("A function.")
        .again(model="ollama/qwen4:8b")
        .answers(SHORT)
        .rated("up"),
    ),
    State("editing", talk().asks("What is a closure?").answers(SHORT), _edit),
    State("renaming", talk().called("Closures").asks("And in R?").answers(SHORT), _rename),
    State("models", talk().asks("What is a closure?").answers(SHORT), _models),
    State(
        "tools",
        talk()
        .asks("Remove the old file and tell me the weather")
        .stands("running")
        .calls("weather", {"city": "Oslo", "days": 2}, result={"forecast": ["rain", "sun"]})
        .calls("geocode", {"place": "Osol"}, fails="ValueError: no such place: Osol")
        .begins_to_call("search", '{"query": "clos')
        .calls("remove", {"path": "data/old.csv"}, asks="0f3a"),
    ),
    State(
        "tools-open",
        talk()
        .asks("The weather in Oslo?")
        .stands("running")
        .calls("weather", {"city": "Oslo", "days": 2}, result={"forecast": ["rain", "sun"]})
        .says("Rain, then sun.")
        .ends(),
        _unfold,
    ),
    State(
        "sources",
        talk()
        .asks("Who invented it?")
        .stands("running")
        .says("Peter Landin named them in 1964.")
        .cites("https://example.org/landin", "The mechanical evaluation of expressions")
        .cites("https://example.org/history", "A history of closures")
        .ends(),
    ),
    State("attaching", talk(), _attach),
    State(
        "attached",
        talk()
        .asks(
            "What do they say?",
            _file("paper.pdf", "application/pdf", 1),
            _file("notes.txt", "text/plain", 2),
        )
        .answers("The paper says more than the notes."),
    ),
    State(
        "little-left",
        talk().asks("What is a closure?").answers(SHORT),
        spendings={"tokens_today": {"used": 95_000, "limit": 100_000}},
        shows=".streamchat-little",
    ),
    State(
        "spent",
        talk()
        .asks("What is a closure?")
        .stands("running")
        .says("A **closure** keeps")
        .aborts("budget"),
        spendings={"tokens_today": {"used": 100_000, "limit": 100_000}},
        shows=".streamchat-little",
    ),
    State(
        "elsewhere",
        talk().asks("What is a closure?").answers(SHORT),
        views=(View(session="other", user="you", typing=True, seen=9),),
    ),
    State("deleted", talk().asks("What is a closure?").answers(SHORT), deleted=True),
    State("menu", talk().called("Closures").asks("And in R?").answers(SHORT), _menu),
    State("mentioning", talk(), _mention, cells=CELLS, height=280),
    State(
        "with-cells",
        talk().asks("Why does it fail?", context=(CONTEXT,)).answers("Nothing divides by zero."),
        _unfold,
    ),
    State("code-for-cells", talk().asks("Write it").answers(SUGGESTED), cells=CELLS),
    State(
        "review",
        talk().asks("Write it").answers(SUGGESTED),
        _review,
        cells=CELLS,
        of=".streamchat-review",
    ),
    State("panel", talk(), past=PAST),
    State("past", talk(), _list, past=PAST),
    State(
        "sent-away",
        talk(),
        refused=ErrorInfo(
            code="unauthorized",
            message="Log in to Jupyter again and reload this page.",
            retryable=False,
        ),
        shows=".streamchat-notice",
    ),
)
