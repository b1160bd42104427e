"""The magics `%streamchat` and `%%streamchat`: parse, then call the notebook's chat."""

from __future__ import annotations

from typing import Any

from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, line_cell_magic, magics_class, no_var_expand

from jupyter_streamchat import display
from jupyter_streamchat.chat import Chat
from jupyter_streamchat.completing import complete
from jupyter_streamchat.connect import own_relay
from jupyter_streamchat.options import HELP, Options
from jupyter_streamchat.questions import keep_questions
from jupyter_streamchat.reply import Reply
from jupyter_streamchat.surroundings import last_error, surroundings, with_values

PROVIDERS = frozenset(["anthropic", "demo", "gemini", "groq", "ollama", "openai", "tgi", "vllm"])
"""Who answers without being configured: `%streamchat demo/echo` is a slip, `and/or` a prompt."""

STOPPED = "KeyboardInterrupt: the answer was stopped. What came is kept."

FIX = """\
Explain this error of my notebook in two or three sentences. Then give the whole mended cell in \
one block of Python, which I can run in its place.

"""


@magics_class
class StreamChatMagics(Magics):
    """The magics of one notebook, which share one chat."""

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell)
        self.chat = Chat()
        self.aliases: dict[str, str] = {}

    @no_var_expand  # braces and dollars belong to the prompt
    @line_cell_magic
    def streamchat(self, line: str, cell: str | None = None) -> Any:
        """Chat with a language model.

        `%streamchat` shows the notebook's chat; it is also the value, so `chat = %streamchat`
        gives it a name. `%streamchat <prompt>` asks in that chat, and `%%streamchat` asks with the
        cell as the prompt; after it a model may be named, as in `%%streamchat demo/fast`, which
        answers until another one is named, and options, which `%streamchat help` shows. Both
        stream into the output and wait for the end, so that the interrupt button stops the answer
        and "Run All" keeps its order. In a notebook their value is the `Reply`: `_` in the next
        cell, or `reply = %streamchat <prompt>`. `{{expression}}` stands for its value; single
        braces and dollar signs are left alone.

        A line that is nothing but the name of a model, of a provider that is always known, is not
        sent: `%streamchat demo/echo` most likely lacks a `%`. Below `%%streamchat` it is a prompt.
        """
        if cell is None:
            return self._line(line.strip())
        if not cell.strip():
            raise UsageError(
                "The cell is empty: write a prompt below the first line. `%streamchat help` shows "
                "what there is."
            )
        options = Options(line)
        pieces = [piece for what in options.context for piece in surroundings(what, self.shell)]
        pieces += with_values(cell.strip(), self.shell)
        reply = self._ask(pieces, options)
        if options.output is not None:
            assert self.shell is not None, "a magic has a shell"
            self.shell.user_ns[options.output] = _value(reply, options.format)
        return reply if display.in_notebook() else None

    def _line(self, line: str) -> Any:
        words = line.split()
        match words:
            case []:
                return self.chat
            case ["list"]:
                return self.chat.models()
            case ["alias"]:
                return dict(self.aliases)
            case ["alias", name, model] if "/" in model:
                self.aliases[name] = model
                return None
            case ["help"]:
                print(HELP)  # noqa: T201 - what a person asked for
                return None
            case ["reset"]:
                self.chat.clear()
                return None
            case ["stop"]:
                self.chat.stop()
                return None
            case ["status"]:
                print(self._status())  # noqa: T201
                return None
            case ["usage"]:
                return self.chat.usage()
            case ["fix"]:
                return self._fix()
            case [model] if _is_model(model):
                raise UsageError(
                    f"{line!r} is a model and no prompt: write `%%streamchat {line}` and the "
                    "prompt below it. To send these words themselves, write them below "
                    "`%%streamchat`."
                )
            case _:
                reply = self._ask(with_values(line, self.shell), Options(""))
                return reply if display.in_notebook() else None

    def _status(self) -> str:
        messages = self.chat.messages
        going = len(self.chat.unfinished())
        where = "this Jupyter server" if own_relay() is None else "this process"
        return (
            f"Connected to the relay of {where}.\n"
            f"Conversation {self.chat.conversation} with {self.chat.model or 'the default model'}: "
            f"{len(messages)} messages, {going or 'no'} "
            f"{'answer' if going == 1 else 'answers'} being written."
        )

    def _fix(self) -> Reply | None:
        """Have the last error explained, and put the mended cell below."""
        reply = self._ask([FIX + last_error(self.shell)], Options(""))
        code = reply.code
        if "python" in code and self.shell is not None:
            # The last block, should the model have shown the failing one first.
            self.shell.set_next_input([text for name, text in code.all if name == "python"][-1])
        return reply if display.in_notebook() else None

    def _ask(self, pieces: list[object], options: Options) -> Reply:
        model = self._model(options.model)
        if options.new:
            self.chat.clear()
        if options.system is not None:
            self.chat.system = options.system
        chat = self.chat
        if options.no_history:
            chat = Chat(
                self.chat.model,
                system=self.chat.system,
                tools=self.chat.tools,
                params=self.chat.params,
            )
        try:
            reply = chat.send(pieces, model=model, **options.params)
            if not display.in_notebook():
                display.print_reply(reply)
                return reply
            # Nobody else shows a reply without its error.
            reply._show_for_magic(options.format)  # noqa: SLF001
            return reply.wait()
        except KeyboardInterrupt as interrupt:
            # IPython asks an error how it is to be shown: not as the way through our code.
            vars(interrupt)["_render_traceback_"] = lambda: [STOPPED]
            raise

    def _model(self, named: str | None) -> str | None:
        if named is None:
            return None
        model = self.aliases.get(named, named)
        if "/" not in model.strip("/"):
            known = f" The aliases are {', '.join(self.aliases)}." if self.aliases else ""
            raise UsageError(
                f"{named!r} is no model: after %%streamchat write provider/model, such as "
                f"demo/fast, or an alias, or nothing; the prompt goes into the lines below.{known}"
            )
        return model


def _value(reply: Reply, form: str) -> Any:
    match form:
        case "code":
            return str(reply.code)
        case "text":
            return reply.text
        case "json":
            return reply.json()
        case _:
            return reply


def _is_model(prompt: str) -> bool:
    provider, _, name = prompt.partition("/")
    return provider in PROVIDERS and name != ""


def load_ipython_extension(shell: Any) -> None:
    """Register the magics; called by `%load_ext jupyter_streamchat`."""
    shell.register_magics(StreamChatMagics)
    for name in ("%streamchat", "%%streamchat"):
        shell.set_hook("complete_command", complete, str_key=name)
    if keep_questions not in shell.input_transformers_cleanup:
        shell.input_transformers_cleanup.append(keep_questions)


def unload_ipython_extension(shell: Any) -> None:
    """Take the question marks' rule away again; called by `%unload_ext`."""
    if keep_questions in shell.input_transformers_cleanup:
        shell.input_transformers_cleanup.remove(keep_questions)
