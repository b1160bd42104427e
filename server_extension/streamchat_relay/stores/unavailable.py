"""The store of a server whose conversations cannot be opened: it tells everybody why."""

from __future__ import annotations

from collections.abc import Sequence

from streamchat_relay.model import ConversationInfo, Internal
from streamchat_relay.relay.ports import StoredLog


class UnavailableStore:
    """Answers every question with the error, which says what to do.

    So whoever opens a chat reads it there, and the rest of the Jupyter server goes on.
    """

    def __init__(self, error: Internal) -> None:
        self._message = error.message

    async def load(self, _user: str, _conversation: str, /) -> StoredLog | None:
        """Raises `Internal`."""
        raise Internal(self._message)

    def append(
        self, _user: str, _conversation: str, _epoch: str, _first: int, _events: Sequence[bytes], /
    ) -> None:
        """Never called: nothing is appended to what was not loaded."""
        raise AssertionError("nothing was loaded")

    async def saved(self) -> None:
        """Nothing was appended."""

    async def find_run(self, _user: str, _run: str, /) -> str | None:
        """Raises `Internal`."""
        raise Internal(self._message)

    async def conversations(
        self,
        _user: str,
        /,
        *,
        limit: int,
        before: tuple[float, str] | None = None,
        search: str = "",
    ) -> Sequence[ConversationInfo]:
        """Raises `Internal`."""
        del limit, before, search
        raise Internal(self._message)

    async def delete(self, _user: str, _conversation: str, /) -> bool:
        """Raises `Internal`."""
        raise Internal(self._message)

    async def restore(self, _user: str, _conversation: str, /) -> bool:
        """Raises `Internal`."""
        raise Internal(self._message)

    async def close(self) -> None:
        """There is nothing to let go of."""
