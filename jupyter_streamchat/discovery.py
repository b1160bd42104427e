"""Find this kernel's own Jupyter server, by the file that its side door leaves."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import stat
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote, urlsplit

import msgspec
from jupyter_core.paths import jupyter_runtime_dir

DOOR_VARIABLE = "JUPYTER_STREAMCHAT_DOOR"
"""Names the door's file in the environment that a server gives to its kernels."""

PROBE_TIMEOUT_S = 1.0
"""A door is on the same machine: one that takes longer to answer is not there."""

_CONNECTION_FILE = re.compile(r"kernel-(?P<id>[A-Za-z0-9_.-]+)\.json")
_LOOPBACK = frozenset(["127.0.0.1", "localhost", "::1"])
_DOOR_FILE = re.compile(r"streamchat-(?P<pid>[0-9]{1,12})\.json")
_NO_CONTENT = 204
_NOT_FOUND = 404


class Door(msgspec.Struct, frozen=True):
    """The side door of a running server, as its file describes it."""

    url: str
    capability: str
    pid: int

    def __repr__(self) -> str:
        """Everything but the capability, which belongs into no traceback."""
        return f"Door(url={self.url!r}, pid={self.pid})"


class Address(msgspec.Struct, frozen=True):
    """Where a kernel opens its socket, and what it shows there."""

    url: str
    headers: dict[str, str]

    def __repr__(self) -> str:
        """The address without the headers, which are secret."""
        return f"Address(url={self.url!r})"


_door = msgspec.json.Decoder(Door)


def kernel_id() -> str | None:
    """The id of this kernel, from its connection file's name; None outside of a Jupyter kernel."""
    # Looked up, not imported: outside of a kernel there is no reason to load ipykernel.
    module = sys.modules.get("ipykernel.kernelapp")
    application = getattr(module, "IPKernelApp", None)
    if application is None or not application.initialized():
        return None
    found = _CONNECTION_FILE.fullmatch(Path(application.instance().connection_file).name)
    return found["id"] if found else None


async def find(
    kernel: str,
    *,
    environ: Mapping[str, str] = os.environ,
    runtime_dir: Path | None = None,
    parent: int | None = None,
) -> Address | None:
    """The address of the server that runs this kernel; None when no door says that it does.

    The door that the environment names comes first, then those whose process started this kernel,
    then all others, since an environment can be scrubbed and a kernel started through a wrapper.
    Every door is asked whether it runs the kernel, so one of another server is never taken.
    """
    runtime_dir = runtime_dir or Path(jupyter_runtime_dir())
    parents = {os.getppid() if parent is None else parent, _number(environ.get("JPY_PARENT_PID"))}
    named = environ.get(DOOR_VARIABLE)
    likely: list[Door] = []
    others: list[Door] = []
    for path in _files(runtime_dir, named):
        door = read_door(path)
        if door is None or door in likely or door in others:
            continue
        expected = door.pid in parents or str(path) == named
        (likely if expected else others).append(door)
    for door in likely:
        if await confirms(door, kernel):
            return address(door, kernel)
    answers = await asyncio.gather(*(confirms(door, kernel) for door in others))
    return next(
        (address(door, kernel) for door, yes in zip(others, answers, strict=True) if yes), None
    )


async def expected(
    kernel: str, *, environ: Mapping[str, str] = os.environ, parent: int | None = None
) -> bool:
    """Whether the server that started this kernel has a door, which may only be away for now.

    So it is where the environment names a door of our parent, or one that lives and gives no
    answer. A door that says that the kernel is not its own was inherited from somewhere else.
    """
    named = environ.get(DOOR_VARIABLE)
    if not named:
        return False
    door = read_door(Path(named))
    if door is not None:
        try:
            asked = get(address(door, kernel), f"/streamchat/kernel/{quote(kernel, safe='')}")
            status, _ = await asyncio.wait_for(asked, PROBE_TIMEOUT_S)
        except (OSError, ValueError, IndexError, asyncio.TimeoutError):
            return True
        return status != _NOT_FOUND
    parents = {os.getppid() if parent is None else parent, _number(environ.get("JPY_PARENT_PID"))}
    left = _DOOR_FILE.fullmatch(Path(named).name)
    return left is not None and int(left["pid"]) in parents


def address(door: Door, kernel: str) -> Address:
    """Where a kernel's socket is at this door."""
    return Address(
        url=f"ws{door.url.removeprefix('http')}/streamchat/ws?kernel_id={quote(kernel, safe='')}",
        headers={"Authorization": f"streamchat {door.capability}"},
    )


def read_door(path: Path) -> Door | None:
    """The door that a file describes; None for what is no file of a live server of ours."""
    try:
        with path.open("rb") as file:
            # Another user's file could lead prompts to another user's process.
            if hasattr(os, "getuid"):
                status = os.fstat(file.fileno())
                if status.st_uid != os.getuid() or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                    return None
            door = _door.decode(file.read(65536))
        if urlsplit(door.url).scheme != "http" or urlsplit(door.url).hostname not in _LOOPBACK:
            return None
        urlsplit(door.url).port  # noqa: B018 - raises ValueError where it is none
    except (OSError, ValueError, msgspec.DecodeError):
        return None
    return door if _alive(door.pid) else None


async def confirms(door: Door, kernel: str) -> bool:
    """Whether the server behind the door runs this kernel."""
    try:
        asked = get(address(door, kernel), f"/streamchat/kernel/{quote(kernel, safe='')}")
        status, _ = await asyncio.wait_for(asked, PROBE_TIMEOUT_S)
    except (OSError, ValueError, IndexError, asyncio.TimeoutError):
        return False
    return status == _NO_CONTENT


async def get(at: Address, path: str) -> tuple[int, bytes]:
    """Ask the door for something small; the status and the body."""
    parts = urlsplit(at.url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 80)
    try:
        head = [f"GET {path} HTTP/1.1", f"Host: {parts.netloc}", "Connection: close"]
        head += [f"{name}: {value}" for name, value in at.headers.items()]
        writer.write("\r\n".join([*head, "", ""]).encode("ascii"))
        answer = await reader.read()
        status_line, _, rest = answer.partition(b"\r\n")
        return int(status_line.split()[1]), rest.partition(b"\r\n\r\n")[2]
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def _files(runtime_dir: Path, named: str | None) -> Iterator[Path]:
    if named:
        yield Path(named)
    try:
        yield from sorted(runtime_dir.glob("streamchat-*.json"))
    except OSError:
        return


def _number(text: str | None) -> int:
    return int(text) if text is not None and text.isdigit() else -1


def _alive(pid: int) -> bool:
    # On Windows signal 0 is Ctrl-C; there the probe alone decides.
    if os.name == "nt":
        return True
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
