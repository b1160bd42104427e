"""The imprint: the static form of a chat beside its widget, which a notebook's file keeps.

A widget is saved as an id, and its text is with the relay. So a chat is shown twice: as the widget,
and as Markdown before it, which the widget's style sheet hides. What is said later, in the widget
or by another cell, is written into the Markdown, also while the kernel is busy.
"""

from __future__ import annotations

import threading
import time
from typing import Any

from IPython.core.getipython import get_ipython

from jupyter_streamchat.display import Bundle, Place
from jupyter_streamchat.following import Following
from streamchat_relay.model.transcript import NOTED, imprint

PATIENCE = 20
"""Between two writings passes so many times as long as one takes: long chats are written seldom."""


class Imprint:
    """One chat's Markdown, wherever this kernel has shown it.

    It holds what it follows, so that a chat that nobody keeps a name for is written on.
    """

    def __init__(self) -> None:
        self._place = Place()
        self._following: Following | None = None
        self._guard = threading.Lock()
        self._due = False
        self._new = False
        self._next = 0.0
        self._timer: threading.Timer | None = None
        shell: Any = get_ipython()
        shell.events.register("post_run_cell", self._cell_ran)

    def show(self, following: Following) -> None:
        """Put it into the cell that runs, as it is now, and keep it current from here on."""
        self._place.show(imprint(following.state), _noted(following))
        self.follow(following)

    def follow(self, following: Following) -> None:
        """Write down this conversation; one that was followed before is left."""
        if following is not self._following:
            if self._following is not None:
                self._following.watchers.discard(self.changed)
            self._following = following
            following.watchers.add(self.changed)
            self.changed()

    def changed(self) -> None:
        """A prompt came or an answer ended: write it down, soon if something just was."""
        with self._guard:
            self._due = self._new = True
            wait = self._next - time.monotonic()
            if self._timer is None and wait > 0:
                self._timer = threading.Timer(wait, self._waited)
                self._timer.daemon = True
                self._timer.start()
            if self._timer is None:
                self._write()

    def _waited(self) -> None:
        with self._guard:
            self._timer = None
            if self._due:
                self._write()

    def _cell_ran(self, _result: object) -> None:
        # Who executes notebooks looks at what belongs to the cell that runs, and waits for nothing
        # else; a thread's writing belongs to an earlier one.
        with self._guard:
            if self._new:
                self._new = False
                self._write(within=self._place.here())

    def _write(self, within: Any = None) -> None:
        assert self._following is not None, "what changed is followed"
        self._due = False
        begun = time.monotonic()
        self._place.replace(imprint(self._following.state), _noted(self._following), within=within)
        ended = time.monotonic()
        self._next = ended + (ended - begun) * PATIENCE


def _noted(following: Following) -> Bundle:
    # By this the server, when it saves the notebook, knows what to write where the kernel cannot.
    return {NOTED: {"conversation": following.conversation}}
