"""The plugin's keys are nobody else's."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
SHARED = Path(sys.prefix) / "share" / "jupyter"
KEYS = ("keys", "macKeys", "linuxKeys", "winKeys")


def shortcuts(path: Path) -> list[tuple[str, tuple[str, ...]]]:
    """The commands of a schema, with the keys that they have."""
    schema: Any = json.loads(path.read_text("utf-8"))
    found = schema.get("jupyter.lab.shortcuts", []) if isinstance(schema, dict) else []
    return [
        (one["command"], tuple(one[name]))
        for one in found
        for name in KEYS
        if any(one.get(name, []))
    ]


OURS = shortcuts(ROOT / "js" / "schema" / "plugin.json")
OTHERS = [
    one
    for folder in (SHARED / "lab" / "schemas", SHARED / "labextensions")
    for path in folder.glob("**/*.json")
    if "jupyter-streamchat" not in path.parts
    for one in shortcuts(path)
]


def test_there_are_shortcuts_to_compare_with() -> None:
    assert ("docmanager:save", ("Accel S",)) in OTHERS


@pytest.mark.parametrize(("command", "keys"), OURS)
def test_no_key_of_the_plugin_is_or_begins_one_of_jupyterlab(
    command: str, keys: tuple[str, ...]
) -> None:
    for other, theirs in OTHERS:
        common = min(len(keys), len(theirs))
        assert keys[:common] != theirs[:common], f"{command} and {other}"
