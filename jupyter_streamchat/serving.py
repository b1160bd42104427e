"""Serving: this kernel's functions answer what the relay asks of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from jupyter_streamchat.functions import FunctionModel
from streamchat_relay.protocol.client import ClientSession
from streamchat_relay.protocol.frames import Done, Piece, Said, ServedCall
from streamchat_relay.protocol.outcomes import Outcome


class Serving:
    """The functions of one client, and the calls of them that go on.

    Everything but what a function says is called on the client's loop; `call` gets that there, and
    `act` carries out what the session decides.
    """

    def __init__(
        self,
        session: ClientSession,
        call: Callable[[Callable[[], object]], None],
        act: Callable[[Sequence[Outcome]], None],
    ) -> None:
        self._session = session
        self._call = call
        self._act = act
        self._models: dict[str, FunctionModel] = {}
        self._calls: dict[str, FunctionModel] = {}

    def add(self, model: FunctionModel) -> bool:
        """Whether this function is new here, and the relay has to be told."""
        new = model.name not in self._models
        self._models[model.name] = model
        return new

    def called(self, call: ServedCall) -> None:
        """Begin to answer."""
        model = self._models.get(call.model)
        if model is not None:
            self._calls[call.call] = model
            model.start(call, lambda what: self._call(partial(self._tell, call.call, what)))

    def cancelled(self, call: str) -> None:
        """Nobody waits for this answer any more; unknown ones are somebody else's."""
        model = self._calls.pop(call, None)
        if model is not None:
            model.cancel(call)

    def lost(self) -> None:
        """The relay has given up what it had asked over a socket that is gone."""
        for call in list(self._calls):
            self.cancelled(call)

    def _tell(self, call: str, what: tuple[Piece, ...] | Done) -> None:
        if isinstance(what, Done):
            self._calls.pop(call, None)
            self._act(self._session.tell(what))
        else:
            self._act(self._session.tell(Said(call=call, pieces=what)))
