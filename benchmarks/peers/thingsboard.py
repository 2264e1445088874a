"""ThingsBoard gateway's SQLite storage: says yes at once and writes when it comes to it.

It commits up to 1,000 events at a time with `synchronous=NORMAL`: what it has written survives
the end of the process, not a power cut. That is less than a durable append, so the comparison
flatters it.
"""

from __future__ import annotations

import importlib
import logging
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from threading import Event

from benchmarks.peers.install import install

TIMEOUT_S = 60


class _Log(logging.Logger):
    def trace(self, *_args: object, **_kwargs: object) -> None:
        """A level that it expects every logger to have."""


class ThingsBoard:
    """Events are stored some time after `put`; `wait` says when."""

    def __init__(self, directory: Path) -> None:
        """Open one in `directory`. Raises PeerMissing."""
        install("thingsboard-gateway")
        module = importlib.import_module("thingsboard_gateway.storage.sqlite.sqlite_event_storage")
        config = {"data_file_path": f"{directory}/"}
        self._stored = 0
        self._file = directory / "data.db"
        self._storage = module.SQLiteEventStorage(config, _Log("thingsboard"), Event())

    def put(self, leaf: bytes) -> None:
        """Hand one event over."""
        if not self._storage.put(leaf.decode()):
            raise RuntimeError("it takes no more events")
        self._stored += 1

    def wait(self) -> None:
        """Until everything that was put can be read from the file by somebody else."""
        until = time.monotonic() + TIMEOUT_S
        with closing(sqlite3.connect(f"file:{self._file}?mode=ro", uri=True)) as connection:
            while time.monotonic() < until:
                (newest,) = connection.execute("SELECT max(id) FROM messages").fetchone()
                if newest == self._stored:
                    return
                time.sleep(0.0005)
        raise RuntimeError("it never wrote what it took")

    def close(self) -> None:
        """Stop it."""
        self._storage.stop()
