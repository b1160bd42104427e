"""Text as it may be shown: what steers a terminal or a reader's eye is seen, never obeyed."""

from __future__ import annotations

import re

# The same characters as in `js/src/markdown/safety.ts`: controls, marks and overrides of direction,
# and tags, which no font shows (but for those that make a flag of a region).
_UNSEEN = re.compile(
    "[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]"
    "|(\U0001f3f4[\U000e0020-\U000e007f]+)|[\U000e0000-\U000e007f]+"
)


def visible(text: str) -> str:
    r"""The text with a form to see for each character that would do something instead.

    >>> visible("a\x1b[31m b\u202ec\r\n d\U000e0068\U000e0069")
    'a␛[31m b⟨U+202E⟩c\n d⟨hidden: hi⟩'
    """
    return _UNSEEN.sub(_seen, text.replace("\r\n", "\n"))


def _seen(found: re.Match[str]) -> str:
    if found[1]:
        return found[1]
    code = ord(found[0][0])
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    if code < 0xE0000:
        return f"⟨U+{code:04X}⟩"
    hidden = "".join(chr(ord(tag) - 0xE0000) for tag in found[0])
    return f"⟨hidden: {re.sub('[^ -~]', '·', hidden)}⟩"
