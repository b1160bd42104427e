"""The magics `%streamchat` and `%%streamchat`: parse, then call the notebook's chat."""

from __future__ import annotations

from typing import Any

from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, line_cell_magic, magics_class, no_var_expand

from jupyter_streamchat import display
from jupyter_streamchat.chat import Chat
from jupyter_streamchat.questions import keep_questions
from jupyter_streamchat.reply import Reply

PROVIDERS = frozenset(["anthropic", "demo", "gemini", "groq", "ollama", "openai", "tgi", "vllm"])
"""Who answers without being configured: `%streamchat demo/echo` is a slip, `and/or` a prompt."""

STOPPED = "KeyboardInterrupt: the answer was stopped. What came is kept."

_HELP = "%streamchat opens the chat, %streamchat <prompt> asks, %%streamchat [provider/model] asks "
_HELP += "with the cell as the prompt."


@magics_class
class StreamChatMagics(Magics):
    """The magics of one notebook, which share one chat."""

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell)
        self.chat = Chat()

    @no_var_expand  # braces and dollars belong to the prompt
    @line_cell_magic
    def streamchat(self, line: str, cell: str | None = None) -> Chat | Reply | None:
        """Chat with a language model.

        `%streamchat` shows the notebook's chat; it is also the value, so `chat = %streamchat`
        gives it a name. `%streamchat <prompt>` asks in that chat, and `%%streamchat` asks with the
        cell as the prompt; after it a model may be named, as in `%%streamchat demo/fast`, which
        answers until another one is named. Both stream into the output and wait for the end, so
        that the interrupt button stops the answer and "Run All" keeps its order. In a notebook
        their value is the `Reply`: `_` in the next cell, or `reply = %streamchat <prompt>`.
        Braces and dollar signs are left alone.

        A line that is nothing but the name of a model, of a provider that is always known, is not
        sent: `%streamchat demo/echo` most likely lacks a `%`. Below `%%streamchat` it is a prompt.
        """
        if cell is None:
            prompt = line.strip()
            if _is_model(prompt):
                raise UsageError(
                    f"{prompt!r} is a model and no prompt: write `%%streamchat {prompt}` and the "
                    "prompt below it. To send these words themselves, write them below "
                    "`%%streamchat`."
                )
            return self._ask(prompt) if prompt else self.chat
        if not cell.strip():
            raise UsageError(f"The cell is empty: write a prompt below the first line. {_HELP}")
        return self._ask(cell.strip(), model=_model(line.split()))

    def _ask(self, prompt: str, *, model: str | None = None) -> Reply | None:
        try:
            reply = self.chat.send(prompt, model=model)
            if not display.in_notebook():
                display.print_reply(reply)
                return None
            reply._show_for_magic()  # noqa: SLF001 - nobody else shows a reply without its error
            return reply.wait()
        except KeyboardInterrupt as interrupt:
            # IPython asks an error how it is to be shown: not as the way through our code.
            vars(interrupt)["_render_traceback_"] = lambda: [STOPPED]
            raise


def _is_model(prompt: str) -> bool:
    provider, _, name = prompt.partition("/")
    return provider in PROVIDERS and name != "" and len(prompt.split()) == 1


def _model(words: list[str]) -> str | None:
    if not words:
        return None
    if len(words) > 1 or "/" not in words[0].strip("/"):
        raise UsageError(
            f"{' '.join(words)!r} is no model: after %%streamchat write provider/model, such as "
            f"demo/fast, or nothing; the prompt goes into the lines below. {_HELP}"
        )
    return words[0]


def load_ipython_extension(shell: Any) -> None:
    """Register the magics; called by `%load_ext jupyter_streamchat`."""
    shell.register_magics(StreamChatMagics)
    if keep_questions not in shell.input_transformers_cleanup:
        shell.input_transformers_cleanup.append(keep_questions)


def unload_ipython_extension(shell: Any) -> None:
    """Take the question marks' rule away again; called by `%unload_ext`."""
    if keep_questions in shell.input_transformers_cleanup:
        shell.input_transformers_cleanup.remove(keep_questions)
