"""What is asked without a socket: models, usage, conversations, whose a kernel is."""

from __future__ import annotations

from http import HTTPStatus

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from tornado import web

from streamchat_relay.hosts.identity import user_key
from streamchat_relay.hosts.websocket import ACTION, RESOURCE, KernelCheck, check_kernel
from streamchat_relay.model import StreamChatError
from streamchat_relay.protocol.codec import encode
from streamchat_relay.relay.hub import Hub

PAGE = 50
"""Conversations that are told where nobody says how many."""
MOST = 1000
"""Conversations that are told at once."""


class _AtHub(APIHandler):
    def initialize(self, hub: Hub) -> None:
        """Take what the composition root gives."""
        self._hub = hub


class ModelsHandler(_AtHub):
    """`GET streamchat/models`: the catalog, as in the frame `models`."""

    @web.authenticated
    @authorized(action=ACTION, resource=RESOURCE)  # type: ignore[untyped-decorator]
    async def get(self) -> None:
        """Answer `{models, default, problems}`."""
        self.set_header("Content-Type", "application/json")
        self.finish(encode(await self._hub.catalog()))


class UsageHandler(_AtHub):
    """`GET streamchat/usage`: what the caller has used today, and what is left.

    With `?conversation=ID` also what that conversation has used in all.
    """

    @web.authenticated
    @authorized(action=ACTION, resource=RESOURCE)  # type: ignore[untyped-decorator]
    async def get(self) -> None:
        """Answer with `relay.budget.Spendings`."""
        self.set_header("Content-Type", "application/json")
        user = user_key(self.identity_provider, self.current_user)
        conversation = self.get_query_argument("conversation", "")
        self.finish(encode(await self._hub.spendings(user, conversation)))


class ConversationsHandler(_AtHub):
    """`GET streamchat/conversations`: the caller's own, the one used last first.

    `?limit=N` are at most so many, `?before=USED,ID` those after that one, `?search=WORDS` those
    that hold all of these words.
    """

    @web.authenticated
    @authorized(action=ACTION, resource=RESOURCE)  # type: ignore[untyped-decorator]
    async def get(self) -> None:
        """Answer with `model.Overview`."""
        user = user_key(self.identity_provider, self.current_user)
        await _tell_conversations(self, self._hub, user)


class _AtDoor(web.RequestHandler):
    """What a kernel of this server may ask, for the server's owner."""

    def initialize(self, capability: str, runs_kernel: KernelCheck, hub: Hub, user: str) -> None:
        """Take what the composition root gives."""
        self._capability = capability
        self._runs_kernel = runs_kernel
        self._hub = hub
        self._user = user

    def prepare(self) -> None:
        """Let kernels of this server in, and nobody else."""
        kernel_id = self.get_query_argument("kernel_id", "")
        check_kernel(self, self._capability, self._runs_kernel, kernel_id)


class DoorUsageHandler(_AtDoor):
    """`GET /streamchat/usage?kernel_id=<id>` at the side door: the same for a kernel."""

    async def get(self) -> None:
        """Answer as `UsageHandler` does."""
        self.set_header("Content-Type", "application/json")
        conversation = self.get_query_argument("conversation", "")
        self.finish(encode(await self._hub.spendings(self._user, conversation)))


class DoorConversationsHandler(_AtDoor):
    """`GET /streamchat/conversations?kernel_id=<id>` at the side door: the same for a kernel."""

    async def get(self) -> None:
        """Answer as `ConversationsHandler` does."""
        await _tell_conversations(self, self._hub, self._user)


async def _tell_conversations(handler: web.RequestHandler, hub: Hub, user: str) -> None:
    handler.set_header("Content-Type", "application/json")
    try:
        limit = int(handler.get_query_argument("limit", str(PAGE)))
        used, found, conversation = handler.get_query_argument("before", "").partition(",")
        before = (float(used), conversation) if found else None
    except ValueError:
        raise web.HTTPError(400, "`limit` is a number, `before` is `used,id` of a list.") from None
    if not 1 <= limit <= MOST:
        raise web.HTTPError(400, f"`limit` is 1 to {MOST}.")
    try:
        search = handler.get_query_argument("search", "")
        overview = await hub.shelf.overview(user, limit=limit, before=before, search=search)
    except StreamChatError as error:
        handler.set_status(HTTPStatus.SERVICE_UNAVAILABLE)
        handler.finish(encode(error.info))
        return
    handler.finish(encode(overview))


class KernelHandler(web.RequestHandler):
    """`GET /streamchat/kernel/<id>` at the side door: 204 if this server runs the kernel."""

    def initialize(self, capability: str, runs_kernel: KernelCheck) -> None:
        """Take what the composition root gives."""
        self._capability = capability
        self._runs_kernel = runs_kernel

    def get(self, kernel_id: str) -> None:
        """Answer with the status alone."""
        check_kernel(self, self._capability, self._runs_kernel, kernel_id)
        self.set_status(204)
