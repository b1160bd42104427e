"""Options: what stands after `%%streamchat` on its line, and what is meant by it."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Sequence
from typing import Any, NoReturn

from IPython.core.error import UsageError

FORMATS = ("markdown", "code", "text", "json")
CONTEXTS = ("last", "above", "errors")
"""And `vars=a,b`."""

VERBS = ("list", "alias", "fix", "stop", "status", "usage", "reset", "help")

HELP = """\
%streamchat                      shows the notebook's chat
%streamchat <prompt>             asks in it
%%streamchat [model] [options]   asks with the cell as the prompt; {{expression}} puts a value in
    -s, --system TEXT            the system prompt, from here on
    -t, --temperature NUMBER     and --max-tokens NUMBER, for this prompt
    -o, --output NAME            a variable for the answer, in the form of -f
    -f, --format FORM            markdown (the default; the variable is a Reply), code, text, json
    --context WHAT               goes before the prompt: last (the cell before), above (all cells so
                                 far), errors (the last error), vars=a,b (these variables)
    --new                        begins an empty conversation
    --no-history                 asks beside the conversation, which neither tells nor learns of it
%streamchat list                 the models; alias NAME MODEL gives one a short name
%streamchat fix                  explains the last error and offers the mended cell
%streamchat stop, status, usage, reset, help
"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(
            f"{message[:1].upper()}{message[1:]}. `%streamchat help` shows what there is."
        )


def _parser() -> _Parser:
    parser = _Parser(prog="%%streamchat", add_help=False, allow_abbrev=False)
    parser.add_argument("words", nargs="*")
    parser.add_argument("-s", "--system")
    parser.add_argument("-t", "--temperature", type=float)
    parser.add_argument("--max-tokens", type=int)
    parser.add_argument("-o", "--output")
    parser.add_argument("-f", "--format", choices=FORMATS, default="markdown")
    parser.add_argument("--context", action="append", default=[])
    parser.add_argument("--new", action="store_true")
    parser.add_argument("--no-history", action="store_true")
    return parser


PARSER = _parser()
FLAGS = tuple(
    flag
    for action in PARSER._actions  # noqa: SLF001 - argparse tells them nowhere else
    for flag in action.option_strings
)


class Options:
    """The parsed line; raises `UsageError` for what cannot be meant."""

    def __init__(self, line: str) -> None:
        try:
            words = shlex.split(line)
        except ValueError as error:
            raise UsageError(f"The line cannot be read: {error}. Close the quotes.") from None
        found = PARSER.parse_args(words)
        if len(found.words) > 1:
            raise UsageError(
                f"{' '.join(found.words)!r} is no model: after %%streamchat write provider/model, "
                "such as demo/fast, an alias, or nothing; the prompt goes into the lines below."
            )
        self.model: str | None = found.words[0] if found.words else None
        self.system: str | None = found.system
        self.output: str | None = found.output
        self.format: str = found.format
        self.context: Sequence[str] = found.context
        self.new: bool = found.new
        self.no_history: bool = found.no_history
        self.params: dict[str, Any] = {
            name: value
            for name in ("temperature", "max_tokens")
            if (value := getattr(found, name)) is not None
        }
        if self.output is not None and not self.output.isidentifier():
            raise UsageError(f"-o needs the name of a variable; {self.output!r} is none.")
        for context in self.context:
            if context not in CONTEXTS and not context.startswith("vars="):
                raise UsageError(
                    f"--context takes {', '.join(CONTEXTS)} or vars=a,b; not {context!r}."
                )
