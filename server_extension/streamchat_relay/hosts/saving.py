"""Saving: what is written into a notebook's file of the chats that it shows.

A page that was loaded anew cannot be told by the kernel which output holds a chat, and a kernel
that is gone tells nothing. The server sees each notebook on its way to the disk, and has the chat.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from streamchat_relay.model import Conversation
from streamchat_relay.model.transcript import NOTED, imprint

Known = Callable[[str], "Conversation | None"]
"""A conversation of whoever saves that somebody has open, by its id."""


class Saving:
    """Brings the transcripts in a notebook up to date; `write` is a hook of the contents manager.

    Only in cells that Jupyter trusts, as it does what was executed here: a notebook from elsewhere
    must not fetch a conversation into its file by naming it.
    """

    def __init__(self, known: Known) -> None:
        self._known = known

    def write(self, *, model: dict[str, Any], **_: object) -> None:
        """Change the model of a notebook that is about to be written."""
        if model.get("type") != "notebook":
            return
        written: dict[str, dict[str, str]] = {}
        for conversation, output in _noted(model.get("content")):
            # All say the same, and a long one takes a while to write.
            if conversation not in written:
                state = self._known(conversation)
                written[conversation] = {} if state is None else imprint(state)
            output["data"] = {**output["data"], **written[conversation]}


def _noted(notebook: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """The outputs that hold a chat, and the ids of their conversations.

    Whatever a client sends to be saved comes by here, before anybody has looked at its form.
    """
    for cell in _objects(_object(notebook).get("cells")):
        if cell.get("cell_type") != "code" or not _object(cell.get("metadata")).get("trusted"):
            continue
        for output in _objects(cell.get("outputs")):
            noted = _object(_object(output.get("metadata")).get(NOTED))
            conversation = noted.get("conversation")
            if isinstance(conversation, str) and isinstance(output.get("data"), dict):
                yield conversation, output


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _objects(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
