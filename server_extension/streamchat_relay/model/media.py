"""Media: what a file is by its bytes, and its address where the server keeps it."""

from __future__ import annotations

import re

TEXT = "text/plain"
_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"%PDF-", "application/pdf"),
)
_AUDIO = {
    "audio/wav": "wav",
    "audio/x-wav": "wav",
    "audio/wave": "wav",
    "audio/vnd.wave": "wav",
    "audio/mpeg": "mp3",
    "audio/mp3": "mp3",
}
KINDS = "pictures (PNG, JPEG, GIF, WebP), PDFs, audio (WAV, MP3) and text in UTF-8"
"""What models take, in words."""
_BLOB = re.compile(r"blob:sha256/([0-9a-f]{64})")


def sniffed(data: bytes) -> str:
    """The media type of a picture, a PDF or audio by its first bytes; empty for anything else.

    >>> sniffed(b"%PDF-1.7 ...")
    'application/pdf'
    """
    if data[:4] == b"RIFF":
        return {b"WEBP": "image/webp", b"WAVE": "audio/wav"}.get(data[8:12], "")
    if _is_mp3(data):
        return "audio/mpeg"
    return next((kind for magic, kind in _MAGIC if data.startswith(magic)), "")


def media_type(data: bytes) -> str:
    """What models take of whole files: a picture, a PDF, audio, text in UTF-8; else empty.

    >>> media_type(b"a,b"), media_type(bytes(4))
    ('text/plain', '')
    """
    if b"\0" in data[:4096]:
        return sniffed(data)
    try:
        return sniffed(data) or (data.decode() and TEXT)
    except UnicodeDecodeError:
        return ""


def is_text(kind: str) -> bool:
    """Whether a model is told a file of this media type as its text."""
    return kind.startswith("text/") or kind == "application/json"


def audio_format(kind: str) -> str:
    """`wav` or `mp3`, which are what providers take of audio; empty for other media types.

    >>> audio_format("audio/mpeg"), audio_format("audio/ogg")
    ('mp3', '')
    """
    return _AUDIO.get(kind, "")


def blob_url(sha256: str) -> str:
    """The address of a file that the server keeps, by the hash of its bytes.

    >>> blob_digest(blob_url("0" * 64)) == "0" * 64
    True
    """
    return f"blob:sha256/{sha256}"


def blob_digest(url: str) -> str | None:
    """The hash in such an address; None where it is another one."""
    match = _BLOB.fullmatch(url)
    return match and match[1]


def _is_mp3(data: bytes) -> bool:
    """A tag of ID3v2, or the header of an MPEG frame of layer III: ISO 11172-3, 2.4.1.3."""
    if data[:3] == b"ID3":
        return data[3:4] in {b"\2", b"\3", b"\4"}
    if len(data) < 3 or data[0] != 0xFF:
        return False
    layer_3 = data[1] & 0xE6 == 0xE2 and data[1] & 0x18 != 0x08
    return layer_3 and data[2] & 0xF0 != 0xF0 and data[2] & 0x0C != 0x0C
