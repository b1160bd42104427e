"""The files of prompts: looked for when a prompt comes, and put into what a provider is told."""

from __future__ import annotations

import asyncio
import base64

from streamchat_relay.model import BadRequest, FilePart, Message, Part, TextPart
from streamchat_relay.model.media import blob_digest, is_text
from streamchat_relay.model.reduce import replace
from streamchat_relay.protocol.frames import Prompt, Send
from streamchat_relay.relay.ports import Blobs, Call

MOST_BYTES = 32 * 1024 * 1024
"""Of kept files that are told in one call; no provider takes more."""


class Files:
    """Knows what a `blob:` address stands for; without `blobs` it stands for nothing."""

    def __init__(self, blobs: Blobs | None = None) -> None:
        self._blobs = blobs

    async def checked(self, user: str, send: Send) -> Send:
        """The same, with the type and the size of each kept file as they are.

        Raises `BadRequest` for one that this user has not uploaded, and for too much together.
        """
        if send.message is None:
            return send
        parts: list[TextPart | FilePart] = []
        total = 0
        for part in send.message.parts:
            found = await self._found(user, part) if isinstance(part, FilePart) else part
            parts.append(found)
            total += found.size if isinstance(found, FilePart) else 0
        if total > MOST_BYTES:
            raise BadRequest(
                f"The files of the prompt have {total / 2**20:.1f} MiB together; at most "
                f"{MOST_BYTES // 2**20} MiB can be sent at once. Remove some."
            )
        return replace(send, message=Prompt(parts=tuple(parts)))

    async def told(self, user: str, call: Call, before: dict[str, FilePart] | None = None) -> Call:
        """The call with the bytes in the place of the addresses, newest first while they fit.

        `before` has those that were told in earlier rounds, and gets those of this one.
        """
        known = {} if before is None else before
        left = MOST_BYTES
        messages: list[Message] = []
        for message in reversed(call.messages):
            if not any(_digest(part) for part in message.parts):
                messages.append(message)
                continue
            parts: list[Part] = []
            for part in message.parts:
                read = (
                    await self._read(user, part, left, known)
                    if isinstance(part, FilePart)
                    else part
                )
                left -= read.size if isinstance(read, FilePart) else 0
                parts.append(read)
            messages.append(replace(message, parts=tuple(parts)))
        return replace(call, messages=tuple(reversed(messages)))

    async def _found(self, user: str, part: FilePart) -> FilePart:
        if not part.url.startswith("blob:"):
            return replace(part, size=0) if part.size else part
        digest = blob_digest(part.url)
        found = None
        if digest is not None and self._blobs is not None:
            found = await self._blobs.find(user, digest)
        if found is None:
            raise BadRequest(
                f"{part.name or 'A file'} is not known here: upload it first "
                "(PUT streamchat/blobs/<sha256>), or send it as a data: URL."
            )
        both_text = is_text(found.media_type) and is_text(part.media_type)
        kind = part.media_type if both_text else found.media_type
        return replace(part, media_type=kind, size=found.size)

    async def _read(self, user: str, part: FilePart, left: int, known: dict[str, FilePart]) -> Part:
        digest = _digest(part)
        if digest is None:
            return part
        # A conversation goes on without a file that is gone; the model should know.
        name = part.name or "a file"
        if part.size > left:
            return TextPart(text=f"[{name} is left out here: the files are too many at once]")
        if digest in known:
            # One file may stand in several prompts, under several names.
            return replace(part, url=known[digest].url)
        data = None if self._blobs is None else await self._blobs.read(user, digest)
        if data is None:
            return TextPart(text=f"[{name} was here and is not kept any more]")
        encoded = await asyncio.to_thread(base64.b64encode, data)
        told = replace(part, url=f"data:{part.media_type};base64,{encoded.decode()}")
        known[digest] = told
        return told


def _digest(part: Part) -> str | None:
    return blob_digest(part.url) if isinstance(part, FilePart) else None
