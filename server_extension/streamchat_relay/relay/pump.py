"""The pump: carries one log's events from one cursor to one transport."""

from __future__ import annotations

from streamchat_relay.protocol.frames import WINDOW_BYTES
from streamchat_relay.relay.log import IN_MEMORY_BYTES, Batch, Log
from streamchat_relay.relay.ports import Transport

LAG_BYTES = IN_MEMORY_BYTES
"""How far beyond its window the log may be before a reader lags enough to be waited for."""


class Pump:
    """A cursor that writes what it passes.

    While the transport keeps up, `appended` writes each event as its own frame at once. When the
    transport is busy or the window is used up, the cursor simply stays; `ack` and `advance` take
    it on from there, with events joined. So a slow reader holds no memory but its place.
    """

    def __init__(
        self, log: Log, transport: Transport, after: int, *, window: int = WINDOW_BYTES
    ) -> None:
        self._log = log
        self._transport = transport
        self._window = window
        self._sent = after
        self._acked = after
        # Where in the log's bytes the window ends.
        self._until = log.size(after) + window
        self._lags = False
        log.attach(self)
        log.audience.join(self)

    @property
    def sent(self) -> int:
        """The cursor: the `seq` of the last event written."""
        return self._sent

    def appended(self, batch: Batch) -> None:
        """New events: write them now if the reader keeps up, else leave them in the log."""
        transport = self._transport
        if batch.first == self._sent + 1 and batch.begin <= self._until and not transport.busy:
            self._sent = batch.last
            transport.write(batch.frames())
        elif not self._lags and batch.begin > self._until + LAG_BYTES:
            self._lags = True
            self._log.audience.fall_behind(self)

    def advance(self) -> None:
        """Write what the cursor has before it, as far as the transport and the window let it."""
        log, transport = self._log, self._transport
        while self._sent < log.head and log.size(self._sent) <= self._until and not transport.busy:
            frame, self._sent = log.joined(self._sent)
            transport.write((frame,))

    def ack(self, seq: int) -> None:
        """The reader has seen everything up to `seq`; what was not sent it cannot have seen."""
        if self._acked < seq <= self._sent:
            self._acked = seq
            self._until = self._log.size(seq) + self._window
            self.advance()
            # Not at the same place where it began to lag: there is a pause less in between.
            if self._lags and self._log.total <= self._until + LAG_BYTES // 2:
                self._lags = False
                self._log.audience.join(self)

    def close(self) -> None:
        """Write nothing more."""
        self._log.detach(self)
        self._log.audience.leave(self)
