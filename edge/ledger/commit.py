"""One commit in the making: what it adds, and what the ledger is once it is durable."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import chain
from typing import Any

from edge.clock import Stamp
from edge.domain.record import Draft, Lane, Record, RecordType
from edge.errors import Refused
from edge.ledger.checkpoint import Checkpoint, Signer, parse_note
from edge.ledger.chore import Chore
from edge.ledger.leaf import Unplaced
from edge.ledger.merkle import grow, new_rows, root
from edge.ledger.reader import Durable
from edge.ledger.rotation import rotation_data

# Each statement gives up the interpreter's lock: few of them, so that a busy event loop does not
# make a commit wait for the lock again and again.
_ROWS = 50
_MOVE_CURSOR = "INSERT INTO cursor VALUES (?, ?) ON CONFLICT DO UPDATE SET idx = excluded.idx"
_ADD_RECEIPT = "INSERT OR IGNORE INTO receipt (size, wall_us, note) VALUES (?, ?, ?)"
_ADD_LEVEL = (
    "WITH RECURSIVE place (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM place WHERE n + 1 < ?4)"
    " INSERT OR ROLLBACK INTO node (level, pos, hash)"
    " SELECT ?1, ?2 + n, substr(?3, n * 32 + 1, 32) FROM place"
)


@cache
def _add(table: str, columns: int, rows: int) -> str:
    row = f"({', '.join('?' * columns)})"
    # A fault ends the whole transaction, as it would anyway: SQLite need not keep copies of pages
    # to undo one statement.
    return f"INSERT OR ROLLBACK INTO {table} VALUES {', '.join([row] * rows)}"  # noqa: S608  ours


def _insert(connection: sqlite3.Connection, table: str, columns: int, values: list[Any]) -> None:
    """Put rows into a table; `values` are theirs, one row after the other."""
    step = _ROWS * columns
    for at in range(0, len(values), step):
        some = values[at : at + step] if len(values) > step else values
        connection.execute(_add(table, columns, len(some) // columns), some)


class Commit:
    """Collects rows; `write` puts them into an open transaction.

    Nothing here outlives a commit that fails: `after` and `peaks` are adopted by the writer
    only when the commit is durable.
    """

    def __init__(
        self,
        before: Durable,
        peaks: Mapping[int, bytes],
        origin: str,
        signer: Signer,
        now: Stamp,
        node: Callable[[int, int], bytes],
    ) -> None:
        self.after = before
        self.peaks = peaks  # level to the newest perfect node there; replaced, never changed
        self.seal_wanted = False
        self.has_alarm = False
        self._origin = origin
        self.signer = signer
        self._vkey = ""
        self._now = now
        self._node = node
        self._nodes: list[tuple[int, int, bytes]] = []
        self._levels: list[tuple[int, int, list[bytes]]] = []
        self._leaves: list[Any] = []  # index, lane, type, wall time, bytes; and the next one's
        self._cursors: dict[str, int] = {}
        self._receipts: list[tuple[int, int, bytes]] = []
        self._head: tuple[int, int, bytes] | None = None
        self._chores: list[Chore] = []

    def append(self, drafts: Sequence[Unplaced]) -> list[Record]:
        """Add drafts as leaves."""
        before = self.after
        start = before.size
        leaves = [draft.at(index) for index, draft in enumerate(drafts, start)]
        self._grow(start, leaves)
        for index, (draft, leaf) in enumerate(zip(drafts, leaves, strict=True), start):
            self._leaves += (index, *draft.words, draft.wall_us, leaf)
        records = [
            Record(index, draft.lane, draft.kind, leaf)
            for index, (draft, leaf) in enumerate(zip(drafts, leaves, strict=True), start)
        ]
        newest = {record.lane: record.index for record in records}
        self.has_alarm = self.has_alarm or Lane.ALARM in newest
        self.after = replace(before, size=start + len(records), newest={**before.newest, **newest})
        return records

    def _grow(self, start: int, leaves: Sequence[bytes]) -> None:
        peaks = dict(self.peaks)
        if len(leaves) < _ROWS:
            self._nodes += grow(start, leaves, peaks)
        else:
            for level, first, row in new_rows(start, leaves, self._peak):
                self._levels.append((level, first, row))
                peaks[level] = row[-1]
        self.peaks = peaks

    def move(self, name: str, index: int) -> None:
        """Move a cursor forward. Raises ValueError past the newest leaf."""
        if index > self.after.size:
            raise ValueError(f"cursor {name} to {index}: there are {self.after.size} leaves")
        if index > self.after.cursors[name]:
            self._cursors[name] = index
            self.after = replace(self.after, cursors={**self.after.cursors, name: index})

    def receive(self, note: bytes, size: int) -> None:
        """Keep a receipt. Raises Refused when it is not for a head of this ledger."""
        held = parse_note(note).checkpoint
        if held.origin != self._origin or held.size != size:
            raise Refused(f"receipt is for {held.origin} at {held.size}, not {self._origin}")
        if size > self.after.size:
            raise Refused(f"receipt for {size} leaves, but there are {self.after.size}")
        if held.root != root(size, self._known_node):
            raise Refused(f"receipt for {size} leaves names another root than ours")
        self._receipts.append((size, self._now.wall_us, note))
        if self.after.receipt is None or size >= self.after.receipt[0]:
            self.after = replace(self.after, receipt=(size, note))

    def tend(self, chore: Chore) -> None:
        """Let go of what `chore` names. Raises ValueError on a leaf that must stay."""
        chore.check(self.after)
        self._chores.append(chore)

    def rotate(self, successor: Signer) -> list[Record]:
        """Add the leaf from which on `successor` signs, and sign the head with it.

        Raises:
            ValueError: it is no other key of this gateway.
        """
        data = rotation_data(self._origin, self.after.size, self.signer, successor)
        draft = Draft(RecordType.KEY_ROTATED, self._now, data)
        records = self.append([Unplaced(draft, self._origin)])
        self.signer = successor
        self._vkey = str(successor.verifier)
        self.seal_wanted = True
        return records

    def seal(self) -> None:
        """Sign the head, unless the newest checkpoint is of this size already."""
        size = self.after.size
        if self.after.sealed == size:
            return
        head = Checkpoint(self._origin, size, root(size, self._peak))
        note = self.signer.checkpoint(head)
        self._head = (size, self._now.wall_us, note)
        self.after = replace(self.after, sealed=size, checkpoint=note)

    def write(self, connection: sqlite3.Connection) -> None:
        """Put the rows into the open transaction.

        Raises:
            sqlite3.Error: the transaction must be rolled back.
        """
        self._write_tree(connection)
        for cursor in self._cursors.items():
            connection.execute(_MOVE_CURSOR, cursor)
        for receipt in self._receipts:
            connection.execute(_ADD_RECEIPT, receipt)
        if self._head:
            connection.execute("INSERT INTO checkpoint VALUES (?, ?, ?)", self._head)
        if self._vkey:
            connection.execute("UPDATE meta SET value = ? WHERE key = 'vkey'", (self._vkey,))
        for chore in self._chores:
            chore.write(connection)

    def _write_tree(self, connection: sqlite3.Connection) -> None:
        _insert(connection, "leaf (idx, lane, type, wall_us, leaf)", 5, self._leaves)
        nodes = list(self._nodes)
        for level, first, row in self._levels:
            if len(row) < _ROWS:
                nodes += [(level, position, digest) for position, digest in enumerate(row, first)]
            else:
                connection.execute(_ADD_LEVEL, (level, first, b"".join(row), len(row)))
        _insert(connection, "node (level, pos, hash)", 3, list(chain.from_iterable(nodes)))

    @property
    def empty(self) -> bool:
        """Whether there is nothing to write."""
        return not (self._leaves or self._cursors or self._receipts or self._head or self._chores)

    @property
    def vacuum_pages(self) -> int:
        """How many free pages of the file may be given back once this is durable."""
        return sum(chore.vacuum_pages for chore in self._chores)

    def _peak(self, level: int, _position: int) -> bytes:
        """On the right edge the newest node of a level is the only one that is asked for."""
        return self.peaks[level]

    def _known_node(self, level: int, position: int) -> bytes:
        for row_level, first, row in self._levels:
            if row_level == level and first <= position < first + len(row):
                return row[position - first]
        for *place, digest in self._nodes:
            if place == [level, position]:
                return digest
        return self._node(level, position)
