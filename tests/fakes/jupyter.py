"""A real Jupyter server in a process of its own, with directories of its own.

`with JupyterServer(tmp_path) as server:` starts it on a free port with a token and the relay
enabled. Pass `config` for traitlets (`{"StreamChat": {"database": ":memory:"}}`), `environ` for
more environment, `application="lab"` for JupyterLab, `front_ends=True` for a
server with its extensions all the same, `token=""` for another way to log in,
`command` for a program of your own that becomes a server and passes its arguments on to it.
`restart()` keeps directories and port; `kill()` is SIGKILL.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from typing_extensions import Self
from websockets.asyncio.client import ClientConnection, connect

TOKEN = "t" * 40
_STARTS_S = 60.0
_TRIES = 4
_FRONT_ENDS = ("jupyterlab", "notebook", "notebook_shim", "jupyter_lsp", "jupyter_server_terminals")
"""Extensions that a server without a page does not need; they take a third of its start."""
_PROVIDERS = (
    "ANTHROPIC_", "GEMINI_", "GOOGLE_", "GROQ_", "OLLAMA_", "OPENAI_", "TGI_", "VLLM_",
)  # fmt: skip


class JupyterServer:
    """One server; also a context manager."""

    def __init__(
        self,
        directory: Path,
        *,
        application: str = "server",
        base_url: str = "/",
        token: str = TOKEN,
        config: dict[str, Any] | None = None,
        environ: dict[str, str] | None = None,
        command: Sequence[str] | None = None,
        front_ends: bool = False,
    ) -> None:
        self.directory = directory
        self.base_url = base_url
        self.token = token
        self.port = free_port()
        self.log_path = directory / "server.log"
        self._bare = command is None and application == "server" and not front_ends
        self._command = command or [sys.executable, "-m", "jupyter", application]
        self._process: subprocess.Popen[bytes] | None = None
        self._has_answered = False
        own = clean_environ(directory)
        self._environ = {**own, **(environ or {})}
        # The tests' own come too: a checkout may be tested that is not the one installed.
        paths = [named["PYTHONPATH"] for named in (environ or {}, own) if "PYTHONPATH" in named]
        if paths:
            self._environ["PYTHONPATH"] = os.pathsep.join(paths)
        self._config = config or {}

    @property
    def url(self) -> str:
        """Where pages live, with the base URL."""
        return f"http://127.0.0.1:{self.port}{self.base_url}"

    @property
    def ws_url(self) -> str:
        """Where the relay's socket is."""
        return f"ws://127.0.0.1:{self.port}{self.base_url}streamchat/ws"

    @property
    def log(self) -> str:
        """What the server wrote."""
        return self.log_path.read_text("utf-8") if self.log_path.exists() else ""

    @property
    def runtime_dir(self) -> Path:
        """Where the side door's file is."""
        return Path(self._environ["JUPYTER_RUNTIME_DIR"])

    @property
    def pid(self) -> int:
        """The server's process."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> Self:
        """Start and wait until it answers.

        Another process may take the port before the server does. Then another port is taken,
        unless the server has answered at this one before: who knows it comes back to it.
        """
        for _ in range(_TRIES):
            said = len(self.log)
            if self._launch():
                self._has_answered = True
                return self
            if not re.search(rf"port {self.port} is (already in use|not avail)", self.log[said:]):
                break
            if not self._has_answered:
                self.port = free_port()
        raise AssertionError(f"No server:\n{self.log}")

    def _launch(self) -> bool:
        """Start the process; true once it answers, false if it ended instead."""
        path = self.directory / "jupyter_config.json"
        path.write_text(json.dumps(self._configuration()), "utf-8")
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                [*self._command, f"--config={path}"],
                env=self._environ,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.directory,
            )
        deadline = time.monotonic() + _STARTS_S
        # Who answers at the port may be somebody else; this file only our server writes.
        own = self.runtime_dir / f"jpserver-{self.pid}.json"
        while self._process.poll() is None:
            if own.exists() and self._answers():
                return True
            if time.monotonic() > deadline:
                self.kill()
                raise AssertionError(f"No answer of the server:\n{self.log}")
            time.sleep(0.05)
        return False

    def _configuration(self) -> dict[str, Any]:
        return {
            "ServerApp": {
                "port": self.port,
                "port_retries": 0,
                "ip": "127.0.0.1",
                "open_browser": False,
                "allow_root": True,
                "base_url": self.base_url,
                "root_dir": str(self.directory / "work"),
                **(
                    {"jpserver_extensions": dict.fromkeys(_FRONT_ENDS, False)} if self._bare else {}
                ),
                **self._config.get("ServerApp", {}),
            },
            "IdentityProvider": {"token": self.token, **self._config.get("IdentityProvider", {})},
            **{
                name: value
                for name, value in self._config.items()
                if name not in {"ServerApp", "IdentityProvider"}
            },
        }

    def _answers(self) -> bool:
        try:
            self.status("api")
        except OSError:
            return False
        return True

    def stop(self) -> None:
        """End it as Ctrl-C twice would."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def kill(self) -> None:
        """End it without a chance to save anything."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def restart(self) -> None:
        """Stop and start again, with the same directories and port."""
        self.stop()
        self.start()

    def get(self, path: str) -> Any:
        """Ask over HTTP with the token; returns the JSON of the answer."""
        headers = {"Authorization": f"token {self.token}"}
        request = urllib.request.Request(self.url + path, headers=headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read())

    def status(self, path: str, **headers: str) -> int:
        """Ask over HTTP with these headers only; returns the status."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", self.base_url + path, headers=headers)
            return connection.getresponse().status
        finally:
            connection.close()

    def post(self, path: str, body: Any = None) -> Any:
        """Post JSON with the token; returns the JSON of the answer."""
        request = urllib.request.Request(
            self.url + path,
            data=json.dumps(body or {}).encode(),
            headers={"Authorization": f"token {self.token}"},
            method="POST",
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read() or b"null")

    def delete(self, path: str) -> None:
        """Delete with the token."""
        request = urllib.request.Request(
            self.url + path, headers={"Authorization": f"token {self.token}"}, method="DELETE"
        )
        with urllib.request.urlopen(request, timeout=60):
            pass

    def login_cookie(self) -> str:
        """The cookie that a browser has after logging in with the token."""
        with urllib.request.urlopen(f"{self.url}api/me?token={self.token}") as answer:
            cookies = answer.headers.get_all("Set-Cookie") or []
        return "; ".join(re.split(";", cookie, maxsplit=1)[0] for cookie in cookies)

    async def socket(self, *, hello: bool = True, **options: Any) -> RelaySocket:
        """A socket to the relay, greeted unless told otherwise."""
        options.setdefault(
            "additional_headers", {"Authorization": f"token {self.token}"} if self.token else {}
        )
        made = RelaySocket(
            await connect(
                options.pop("url", self.ws_url),
                subprotocols=["streamchat.v1"],
                proxy=None,
                compression=options.pop("compression", None),
                max_size=None,
                **options,
            )
        )
        if hello:
            await made.say(type="hello", client="test/1")
            await made.until(lambda frame: frame["type"] == "welcome")
        return made

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


class RelaySocket:
    """A client's socket that remembers every frame it got."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.frames: list[dict[str, Any]] = []

    async def say(self, **frame: Any) -> None:
        """Send one frame."""
        await self.connection.send(json.dumps(frame))

    async def ask(self, **frame: Any) -> dict[str, Any]:
        """Send a request and wait for its answer."""
        frame.setdefault("id", f"q{len(self.frames)}")
        await self.say(**frame)
        return await self.until(lambda got: got.get("id") == frame["id"])

    async def prompt(self, conversation: str, run: str, text: str, **fields: Any) -> dict[str, Any]:
        """Send a prompt, or a whole `message`, and wait for the answer to the request."""
        fields.setdefault("message", {"parts": [{"type": "text", "text": text}]})
        return await self.ask(type="send", conversation=conversation, run=run, **fields)

    async def until(self, wanted: Any) -> dict[str, Any]:
        """Read frames until one is wanted; returns it."""
        while True:
            frame = json.loads(await self.connection.recv())
            self.frames.append(frame)
            if wanted(frame):
                return frame

    async def until_event(self, *kinds: str, run: str | None = None) -> dict[str, Any]:
        """Read frames until an event of these types (of this run) came; returns the event."""
        found: list[dict[str, Any]] = []

        def wanted(frame: dict[str, Any]) -> bool:
            if frame["type"] == "events":
                found.extend(
                    event
                    for event in frame["events"]
                    if event["type"] in kinds and run in {None, event.get("run")}
                )
            return bool(found)

        await self.until(wanted)
        return found[0]

    @property
    def text(self) -> str:
        """All text that came, whatever the run."""
        return "".join(
            event["delta"]
            for frame in self.frames
            if frame["type"] == "events"
            for event in frame["events"]
            if event["type"] == "text-delta"
        )

    async def close(self) -> None:
        """Close the socket."""
        await self.connection.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def free_port() -> int:
    """A port of 127.0.0.1 that nobody has at the moment; somebody may before you do."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def clean_environ(directory: Path) -> dict[str, str]:
    """An environment in which Jupyter finds nothing of the user's, and no provider."""
    environ = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("JUPYTER", "JPY_", *_PROVIDERS))
        and not name.lower().endswith("_proxy")
    }
    for name in ("config", "data", "runtime", "work", "home"):
        (directory / name).mkdir(parents=True, exist_ok=True)
    environ.update(
        HOME=str(directory / "home"),
        JUPYTER_CONFIG_DIR=str(directory / "config"),
        JUPYTER_DATA_DIR=str(directory / "data"),
        JUPYTER_RUNTIME_DIR=str(directory / "runtime"),
        IPYTHONDIR=str(directory / "home" / "ipython"),
        PATH=f"{Path(sys.executable).parent}{os.pathsep}{environ.get('PATH', '')}",
        # Nothing listens there: a test must not meet the Ollama of the machine it runs on.
        OLLAMA_HOST="127.0.0.1:9",
    )
    return environ
