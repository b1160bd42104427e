"""Who may reach the relay, and that everybody else is refused before the upgrade."""

from __future__ import annotations

import json
import stat
import textwrap
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.fakes.jupyter import JupyterServer
from tests.hosts.kit import soon


async def status_of(server: JupyterServer, **options: Any) -> int:
    """The HTTP status with which a handshake is answered; 101 if it is let in."""
    try:
        socket = await server.socket(hello=False, **options)
    except InvalidStatus as refused:
        return refused.response.status_code
    await socket.close()
    return 101


def own_origin(server: JupyterServer) -> str:
    return f"http://127.0.0.1:{server.port}"


async def test_a_token_opens_the_socket_under_any_base_url(jupyter: JupyterServer) -> None:
    assert jupyter.base_url == "/some/base/"
    async with await jupyter.socket() as socket:
        assert socket.frames[0]["user"] == "owner"
    assert await status_of(jupyter, url=f"{jupyter.ws_url}?token={jupyter.token}") == 101


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "token wrong"}, {"Authorization": "streamchat guess"}],
    ids=["nothing", "wrong token", "a guess"],
)
async def test_without_a_login_the_handshake_is_refused(
    jupyter: JupyterServer, headers: dict[str, str]
) -> None:
    assert await status_of(jupyter, additional_headers=headers) == 403
    # A page of this very server is nobody either.
    own = own_origin(jupyter)
    assert await status_of(jupyter, additional_headers=headers, origin=own) == 403


async def test_a_cookie_needs_the_origin_of_this_server(jupyter: JupyterServer) -> None:
    cookie = {"Cookie": jupyter.login_cookie()}
    assert await status_of(jupyter, additional_headers=cookie, origin=own_origin(jupyter)) == 101
    assert await status_of(jupyter, additional_headers=cookie) == 403
    for foreign in ("http://evil.example", "null", f"http://127.0.0.1:{jupyter.port + 1}"):
        assert await status_of(jupyter, additional_headers=cookie, origin=foreign) == 403


async def test_a_program_with_the_token_may_come_without_an_origin(jupyter: JupyterServer) -> None:
    assert await status_of(jupyter) == 101


def test_the_models_route_wants_a_login_too(jupyter: JupyterServer) -> None:
    catalog = jupyter.get("streamchat/models")
    assert "demo/fast" in [model["id"] for model in catalog["models"]]
    assert catalog["default"] == "demo/fast"
    assert jupyter.status("streamchat/models") == 403
    assert jupyter.status("streamchat/models", Authorization="token wrong") == 403


async def test_the_authorizer_is_asked_on_every_route(tmp_path: Path) -> None:
    (tmp_path / "deny.py").write_text(
        textwrap.dedent(
            """
            from jupyter_server.auth import Authorizer

            class NoChat(Authorizer):
                def is_authorized(self, handler, user, action, resource):
                    return resource != "streamchat"
            """
        )
    )
    with JupyterServer(
        tmp_path,
        config={"ServerApp": {"authorizer_class": "deny.NoChat"}},
        environ={"PYTHONPATH": str(tmp_path)},
    ) as server:
        assert await status_of(server) == 403
        token = f"token {server.token}"
        for route in ("models", "usage", "conversations", f"blobs/{'0' * 64}"):
            assert server.status(f"streamchat/{route}", Authorization=token) == 403
        assert server.status("api/contents", Authorization=token) == 200


async def test_users_with_names_have_conversations_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "names.py").write_text(
        textwrap.dedent(
            """
            from jupyter_server.auth import IdentityProvider, User

            class Names(IdentityProvider):
                def get_user(self, handler):
                    token = self.get_token(handler)
                    self_user = User(token) if token in ("ada", "bob") else None
                    if self_user:
                        handler._token_authenticated = True
                    return self_user
            """
        )
    )
    with JupyterServer(
        tmp_path,
        token="ada",
        config={
            "ServerApp": {"identity_provider_class": "names.Names"},
            "Names": {"token": "unused"},
        },
        environ={"PYTHONPATH": str(tmp_path)},
    ) as server:
        ada = await server.socket(additional_headers={"Authorization": "token ada"})
        bob = await server.socket(additional_headers={"Authorization": "token bob"})
        assert [ada.frames[0]["user"], bob.frames[0]["user"]] == ["user:ada", "user:bob"]
        await ada.ask(type="open", conversation="c1")
        await ada.prompt("c1", "r1", "my secret", model="demo/slow")
        opened = await bob.ask(type="open", conversation="c1")
        assert opened["head"] == 0
        stopped = await bob.ask(type="stop", run="r1")
        assert stopped["error"]["code"] == "not_found"
        assert server.get("streamchat/conversations")["conversations"][0]["title"] == "my secret"
        (found,) = server.get("streamchat/conversations?search=SECRET")["conversations"]
        assert found["title"] == "my secret"
        assert not server.get("streamchat/conversations?search=nothing")["conversations"]
        server.token = "bob"
        assert server.get("streamchat/conversations") == {"conversations": [], "more": False}
        await ada.close()
        await bob.close()


async def test_a_login_that_ends_loses_its_open_socket_and_nobody_else_does(
    tmp_path: Path,
) -> None:
    (tmp_path / "leaving.py").write_text(
        textwrap.dedent(
            """
            from pathlib import Path
            from jupyter_server.auth import IdentityProvider, User

            class Leaving(IdentityProvider):
                def get_user(self, handler):
                    name = self.get_token(handler) or ""
                    if not name or Path(__file__).with_name(f"{name} is gone").exists():
                        return None
                    handler._token_authenticated = True
                    return User(username=name)
            """
        )
    )
    with JupyterServer(
        tmp_path,
        token="ada",
        config={
            "ServerApp": {"identity_provider_class": "leaving.Leaving"},
            "Leaving": {"token": "unused"},
            "StreamChat": {"login_recheck": 0.05},
        },
        environ={"PYTHONPATH": str(tmp_path)},
    ) as server:
        ada = await server.socket(additional_headers={"Authorization": "token ada"})
        bob = await server.socket(additional_headers={"Authorization": "token bob"})
        await ada.ask(type="open", conversation="c1")
        (tmp_path / "ada is gone").touch()
        with pytest.raises(ConnectionClosed) as caught:
            await soon(ada.until(lambda _: False))
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == 4401
        assert (await bob.ask(type="open", conversation="c1"))["type"] == "ok"
        await bob.close()
        assert "Traceback" not in server.log


def http_status(url: str, headers: dict[str, str]) -> int:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        refused.close()
        return refused.code


def door(server: JupyterServer) -> dict[str, Any]:
    (path,) = server.runtime_dir.glob(f"streamchat-{server.pid}.json")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


async def test_the_side_door_opens_for_a_kernel_of_this_server_only(
    jupyter: JupyterServer,
) -> None:
    found = door(jupyter)
    kernel = jupyter.post("api/kernels")["id"]
    url = found["url"].replace("http", "ws") + "/streamchat/ws?kernel_id="
    key = {"Authorization": f"streamchat {found['capability']}"}
    assert found["url"].startswith("http://127.0.0.1:")
    assert await status_of(jupyter, url=url + kernel, additional_headers=key) == 101
    assert await status_of(jupyter, url=url + "0" * 36, additional_headers=key) == 404
    assert await status_of(jupyter, url=url + kernel, additional_headers={}) == 403
    wrong = {"Authorization": "streamchat wrong"}
    assert await status_of(jupyter, url=url + kernel, additional_headers=wrong) == 403
    assert (
        await status_of(
            jupyter, url=url + kernel, additional_headers=key, origin=own_origin(jupyter)
        )
        == 403
    )
    async with await jupyter.socket(url=url + kernel, additional_headers=key) as socket:
        assert socket.frames[0]["user"] == "owner"


def test_the_side_door_tells_usage_and_conversations_to_a_kernel_of_this_server_only(
    jupyter: JupyterServer,
) -> None:
    found = door(jupyter)
    kernel = jupyter.post("api/kernels")["id"]
    key = {"Authorization": f"streamchat {found['capability']}"}
    origin = {"Origin": own_origin(jupyter)}
    for route in ("usage", "conversations"):
        asked = [
            (kernel, key, 200),
            ("0" * 36, key, 404),
            (kernel, {}, 403),
            (kernel, {"Authorization": "streamchat wrong"}, 403),
            (kernel, key | origin, 403),
        ]
        for kernel_id, headers, status in asked:
            url = f"{found['url']}/streamchat/{route}?kernel_id={kernel_id}"
            assert http_status(url, headers) == status


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "before=x,y"])
def test_a_list_that_cannot_be_is_refused(jupyter: JupyterServer, query: str) -> None:
    token = f"token {jupyter.token}"
    assert jupyter.status(f"streamchat/conversations?{query}", Authorization=token) == 400


def test_the_side_doors_address_goes_away_with_the_server(tmp_path: Path) -> None:
    with JupyterServer(tmp_path) as server:
        assert list(server.runtime_dir.glob("streamchat-*.json"))
        server.stop()
        assert not list(server.runtime_dir.glob("streamchat-*.json"))
