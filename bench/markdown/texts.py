"""The texts that every renderer is fed: made, not found, and the same in every run."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass

WORDS = re.findall(
    r"\w+",
    "the stream of tokens grows while a reader follows along and nothing that was shown may move "
    "because a page that jumps is hard to read so each block is drawn once then left alone until "
    "it is complete which keeps layout cheap even for very long answers about data and models",
)


def words(source: random.Random, count: int) -> list[str]:
    """So many words, plain ones."""
    return [source.choice(WORDS) for _ in range(count)]


def sentence(source: random.Random) -> str:
    """One sentence with the marks of an answer: emphasis, code, now and then a link."""
    made = words(source, source.randint(8, 18))
    for mark in ("**{}**", "*{}*", "`{}`"):
        if source.random() < 0.35:
            at = source.randrange(len(made))
            made[at] = mark.format(made[at])
    if source.random() < 0.15:
        number = source.randrange(1000)
        made.append(f"[page {number}](https://example.com/docs/{number})")
    text = " ".join(made)
    return f"{text[0].upper()}{text[1:]}."


def prose(source: random.Random) -> str:
    return " ".join(sentence(source) for _ in range(source.randint(2, 5))) + "\n\n"


def heading(source: random.Random) -> str:
    return f"{'#' * source.randint(2, 3)} {' '.join(words(source, 4)).capitalize()}\n\n"


def bullets(source: random.Random) -> str:
    lines = [f"- {sentence(source)}\n" for _ in range(source.randint(3, 6))]
    if source.random() < 0.5:
        lines.insert(2, f"  - {sentence(source)}\n")
    return "".join(lines) + "\n"


def steps(source: random.Random) -> str:
    return "".join(f"{n}. {sentence(source)}\n" for n in range(1, source.randint(4, 7))) + "\n"


def quote(source: random.Random) -> str:
    return f"> {sentence(source)}\n> {sentence(source)}\n\n"


def python(source: random.Random, lines: int) -> str:
    """Lines of Python."""
    made = []
    for number in range(lines):
        a, b = words(source, 2)
        made.append(
            (
                f"def {a}_{number}({b}: int) -> int:",
                f'    """{a.capitalize()} of the {b}."""',
                f"    total = sum(value * {number} for value in range({b}) if value % 3)",
                f'    return total + len("{a} {b}")  # {number}',
                "",
            )[number % 5]
        )
    return "".join(f"{line}\n" for line in made)


def fence(source: random.Random) -> str:
    return f"```python\n{python(source, source.randint(8, 20))}```\n\n"


def row(source: random.Random, number: int) -> str:
    a, b = words(source, 2)
    return f"| {number} | {a} {b} | `{a}` | {source.randrange(10_000) / 100:.2f} |\n"


HEAD = "| n | what | code | value |\n|--:|:--|---|--:|\n"


def table(source: random.Random) -> str:
    return HEAD + "".join(row(source, number) for number in range(source.randint(4, 8))) + "\n"


def answer(size: int) -> str:
    """What a model answers: prose, headings, lists, code, tables, links, emphasis."""
    source = random.Random(1)
    kinds = (heading, prose, bullets, prose, fence, prose, steps, table, prose, quote, prose)
    made = "# An answer\n\n"
    while len(made) < size:
        made += "".join(kind(source) for kind in kinds)
    return made[:size]


def code(size: int) -> str:
    """One block of Python."""
    return f"```python\n{python(random.Random(2), size // 30)}"[:size] + "\n```\n"


def items(size: int) -> str:
    """One tight list."""
    source = random.Random(3)
    made = "".join(f"- item {n} {' '.join(words(source, 3))}\n" for n in range(size // 20))
    return made[: made.rfind("\n", 0, size) + 1]


def rows(size: int) -> str:
    """One table."""
    source = random.Random(4)
    made = HEAD + "".join(row(source, number) for number in range(size // 25))
    return made[: made.rfind("\n", 0, size) + 1]


def paragraph(size: int) -> str:
    """One paragraph in which marks of emphasis and code open and never close."""
    source = random.Random(5)
    made, length, ticks = [], 0, 0
    while length < size:
        word = source.choice(WORDS)
        if source.random() < 0.05:
            word = source.choice(("*", "**", "_", "__")) + word
        if ticks < 60 and length > 1500 * ticks:
            ticks += 1
            word = "`" * ticks + word
        made.append(word)
        length += len(word) + 1
    return " ".join(made)[:size] + "\n"


def quotes(size: int) -> str:
    """500 quotes, one in the other, and lines in the innermost."""
    source = random.Random(6)
    line = "> " * 500
    count = max(1, size // 1020)
    return "".join(f"{line}{' '.join(words(source, 3))}\n" for _ in range(count))


def definitions(size: int) -> str:
    """Paragraphs that use references, all of which are defined at the very end."""
    source = random.Random(7)
    count = max(1, size // 200)
    used = "".join(
        f"{' '.join(words(source, 9))} [topic {n}][ref-{n}]"
        f" {' '.join(words(source, 6))} [ref-{n}].\n\n"
        for n in range(count)
    )
    return used + "".join(f'[ref-{n}]: https://example.com/{n} "Topic {n}"\n' for n in range(count))


@dataclass(frozen=True)
class Text:
    """A shape, at the size by which it is known; `make(size)` gives it at others."""

    name: str
    title: str
    make: Callable[[int], str]
    size: int
    aim: float
    """Task time a frame against streaming-markdown, at most."""

    def written(self) -> str:
        return self.make(self.size)


def counted(kind: Callable[[int], str], mark: str, count: int) -> int:
    """The size at which a shape has so many lines that begin with the mark."""
    low, high = 0, 1_000_000
    while low < high:
        middle = (low + high) // 2
        if sum(line.startswith(mark) for line in kind(middle).splitlines()) < count:
            low = middle + 1
        else:
            high = middle
    return low


TEXTS = (
    Text("answer", "8 KB answer", answer, 8_192, 1.0),
    Text("long", "100 KB answer", answer, 100_000, 0.4),
    Text("code", "200 KB of code", code, 200_000, 0.03),
    Text("items", "5,000 list items", items, counted(items, "-", 5_000), 0.03),
    Text("rows", "2,000 table rows", rows, counted(rows, "|", 2_002), 0.15),
    Text("paragraph", "100 KB paragraph", paragraph, 100_000, 0.8),
    Text("quotes", "500 nested quotes", quotes, 10_200, 1.2),
    Text("definitions", "500 late definitions", definitions, 100_000, 0.6),
)
