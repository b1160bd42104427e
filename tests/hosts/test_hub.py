"""The relay behind a real JupyterHub: its prefix, its cookies, its tokens and its users."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from yarl import URL

from tests.api.kernel import RunningKernel
from tests.fakes.hub import HubServer, JupyterHub, alive
from tests.fakes.jupyter import RelaySocket
from tests.fakes.pictures import png
from tests.hosts.kit import Run, soon

GUEST = """
c.JupyterHub.load_roles += [
    {"name": "guest", "users": ["cyd"], "scopes": ["access:servers!user=ada"]},
]
"""

pytestmark = pytest.mark.timeout(150)


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterHub]:
    directory = tmp_path_factory.mktemp("hub")
    with JupyterHub(directory, users=["ada", "bob", "cyd"], config=GUEST) as made:
        yield made
        made.stop()
        assert len(made.processes) >= 3, "hub, proxy and server were watched"
        assert alive(made.processes) == []


@pytest.fixture(scope="module")
def ada(hub: JupyterHub) -> HubServer:
    return hub.spawn("ada")


async def opened(server: HubServer, **options: Any) -> RelaySocket:
    """A greeted socket through the hub's proxy."""
    connection = await connect(
        server.ws_url, subprotocols=["streamchat.v1"], proxy=None, compression=None, **options
    )
    socket = RelaySocket(connection)
    await socket.say(type="hello", client="test/1")
    await soon(socket.until(lambda frame: frame["type"] == "welcome"))
    return socket


async def refused(server: HubServer, **options: Any) -> int:
    """The status with which a handshake is answered; 101 if it is let in."""
    try:
        socket = await opened(server, **options)
    except InvalidStatus as error:
        return error.response.status_code
    await socket.close()
    return 101


async def visit(browser: aiohttp.ClientSession, server: HubServer) -> tuple[int, dict[str, str]]:
    """Open a page of the server, through the hub's login.

    Returns its status, and the headers that the browser then sends to the server's socket.
    """
    async with browser.get(f"{server.url}files/hello.txt") as page:
        status = page.status
    sent = browser.cookie_jar.filter_cookies(URL(server.url))
    cookie = "; ".join(f"{name}={morsel.value}" for name, morsel in sent.items())
    return status, {"Cookie": cookie}


def by_token(hub: JupyterHub, user: str) -> dict[str, str]:
    return {"Authorization": f"token {hub.token(user)}"}


async def test_a_browser_comes_through_the_proxy_by_cookie_and_origin(
    hub: JupyterHub, ada: HubServer
) -> None:
    async with await hub.browser("ada") as browser:
        status, headers = await visit(browser, ada)
        assert status == 200
        async with await opened(ada, additional_headers=headers, origin=hub.url) as socket:
            assert socket.frames[0]["user"] == "user:ada"
            run = Run(socket, "demo/echo")
            assert (await run.answer("through the proxy"))["type"] == "finish"
            assert "through the proxy" in run.text()
        assert await refused(ada, additional_headers=headers) == 403
        for foreign in ("http://evil.example", f"http://127.0.0.1:{hub.port + 1}"):
            assert await refused(ada, additional_headers=headers, origin=foreign) == 403
        async with browser.get(f"{ada.url}streamchat/models") as answer:
            assert (await answer.json())["default"] == "demo/fast"


async def test_a_page_uploads_and_shows_a_file_as_the_hub_wants_its_requests(
    hub: JupyterHub, ada: HubServer
) -> None:
    picture = png(255, 0, 0)
    url = f"{ada.url}streamchat/blobs/{hashlib.sha256(picture).hexdigest()}"
    fetch = {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "same-origin", "Origin": hub.url}
    shown = {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Site": "same-origin"}
    async with await hub.browser("ada") as browser:
        await visit(browser, ada)
        sent = browser.cookie_jar.filter_cookies(URL(ada.url))
        page = {**fetch, "X-XSRFToken": sent["_xsrf"].value}
        async with browser.put(url, data=picture, headers=fetch) as answer:
            assert answer.status == 403
        async with browser.put(url, data=picture, headers=page) as answer:
            assert answer.status == 201
        async with browser.head(url, headers=page) as answer:
            assert answer.status == 200
        async with browser.get(url, headers=shown) as answer:
            assert await answer.read() == picture
        async with browser.get(f"{ada.url}streamchat/usage", headers=fetch) as answer:
            assert answer.status == 403
        async with browser.get(f"{ada.url}streamchat/usage", headers=page) as answer:
            assert answer.status == 200


async def test_a_program_comes_through_the_proxy_with_a_token_of_the_hub(
    hub: JupyterHub, ada: HubServer
) -> None:
    async with await opened(ada, additional_headers=by_token(hub, "ada")) as socket:
        assert socket.frames[0]["user"] == "user:ada"
    assert await refused(ada, additional_headers={"Authorization": "token guess"}) == 403
    assert await refused(ada) == 403


async def test_another_user_of_the_hub_is_refused(hub: JupyterHub, ada: HubServer) -> None:
    assert await refused(ada, additional_headers=by_token(hub, "bob")) == 403
    async with await hub.browser("bob") as browser:
        status, headers = await visit(browser, ada)
        assert status == 403
        assert headers["Cookie"], "bob's browser was at ada's door"
        assert await refused(ada, additional_headers=headers, origin=hub.url) == 403
        async with browser.get(f"{ada.url}streamchat/models") as answer:
            assert answer.status == 403


async def test_a_kernel_and_the_browser_of_one_user_share_a_conversation(
    hub: JupyterHub, ada: HubServer
) -> None:
    async with await opened(ada, additional_headers=by_token(hub, "ada")) as socket:
        run = Run(socket, "demo/echo", "shared")
        await run.answer("from the browser")
        with RunningKernel(ada) as kernel:  # type: ignore[arg-type]
            hub.note_processes()
            outcome = kernel.run(
                "import os\n"
                "from jupyter_streamchat import Chat\n"
                "chat = Chat('demo/echo', conversation='shared')\n"
                "print(chat.messages[0].parts[0].text)\n"
                "print(chat.send('from the kernel').wait(20).state)"
            )
            assert (outcome.error, outcome.text) == ("", "from the browser\ndone\n")
        await soon(socket.until_event("finish"))
        assert "from the kernel" in socket.text


async def test_a_guest_whom_the_hub_lets_in_has_conversations_of_their_own(
    hub: JupyterHub, ada: HubServer
) -> None:
    async with (
        await opened(ada, additional_headers=by_token(hub, "ada")) as owner,
        await opened(ada, additional_headers=by_token(hub, "cyd")) as guest,
    ):
        assert guest.frames[0]["user"] == "user:cyd"
        run = Run(owner, "demo/slow", "private")
        await run.send("a secret of ada's")
        assert (await guest.ask(type="open", conversation="private"))["head"] == 0
        assert (await guest.ask(type="stop", run=run.id))["error"]["code"] == "not_found"
        await owner.ask(type="stop", run=run.id)
        assert (await run.end())["reason"] == "user"
