"""A conversation that this kernel follows: its state, kept current by the background loop."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import get_args

from streamchat_relay.model import (
    Conversation,
    Event,
    MessageAdded,
    StreamChatError,
    Terminal,
    fold,
)

FOLD_AT = 4096
"""Events are folded when somebody looks, or when this many have gathered."""
_TOLD: tuple[type, ...] = (MessageAdded, *get_args(Terminal))

_log = logging.getLogger(__name__)


class Following:
    """One conversation. The loop writes with `replace` and `deliver`; any thread reads `state`."""

    def __init__(self, conversation: str) -> None:
        self.conversation = conversation
        self.opened = False
        self.known = threading.Event()
        """Set when the relay has told the state, or will not."""
        self.error: StreamChatError | None = None
        self.watchers: set[Callable[[], object]] = set()
        """Called from the loop when a prompt has come, an answer has ended, or all is new."""
        self._guard = threading.Lock()
        self._state = Conversation()
        self._events: list[Event] = []

    @property
    def state(self) -> Conversation:
        """Everything that has come, folded."""
        with self._guard:
            self._fold()
            return self._state

    def replace(self, state: Conversation) -> None:
        """Forget what came and take this state."""
        with self._guard:
            self._state = state
            self._events.clear()
        # One that was deleted may be restored.
        self.error = None
        self.known.set()
        self._tell()

    def deliver(self, events: Sequence[Event]) -> None:
        """Take the next events."""
        with self._guard:
            self._events.extend(events)
            if len(self._events) >= FOLD_AT:
                self._fold()
        if self.watchers and any(isinstance(event, _TOLD) for event in events):
            self._tell()

    def fail(self, error: StreamChatError) -> None:
        """Nothing more will come."""
        self.error = error
        self.known.set()

    def wait_again(self) -> None:
        """Its state is on its way after all."""
        self.error = None
        self.known.clear()

    def _tell(self) -> None:
        for watcher in tuple(self.watchers):
            try:
                watcher()
            except Exception:  # noqa: BLE001, PERF203 - who watches must not cost what is watched
                _log.warning("A chat could not be written down", exc_info=True)

    def _fold(self) -> None:
        if self._events:
            self._state = fold(self._state, self._events)
            self._events.clear()
