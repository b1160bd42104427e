"""Files of older versions, made of newer ones."""

from __future__ import annotations

import sqlite3
from pathlib import Path

_BACK = {
    4: "DROP INDEX deleted; ALTER TABLE conversation DROP COLUMN deleted; DROP TABLE words",
    3: "DROP INDEX used; ALTER TABLE conversation DROP COLUMN title;"
    "ALTER TABLE conversation DROP COLUMN asked; ALTER TABLE conversation DROP COLUMN messages;"
    "ALTER TABLE conversation DROP COLUMN model",
    2: "DROP INDEX unfolded; ALTER TABLE run DROP COLUMN ended",
    1: "ALTER TABLE conversation DROP COLUMN changed",
}
"""By version: what takes back what came after it."""


def make_older(path: Path, version: int) -> None:
    """Take back what versions after this one have added to the file."""
    connection = sqlite3.connect(path)
    for since, script in _BACK.items():
        if since >= version:
            connection.executescript(script)
    connection.execute(f"PRAGMA user_version = {version}")
    connection.close()
