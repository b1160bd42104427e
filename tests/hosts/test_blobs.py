"""Files of prompts over HTTP: who may put and see which, and what comes of them."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import http.client
import json
import re
import stat
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from streamchat_relay.model import TooLarge
from streamchat_relay.stores import FileBlobs, MemoryBlobs
from tests.fakes.jupyter import JupyterServer
from tests.fakes.pictures import png
from tests.fakes.provider_server import ProviderServer, running_provider_server
from tests.fakes.recordings import MP3, wav
from tests.hosts.kit import Run, next_call

RED, BLUE, GREEN = png(255, 0, 0), png(0, 0, 255), png(0, 255, 0)
MOST = 1024 * 1024


class Answered(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def asked(
    server: JupyterServer,
    method: str,
    sha256: str,
    body: bytes | Iterable[bytes] | None = None,
    **headers: str,
) -> Answered:
    """Ask for a blob, with the token unless the headers say who asks."""
    if not {"Authorization", "Cookie", "Nobody"} & headers.keys():
        headers["Authorization"] = f"token {server.token}"
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        path = f"{server.base_url}streamchat/blobs/{sha256}"
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return Answered(answer.status, answer.headers, answer.read())
    finally:
        connection.close()


@pytest.fixture(scope="module")
def provider() -> Iterator[ProviderServer]:
    with running_provider_server() as server:
        yield server


@pytest.fixture(scope="module")
def server(
    provider: ProviderServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[JupyterServer]:
    """It takes files of a MiB."""
    with JupyterServer(
        tmp_path_factory.mktemp("blobs"),
        config={"StreamChat": {"max_file_mib": MOST / 2**20}},
        environ={
            "OPENAI_BASE_URL": provider.openai_url,
            "OPENAI_API_KEY": "sk-none",
            "ANTHROPIC_BASE_URL": provider.anthropic_url,
            "ANTHROPIC_API_KEY": "sk-none",
        },
    ) as made:
        yield made


def test_a_file_is_uploaded_once_and_comes_back_as_harmless_as_it_is(server: JupyterServer) -> None:
    name = digest(RED)
    assert asked(server, "HEAD", name).status == 404
    assert asked(server, "GET", name).status == 404
    first = asked(server, "PUT", name, RED)
    assert first.status == 201
    assert first.json == {
        "type": "file",
        "url": f"blob:sha256/{name}",
        "media_type": "image/png",
        "size": len(RED),
    }
    again = asked(server, "PUT", name, RED)
    assert (again.status, again.json) == (200, first.json)
    for method in ("HEAD", "GET"):
        answer = asked(server, method, name)
        assert answer.status == 200
        assert answer.body == (RED if method == "GET" else b"")
        assert answer.headers["Content-Length"] == str(len(RED))
        assert answer.headers["Content-Type"] == "image/png"
        assert answer.headers["Content-Disposition"] == "inline"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_audio_is_kept_and_comes_in_the_pieces_that_a_player_asks_for(
    server: JupyterServer,
) -> None:
    tone = wav(0.1)
    assert asked(server, "PUT", digest(tone), tone).json["media_type"] == "audio/wav"
    assert asked(server, "PUT", digest(MP3), MP3).json["media_type"] == "audio/mpeg"
    whole = asked(server, "GET", digest(tone))
    assert (whole.status, whole.body) == (200, tone)
    assert whole.headers["Content-Type"] == "audio/wav"
    assert whole.headers["Accept-Ranges"] == "bytes"
    size = len(tone)
    for given, first, last in [("0-3", 0, 3), ("100-", 100, size - 1), ("-8", size - 8, size - 1)]:
        piece = asked(server, "GET", digest(tone), Range=f"bytes={given}")
        assert (piece.status, piece.body) == (206, tone[first : last + 1])
        assert piece.headers["Content-Range"] == f"bytes {first}-{last}/{size}"
    for odd in (f"bytes={size}-", "bytes=-", "bytes=-0", "bytes=5-2", "bytes=0-1,3-4", "lines=0-1"):
        assert asked(server, "GET", digest(tone), Range=odd).status == 200


@pytest.mark.parametrize(
    "text",
    [b"<script>alert(1)</script>", b"<svg xmlns='http://www.w3.org/2000/svg' onload='x'/>"],
    ids=["html", "svg"],
)
def test_what_a_browser_would_run_comes_back_as_text_to_keep(
    server: JupyterServer, text: bytes
) -> None:
    answer = asked(server, "PUT", digest(text), text, **{"Content-Type": "image/svg+xml"})
    assert answer.json["media_type"] == "text/plain"
    shown = asked(server, "GET", digest(text)).headers
    assert shown["Content-Type"] == "text/plain; charset=utf-8"
    assert shown["Content-Disposition"] == "attachment"


def test_what_is_not_what_its_name_says_is_not_kept(server: JupyterServer) -> None:
    name = digest(b"something else")
    answer = asked(server, "PUT", name, RED)
    assert answer.status == 400
    assert "damaged" in answer.json["message"]
    assert asked(server, "HEAD", name).status == 404
    for odd in ("abc", "..%2f..%2fjupyter_config.json", name.upper()):
        assert asked(server, "PUT", odd, RED).status == 404


@pytest.mark.parametrize("framing", ["with its length", "in chunks"])
def test_what_is_too_large_is_refused_in_words_and_the_limit_itself_is_taken(
    server: JupyterServer, framing: str
) -> None:
    fits = b"x" * MOST
    body = iter([fits, b"x"]) if framing == "in chunks" else fits + b"x"
    answer = asked(server, "PUT", digest(fits + b"x"), body)
    assert answer.status == 413
    assert "larger than 1 MiB" in answer.json["message"]
    assert asked(server, "HEAD", digest(fits + b"x")).status == 404
    assert asked(server, "PUT", digest(fits), fits).status in {200, 201}


@pytest.mark.parametrize(
    "data", [b"PK\x03\x04\xff\xfe", bytes(64), b"\xff\xfeh\0i\0", b""], ids=repr
)
def test_what_models_cannot_read_is_refused_in_words(server: JupyterServer, data: bytes) -> None:
    answer = asked(server, "PUT", digest(data), data, **{"Content-Type": "image/png"})
    assert answer.status == 415
    assert "PDFs, audio (WAV, MP3) and text" in answer.json["message"]
    assert asked(server, "HEAD", digest(data)).status == 404


def test_all_files_of_a_user_are_bounded_and_what_is_there_stays(tmp_path: Path) -> None:
    config = {"StreamChat": {"max_files_mib": 1 / 64}}
    with JupyterServer(tmp_path, config=config) as small:
        first, second = (letter * 9_000 for letter in (b"a", b"b"))
        assert asked(small, "PUT", digest(first), first).status == 201
        refused = asked(small, "PUT", digest(second), second)
        assert refused.status == 413
        assert "more than the 0.015625 MiB" in refused.json["message"]
        assert "Delete conversations" in refused.json["message"]
        assert asked(small, "HEAD", digest(second)).status == 404
        # What is there already takes no more.
        assert asked(small, "PUT", digest(first), first).status == 200
        third = b"c" * 6_000
        assert asked(small, "PUT", digest(third), third).status == 201


@pytest.mark.parametrize("kind", ["files", "memory"])
async def test_uploads_at_once_stay_within_the_bound_and_others_have_their_own(
    tmp_path: Path, kind: str
) -> None:
    blobs = (
        FileBlobs(tmp_path / "blobs", most_bytes=1_000)
        if kind == "files"
        else MemoryBlobs(most_bytes=1_000)
    )
    datas = [bytes([65 + number]) * 300 for number in range(8)]
    done = await asyncio.gather(
        *(blobs.keep("ada", digest(data), data) for data in datas), return_exceptions=True
    )
    assert [type(one) for one in done].count(TooLarge) == 5
    there = [await blobs.find("ada", digest(data)) is not None for data in datas]
    assert there.count(True) == 3
    await blobs.keep("bob", digest(datas[0]), datas[0])


def test_without_a_login_nothing_is_kept_and_nothing_shown(server: JupyterServer) -> None:
    asked(server, "PUT", digest(RED), RED)
    for headers in ({"Nobody": ""}, {"Authorization": "token wrong"}):
        assert asked(server, "PUT", digest(BLUE), BLUE, **headers).status == 403
        assert asked(server, "GET", digest(RED), **headers).status == 403
        assert asked(server, "HEAD", digest(RED), **headers).status == 403
    assert asked(server, "HEAD", digest(BLUE)).status == 404


def test_a_page_needs_the_xsrf_token_that_only_pages_of_this_server_can_read(
    server: JupyterServer,
) -> None:
    login = server.login_cookie()
    # As the 404 page sets it, which renders a template as all pages do.
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("GET", f"{server.base_url}nowhere", headers={"Cookie": login})
    found = re.search(r"_xsrf=([^;]+)", connection.getresponse().headers["Set-Cookie"] or "")
    connection.close()
    assert found is not None
    cookie = f"{login}; _xsrf={found[1]}"
    own = f"http://127.0.0.1:{server.port}"
    name = digest(GREEN)
    refused = asked(server, "PUT", name, GREEN, Cookie=cookie, Origin=own)
    # A proxy must not send the next request there.
    assert (refused.status, refused.headers["Connection"]) == (403, "close")
    forged = {"Cookie": cookie, "Origin": own, "X-XSRFToken": "2|0|0|0"}
    assert asked(server, "PUT", name, GREEN, **forged).status == 403
    foreign = {"Cookie": cookie, "Origin": "http://evil.example", "X-XSRFToken": found[1]}
    assert asked(server, "PUT", name, GREEN, **foreign).status in {403, 404}
    assert asked(server, "HEAD", name).status == 404
    page = {"Cookie": cookie, "Origin": own, "X-XSRFToken": found[1]}
    assert asked(server, "PUT", name, GREEN, **page).status == 201


def test_files_are_readable_by_their_owner_alone(server: JupyterServer) -> None:
    asked(server, "PUT", digest(RED), RED)
    (path,) = server.directory.rglob(digest(RED))
    assert path.read_bytes() == RED
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.parent.parent.stat().st_mode) == 0o700
    assert not list(path.parent.glob(".*"))


async def test_the_greeting_tells_how_large_a_file_may_be(server: JupyterServer) -> None:
    async with await server.socket() as socket:
        assert socket.frames[0]["limits"]["max_blob_bytes"] == MOST


def put(server: JupyterServer, data: bytes) -> dict[str, Any]:
    part: dict[str, Any] = asked(server, "PUT", digest(data), data).json
    return part


async def test_a_prompt_refers_to_a_file_and_each_provider_gets_its_bytes(
    server: JupyterServer, provider: ProviderServer
) -> None:
    part = put(server, RED)
    encoded = base64.b64encode(RED).decode()
    expected = {
        "openai/fake-1": {"url": f"data:image/png;base64,{encoded}"},
        "anthropic/claude-fake-2": {
            "type": "base64",
            "media_type": "image/png",
            "data": encoded,
        },
    }
    for model, picture in expected.items():
        async with await server.socket() as socket:
            run = Run(socket, model)
            before = len(provider.calls)
            message = {"parts": [part, {"type": "text", "text": "Which colour?"}]}
            answer = await run.send(message=message)
            assert answer["type"] == "ok", answer
            call = await next_call(provider, before)
            told = call.json["messages"][-1]["content"][0]
            assert picture in told.values()
            await run.end()
            # What a page reads again is as small as what it sent.
            frames = json.dumps(socket.frames)
            assert part["url"] in frames
            assert encoded[:64] not in frames


async def test_a_file_that_was_not_uploaded_is_refused_before_anything_is_logged(
    server: JupyterServer,
) -> None:
    unknown = {"type": "file", "url": f"blob:sha256/{'0' * 64}", "media_type": "image/png"}
    odd = {**unknown, "url": "blob:http://127.0.0.1/a-page"}
    async with await server.socket() as socket:
        for part in (unknown, odd):
            run = Run(socket, "demo/fast")
            refused = await run.send(message={"parts": [{**part, "name": "plot.png"}]})
            assert refused["error"]["code"] == "bad_request"
            assert "plot.png is not known here: upload it first" in refused["error"]["message"]
            opened = await socket.ask(type="open", conversation=run.conversation)
            assert opened["head"] == 0


async def test_a_file_is_its_owners_and_for_others_it_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "names.py").write_text(
        textwrap.dedent(
            """
            from jupyter_server.auth import IdentityProvider, User

            class Names(IdentityProvider):
                def get_user(self, handler):
                    token = self.get_token(handler)
                    if token not in ("ada", "bob"):
                        return None
                    handler._token_authenticated = True
                    return User(token)
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
    ) as named:
        part = put(named, RED)
        bob = {"Authorization": "token bob"}
        assert asked(named, "GET", digest(RED), **bob).status == 404
        assert asked(named, "HEAD", digest(RED), **bob).status == 404
        async with await named.socket(additional_headers=bob) as socket:
            refused = await Run(socket, "demo/fast").send(message={"parts": [part]})
            assert refused["error"]["code"] == "bad_request"
        # Nor can he learn by uploading it whether it was there.
        assert asked(named, "PUT", digest(RED), RED, **bob).status == 201
        assert asked(named, "PUT", digest(RED), RED).status == 200
