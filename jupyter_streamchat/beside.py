"""What a relay tells beside its socket: where it is, what was used, which conversations it has."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import quote, urlsplit

import msgspec

from jupyter_streamchat.discovery import Address, get
from jupyter_streamchat.errors import RelayLost
from jupyter_streamchat.transports.relay import Relay
from streamchat_relay.model import ErrorInfo, Overview, Spendings, error_from

_Value = TypeVar("_Value")


class Beside:
    """Asks the server's relay over HTTP, wherever it is by then, or that of this process.

    Raises `RelayLost` where it does not tell.
    """

    def __init__(self, way: Callable[[], Awaitable[Address | None]] | Relay) -> None:
        self._way = way

    async def address(self) -> Address | None:
        """Where the relay is now; None where it is away, or is this process's own."""
        return await self._way() if callable(self._way) else None

    async def spendings(self, conversation: str) -> Spendings:
        """What was used, and what is left."""
        if not callable(self._way):
            return await self._way.spendings(conversation)
        return await self._told("usage", f"conversation={conversation}", Spendings)

    async def overview(
        self, limit: int, before: tuple[float, str] | None, search: str = ""
    ) -> Overview:
        """The user's conversations, the one used last first; those after `before`."""
        if not callable(self._way):
            return await self._way.overview(limit, before, search)
        after = "" if before is None else quote(f"{before[0]!r},{before[1]}")
        query = f"limit={limit}&before={after}&search={quote(search)}"
        return await self._told("conversations", query, Overview)

    async def _told(self, what: str, query: str, kind: type[_Value]) -> _Value:
        try:
            at = await self.address()
            if at is not None:
                kernel = urlsplit(at.url).query
                status, body = await get(at, f"/streamchat/{what}?{kernel}&{query}")
                if status == HTTPStatus.OK:
                    return msgspec.json.decode(body, type=kind)
                if status == HTTPStatus.SERVICE_UNAVAILABLE:
                    raise error_from(msgspec.json.decode(body, type=ErrorInfo))
        except (OSError, ValueError, IndexError, msgspec.MsgspecError):
            pass
        raise RelayLost(f"The relay does not tell the {what}. Is the Jupyter server running?")
