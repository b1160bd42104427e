"""Markdown in which nothing is active, whatever a model wrote.

A notebook renders Markdown with the page's full rights, so a model's text must not bring anything
active with it: no raw HTML (it could run scripts or Jupyter commands), no images (fetching one
tells its server what the address says), no links but to the web and mail. Text that could is
escaped so that it reads the same; an image becomes a link to it, and what would steer how the rest
is read (controls, directions, tags) has a visible form.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from streamchat_relay.model.visible import visible

# CommonMark 0.31.2, section 4.5: at most three spaces, three or more of one character; the info
# string of a backtick fence has no backticks.
_FENCE = re.compile(r" {0,3}(?P<fence>`{3,}|~{3,})(?P<info>[^`\n]*|(?<=~)[^\n]*)$")
# HTML, "tag open state": only these after `<` begin a tag, a comment or a declaration.
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_LINK = re.compile(r"\](?=\((?!\s*<?(?:https?://|mailto:)))", re.IGNORECASE)
_DEFINITION = re.compile(r"\](?=:)")
# CommonMark 0.31.2, section 6.5, for the schemes that are let through; with `](` before it, it is a
# link's destination (section 6.3).
_ADDRESS = re.compile(
    r"(?P<to>\]\()?(?<!\\)<(?P<address>(?:https?://|mailto:)[^\s<>`]+)>", re.IGNORECASE
)
_TICKS = re.compile(r"`+")
_IMAGE = re.compile(r"(?<!\\)!\[(?P<alt>[^\[\]]*)\](?=\(\s*<?https?://)", re.IGNORECASE)
# Pandoc's rule for inline math, which tells it from amounts of money.
_MATH = re.compile(
    r"(?<![\\$])(?:\$\$(?:\\.|[^$\\])+?\$\$|\$(?![\s$])(?:\\[^\n]|[^$\\\n])+?(?<!\s)\$(?!\d))",
    re.DOTALL,
)
# From the first backslash of a run: from each of them, a long run would be read as often.
_DOLLAR = re.compile(r"(?<!\\)(?P<slashes>\\*)\$")
_URL = re.compile(r"https?://[^\s<>{}|)\]]*", re.IGNORECASE)
# JupyterLab takes any two dollars of a paragraph for math, twice: in the Markdown, where an entity
# hides one, and in what has been rendered, where only a text of its own does.
_LITERAL_DOLLAR = "<span>&#36;</span>"
_ACTIVE = re.compile(r"<[A-Za-z/!?]|!\[|\][(:]")
_INFO = re.compile(r"[A-Za-z0-9_+#.-]*")
_BLANK = re.compile(r"\n[ \t]*\n")


def safe_markdown(text: str) -> str:
    r"""The text as Markdown in which nothing is active; what is harmless stays as it is.

    >>> print(safe_markdown("*a* <img src=x> ![b](http://c) [d](javascript:e) [f](https://g)"))
    *a* &lt;img src=x> [image: b](http://c) [d]\(javascript:e) [f](https://g)
    """
    out: list[str] = []
    prose: list[str] = []
    code: list[str] = []
    fence = info = ""

    def close() -> None:
        out.extend(("", _code_block("\n".join(code), info), ""))
        code.clear()

    for line in visible(text).split("\n"):
        if fence:
            stripped = line.strip()
            if stripped and set(stripped) == {fence[0]} and len(stripped) >= len(fence):
                close()
                fence = ""
            else:
                code.append(line)
            continue
        found = _FENCE.fullmatch(line)
        if found:
            out.append(_prose("\n".join(prose)))
            prose.clear()
            fence, info = found["fence"], found["info"].strip()
        else:
            prose.append(line)
    if fence:
        close()
    else:
        out.append(_prose("\n".join(prose)))
    return "\n".join(out).strip("\n")


def _code_block(code: str, info: str) -> str:
    language = (_INFO.match(info) or [""])[0]
    if not _ACTIVE.search(code):
        longest = max((len(run) for run in re.findall(r"`+", code)), default=0)
        fence = "`" * max(3, longest + 1)
        return f"{fence}{language}\n{code}\n{fence}"
    # Should a renderer see no code here, what it sees is still escaped.
    lines = "\n".join(_entities(line) for line in code.split("\n"))
    return f"<pre><code>{lines}\n</code></pre>"


def _prose(text: str) -> str:
    # Code and math end at the latest with their paragraph.
    pieces: list[str] = []
    position = 0
    for gap in _BLANK.finditer(text):
        pieces += [_paragraph(text[position : gap.start()]), gap[0]]
        position = gap.end()
    return "".join([*pieces, _paragraph(text[position:])])


def _paragraph(text: str) -> str:
    pieces: list[str] = []
    position = 0
    for start, code, end in _code_spans(text):
        pieces += [_inline(text[position:start]), _code_span(text[start:end], code)]
        position = end
    # Pieces that are harmless alone may not be so together: `!` before a kept span, for one.
    joined = "".join([*pieces, _inline(text[position:])])
    return joined.replace("![", "!\\[")


def _code_spans(text: str) -> Iterator[tuple[int, str, int]]:
    """Where each begins, what is in it, and where it ends: at the next run of as many ticks."""
    runs = list(_TICKS.finditer(text))
    following: list[int] = [0] * len(runs)
    seen: dict[int, int] = {}
    for at in range(len(runs) - 1, -1, -1):
        length = len(runs[at][0])
        following[at] = seen.get(length, 0)
        seen[length] = at
    at = 0
    while at < len(runs):
        closing = following[at]
        if closing:
            begin, end = runs[at], runs[closing]
            yield begin.start(), text[begin.end() : end.start()], end.end()
        at = (closing or at) + 1


def _code_span(whole: str, content: str) -> str:
    if not _ACTIVE.search(whole):
        return whole
    if content.startswith(" ") and content.endswith(" ") and content.strip():
        content = content[1:-1]
    return f"<code>{_entities(content)}</code>"


def _inline(text: str) -> str:
    text = _IMAGE.sub(lambda one: f"[image: {one['alt']}]" if one["alt"] else "[image]", text)
    text = _URL.sub(lambda one: one[0].replace("$", "%24"), text)
    pieces: list[str] = []
    position = 0
    for found in _ADDRESS.finditer(text):
        pieces += [_maths(text[position : found.start()]), _address(found)]
        position = found.end()
    return "".join([*pieces, _maths(text[position:])])


def _address(found: re.Match[str]) -> str:
    """The same link without angle brackets, which could as well be a tag's."""
    address = found["address"]
    # What could end the destination, or be taken for math or a table's cell.
    target = re.sub(r"[()\[\]\\$|!\"']", lambda one: f"%{ord(one[0]):02X}", address)
    return f"]({target}" if found["to"] else f"[{plain(address)}]({target})"


def _maths(text: str) -> str:
    pieces: list[str] = []
    position = 0
    for math in _MATH.finditer(text):
        # TeX does not mind the space, and an entity would be shown as it is.
        kept = re.sub(r"(?<=\])(?=[(:])", " ", _TAG.sub("< ", math[0]))
        pieces += [_escaped(text[position : math.start()]), kept]
        position = math.end()
    return "".join([*pieces, _escaped(text[position:])])


def _escaped(text: str) -> str:
    text = _TAG.sub("&lt;", text)
    text = _DEFINITION.sub(r"]\\", _LINK.sub(r"]\\", text))
    # A backslash that escapes the dollar would escape the tag; a pair of them is a backslash.
    return _DOLLAR.sub(
        lambda one: one["slashes"][: len(one["slashes"]) // 2 * 2] + _LITERAL_DOLLAR, text
    )


def _entities(text: str) -> str:
    """Every character that Markdown or HTML could take for its own, as a reference."""
    return re.sub(r"[^\w\s]", lambda found: f"&#{ord(found[0])};", text)


def plain(text: str) -> str:
    """A line in which Markdown finds nothing to mark."""
    marked = re.sub(r"[\\`*_\[\]<>&~!|]", lambda found: f"&#{ord(found[0])};", visible(text))
    return marked.replace("$", _LITERAL_DOLLAR)


def table_cell(text: str) -> str:
    """A text as one cell of a table, in which nothing is marked.

    >>> table_cell("a | b")
    'a &#124; b'
    """
    return plain(" ".join(text.split()))
