"""Reading the ledger: shared queries, and the view that other processes use.

Rows never change once they are there, so a reader pages by index and holds no transaction
open; a long one would keep SQLite from shortening its WAL.
"""

from __future__ import annotations

import heapq
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, LifoQueue
from typing import Any

from edge.domain.record import Lane, Record, RecordType
from edge.ledger.evidence import EvidenceFiles
from edge.ledger.leaf import decode_leaf
from edge.ledger.schema import check_version, connect_reader, corrupt, told

CURSORS = ("alarm", "routine", "evidence")
EVIDENCE_DIRECTORY = "evidence"
_PAGE = 256


@dataclass(frozen=True, slots=True)
class Durable:
    """What is on disk, as of one commit.

    Attributes:
        size: leaves.
        sealed: size of the newest checkpoint; -1 if there is none.
        checkpoint: its note.
        receipt: size and note of the receipt that covers most.
        cursors: next index not yet PUBACKed, by name.
        newest: newest index of each lane that has one.
    """

    size: int = 0
    sealed: int = -1
    checkpoint: bytes | None = None
    receipt: tuple[int, bytes] | None = None
    cursors: Mapping[str, int] = field(default_factory=lambda: dict.fromkeys(CURSORS, 0))
    newest: Mapping[Lane, int] = field(default_factory=dict)


def read_durable(connection: sqlite3.Connection, directory: Path) -> Durable:
    """Look up what is on disk, in one snapshot.

    Raises:
        LedgerCorrupt: a value is not even of its kind.
        sqlite3.Error: run it inside `schema.told`.
    """
    connection.execute("BEGIN")
    try:
        (top,) = connection.execute("SELECT max(idx) FROM leaf").fetchone()
        head = connection.execute(
            "SELECT size, note FROM checkpoint ORDER BY size DESC LIMIT 1"
        ).fetchone()
        receipt = connection.execute(
            "SELECT size, note FROM receipt ORDER BY size DESC, id DESC LIMIT 1"
        ).fetchone()
        cursors = dict(connection.execute("SELECT name, idx FROM cursor").fetchall())
        newest = {lane: index for lane in Lane if (index := _newest(connection, lane)) is not None}
    finally:
        connection.execute("COMMIT")
    kinds = [
        (head and head[1], bytes),
        (receipt and receipt[0], int),
        (receipt and receipt[1], bytes),
    ]
    kinds += [(index, int) for index in cursors.values()]
    if any(value is not None and not isinstance(value, kind) for value, kind in kinds):
        raise corrupt(directory, "a checkpoint, receipt or cursor is not of its kind")
    return Durable(
        size=0 if top is None else top + 1,
        sealed=head[0] if head else -1,
        checkpoint=head[1] if head else None,
        receipt=receipt,
        cursors={name: cursors.get(name, 0) for name in CURSORS},
        newest=newest,
    )


def _newest(connection: sqlite3.Connection, lane: Lane) -> int | None:
    row = connection.execute("SELECT max(idx) FROM leaf WHERE lane = ?", (lane.value,)).fetchone()
    index: int | None = row[0]
    return index


class Reader:
    """Queries on connections of their own; any thread may call."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._idle: LifoQueue[sqlite3.Connection] = LifoQueue()

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """Borrow a read-only connection. Errors are told as `schema.told` does."""
        try:
            connection = self._idle.get_nowait()
        except Empty:
            connection = connect_reader(self.directory)
        try:
            with told(self.directory):
                yield connection
        except BaseException:
            connection.close()
            raise
        self._idle.put(connection)

    def close(self) -> None:
        """Close the idle connections."""
        while True:
            try:
                self._idle.get_nowait().close()
            except Empty:
                return

    def meta(self, key: str) -> str:
        """One line of what the file says of itself. Raises LedgerCorrupt if it is not there."""
        with self.connection() as connection:
            row = connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        if row is None:
            raise corrupt(self.directory, f"it does not say its {key}")
        value: str = row[0]
        return value

    def durable(self) -> Durable:
        """What is on disk now."""
        with self.connection() as connection:
            return read_durable(connection, self.directory)

    def node(self, level: int, position: int) -> bytes:
        """Hash of a perfect node. Raises LedgerCorrupt if it is not there."""
        with self.connection() as connection:
            return node_of(connection, level, position, self.directory)

    def leaves(self, start: int, end: int) -> Iterator[tuple[int, bytes]]:
        """Index and bytes of the leaves from `start` up to, not including, `end`."""
        while start < end:
            with self.connection() as connection:
                rows = connection.execute(
                    "SELECT idx, leaf FROM leaf WHERE idx >= ? AND idx < ? ORDER BY idx LIMIT ?",
                    (start, end, _PAGE),
                ).fetchall()
            if not rows:
                return
            for index, leaf in rows:
                yield index, self._bytes(index, leaf)
            start = rows[-1][0] + 1

    def leaves_of(self, types: Iterable[RecordType], end: int) -> Iterator[dict[str, Any]]:
        """Decoded envelopes of these types below `end`, oldest first."""
        streams = [self._of_type(kind, end) for kind in sorted(set(types))]
        for index, leaf in heapq.merge(*streams):
            yield self.decode(index, leaf)

    def decode(self, index: int, leaf: bytes) -> dict[str, Any]:
        """A leaf's envelope. Raises LedgerCorrupt."""
        try:
            return decode_leaf(leaf)
        except (ValueError, RecursionError) as error:
            raise corrupt(self.directory, f"leaf {index} is damaged ({error})") from error

    def _bytes(self, index: int, leaf: object) -> bytes:
        if not isinstance(leaf, bytes):
            raise corrupt(self.directory, f"leaf {index} is damaged")
        return leaf

    def _of_type(self, kind: RecordType, end: int) -> Iterator[tuple[int, bytes]]:
        after = -1
        while True:
            with self.connection() as connection:
                rows = connection.execute(
                    "SELECT idx, leaf FROM leaf WHERE type = ? AND idx > ? AND idx < ?"
                    " ORDER BY idx LIMIT ?",
                    (kind.value, after, end, _PAGE),
                ).fetchall()
            for index, leaf in rows:
                yield index, self._bytes(index, leaf)
            if len(rows) < _PAGE:
                return
            after = rows[-1][0]

    def pending(self, lane: Lane, after: int, limit: int) -> list[Record]:
        """Records of `lane` with index >= `after`, ascending, at most `limit`."""
        with self.connection() as connection:
            rows = connection.execute(
                "SELECT idx, type, leaf FROM leaf WHERE lane = ? AND idx >= ? ORDER BY idx LIMIT ?",
                (lane.value, after, limit),
            ).fetchall()
        try:
            return [
                Record(index, lane, RecordType(kind), self._bytes(index, leaf))
                for index, kind, leaf in rows
            ]
        except ValueError as error:
            raise corrupt(self.directory, f"a record has an unknown type ({error})") from error

    def backlog(self, lane: Lane, cursor: int) -> tuple[int, int | None]:
        """How many records of `lane` wait from `cursor` on, and wall time (µs) of the oldest."""
        with self.connection() as connection:
            (count,) = connection.execute(
                "SELECT count(*) FROM leaf WHERE lane = ? AND idx >= ?", (lane.value, cursor)
            ).fetchone()
            oldest = connection.execute(
                "SELECT wall_us FROM leaf WHERE lane = ? AND idx >= ? ORDER BY idx LIMIT 1",
                (lane.value, cursor),
            ).fetchone()
        return count, oldest[0] if oldest else None

    def receipts(self, covered: int, limit: int) -> list[tuple[int, bytes]]:
        """Size and note of receipts for at most `covered` leaves, the largest first."""
        with self.connection() as connection:
            return connection.execute(
                "SELECT size, note FROM receipt WHERE size <= ?"
                " ORDER BY size DESC, id DESC LIMIT ?",
                (covered, limit),
            ).fetchall()


def node_of(connection: sqlite3.Connection, level: int, position: int, directory: Path) -> bytes:
    """Hash of a perfect node. Raises sqlite3.Error, or LedgerCorrupt if it is not there."""
    row = connection.execute(
        "SELECT hash FROM node WHERE level = ? AND pos = ?", (level, position)
    ).fetchone()
    if row is None:
        raise corrupt(directory, f"tree node {level}/{position} is missing")
    digest = row[0]
    if not isinstance(digest, bytes) or len(digest) != 32:
        raise corrupt(directory, f"tree node {level}/{position} is no hash")
    return digest


class LedgerView:
    """The ledger as `eseal status` and `eseal export` see it: read-only, beside the daemon."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.origin = reader.meta("origin")
        self.vkey = reader.meta("vkey")
        self._evidence = EvidenceFiles(reader.directory / EVIDENCE_DIRECTORY)

    @classmethod
    def open(cls, directory: Path) -> LedgerView:
        """Look at the ledger in `directory`.

        Raises:
            ConfigError: there is none, or one of another version.
            LedgerCorrupt, StorageFull: it cannot be read.
        """
        reader = Reader(directory)
        with reader.connection() as connection:
            check_version(connection, directory)
        try:
            return cls(reader)
        except BaseException:
            reader.close()
            raise

    @property
    def size(self) -> int:
        """Durable leaves."""
        return self.reader.durable().size

    def checkpoint(self) -> bytes | None:
        """The newest signed checkpoint."""
        return self.reader.durable().checkpoint

    def receipt(self) -> tuple[int, bytes] | None:
        """Size and note of the receipt that covers most."""
        return self.reader.durable().receipt

    def cursor(self, name: str) -> int:
        """Next index not yet PUBACKed."""
        return self.reader.durable().cursors[name]

    def newest(self, lane: Lane) -> int | None:
        """Newest index of that lane."""
        return self.reader.durable().newest.get(lane)

    def backlog(self, lane: Lane) -> tuple[int, int | None]:
        """Records not PUBACKed, and wall time (µs) of the oldest."""
        return self.reader.backlog(lane, self.cursor(lane.value))

    def leaves_of(self, types: Iterable[RecordType]) -> Iterator[dict[str, Any]]:
        """Decoded envelopes of these types, oldest first."""
        return self.reader.leaves_of(types, self.size)

    def evidence_path(self, sha256: str) -> Path:
        """Where the evidence with this hash is or would be."""
        return self._evidence.path(sha256)

    def close(self) -> None:
        """Close the connections."""
        self.reader.close()
