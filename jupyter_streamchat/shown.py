"""The handle as it is shown: as the chat widget, and as Markdown and text for the file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jupyter_streamchat import display
from jupyter_streamchat.client import RelayClient
from jupyter_streamchat.following import Following
from jupyter_streamchat.handle import Handle
from jupyter_streamchat.imprint import Imprint
from streamchat_relay.model import StreamChatError
from streamchat_relay.model.transcript import conversation_markdown, conversation_text, imprint

if TYPE_CHECKING:
    from jupyter_streamchat.widget import StreamChatWidget


class Shown(Handle):
    """A handle whose widget and Markdown follow its conversation."""

    _widget: StreamChatWidget | None = None
    _imprint: Imprint | None = None

    def _ipython_display_(self) -> None:
        if not display.in_notebook():
            # IPython then asks for the text.
            raise NotImplementedError
        try:
            self._state()
            view = self._view()
        except StreamChatError as error:
            display.show({"text/plain": error.message, "text/markdown": error.message})
            return
        client, following = self._connected()
        if client.relay is not None and not display.in_jupyters_page():
            # Where nothing hides the one of two outputs that is for the file.
            display.show({**view, **imprint(following.state)})
            return
        if self._imprint is None:
            self._imprint = Imprint()
        # In this order: the style sheet looks at what stands before the widget.
        self._imprint.show(following)
        display.show({**view, "text/plain": ""})

    def _connected(self) -> tuple[RelayClient, Following]:
        client, following = super()._connected()
        if self._imprint is not None:
            self._imprint.follow(following)
        return client, following

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        try:
            state = self._state()
        except StreamChatError as error:
            return {"text/plain": error.message, "text/markdown": error.message}
        bundle = {
            "text/plain": conversation_text(state) or repr(self),
            "text/markdown": conversation_markdown(state) or "*(an empty chat)*",
        }
        if not display.in_notebook():
            return bundle
        try:
            return {**self._view(), **bundle}
        except StreamChatError as error:
            return {"text/plain": error.message, "text/markdown": error.message}

    def _display_(self) -> object:
        # What marimo asks for.
        self._state()
        self._view()
        return self._widget

    def _view(self) -> dict[str, Any]:
        # ipywidgets takes a third of a second to import, which only displays need to pay.
        from jupyter_streamchat.widget import chat_widget, view  # noqa: PLC0415

        if self._widget is None or self._widget.comm is None:
            self._widget = chat_widget(
                self._conversation, model=self._model or "", params=self._told_with_prompts()
            )
        return view(self._widget)

    def _changed(self) -> None:
        if self._widget is not None:
            self._widget.params = self._told_with_prompts()

    def _told_with_prompts(self) -> dict[str, Any]:
        system = {} if self._system is None else {"system": self._system}
        return {**system, **self._params}
