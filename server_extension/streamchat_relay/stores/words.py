"""Words: what a search looks at, a line for each prompt and answer, without case and accents."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

import msgspec

from streamchat_relay.stores.summary import Summary

MOST_LENGTH = 512 * 1024
"""Characters of one conversation that are searched, the first ones."""
FOUND_LENGTH = 120
"""Characters that are told of where a word was found."""
MOST_WORDS = 8
"""Words of a search that are looked at."""

_MESSAGE, _DELTA = b'{"type":"message"', b'{"type":"text-delta"'


class _Part(msgspec.Struct, frozen=True):
    text: str = ""
    name: str | None = None


class _Message(msgspec.Struct, frozen=True):
    parts: tuple[_Part, ...] = ()


class _Said(msgspec.Struct, frozen=True):
    run: str = ""
    delta: str = ""
    message: _Message = _Message()


_said = msgspec.json.Decoder(_Said)


class Words(msgspec.Struct, frozen=True):
    """The text of a conversation, its title first, as it is and as it is searched.

    Both have a line each for the title, the prompts and the answers, and the same length.
    """

    plain: str
    folded: str

    def has(self, words: Iterable[str]) -> bool:
        """Whether it holds all of these, which are folded."""
        return all(word in self.folded for word in words)

    def found(self, words: Sequence[str]) -> str:
        """The words about the first one that was found; empty where that is the title."""
        title, _, rest = self.folded.partition("\n")
        if any(word in title for word in words):
            return ""
        begin = len(title) + 1
        at = min((begin + rest.find(word) for word in words if word in rest), default=-1)
        if at < 0:
            return ""
        first, last = self.plain.rfind("\n", 0, at) + 1, self.plain.find("\n", at)
        last = len(self.plain) if last < 0 else last
        begin = max(first, at - FOUND_LENGTH // 3)
        end = min(last, begin + FOUND_LENGTH)
        before, after = "…" if begin > first else "", "…" if end < last else ""
        return f"{before}{self.plain[begin:end].strip()}{after}"


def searched(text: str) -> list[str]:
    """The words of a search, folded."""
    return fold(text).split()[:MOST_WORDS]


def fold(text: str) -> str:
    """The text without case and accents, character for character.

    >>> fold("Ça va, ÉLAN?")
    'ca va, elan?'
    """
    return unicodedata.normalize("NFC", text).translate(_folds)


def words(summary: Summary, lines: Iterable[bytes]) -> Words:
    """The words of a log, of which each of `lines` is some of the events, a line each."""
    texts: dict[str, list[str]] = {"": [" ".join((summary.title or summary.asked).split())]}
    length = 0
    for event in (event for some in lines for event in some.split(b"\n")):
        if length > MOST_LENGTH:
            break
        if not event.startswith((_DELTA, _MESSAGE)):
            continue
        try:
            said = _said.decode(event)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            # An event that is damaged costs its own words.
            continue
        if said.delta:
            texts.setdefault(said.run, []).append(said.delta)
        else:
            parts = said.message.parts
            own = [part.text or part.name or "" for part in parts]
            texts[f"message {len(texts)}"] = own
            length += sum(map(len, own))
        length += len(said.delta)
    joined = (" ".join("".join(text).split()) for text in texts.values())
    plain = unicodedata.normalize("NFC", "\n".join(joined))[:MOST_LENGTH]
    return Words(plain, fold(plain))


class _Folds(dict[int, str]):
    def __missing__(self, code: int) -> str:
        # The first of what it is made of: a letter without its marks.
        letter = unicodedata.normalize("NFKD", chr(code))[0].lower()
        self[code] = letter if len(letter) == 1 else letter[0]
        return self[code]


_folds = _Folds()
