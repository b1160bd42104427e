"""The catalog: asking all providers at once for their models, and choosing a default."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any, Protocol

import msgspec

from streamchat_relay.model import ModelInfo, ProviderProblem, StreamChatError

ASK_TIMEOUT = 5.0
"""Seconds for a provider to tell its models."""

FRESH = 30.0
"""Seconds for which a catalog is not asked for again."""

_NO_CHAT = re.compile(
    r"embed|whisper|(^|[-_])tts|realtime|image|dall-e|imagen|veo|sora|moderation|transcribe"
    r"|rerank|aqa|davinci|babbage|-instruct(-\d+)?$|computer-use|guard|codex|search"
)
_NO_CHAT_ANYWHERE = re.compile(r"embed|whisper|(^|[-_])tts|dall-e|moderation|transcribe|rerank")
_NO_DEFAULT = re.compile(r"-pro(-|$)|deep-research|preview|nano|audio")


class Lister(Protocol):
    """A provider that can tell its models, in the order in which it would name them."""

    @property
    def name(self) -> str:
        """The provider's name."""
        ...

    async def models(self) -> list[tuple[ModelInfo, float]]:
        """Its models, each with the Unix time at which it was made (0 where not told)."""
        ...


class Source(msgspec.Struct, frozen=True):
    """A provider to ask. One that is `unasked` may fail to be there without being a problem."""

    lister: Lister
    unasked: bool = False


class Listing(msgspec.Struct, frozen=True):
    """What all of them said."""

    models: tuple[ModelInfo, ...]
    problems: tuple[ProviderProblem, ...]
    default: str | None


async def ask_all(
    sources: Sequence[Source],
    timeout: float = ASK_TIMEOUT,
    chosen: Callable[[str], None] = lambda _: None,
) -> Listing:
    """Ask them at once; what fails or is late becomes a problem.

    `chosen` hears the default as soon as it is certain, which may be long before the last answer.
    """
    tasks = [asyncio.ensure_future(source.lister.models()) for source in sources]
    waiting, until = set(tasks), asyncio.get_running_loop().time() + timeout
    certain = False
    try:
        while waiting and (left := until - asyncio.get_running_loop().time()) > 0:
            _, waiting = await asyncio.wait(
                waiting, timeout=left, return_when=asyncio.FIRST_COMPLETED
            )
            early = None if certain else _first_default(sources, tasks)
            if early is not None:
                certain = True
                chosen(early)
    finally:
        late = [task for task in tasks if not task.done()]
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)
    models: list[ModelInfo] = []
    problems: list[ProviderProblem] = []
    default: str | None = None
    for source, task in zip(sources, tasks, strict=True):
        name = source.lister.name
        if task.cancelled():
            message = f"{name} did not tell its models in time."
        elif (error := task.exception()) is None:
            found = _for_chat(name, task.result())
            default = default or _default(name, found)
            models.extend(model for model, _ in found)
            continue
        elif isinstance(error, StreamChatError):
            message = error.message
        else:
            raise error
        if not source.unasked:
            problems.append(ProviderProblem(provider=name, message=message))
    return Listing(tuple(models), tuple(problems), default)


class ListingCache:
    """One listing for everybody who asks within `FRESH` seconds, and one asking at a time.

    `version` is compared at each use: when the configuration changed, all are asked again.
    """

    def __init__(
        self,
        ask: Callable[[Callable[[str], None]], Coroutine[Any, Any, Listing]],
        version: Callable[[], object],
    ) -> None:
        self._ask = ask
        self._version = version
        self._of: object = None
        self._until = 0.0
        self._asking: set[asyncio.Task[Listing]] = set()
        self._latest: asyncio.Task[Listing] | None = None
        self._default: asyncio.Future[str | None] | None = None

    async def get(self) -> Listing:
        """The listing, at most `FRESH` seconds old."""
        # Shielded: who asked first may go away before the others.
        return await asyncio.shield(self._current())

    async def default(self) -> str | None:
        """The model for who names none. Once it is known it comes at once, however old.

        So a provider that is slow to list its models holds up the first prompt at most.
        """
        self._current()
        assert self._default is not None
        # The listing says why there is none, should it have failed.
        return await asyncio.shield(self._default) or (await self.get()).default

    async def close(self) -> None:
        """Stop asking."""
        for task in self._asking:
            task.cancel()
        if self._asking:
            await asyncio.wait(self._asking)

    def _current(self) -> asyncio.Task[Listing]:
        loop = asyncio.get_running_loop()
        version = self._version()
        if self._latest is not None and self._of == version and loop.time() < self._until:
            return self._latest
        known = self._default
        if self._of != version or known is None or not known.done() or known.result() is None:
            known = self._default = loop.create_future()
        self._of = version
        self._until = loop.time() + FRESH
        self._latest = task = loop.create_task(self._ask(partial(_settle, known)))
        # Who waits for an older listing still gets it.
        self._asking.add(task)
        task.add_done_callback(partial(self._told, known))
        return task

    def _told(self, default: asyncio.Future[str | None], task: asyncio.Task[Listing]) -> None:
        self._asking.discard(task)
        found = None if task.cancelled() or task.exception() else task.result().default
        if not default.done():
            default.set_result(found)
        elif self._default is default and default.result() != found:
            self._default = asyncio.get_running_loop().create_future()
            self._default.set_result(found)


def _settle(default: asyncio.Future[str | None], found: str) -> None:
    if not default.done():
        default.set_result(found)


def _first_default(
    sources: Sequence[Source], tasks: Sequence[asyncio.Task[list[tuple[ModelInfo, float]]]]
) -> str | None:
    """The default, if those before its provider have answered and have none."""
    for source, task in zip(sources, tasks, strict=True):
        if not task.done():
            return None
        if not task.cancelled() and task.exception() is None:
            name = source.lister.name
            default = _default(name, _for_chat(name, task.result()))
            if default is not None:
                return default
    return None


def _for_chat(
    provider: str, models: Sequence[tuple[ModelInfo, float]]
) -> list[tuple[ModelInfo, float]]:
    # OpenAI lists everything it has, and says of nothing what it is for.
    others = _NO_CHAT if provider == "openai" else _NO_CHAT_ANYWHERE
    return [pair for pair in models if not others.search(pair[0].name.lower())]


def _default(provider: str, models: Sequence[tuple[ModelInfo, float]]) -> str | None:
    fit = [pair for pair in models if not _NO_DEFAULT.search(pair[0].name.lower())] or list(models)
    if not fit:
        return None
    if provider == "openai":
        return max(fit, key=lambda pair: pair[1])[0].id
    return fit[0][0].id
