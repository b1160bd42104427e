"""Batches: many prompts at once, so many at a time, with a bar that shows how far they are."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from jupyter_streamchat.interrupt import stopping
from jupyter_streamchat.loop import POLL_S
from streamchat_relay.model import BadRequest

if TYPE_CHECKING:
    from jupyter_streamchat.chat import Chat
    from jupyter_streamchat.reply import Reply


def ask_all(
    base: Chat, prompts: Iterable[object], concurrency: int, *, progress: bool, **options: Any
) -> list[Reply]:
    """Ask each prompt where `base` stands; see `Chat.map`."""
    if isinstance(prompts, str):
        raise BadRequest("`map` takes a list of prompts; for one of them there is `send`.")
    if not isinstance(concurrency, int) or concurrency < 1:
        raise BadRequest(f"`concurrency` must be a whole number above 0, not {concurrency!r}.")
    waiting = list(prompts)
    replies: list[Reply] = []
    ended = threading.Semaphore(0)
    stopped = threading.Event()

    def stop() -> None:
        stopped.set()
        for reply in replies:
            reply.stop()

    bar = _bar(len(waiting)) if progress else None
    with stopping(stop), bar or nullcontext():
        try:
            done = 0
            while done < len(waiting):
                while len(replies) < min(len(waiting), done + concurrency):
                    reply = base.fork().send(waiting[len(replies)], **options)
                    replies.append(reply)
                    reply._recording.call_at_end(ended.release)  # noqa: SLF001 - one of us
                if ended.acquire(timeout=POLL_S):
                    done += 1
                    if bar is not None:
                        bar.update()
                for reply in replies:
                    # They end in any order.
                    if not reply.done:
                        reply._check()  # noqa: SLF001
        except BaseException:
            # Also a prompt that cannot be sent: nobody gets the replies.
            stop()
            raise
    return replies


def _bar(total: int) -> Any:
    try:
        from tqdm.auto import tqdm  # noqa: PLC0415 - optional
    except ModuleNotFoundError:
        return None
    return tqdm(total=total, unit="answer")
