"""Attachments: what notebook code puts into a prompt (text, pictures, files, tables) as parts."""

from __future__ import annotations

import base64
import io
import mimetypes
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from jupyter_streamchat.tables import is_table, summary
from streamchat_relay.model import BadRequest, FilePart, TextPart
from streamchat_relay.model.media import KINDS, audio_format, sniffed
from streamchat_relay.protocol.frames import MAX_FRAME_BYTES

MAX_PROMPT_BYTES = MAX_FRAME_BYTES - 64 * 1024
"""What one prompt may take as it travels, where files are a third larger."""

_BUNDLE = ("image/png", "image/jpeg", "application/pdf", "text/markdown", "text/plain")
"""What a model can read of an object's MIME bundle, the best first."""

Part = TextPart | FilePart


def parts_of(prompt: object, files: Iterable[object] = ()) -> tuple[Part, ...]:
    """The parts of a prompt: a text or an object, or a list of them, and then the `files`.

    Raises `BadRequest` for what no model can read, and for more than one prompt may take.

    >>> [part.text for part in parts_of(["Compare", "these"])]
    ['Compare', 'these']
    """
    pieces = list(prompt) if isinstance(prompt, list | tuple) else [prompt]
    parts = tuple(part_of(piece) for piece in [*pieces, *files])
    if not any(isinstance(part, FilePart) or part.text.strip() for part in parts):
        raise BadRequest("The prompt is empty. Write what you want to ask.")
    size = sum(len(part.url) if isinstance(part, FilePart) else len(part.text) for part in parts)
    if size > MAX_PROMPT_BYTES:
        raise BadRequest(
            f"The prompt takes {size / 2**20:.1f} MiB with its files, and at most "
            f"{MAX_PROMPT_BYTES / 2**20:.1f} MiB can be sent. Make pictures smaller (for a figure "
            "`fig.set_dpi(80)`), or send a part of the file."
        )
    return parts


def part_of(piece: object) -> Part:
    """One object as a part.

    >>> part_of(b"%PDF-1.7 ...").media_type
    'application/pdf'
    """
    if isinstance(piece, TextPart | FilePart):
        return piece
    if isinstance(piece, str):
        return TextPart(text=_text(piece))
    if isinstance(piece, bytes | bytearray | memoryview):
        return _file(bytes(piece), "", "The bytes")
    if isinstance(piece, os.PathLike):
        return _read(Path(piece))
    if is_table(piece):
        return TextPart(text=summary(piece))
    for look in (_figure, _picture, _recording, _bundle, _represented):
        part = look(piece)
        if part is not None:
            return part
    raise BadRequest(
        f"A {type(piece).__name__} cannot be put into a prompt. Give text, a picture, audio, "
        "bytes, a path, a DataFrame, or an object that shows itself as one of these; or write "
        "`str(…)` around it."
    )


def _text(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise BadRequest(
            f"The prompt has half a character at position {error.start}, as a cut emoji leaves "
            "it. Remove it, for example with `prompt.encode(errors='replace').decode()`."
        ) from None
    return text


def _read(path: Path) -> Part:
    try:
        size = path.stat().st_size
        # Nobody should wait for gigabytes to hear that they are too many.
        if size > MAX_PROMPT_BYTES:
            raise BadRequest(
                f"{path.name} has {size / 2**20:.1f} MiB; a prompt takes at most "
                f"{MAX_PROMPT_BYTES * 3 / 4 / 2**20:.1f} MiB of files."
            )
        data = path.read_bytes()
    except OSError as error:
        raise BadRequest(f"{path} cannot be read: {error.strerror or error}.") from None
    return _file(data, path.name, path.name)


def _file(data: bytes, name: str, called: str) -> Part:
    media_type = sniffed(data) or mimetypes.guess_type(name)[0] or ""
    whole = media_type.startswith(("image/", "application/pdf")) or audio_format(sniffed(data))
    if not whole:
        try:
            text = data.decode()
        except UnicodeDecodeError:
            raise BadRequest(
                f"{called} cannot be put into a prompt. Models take {KINDS}; it is none of these."
            ) from None
        media_type = media_type if media_type.startswith("text/") else "text/plain"
        if not name:
            return TextPart(text=text)
    encoded = base64.b64encode(data).decode()
    return FilePart(url=f"data:{media_type};base64,{encoded}", media_type=media_type, name=name)


def _figure(piece: Any) -> Part | None:
    """A matplotlib figure, or what has one (axes, a seaborn grid)."""
    figure: Any = piece if hasattr(piece, "savefig") else getattr(piece, "figure", None)
    if not callable(getattr(figure, "savefig", None)):
        return None
    return _drawn(lambda file: figure.savefig(file, format="png"), piece)


def _picture(piece: Any) -> Part | None:
    """A PIL image."""
    if not (callable(getattr(piece, "save", None)) and hasattr(piece, "mode")):
        return None
    return _drawn(lambda file: piece.save(file, format="PNG"), piece)


def _recording(piece: Any) -> Part | None:
    """What plays audio in a notebook: IPython's `Audio`."""
    data, kind = getattr(piece, "data", None), getattr(piece, "mimetype", None)
    if not (isinstance(kind, str) and kind.startswith("audio/") and isinstance(data, bytes)):
        return None
    return _file(data, "", type(piece).__name__)


def _drawn(draw: Callable[[io.BytesIO], object], piece: object) -> Part:
    file = io.BytesIO()
    try:
        draw(file)
    except Exception as error:
        raise BadRequest(f"The {type(piece).__name__} cannot be drawn: {error}") from error
    return _file(file.getvalue(), "", type(piece).__name__)


def _bundle(piece: Any) -> Part | None:
    shown = getattr(piece, "_repr_mimebundle_", None)
    if not callable(shown) or isinstance(piece, type):
        return None
    found = shown(include=None, exclude=None)
    bundle = found[0] if isinstance(found, tuple) else found
    return _best(bundle or {})


def _represented(piece: Any) -> Part | None:
    names = {
        "image/png": "_repr_png_",
        "image/jpeg": "_repr_jpeg_",
        "text/markdown": "_repr_markdown_",
    }
    bundle = {}
    for kind, name in names.items():
        shown = getattr(piece, name, None)
        if callable(shown) and not isinstance(piece, type):
            found = shown()
            bundle[kind] = found[0] if isinstance(found, tuple) else found
    return _best(bundle)


def _best(bundle: dict[str, Any]) -> Part | None:
    for kind in _BUNDLE:
        value = bundle.get(kind)
        if value is None:
            continue
        if kind.startswith("text/"):
            return TextPart(text=_text(str(value)))
        # Jupyter's bundles hold pictures as base64 or as bytes.
        data = base64.b64decode(value) if isinstance(value, str) else bytes(value)
        return _file(data, "", kind)
    return None
