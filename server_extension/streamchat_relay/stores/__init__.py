"""Stores: where logs, and what was used, survive the process."""

from streamchat_relay.stores.blobs import FileBlobs, MemoryBlobs
from streamchat_relay.stores.ledger import SQLiteLedger
from streamchat_relay.stores.memory import MemoryLedger, MemoryStore
from streamchat_relay.stores.sqlite import SQLiteStore
from streamchat_relay.stores.unavailable import UnavailableStore

__all__ = [
    "FileBlobs",
    "MemoryBlobs",
    "MemoryLedger",
    "MemoryStore",
    "SQLiteLedger",
    "SQLiteStore",
    "UnavailableStore",
]
