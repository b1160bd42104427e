"""Blocks: the fenced code of an answer, by language."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

# CommonMark 0.31.2, section 4.5; a block that is not closed yet goes to the end.
_FENCE = re.compile(r"^( {0,3})(`{3,}|~{3,})[ \t]*([^`\n]*)$")
_DEEPEST = "   "
_OTHER_NAMES = {"py": "python", "python3": "python", "js": "javascript", "ts": "typescript"}


class Piece(NamedTuple):
    """Prose, or the code of one block in its language (empty where none is named)."""

    text: str
    language: str = ""
    code: bool = False


class Blocks(Mapping[str, str]):
    r"""Code by language, all blocks of one joined by blank lines; `str()` is all of it.

    >>> blocks = Blocks("```python\nx = 1\n```\nand\n```py\ny = 2\n```")
    >>> blocks["python"]
    'x = 1\n\ny = 2'
    >>> blocks.all
    [('python', 'x = 1'), ('python', 'y = 2')]
    """

    def __init__(self, text: str) -> None:
        self.all = [(one.language, one.text) for one in pieces(text) if one.code]
        """Each block in order, as its language (empty where none is named) and its code."""

    def __getitem__(self, language: str) -> str:
        found = [code for name, code in self.all if name == _name(language)]
        if not found:
            there = ", ".join(repr(name) for name in self) or "no code"
            raise KeyError(f"There is no {language!r} in the answer; it has {there}.")
        return "\n\n".join(found)

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(name for name, _ in self.all))

    def __len__(self) -> int:
        return len(dict.fromkeys(name for name, _ in self.all))

    def __str__(self) -> str:
        return "\n\n".join(code for _, code in self.all)

    def __repr__(self) -> str:
        return "\n\n".join(f"```{name}\n{code}\n```" for name, code in self.all)


def _name(info: str) -> str:
    word = (info.split() or [""])[0].lower()
    return _OTHER_NAMES.get(word, word)


def pieces(text: str) -> Iterator[Piece]:
    """The whole text in order, prose and code in turns; blank prose is left out."""
    fence = info = indent = ""
    lines: list[str] = []
    for line in text.replace("\r\n", "\n").split("\n"):
        opened = None if fence else _FENCE.match(line)
        mark = line.strip()
        if opened:
            yield from _prose(lines)
            indent, fence, info = opened.groups()
            lines = []
        elif (
            fence
            and len(line) - len(line.lstrip(" ")) <= len(_DEEPEST)
            and len(mark) >= len(fence)
            and set(mark) == {fence[0]}
        ):
            yield Piece("\n".join(lines), _name(info), code=True)
            fence, lines = "", []
        else:
            lines.append(line.removeprefix(indent) if fence else line)
    if fence:
        yield Piece("\n".join(lines), _name(info), code=True)
    else:
        yield from _prose(lines)


def _prose(lines: list[str]) -> Iterator[Piece]:
    text = "\n".join(lines).strip("\n")
    if text.strip():
        yield Piece(text)
