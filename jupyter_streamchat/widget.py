"""The widget: a view of one conversation, or of one run, that talks to the relay by itself."""

from __future__ import annotations

import secrets
from functools import lru_cache
from pathlib import Path
from typing import Any

import anywidget
import msgspec
import traitlets

from jupyter_streamchat.connect import own_relay
from jupyter_streamchat.errors import FrontEndMissing
from jupyter_streamchat.loop import background
from jupyter_streamchat.mentions import Answer, describe, names
from jupyter_streamchat.transports.comm import WidgetLinks, listen_while_busy
from jupyter_streamchat.transports.relay import Relay

STATIC = Path(__file__).parent / "static"
"""Where the build of `js/` puts the bundle."""


class StreamChatWidget(anywidget.AnyWidget):
    """Shows `conversation`, or only `run` of it, in the page.

    `relay` says where the page finds it. "server": the page talks to the server straight, and no
    text passes through the kernel. "kernel": it runs in this kernel, and the page reaches it over
    this widget's comm; `link` is then what the views of one widget know each other by. `model` and
    `params` are what its first prompt is sent with; what the user picks there stays in the page.
    """

    _esm = traitlets.Unicode().tag(sync=True)
    _css = traitlets.Unicode().tag(sync=True)
    conversation = traitlets.Unicode().tag(sync=True)
    run = traitlets.Unicode("").tag(sync=True)
    model = traitlets.Unicode("").tag(sync=True)
    params: traitlets.Dict[str, Any] = traitlets.Dict().tag(sync=True)
    relay = traitlets.Enum(["server", "kernel"], "server").tag(sync=True)
    link = traitlets.Unicode("").tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        self._views = 0
        self._seen = False
        self._over = False
        self._links: WidgetLinks | None = None
        self.on_msg(self._told)

    def reach(self, relay: Relay) -> None:
        """Carry the frames of this widget's pages to and from a relay of this process."""
        self._links = WidgetLinks(relay, self.send, call=background().call)
        listen_while_busy(self.comm)
        self.observe(self._comm_is, "comm")

    def release(self) -> None:
        """Close as soon as its last view is gone; one whose views are never gone stays.

        A page that was loaded anew in between cannot replace the output of a run that began before:
        there the widget is all there is, and closing it would leave an empty cell.
        """
        self._over = True
        self._close_unseen()

    def _comm_is(self, change: dict[str, Any]) -> None:
        if self._links is not None and change["new"] is None:
            self._links.close()

    def _told(self, _widget: object, content: dict[str, Any], _buffers: object) -> None:
        match content.get("type"):
            case "link" if self._links is not None:
                self._links.received(content)
            case "names":
                self._answer(content, names())
            case "describe":
                asked = content.get("names")
                named = asked if isinstance(asked, list) else []
                self._answer(content, describe(str(name) for name in named))
            case "shown":
                self._seen = True
                self._views += 1
            case "gone":
                self._views -= 1
                self._close_unseen()
            case _:
                return

    def _answer(self, asked: dict[str, Any], answer: Answer) -> None:
        """Each page that shows the widget hears it, and knows its own by the `id`."""
        told = {"type": asked["type"], "id": asked.get("id")}
        self.send({**told, **msgspec.to_builtins(answer)})

    def _close_unseen(self) -> None:
        if self._over and self._seen and self._views <= 0:
            self.close()


def chat_widget(
    conversation: str, *, run: str = "", model: str = "", params: dict[str, Any] | None = None
) -> StreamChatWidget:
    """A widget for a conversation, or for one run of it, on the relay that is connected.

    Raises `FrontEndMissing` if the bundle was not built.
    """
    script, style = _bundle()
    relay = own_relay()
    widget = StreamChatWidget(
        _esm=script,
        _css=style,
        conversation=conversation,
        run=run,
        model=model,
        params=params or {},
        relay="server" if relay is None else "kernel",
        link="" if relay is None else secrets.token_urlsafe(18),
    )
    if relay is not None:
        widget.reach(relay)
    elif not run:
        # What variables there are is asked while a cell runs, too.
        listen_while_busy(widget.comm)
    return widget


def view(widget: StreamChatWidget) -> dict[str, Any]:
    """The mimebundle that shows the widget."""
    shown = widget._repr_mimebundle_()
    assert shown is not None, "the widget has a view"
    return {name: data for name, data in shown[0].items() if name != "text/plain"}


@lru_cache(maxsize=1)
def _bundle() -> tuple[str, str]:
    try:
        script = (STATIC / "widget.js").read_text("utf-8")
        style = (STATIC / "widget.css").read_text("utf-8")
    except FileNotFoundError as error:
        raise FrontEndMissing(
            "The chat's front end was not built: "
            f"jupyter_streamchat/static/{Path(error.filename).name} is missing. Run `make setup` "
            "in the repository, or install jupyter-streamchat from a wheel."
        ) from None
    return script, style
