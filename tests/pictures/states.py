"""Every state of the chat that a person may see, each with the name of its picture."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from playwright.async_api import Locator, expect

from streamchat_relay.model import ErrorInfo, FilePart
from tests.fakes.pictures import png
from tests.pictures.staged import Staged
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
    spendings: dict[str, Any] | None = None
    refused: ErrorInfo | None = None
    media: dict[str, Any] | None = None
    """What the person's system wants: `forced_colors` or `contrast`."""

    @property
    def staged(self) -> Staged:
        """For the relay."""
        spendings = self.spendings or {"tokens_today": {"used": 530}}
        return Staged(tuple(self.talk.events), spendings, self.refused)


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
