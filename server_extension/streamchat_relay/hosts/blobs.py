"""Blobs over HTTP: a page uploads a file of a prompt once, by its hash, and shows it again."""

from __future__ import annotations

import asyncio
import hashlib
import re
from http import HTTPStatus
from typing import Any

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import ensure_async
from tornado import web

from streamchat_relay.hosts.identity import user_key
from streamchat_relay.hosts.websocket import ACTION, RESOURCE
from streamchat_relay.model import BadRequest, FilePart, StreamChatError, TooLarge
from streamchat_relay.model.media import KINDS, TEXT, audio_format, blob_url, media_type
from streamchat_relay.protocol.codec import encode
from streamchat_relay.relay.ports import Blob, Blobs

FOR_EVER = "private, max-age=31536000, immutable"
"""A hash never stands for other bytes."""

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
"""RFC 9110 14.1.2, of one range."""


@web.stream_request_body
class BlobHandler(APIHandler):
    """`PUT`, `GET` and `HEAD streamchat/blobs/<sha256>`: the caller's own files.

    The body is taken as it comes, so that one which is too large is never held in memory.
    """

    def initialize(self, blobs: Blobs, most_bytes: int) -> None:
        """Take what the composition root gives."""
        self._blobs = blobs
        self._most_bytes = most_bytes
        self._body = bytearray()
        self._over = False

    async def prepare(self) -> None:  # type: ignore[override]
        """Let in who may use the chat, before any of a body is looked at."""
        await super().prepare()
        user = self.current_user
        if user is None:
            raise web.HTTPError(HTTPStatus.FORBIDDEN)
        if not await ensure_async(self.authorizer.is_authorized(self, user, ACTION, RESOURCE)):
            raise web.HTTPError(HTTPStatus.FORBIDDEN)

    def data_received(self, chunk: bytes) -> None:
        """Some of the body."""
        self._over = self._over or len(self._body) + len(chunk) > self._most_bytes
        if self._over:
            self._body.clear()
        else:
            self._body += chunk

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Refuse; the connection, on which the body may still be on its way, is not used again."""
        # Tornado closes it without saying so, and a proxy sends the next request into the void.
        self.set_header("Connection", "close")
        super().write_error(status_code, **kwargs)

    @property
    def content_security_policy(self) -> str:
        """A file is data, also where somebody opens its address."""
        return "default-src 'none'; sandbox; frame-ancestors 'none'"

    @web.authenticated
    @authorized(action=ACTION, resource=RESOURCE)  # type: ignore[untyped-decorator]
    async def head(self, sha256: str) -> None:
        """Answer 200 where the file is kept, and 404 where it is to be uploaded."""
        found = await self._blobs.find(self._user, sha256)
        if found is None:
            self.set_status(HTTPStatus.NOT_FOUND)
            self.finish()
            return
        self._describe(found)
        self.set_header("Content-Length", str(found.size))
        self.finish(set_content_type=_shown_as(found))

    @web.authenticated
    @authorized(action=ACTION, resource=RESOURCE)  # type: ignore[untyped-decorator]
    async def get(self, sha256: str) -> None:
        """Answer with the bytes."""
        found = await self._blobs.find(self._user, sha256)
        data = None if found is None else await self._blobs.read(self._user, sha256)
        if found is None or data is None:
            raise web.HTTPError(HTTPStatus.NOT_FOUND, "This file is not kept.")
        self._describe(found)
        part = _range(self.request.headers.get("Range", ""), len(data))
        if part is not None:
            # Without it a player cannot go to another place in a recording.
            first, last = part
            self.set_status(HTTPStatus.PARTIAL_CONTENT)
            self.set_header("Content-Range", f"bytes {first}-{last}/{len(data)}")
            data = data[first : last + 1]
        self.finish(data, set_content_type=_shown_as(found))

    @web.authenticated
    @authorized(action=ACTION, resource=RESOURCE)  # type: ignore[untyped-decorator]
    async def put(self, sha256: str) -> None:
        """Keep the body, and answer with the `FilePart` that stands for it."""
        try:
            kept = await self._kept(sha256)
        except TooLarge as error:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, error)
        except _Unreadable as error:
            self._refuse(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, error)
        except BadRequest as error:
            self._refuse(HTTPStatus.BAD_REQUEST, error)
        except StreamChatError as error:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, error)
        else:
            part = FilePart(url=blob_url(sha256), media_type=kept.media_type, size=kept.size)
            self.finish(encode(part))

    async def _kept(self, sha256: str) -> Blob:
        if self._over:
            raise TooLarge(
                f"The file is larger than {self._most_bytes / 2**20:g} MiB, which is this "
                "server's limit (c.StreamChat.max_file_mib)."
            )
        data = bytes(self._body)
        self._body.clear()
        kind = await asyncio.to_thread(_kind, data, sha256)
        found = await self._blobs.find(self._user, sha256)
        if found is None:
            await self._blobs.keep(self._user, sha256, data)
            self.set_status(HTTPStatus.CREATED)
        return Blob(kind, len(data))

    @property
    def _user(self) -> str:
        return user_key(self.identity_provider, self.current_user)

    def _describe(self, found: Blob) -> None:
        kind = found.media_type
        shown = "inline" if kind.startswith("image/") or audio_format(kind) else "attachment"
        self.set_header("Content-Disposition", shown)
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Cross-Origin-Resource-Policy", "same-origin")
        self.set_header("Cache-Control", FOR_EVER)
        self.set_header("Accept-Ranges", "bytes")

    def _refuse(self, status: HTTPStatus, error: StreamChatError) -> None:
        self.set_status(status)
        self.finish(encode(error.info))


class _Unreadable(BadRequest):
    """Of a type that models do not take."""


def _kind(data: bytes, sha256: str) -> str:
    if hashlib.sha256(data).hexdigest() != sha256:
        raise BadRequest("The file was damaged on its way: its hash is another one. Try again.")
    kind = media_type(data)
    if not kind:
        raise _Unreadable(f"Models take {KINDS}; this file is none of these.")
    return kind


def _range(asked: str, size: int) -> tuple[int, int] | None:
    """The first and last place of a range; None for none and for what need not be honoured."""
    match = _RANGE.fullmatch(asked)
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:
        return (max(0, size - int(match[2])), size - 1) if int(match[2]) and size else None
    first, last = int(match[1]), min(int(match[2] or size), size - 1)
    return (first, last) if first <= last else None


def _shown_as(found: Blob) -> str:
    return f"{TEXT}; charset=utf-8" if found.media_type == TEXT else found.media_type
