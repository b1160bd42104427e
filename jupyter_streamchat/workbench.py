"""The workbench: the tools that this kernel runs, and the calls of them that go on."""

from __future__ import annotations

import asyncio
import contextvars
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import partial

from jupyter_streamchat.tools import Tool, ToolFailed
from streamchat_relay.model import ToolSpec, digest_of
from streamchat_relay.protocol.frames import Asking, Returned, ToolRun

KEPT = 64
"""Results that are kept for a relay that may not have got them."""
KNOWN = 10_000
"""Calls that are known to have run once their results are not kept any more."""
DENIED = "Not run: it was not allowed."
FORGOTTEN = "It has run, but what came of it was lost with the connection."

in_tool: contextvars.ContextVar[bool] = contextvars.ContextVar("in_tool", default=False)
"""Whether this code is a tool's, for which an answer waits."""

Say = Callable[["Asking | Returned"], None]
"""Takes what there is to say of a call, from any thread."""


class _Job:
    """One call: it waits to be allowed, or runs in a thread with a loop of its own."""

    def __init__(self, frame: ToolRun, tool: Tool) -> None:
        self.frame = frame
        self.tool = tool
        self.asking = False
        self._guard = threading.Lock()
        self._task: tuple[asyncio.AbstractEventLoop, asyncio.Task[Returned | Asking]] | None = None
        self._cancelled = threading.Event()

    def start(self, done: Callable[[Returned | Asking], None], *, allowed: bool = False) -> None:
        """Run it unless somebody has to be asked; returns at once."""
        name = f"streamchat-{self.tool.name}"
        thread = threading.Thread(target=self._work, args=(done, allowed), name=name, daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            done(self._failed(f"Not run: the kernel has no thread for it ({error})."))

    def cancel(self) -> None:
        """Nobody waits for it any more."""
        with self._guard:
            self._cancelled.set()
            if self._task is not None:
                loop, task = self._task
                loop.call_soon_threadsafe(task.cancel)

    def _work(self, done: Callable[[Returned | Asking], None], allowed: bool) -> None:
        in_tool.set(True)
        # Not `asyncio.run`, which would wait for the thread of a tool that hangs.
        loop = asyncio.new_event_loop()
        try:
            with self._guard:
                if self._cancelled.is_set():
                    return
                task = loop.create_task(self._answer(allowed=allowed))
                self._task = (loop, task)
            try:
                answer = loop.run_until_complete(task)
            except BaseException as error:  # noqa: BLE001 - whatever it is, somebody waits
                if self._cancelled.is_set():
                    return
                answer = self._failed(f"{self.tool.name} ended with {type(error).__name__}.")
            done(answer)
        finally:
            with self._guard:
                self._task = None
            loop.close()

    def _failed(self, words: str) -> Returned:
        return Returned(call=self.frame.call, error=str(ToolFailed(words)))

    async def _answer(self, *, allowed: bool) -> Returned | Asking:
        call, arguments = self.frame.call, self.frame.input
        try:
            if not allowed:
                decided = await self.tool.allowed(arguments)
                if decided is None:
                    return Asking(call=call)
                if not decided:
                    return Returned(call=call, error=DENIED)
            return Returned(call=call, output=await self.tool.run(arguments))
        except ToolFailed as error:
            return Returned(call=call, error=str(error))


class Workbench:
    """The tools of one client by conversation; all but what they do happens on its loop.

    `say` tells the relay something. A call runs once, however often the relay asks for it, and
    one that a person has to allow runs only for the digest of what it would do.
    """

    def __init__(
        self, call: Callable[[Callable[[], object]], None], say: Callable[[Asking | Returned], None]
    ) -> None:
        self.id = secrets.token_urlsafe(12)
        """Who runs them, over all reconnects: what began here goes on nowhere else."""
        self._call = call
        self._say = say
        self._tools: dict[str, dict[str, Tool]] = {}
        self._jobs: dict[str, _Job] = {}
        self._done: OrderedDict[str, Returned] = OrderedDict()
        self._ran: OrderedDict[str, None] = OrderedDict()

    def add(self, conversation: str, tools: dict[str, Tool]) -> tuple[ToolSpec, ...] | None:
        """Run these, too; returns all that the relay has to be told of, None where it knows."""
        known = self._tools.setdefault(conversation, {})
        if all(known.get(name) is tool for name, tool in tools.items()):
            return None
        known.update(tools)
        return tuple(tool.spec for tool in known.values())

    def called(self, frame: ToolRun) -> None:
        """Run it, or ask whether it may."""
        if frame.call in self._done:
            self._say(self._done[frame.call])
            return
        if frame.call in self._ran:
            self._say(Returned(call=frame.call, error=FORGOTTEN))
            return
        job = self._jobs.get(frame.call)
        if job is not None:
            if job.asking:
                self._say(Asking(call=frame.call))
            return
        tool = self._tools.get(frame.conversation, {}).get(frame.name)
        if tool is None:
            gone = f"There is no tool {frame.name!r} in this kernel."
            self._say(Returned(call=frame.call, error=gone))
            return
        job = self._jobs[frame.call] = _Job(frame, tool)
        job.start(self._told)

    def allowed(self, call: str, digest: str) -> None:
        """A person allows the call that has this digest; once, and no other."""
        job = self._jobs.get(call)
        if job is None or not job.asking:
            return
        if digest != digest_of(job.frame.name, job.frame.input):
            return
        job.asking = False
        job.start(self._told, allowed=True)

    def cancelled(self, call: str) -> None:
        """Nobody waits for this call any more; unknown ones are somebody else's."""
        job = self._jobs.pop(call, None)
        if job is not None:
            self._remember(call)
            job.cancel()

    def _told(self, what: Returned | Asking) -> None:
        self._call(partial(self._tell, what))

    def _tell(self, what: Returned | Asking) -> None:
        job = self._jobs.get(what.call)
        if job is None:
            return
        if isinstance(what, Asking):
            job.asking = True
        else:
            del self._jobs[what.call]
            self._remember(what.call)
            self._done[what.call] = what
            while len(self._done) > KEPT:
                self._done.popitem(last=False)
        self._say(what)

    def _remember(self, call: str) -> None:
        self._ran[call] = None
        while len(self._ran) > KNOWN:
            self._ran.popitem(last=False)
