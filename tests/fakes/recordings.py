"""Recordings: real ones, short, that a browser plays.

`wav(seconds)` is a tone as WAV; `MP3` is one second of silence as MP3.
"""

from __future__ import annotations

import io
import math
import struct
import wave


def wav(seconds: float = 1.0, *, rate: int = 8000, hertz: float = 440.0) -> bytes:
    """A tone of 16 bits, one channel."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(rate)
        tone = (math.sin(at * hertz * math.tau / rate) for at in range(int(seconds * rate)))
        writer.writeframes(b"".join(struct.pack("<h", int(9000 * value)) for value in tone))
    return file.getvalue()


# 128 kbit/s at 44.1 kHz: a frame is 417 bytes, and one of zeros after its header is silence.
MP3 = (b"\xff\xfb\x90\x64" + bytes(413)) * 39
