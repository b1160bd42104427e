"""Exports: a conversation as a file to read (`.md`), to process (`.jsonl`) or to run (`.ipynb`)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jupyter_streamchat.blocks import pieces
from streamchat_relay.model import BadRequest, Conversation, branch
from streamchat_relay.model.document import document
from streamchat_relay.model.export import lines


def write(conversation: Conversation, leaf: str | None, path: Path) -> Path:
    """Write the branch that ends in `leaf` as the path's ending says; returns the path."""
    writers = {".md": document, ".jsonl": lines, ".ipynb": _notebook}
    made = writers.get(path.suffix.lower())
    if made is None:
        raise BadRequest(
            f"{path.name!r} ends in {path.suffix or 'nothing'}; a chat is exported to "
            f"{', '.join(writers)}."
        )
    path.write_text(made(conversation, leaf), "utf-8")
    return path


def _notebook(conversation: Conversation, leaf: str | None) -> str:
    cells = []
    for message in branch(conversation, leaf):
        if message.role == "user":
            quoted = "\n".join(f"> {line}" for line in message.text.split("\n"))
            cells.append(_cell("markdown", quoted))
            continue
        for piece in pieces(message.text):
            if piece.code and piece.language == "python":
                cells.append(_cell("code", piece.text))
            elif piece.code:
                cells.append(_cell("markdown", f"```{piece.language}\n{piece.text}\n```"))
            else:
                cells.append(_cell("markdown", piece.text))
    for number, cell in enumerate(cells, 1):
        cell["id"] = f"cell-{number}"
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    book = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": kernel},
        "cells": cells,
    }
    return json.dumps(book, ensure_ascii=False, indent=1) + "\n"


def _cell(kind: str, source: str) -> dict[str, Any]:
    cell: dict[str, Any] = {"cell_type": kind, "metadata": {}, "source": source}
    if kind == "code":
        cell |= {"execution_count": None, "outputs": []}
    return cell
