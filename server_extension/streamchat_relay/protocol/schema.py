"""The wire's JSON Schema and TypeScript types, generated from the frames.

`python -m streamchat_relay.protocol.schema [--check]` writes (or compares) both files.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any, get_args

import msgspec
from msgspec import inspect

from streamchat_relay.model import Event
from streamchat_relay.protocol.frames import (
    MAX_FRAME_BYTES,
    SUBPROTOCOL,
    ClientFrame,
    Ok,
    ServerFrame,
)

_UNIONS: dict[str, Any] = {
    "Event": Event,
    "ClientFrame": ClientFrame,
    "Ok": Ok,
    "ServerFrame": ServerFrame,
}


def json_schema() -> dict[str, Any]:
    """The wire as JSON Schema 2020-12: every frame and value under `$defs`."""
    members = [
        *get_args(ClientFrame),
        *(kind for kind in get_args(ServerFrame) if kind not in get_args(ClientFrame)),
    ]
    _, components = msgspec.json.schema_components(members, ref_template="#/$defs/{name}")
    defs: dict[str, Any] = dict(sorted(components.items()))
    for name, union in _UNIONS.items():
        defs[name] = {"anyOf": [{"$ref": f"#/$defs/{kind.__name__}"} for kind in get_args(union)]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": SUBPROTOCOL,
        "$defs": defs,
    }


def typescript() -> str:
    """The same as TypeScript types, all `readonly`."""
    structs: dict[str, inspect.StructType] = {}
    pending = [inspect.type_info(kind) for union in _UNIONS.values() for kind in get_args(union)]
    for kind in pending:
        if isinstance(kind, inspect.StructType) and kind.cls.__name__ not in structs:
            structs[kind.cls.__name__] = kind
            pending.extend(_inside(field.type) for field in kind.fields)
        elif isinstance(kind, inspect.UnionType):
            pending.extend(kind.types)
        elif isinstance(kind, inspect.DictType):
            pending.append(_inside(kind.value_type))
    lines = [
        "// Generated from protocol/frames by `python -m streamchat_relay.protocol.schema`.",
        "// Do not edit: a test fails when this file and its source differ.",
        "",
        f'export const SUBPROTOCOL = "{SUBPROTOCOL}";',
        f"export const MAX_FRAME_BYTES = {MAX_FRAME_BYTES};",
    ]
    for name, struct in sorted(structs.items()):
        lines += ["", *_doc(struct.cls.__doc__), f"export interface {name} {{"]
        if struct.tag is not None:
            lines.append(f"  readonly {struct.tag_field}: {json.dumps(struct.tag)};")
        for field in struct.fields:
            config = struct.cls.__struct_config__
            optional = "?" if config.omit_defaults and not field.required else ""
            lines.append(f"  readonly {field.encode_name}{optional}: {_type(field.type)};")
        lines.append("}")
    for name, union in _UNIONS.items():
        names = " | ".join(kind.__name__ for kind in get_args(union))
        lines += ["", f"export type {name} = {names};"]
    return "\n".join(lines) + "\n"


def _doc(text: str | None) -> list[str]:
    return ["/**", *(f" * {line.strip()}".rstrip() for line in (text or "").splitlines()), " */"]


def _inside(kind: inspect.Type) -> inspect.Type:
    if isinstance(kind, inspect.VarTupleType | inspect.ListType):
        return _inside(kind.item_type)
    return kind


def _type(kind: inspect.Type) -> str:
    match kind:
        case inspect.StrType():
            return "string"
        case inspect.IntType() | inspect.FloatType():
            return "number"
        case inspect.BoolType():
            return "boolean"
        case inspect.NoneType():
            return "null"
        case inspect.AnyType():
            return "unknown"
        case inspect.LiteralType(values=values):
            return " | ".join(json.dumps(value) for value in sorted(values, key=str))
        case inspect.StructType(cls=cls):
            return cls.__name__
        case inspect.UnionType(types=types):
            names = list(dict.fromkeys(_type(one) for one in types))
            return " | ".join(names)
        case inspect.VarTupleType(item_type=item) | inspect.ListType(item_type=item):
            return f"ReadonlyArray<{_type(item)}>"
        case inspect.DictType(value_type=value):
            return f"Readonly<Record<string, {_type(value)}>>"
        case _:
            raise TypeError(f"The wire has no {kind}.")


def files(root: Path) -> dict[Path, str]:
    """The generated files of a checkout at `root` with what they should hold."""
    return {
        root / "docs" / "protocol.schema.json": json.dumps(json_schema(), indent=2) + "\n",
        root / "js" / "src" / "protocol" / "frames.gen.ts": typescript(),
    }


def main(arguments: list[str] | None = None) -> int:
    """Write the generated files, or with `--check` say which differ."""
    parser = argparse.ArgumentParser(prog="python -m streamchat_relay.protocol.schema")
    parser.add_argument("--check", action="store_true", help="write nothing, fail on a difference")
    parser.add_argument("--root", type=Path, default=Path(), help="the checkout")
    options = parser.parse_args(arguments)
    stale = []
    for path, text in files(options.root).items():
        if options.check:
            if not path.exists() or path.read_text("utf-8") != text:
                stale.append(str(path))
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
    if stale:
        sys.stderr.write(f"Not up to date: {', '.join(stale)}\n")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
