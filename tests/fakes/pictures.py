"""Pictures: real ones, small, and each unlike the others.

`png(red, green, blue)` is a PNG of that colour, 8 by 8 pixels unless `side` says otherwise.
"""

from __future__ import annotations

import struct
import zlib


def png(red: int, green: int, blue: int, *, side: int = 8) -> bytes:
    """A picture of one colour."""
    row = b"\0" + bytes((red, green, blue)) * side
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(row * side)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )
