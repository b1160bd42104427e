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
_BLOB = re.compile(r"blob:sha256/([0-9a-f]{64})")


def sniffed(data: bytes) -> str:
    """The media type of a picture or a PDF by its first bytes; empty for anything else.

    >>> sniffed(b"%PDF-1.7 ...")
    'application/pdf'
    """
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for magic, kind in _MAGIC if data.startswith(magic)), "")


def media_type(data: bytes) -> str:
    """What models can read of whole files: a picture, a PDF, text in UTF-8; else empty.

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
