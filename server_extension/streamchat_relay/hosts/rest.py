"""What can be asked without a socket: the models, and whether a kernel is this server's."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from tornado import web

from streamchat_relay.hosts.identity import user_key
from streamchat_relay.hosts.websocket import ACTION, RESOURCE, KernelCheck, Sockets, check_kernel
from streamchat_relay.protocol.codec import encode
from streamchat_relay.relay.hub import Hub


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


class DoorUsageHandler(web.RequestHandler):
    """`GET /streamchat/usage?kernel_id=<id>` at the side door: the same for a kernel."""

    def initialize(
        self, capability: str, runs_kernel: KernelCheck, sockets: Sockets, user: str
    ) -> None:
        """Take what the composition root gives."""
        self._capability = capability
        self._runs_kernel = runs_kernel
        self._sockets = sockets
        self._user = user

    async def get(self) -> None:
        """Answer as `UsageHandler` does."""
        kernel_id = self.get_query_argument("kernel_id", "")
        check_kernel(self, self._capability, self._runs_kernel, kernel_id)
        self.set_header("Content-Type", "application/json")
        conversation = self.get_query_argument("conversation", "")
        self.finish(encode(await self._sockets.hub.spendings(self._user, conversation)))


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
