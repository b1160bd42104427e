"""Questions: prompts with a mark at their end, which IPython would take for a request for help."""

from __future__ import annotations

import re

# An assignment's target goes before, as in `answer = %streamchat Why?`.
_QUESTION = re.compile(
    r"(?P<before>\s*(?:[^=%!#(){}\n]+(?<![-+*/@&|^<>:])=\s*)?)"
    r"%streamchat[ \t]+(?P<prompt>.*\S.*\?+)\s*"
)
_OPENS = re.compile(r"#|'''|\"\"\"|'|\"")
_CLOSES = {
    quote: re.compile(rf"(?:[^\\]|\\.)*?{quote}", re.DOTALL) for quote in ("'''", '"""', "'", '"')
}
_IPYTHON = re.compile(r"\s*[%!]")


def keep_questions(lines: list[str]) -> list[str]:
    r"""Let prompts end with a question mark; a transformer for IPython's `cleanup` list.

    What stands in a string of several lines is left alone.

    >>> keep_questions(["%streamchat What is a {tensor}?\n"])
    ["get_ipython().run_line_magic('streamchat', 'What is a {tensor}?')\n"]
    """
    if lines and lines[0].startswith("%%"):
        return lines
    kept: list[str] = []
    quote = ""
    for line in lines:
        found = None if quote else _QUESTION.fullmatch(line)
        if found:
            call = f"get_ipython().run_line_magic('streamchat', {found['prompt']!r})"
            kept.append(f"{found['before']}{call}\n")
            continue
        kept.append(line)
        quote = open_quote(line, quote)
    return kept


def open_quote(line: str, quote: str = "") -> str:
    r"""The quote that is open at a line's end, given the one open at its beginning; empty if none.

    >>> open_quote("query = '''SELECT *\n")
    "'''"
    """
    if not quote and _IPYTHON.match(line):
        # No Python, but a magic or a command: a quote in it goes no further.
        return ""
    position = 0
    while True:
        if not quote:
            found = _OPENS.search(line, position)
            if found is None or found[0] == "#":
                return ""
            quote, position = found[0], found.end()
        closed = _CLOSES[quote].match(line, position)
        if closed is None:
            # A single quote's string goes on only where a backslash hides the end of the line.
            goes_on = len(quote) > 1 or line.rstrip("\r\n").endswith("\\")
            return quote if goes_on else ""
        quote, position = "", closed.end()
