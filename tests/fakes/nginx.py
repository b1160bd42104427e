"""A real nginx before a port, configured as its own documentation says for WebSockets.

`with Nginx(directory, to=server.port, read_timeout_s=60) as proxy:` listens on `proxy.port`. It has
everything switched on that could hold a stream back: gzip, buffering. What begins with `/mute` goes
to the port `mute`. It comes with `scripts/debian-packages`.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

from typing_extensions import Self

from tests.fakes.jupyter import free_port

_CONFIGURATION = """
daemon off;
worker_processes 1;
pid nginx.pid;
error_log error.log;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  gzip on; gzip_min_length 1; gzip_types *; gzip_proxied any;
  proxy_buffering on;
  proxy_http_version 1.1;
  proxy_set_header Host $http_host;
  proxy_set_header Upgrade $http_upgrade;
  proxy_set_header Connection "upgrade";
  proxy_read_timeout {timeout}ms;
  proxy_send_timeout {timeout}ms;
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass http://127.0.0.1:{to}; }}
    location /mute {{ proxy_pass http://127.0.0.1:{mute}; }}
  }}
}}
"""


def nginx() -> str:
    """Where it is; outside of root's PATH too."""
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
    found = shutil.which("nginx", path=path)
    assert found, "These tests want nginx: run scripts/debian-packages, or install it otherwise."
    return found


class Nginx:
    """One nginx; also a context manager."""

    def __init__(self, directory: Path, *, to: int, read_timeout_s: float, mute: int = 9) -> None:
        self.port = free_port()
        self._directory = directory
        self._text = _CONFIGURATION.format(
            port=self.port, to=to, mute=mute, timeout=round(read_timeout_s * 1000)
        )
        self._process: subprocess.Popen[bytes]

    def __enter__(self) -> Self:
        self._directory.mkdir(exist_ok=True)
        (self._directory / "nginx.conf").write_text(self._text, "utf-8")
        with (self._directory / "output.log").open("wb") as log:
            self._process = subprocess.Popen(
                [nginx(), "-p", str(self._directory), "-c", "nginx.conf"],
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + 20
        while not self._listens():
            said = "".join(path.read_text() for path in self._directory.glob("*.log"))
            assert self._process.poll() is None, said
            assert time.monotonic() < deadline, said
            time.sleep(0.02)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(20)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0
