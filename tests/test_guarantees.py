"""What docs/guarantees.md names as a proof exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "guarantees.md").read_text("utf-8")
PROOFS = sorted(set(re.findall(r"`([\w/.-]+\.(?:py|ts))::([^`]+)`", TEXT)))


def names_in(path: Path) -> set[str]:
    """The tests that pytest finds there."""
    return {
        node.name
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
    }


@pytest.mark.parametrize(("file", "name"), PROOFS)
def test_a_test_that_is_named_as_a_proof_exists(file: str, name: str) -> None:
    path = ROOT / file
    assert path.is_file(), f"{file} does not exist"
    if path.suffix == ".py":
        assert name in names_in(path)
    else:
        assert f'("{name}",' in path.read_text("utf-8")


def test_every_promise_and_every_threat_names_a_proof() -> None:
    for heading, rows in (("## Promises", 14), ("## Threats", 11)):
        section = TEXT.partition(heading)[2].partition("\n## ")[0]
        parts = re.split(r"^\*\*", section, flags=re.MULTILINE)[1:]
        assert len(parts) == rows
        assert all("::" in part for part in parts), [
            part[:40] for part in parts if "::" not in part
        ]


def test_no_proof_is_named_in_a_way_that_is_not_looked_for() -> None:
    assert TEXT.count("::") == len(re.findall(r"`[\w/.-]+\.(?:py|ts)::[^`]+`", TEXT))
