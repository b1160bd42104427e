"""Displays: where and how replies and chats show themselves in a notebook or a terminal."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

from IPython.core.getipython import get_ipython
from IPython.display import display

from jupyter_streamchat.blocks import Blocks
from jupyter_streamchat.errors import FrontEndMissing
from jupyter_streamchat.structured import Shape
from streamchat_relay.model import (
    AbortReason,
    FinishReason,
    Part,
    RunStateName,
    StreamChatError,
    Timing,
    Usage,
)
from streamchat_relay.model.ending import ending
from streamchat_relay.model.transcript import reply_markdown
from streamchat_relay.model.visible import visible

if TYPE_CHECKING:
    from jupyter_streamchat.widget import StreamChatWidget

Bundle = dict[str, Any]


class Showable(Protocol):
    """What a display needs of a reply."""

    @property
    def conversation(self) -> str: ...  # noqa: D102
    @property
    def run(self) -> str: ...  # noqa: D102
    @property
    def text(self) -> str: ...  # noqa: D102
    @property
    def parts(self) -> tuple[Part, ...]: ...  # noqa: D102
    @property
    def model(self) -> str: ...  # noqa: D102
    @property
    def state(self) -> RunStateName: ...  # noqa: D102
    @property
    def done(self) -> bool: ...  # noqa: D102
    @property
    def finish_reason(self) -> FinishReason | None: ...  # noqa: D102
    @property
    def abort_reason(self) -> AbortReason | None: ...  # noqa: D102
    @property
    def usage(self) -> Usage | None: ...  # noqa: D102
    @property
    def timing(self) -> Timing | None: ...  # noqa: D102
    @property
    def error(self) -> StreamChatError | None: ...  # noqa: D102
    def __iter__(self) -> Iterator[str]: ...


class Place:
    """An output of the cell that runs now, which can be changed later from any thread."""

    def __init__(self) -> None:
        self._id = secrets.token_hex(16)
        shell: Any = get_ipython()
        self._publisher = shell.display_pub
        self._session = self._publisher.session
        self._socket = self._publisher.pub_socket
        self._topic = self._publisher.topic
        # Kept now: what a thread publishes later would otherwise belong to the latest cell.
        self._parent = self.here()

    def here(self) -> Any:
        """The header of the request that runs now, as the kernel's main thread knows it."""
        return self._publisher.parent_header

    def show(self, bundle: Bundle, metadata: Bundle | None = None) -> None:
        """Put the output into the cell."""
        display(bundle, raw=True, metadata=metadata, display_id=self._id)  # type: ignore[no-untyped-call]

    def replace(
        self, bundle: Bundle, metadata: Bundle | None = None, *, within: Any = None
    ) -> None:
        """Change the output, wherever it is shown; works while the kernel is busy.

        `within` is the header of the request that it shall belong to, instead of the one that
        showed it.
        """
        content = {
            "data": bundle,
            "metadata": metadata or {},
            "transient": {"display_id": self._id},
        }
        parent = self._parent if within is None else within
        message = self._session.msg("update_display_data", content, parent=parent)
        self._session.send(self._socket, message, ident=self._topic)


def in_notebook() -> bool:
    """Whether outputs go to a front end that renders mimebundles and can be updated."""
    return getattr(get_ipython(), "kernel", None) is not None


def show(bundle: Bundle) -> None:
    """Put an output into the cell that runs now, for good."""
    display(bundle, raw=True)  # type: ignore[no-untyped-call]


def in_jupyters_page() -> bool:
    """Whether the page is most likely JupyterLab or Notebook 7, and not another host's.

    Told for kernels without a server's relay: a Jupyter server names its session to its kernels.
    """
    return "JPY_SESSION_NAME" in os.environ and "COLAB_RELEASE_TAG" not in os.environ


def clicks_are_heard() -> bool:
    """Whether a click in the page most likely reaches this kernel while it computes.

    Told for kernels without a server's relay: there a click travels over the widget's comm.
    """
    kernel = getattr(get_ipython(), "kernel", None)
    return in_jupyters_page() and bool(getattr(kernel, "_supports_kernel_subshells", False))


def execution_count() -> int | None:
    """The number of the cell that runs now; None outside of IPython."""
    return getattr(get_ipython(), "execution_count", None)


def show_reply(
    reply: Showable,
    call_at_end: Callable[[Callable[[], object]], None],
    *,
    with_error: bool = True,
    form: str = "markdown",
) -> None:
    """Show a reply: live while it streams, once it has ended as Markdown or in another form.

    Without `with_error` the Markdown does not tell what went wrong: the caller raises it. In a
    terminal, where nothing can be changed later, this prints the text and waits for the end.
    """
    if not in_notebook():
        print_reply(reply)
        return
    place = Place()
    try:
        live = None if reply.done else _live(reply)
    except FrontEndMissing as error:
        place.show({"text/plain": error.message, "text/markdown": error.message})
        call_at_end(lambda: place.replace(static(reply, with_error=with_error, form=form)))
        return
    if live is None:
        bundle = static(reply, with_error=with_error, form=form)
        if any(bundle.values()):
            place.show(bundle)
        return
    widget, shown = live
    place.show({**shown, **unfinished(reply)})

    def ended() -> None:
        # Without the widget's type: a notebook reopened later would look for a widget in vain.
        place.replace(static(reply, with_error=with_error, form=form))
        widget.release()

    call_at_end(ended)


def _live(reply: Showable) -> tuple[StreamChatWidget, Bundle] | None:
    """A widget for the reply and what shows it; None if the reply has ended by now."""
    from jupyter_streamchat.widget import view  # noqa: PLC0415 - see `widget_of`

    if reply.done:
        return None
    widget = widget_of(reply)
    return widget, view(widget)


def widget_of(reply: Showable) -> StreamChatWidget:
    """A widget that shows the reply alone; raises `FrontEndMissing` if the bundle was not built."""
    # ipywidgets takes a third of a second to import, which only displays need to pay.
    from jupyter_streamchat.widget import chat_widget  # noqa: PLC0415

    return chat_widget(reply.conversation, run=reply.run, model=reply.model)


def print_reply(reply: Showable) -> None:
    """Print deltas as they come, then what went wrong; nothing of it steers the terminal."""
    try:
        for delta in reply:
            print(visible(delta), end="", flush=True)  # noqa: T201 - this is what a terminal is for
    except StreamChatError as error:
        print(f"\n[{type(error).__name__}] {visible(error.message)}", end="")  # noqa: T201
    print()  # noqa: T201


def ask_in_words(name: str, arguments: dict[str, Any]) -> bool:
    """Whether the person at this terminal, or this cell, allows a call; without one, no."""
    told = visible(json.dumps(arguments, ensure_ascii=False))
    try:
        return input(f"\nRun {visible(name)}({told})? [y/N] ").strip().lower() in {"y", "yes"}
    except (EOFError, NotImplementedError):
        # The second is IPython's, where nobody can type.
        return False


def static(reply: Showable, *, with_error: bool = True, form: str = "markdown") -> Bundle:
    """The reply without a widget: as `markdown`, or its `code`, `text` or `json` alone."""
    if form != "markdown" and reply.error is None:
        return _alone(reply.text, form)
    how = ending(
        reply.state,
        finish_reason=reply.finish_reason,
        abort_reason=reply.abort_reason,
        failure=None if reply.error is None else reply.error.message,
    )
    if reply.error is not None and not with_error:
        how = None
    markdown = reply_markdown(
        reply.parts, model=reply.model, usage=reply.usage, timing=reply.timing, ending=how
    )
    plain = reply.text if how is None else f"{reply.text}\n\n[{how.text}]".lstrip()
    return {"text/plain": visible(plain), "text/markdown": markdown}


def _alone(text: str, form: str) -> Bundle:
    plain = visible(text)
    if form == "text":
        return {"text/plain": plain}
    blocks = Blocks(text)
    if form == "code" and blocks.all:
        return {"text/plain": visible(str(blocks)), "text/markdown": visible(repr(blocks))}
    if form == "json":
        try:
            value = Shape(Any).read(text)
        except StreamChatError:
            return {"text/plain": plain}
        return {
            "text/plain": json.dumps(value, indent=2, ensure_ascii=False),
            "application/json": value,
        }
    return {"text/plain": plain}


def unfinished(reply: Showable) -> Bundle:
    """What stands beside the widget, for readers of a notebook that is saved before the end."""
    where = f'Chat(conversation="{reply.conversation}").messages'
    told = "This notebook was saved while the answer was written. It is in"
    return {"text/plain": f"({told} {where}.)", "text/markdown": f"*{told} `{where}`.*"}
