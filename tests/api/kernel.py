"""A real kernel that a real Jupyter server started, driven over its own sockets.

`with RunningKernel(server) as kernel:` starts it through the server's REST API; `kernel.run(code)`
executes a cell and returns what came of it, `kernel.start(code)` returns at once, and
`kernel.interrupt()` is the interrupt button. At the end the kernel is shut down.
"""

from __future__ import annotations

import http.cookiejar
import json
import time
import urllib.parse
import urllib.request
from typing import Any

import msgspec
from jupyter_client.blocking.client import BlockingKernelClient
from typing_extensions import Self

from tests.fakes.jupyter import JupyterServer

PATIENCE_S = 40.0


class Outcome(msgspec.Struct):
    """What one cell led to: `text` from its streams, outputs in order, its error's name."""

    text: str = ""
    outputs: list[dict[str, Any]] = []
    updates: dict[str, dict[str, Any]] = {}
    error: str = ""
    message: str = ""

    @property
    def data(self) -> list[dict[str, Any]]:
        """The mimebundles of the outputs."""
        return [output["data"] for output in self.outputs]


class RunningKernel:
    """One kernel; also a context manager."""

    def __init__(self, server: JupyterServer, *, password: str = "") -> None:
        self._rest: JupyterServer | _Browser = _Browser(server, password) if password else server
        self._runtime_dir = server.runtime_dir
        self.id = ""

    def run(self, code: str) -> Outcome:
        """Execute a cell and wait until it is done."""
        return self.result(self.start(code))

    def start(self, code: str) -> str:
        """Execute a cell; returns its message's id."""
        message: str = self._client.execute(code)
        return message

    def result(self, message: str) -> Outcome:
        """Wait until a cell is done."""
        outcome = Outcome()
        self.follow(message, outcome, until=_is_idle)
        return outcome

    def follow(self, message: str, outcome: Outcome, *, until: Any) -> None:
        """Take what belongs to a cell, until something wanted came."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            got = self._client.get_iopub_msg(timeout=max(0.1, deadline - time.monotonic()))
            if got["parent_header"].get("msg_id") != message:
                continue
            kind, content = got["msg_type"], got["content"]
            if kind == "stream":
                outcome.text += content["text"]
            elif kind in {"display_data", "execute_result"}:
                outcome.outputs.append(content)
            elif kind == "update_display_data":
                outcome.updates[content["transient"]["display_id"]] = content["data"]
            elif kind == "error":
                outcome.error, outcome.message = content["ename"], content["evalue"]
            if until(kind, content):
                return

    def until_text(self, message: str, text: str) -> Outcome:
        """Wait until the cell has printed this."""
        outcome = Outcome()
        self.follow(message, outcome, until=lambda _kind, _content: text in outcome.text)
        return outcome

    def interrupt(self) -> None:
        """Press the interrupt button."""
        self._rest.post(f"api/kernels/{self.id}/interrupt")

    def __enter__(self) -> Self:
        self.id = self._rest.post("api/kernels", {"name": "python3"})["id"]
        path = self._runtime_dir / f"kernel-{self.id}.json"
        self._client = BlockingKernelClient()
        self._client.load_connection_info(json.loads(path.read_text("utf-8")))
        # A kernel that is only slow misses heartbeats, and would be taken for dead.
        self._client.start_channels(hb=False)
        self._client.wait_for_ready(timeout=PATIENCE_S)
        return self

    def __exit__(self, *_: object) -> None:
        self._client.stop_channels()
        self._rest.delete(f"api/kernels/{self.id}")


class _Browser:
    """A server's REST API for a browser that has logged in with the password."""

    def __init__(self, server: JupyterServer, password: str) -> None:
        self._url = server.url
        self._jar = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self._jar))
        self._opener.open(f"{self._url}login", timeout=30).close()
        form = urllib.parse.urlencode({"password": password, "_xsrf": self._xsrf}).encode()
        self._opener.open(f"{self._url}login", form, timeout=30).close()

    def post(self, path: str, body: Any = None) -> Any:
        """Post JSON; returns the JSON of the answer."""
        return self._ask("POST", path, json.dumps(body or {}).encode())

    def delete(self, path: str) -> None:
        """Delete."""
        self._ask("DELETE", path)

    @property
    def _xsrf(self) -> str:
        return next(cookie.value for cookie in self._jar if cookie.name == "_xsrf") or ""

    def _ask(self, method: str, path: str, data: bytes | None = None) -> Any:
        request = urllib.request.Request(
            self._url + path, data=data, headers={"X-XSRFToken": self._xsrf}, method=method
        )
        with self._opener.open(request, timeout=60) as answer:
            return json.loads(answer.read() or b"null")


def _is_idle(kind: str, content: dict[str, Any]) -> bool:
    return kind == "status" and content["execution_state"] == "idle"
