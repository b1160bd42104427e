"""Deflate: a socket's frames to its client, compressed over a small window (RFC 7692)."""

from __future__ import annotations

import zlib
from typing import Any

from tornado.httputil import HTTPHeaders
from tornado.websocket import (
    WebSocketProtocol13,
    _PerMessageDeflateDecompressor,  # no public way to bound the window; a test pins it
)

WINDOW_BITS = 10
"""1 KiB: frames of one answer differ in a few bytes from the one before.

With zlib's own 15 bits and tornado's level 6 a socket takes 164 KB and a token 50 µs; so it is
11 KB from the first frame on, 6 µs, and an eighth of the bytes."""

_LEVEL = 1
_MEMORY = 1
_WIDE_ENOUGH = frozenset(map(str, range(WINDOW_BITS, 16)))
_EXTENSIONS = "Sec-WebSocket-Extensions"
_TAIL = b"\0\0\xff\xff"


class SmallDeflate(WebSocketProtocol13):
    """tornado's protocol, with `deflate` where the client offered it.

    What tornado itself writes stays as it is, which the extension allows frame by frame.
    """

    deflate: Deflate | None = None

    def _parse_extensions_header(self, headers: HTTPHeaders) -> list[tuple[str, dict[str, Any]]]:
        # tornado forgets parameters that have no value, so it is not shown what has the wrong ones.
        offers = filter(_acceptable, headers.get(_EXTENSIONS, "").split(","))
        return super()._parse_extensions_header(HTTPHeaders({_EXTENSIONS: ",".join(offers)}))

    def _create_compressors(
        self,
        side: str,  # noqa: ARG002
        agreed_parameters: dict[str, Any],
        compression_options: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> None:
        # Each message by itself: nothing is held while a client is silent.
        agreed_parameters["client_no_context_takeover"] = None
        self.deflate = Deflate()
        self._decompressor = _PerMessageDeflateDecompressor(
            persistent=False, max_wbits=None, max_message_size=self.params.max_message_size
        )


def _acceptable(offer: str) -> bool:
    """Whether what is sent may refer to the frame before, within our window."""
    for parameter in offer.split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip() == "server_no_context_takeover":
            return False
        if name.strip() == "server_max_window_bits" and value.strip(' "') not in _WIDE_ENOUGH:
            return False
    return True


class Deflate:
    """Compresses the payloads of one connection, each with those before it in mind."""

    __slots__ = ("_compressor",)

    def __init__(self) -> None:
        self._compressor: Any = None

    def __call__(self, payload: bytes) -> bytes:
        """The payload of a frame whose RSV1 is set."""
        compressor = self._compressor
        if compressor is None:
            # Not before there is something to say: most sockets are silent.
            compressor = self._compressor = zlib.compressobj(
                _LEVEL, zlib.DEFLATED, -WINDOW_BITS, _MEMORY
            )
        data: bytes = compressor.compress(payload) + compressor.flush(zlib.Z_SYNC_FLUSH)
        return data.removesuffix(_TAIL)
