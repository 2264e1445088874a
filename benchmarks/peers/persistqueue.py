"""persist-queue: its queue with acknowledgements, which commits every put."""

from __future__ import annotations

import importlib
from pathlib import Path

from benchmarks.peers.install import install


class PersistQueue:
    """A record is durable when `put` returns (WAL, `synchronous` as SQLite has it: FULL)."""

    def __init__(self, directory: Path) -> None:
        """Open one in `directory`. Raises PeerMissing."""
        install("persist-queue")
        self._queue = importlib.import_module("persistqueue").SQLiteAckQueue(str(directory))

    def put(self, leaf: bytes) -> None:
        """Store one record."""
        self._queue.put(leaf)

    def close(self) -> None:
        """Let go of the file."""
        self._queue.close()
