"""`jupyter streamchat`: conversations out of the database, into it, and away from it."""

from __future__ import annotations

import argparse
import base64
import sqlite3
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import IO

import msgspec
from jupyter_core.application import JupyterApp

from streamchat_relay.model import (
    Conversation,
    FilePart,
    Internal,
    MessageAdded,
    Part,
    document,
    fold,
)
from streamchat_relay.model.media import blob_digest
from streamchat_relay.model.reduce import replace
from streamchat_relay.protocol.codec import decode_event, encode
from streamchat_relay.stores.archive import Archived, archived, prune, put, unchanged
from streamchat_relay.stores.blobs import FileBlobs, blob_directory
from streamchat_relay.stores.database import database_path, open_database

FORMAT = 1
"""Of the exported lines."""
DAY_S = 86_400


class _Head(msgspec.Struct, kw_only=True):
    """The first line of a conversation; so many lines with its events follow."""

    streamchat: int
    user: str
    conversation: str
    changed: float
    events: int


class _Config(JupyterApp):
    """Reads what the server reads."""

    name = "jupyter_server"


def default_database() -> Path:
    """The file that a server with the same configuration uses."""
    app = _Config()
    app.load_config_file()
    return database_path(app.config.get("StreamChat", {}).get("database", ""))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    path = _database(asked)
    if asked.run is not _import and not path.exists():
        print(f"There are no conversations yet: {path} does not exist.", file=sys.stderr)
        return 1
    try:
        with closing(open_database(path, None)) as connection:
            code: int = asked.run(asked, connection)
    except (Internal, sqlite3.Error, OSError) as error:
        print(getattr(error, "message", None) or error, file=sys.stderr)
        return 1
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="jupyter streamchat",
        description="Keep, bring back and delete conversations. A server may run meanwhile.",
    )
    parser.add_argument("--database", type=Path, help="the file; default: the server's")
    commands = parser.add_subparsers(required=True, metavar="export | import | prune")
    export = commands.add_parser("export", help="write conversations to a file")
    export.add_argument("file", nargs="?", type=Path, help="default: standard output")
    export.add_argument(
        "--format",
        choices=("jsonl", "markdown"),
        default="jsonl",
        help="jsonl: everything, to be imported; markdown: to read",
    )
    export.add_argument("--conversation", action="append", default=[], help="its id; repeatable")
    export.add_argument("--user", help="the key of one user, such as user:ada")
    export.set_defaults(run=_export)
    bring = commands.add_parser("import", help="add what `export` wrote as jsonl")
    bring.add_argument("file", nargs="?", type=Path, help="default: standard input")
    bring.add_argument("--user", help="whose they shall be; default: whose they were")
    bring.set_defaults(run=_import)
    away = commands.add_parser("prune", help="delete what was not changed for long")
    away.add_argument("--older-than", type=float, required=True, metavar="DAYS")
    away.add_argument("--dry-run", action="store_true", help="only say what would go")
    away.set_defaults(run=_prune)
    return parser


def _export(asked: argparse.Namespace, connection: sqlite3.Connection) -> int:
    write = partial(_lines, _blobs(asked)) if asked.format == "jsonl" else _markdown
    found = set()

    def chosen() -> Iterator[Archived]:
        for one in archived(connection, user=asked.user, ids=asked.conversation):
            found.add(one.conversation)
            yield one

    if asked.file is None:
        write(chosen(), sys.stdout.buffer)
    else:
        # Mode 0600: a chat is nobody else's.
        asked.file.touch(mode=0o600)
        with asked.file.open("wb") as file:
            write(chosen(), file)
    missing = set(asked.conversation) - found
    if missing:
        print(f"There is no conversation {', '.join(sorted(missing))}.", file=sys.stderr)
    return 1 if missing else 0


def _inlined(blobs: FileBlobs, user: str, event: bytes) -> bytes:
    """An encoded event with its files themselves in the place of their addresses."""
    added = decode_event(event) if b'"blob:sha256/' in event else None
    if not isinstance(added, MessageAdded):
        return event
    parts: list[Part] = []
    for part in added.message.parts:
        digest = blob_digest(part.url) if isinstance(part, FilePart) else None
        data = blobs.bytes_of(user, digest) if digest else None
        if data is None or not isinstance(part, FilePart):
            parts.append(part)
            continue
        url = f"data:{part.media_type};base64,{base64.b64encode(data).decode()}"
        parts.append(replace(part, url=url, size=0))
    return encode(replace(added, message=replace(added.message, parts=tuple(parts))))


def _lines(blobs: FileBlobs, conversations: Iterator[Archived], file: IO[bytes]) -> None:
    for one in conversations:
        head = _Head(
            streamchat=FORMAT,
            user=one.user,
            conversation=one.conversation,
            changed=one.changed,
            events=len(one.events),
        )
        file.write(msgspec.json.encode(head) + b"\n")
        for event in one.events:
            # Where it is imported the files of this server are not.
            file.write(_inlined(blobs, one.user, event) + b"\n")


def _markdown(conversations: Iterator[Archived], file: IO[bytes]) -> None:
    rule = ""
    for one in conversations:
        events = (event for event in map(decode_event, one.events) if event is not None)
        written = document(fold(Conversation(), events))
        file.write(f"{rule}{written}\n".encode())
        rule = "---\n\n"


def _import(asked: argparse.Namespace, connection: sqlite3.Connection) -> int:
    with asked.file.open("rb") if asked.file else sys.stdin.buffer as file:
        try:
            # All of it is read before anything is written: half an import helps nobody.
            read = list(_read(file))
        except (msgspec.MsgspecError, ValueError) as error:
            print(f"This is not what `jupyter streamchat export` wrote: {error}", file=sys.stderr)
            return 1
    added = 0
    for one in read:
        owned = msgspec.structs.replace(one, user=asked.user or one.user)
        if put(connection, owned):
            added += 1
        else:
            print(f"Conversation {one.conversation} is there already: kept.", file=sys.stderr)
    print(f"Imported {added} of {len(read)} conversations.")
    return 0


def _read(file: IO[bytes]) -> Iterator[Archived]:
    decode = msgspec.json.Decoder(_Head).decode
    number = 0
    for line in file:
        number += 1
        try:
            head = decode(line)
        except msgspec.MsgspecError as error:
            raise ValueError(f"line {number}: {error}") from None
        if head.streamchat > FORMAT:
            raise ValueError(f"line {number}: a newer version wrote it. Upgrade.")
        events = []
        for _ in range(head.events):
            number += 1
            event = file.readline().rstrip(b"\n")
            try:
                decode_event(event)
            except msgspec.MsgspecError as error:
                raise ValueError(f"line {number}: {error}") from None
            events.append(event)
        yield Archived(
            user=head.user, conversation=head.conversation, changed=head.changed, events=events
        )


def _prune(asked: argparse.Namespace, connection: sqlite3.Connection) -> int:
    before = time.time() - asked.older_than * DAY_S
    if asked.dry_run:
        print(f"{unchanged(connection, before)} conversations would be deleted.")
        return 0
    print(f"Deleted {prune(connection, before)} conversations.")
    unused = list(_blobs(asked).unused(connection))
    for path in unused:
        path.unlink(missing_ok=True)
    if unused:
        print(f"Deleted {len(unused)} files that no conversation holds any more.")
    return 0


def _blobs(asked: argparse.Namespace) -> FileBlobs:
    return FileBlobs(blob_directory(_database(asked)))


def _database(asked: argparse.Namespace) -> Path:
    path: Path | None = asked.database
    return path.expanduser() if path else default_database()


if __name__ == "__main__":
    raise SystemExit(main())
