"""What retention asks of the writer: a bounded slice of old things to let go, in one commit."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from edge.ledger.reader import Durable

KEEP_NEWEST = 10_000  # leaves that always stay whole: the check at start reads the newest ones


@dataclass(frozen=True, slots=True)
class Named:
    """An evidence file as a record names it: hash, index and wall time of the record."""

    digest: bytes
    index: int
    wall_us: int


@dataclass(frozen=True, slots=True)
class Chore:
    """One slice.

    Attributes:
        prune: ascending indices of leaves whose bytes go; their hashes stay in the tree.
        named: evidence that records name.
        indexed: up to which index the records were looked through for evidence; 0 for no news.
        gone: hashes of evidence files that are about to be deleted.
        gone_us: wall time at which they are.
        checkpoints: sizes of checkpoints that nobody needs any more.
        receipts: row ids of receipts that nobody needs any more.
        vacuum_pages: free pages of the file to give back to the file-system.
    """

    prune: tuple[int, ...] = ()
    named: tuple[Named, ...] = ()
    indexed: int = 0
    gone: tuple[bytes, ...] = ()
    gone_us: int = 0
    checkpoints: tuple[int, ...] = ()
    receipts: tuple[int, ...] = ()
    vacuum_pages: int = 0

    def check(self, durable: Durable) -> None:
        """Raise ValueError on a leaf or a head that no receipt covers, or that is too new."""
        covered = durable.receipt[0] if durable.receipt else 0
        limit = min(covered, durable.size - KEEP_NEWEST)
        if self.prune and self.prune[-1] >= limit:
            raise ValueError(f"leaf {self.prune[-1]} must stay: only {limit} may go")
        if any(size >= covered or size == durable.sealed for size in self.checkpoints):
            raise ValueError(f"a checkpoint that the receipt for {covered} does not replace")

    def write(self, connection: sqlite3.Connection) -> None:
        """Do it within the open transaction. Raises sqlite3.Error."""
        if self.prune:
            connection.executemany(
                "DELETE FROM leaf WHERE idx = ?", ((index,) for index in self.prune)
            )
            for first, last in runs_of(self.prune):
                _add_run(connection, first, last)
        connection.executemany(
            "INSERT INTO evidence VALUES (?, ?, ?, NULL) ON CONFLICT DO UPDATE SET"
            " idx = max(idx, excluded.idx), gone_us = NULL",
            ((item.digest, item.index, item.wall_us) for item in self.named),
        )
        if self.indexed:
            connection.execute(
                "INSERT INTO cursor VALUES ('indexed', ?)"
                " ON CONFLICT DO UPDATE SET idx = excluded.idx",
                (self.indexed,),
            )
        connection.executemany(
            "UPDATE evidence SET gone_us = ? WHERE digest = ?",
            ((self.gone_us, digest) for digest in self.gone),
        )
        connection.executemany(
            "DELETE FROM checkpoint WHERE size = ?", ((size,) for size in self.checkpoints)
        )
        connection.executemany(
            "DELETE FROM receipt WHERE id = ?", ((number,) for number in self.receipts)
        )


def runs_of(indices: Iterable[int]) -> list[tuple[int, int]]:
    """Ascending indices as runs (first, last)."""
    runs: list[tuple[int, int]] = []
    for index in indices:
        if runs and runs[-1][1] == index - 1:
            runs[-1] = (runs[-1][0], index)
        else:
            runs.append((index, index))
    return runs


def _add_run(connection: sqlite3.Connection, first: int, last: int) -> None:
    """Note a run, joined with its neighbours, so that there are few."""
    after = connection.execute("SELECT last FROM pruned WHERE first = ?", (last + 1,)).fetchone()
    if after:
        connection.execute("DELETE FROM pruned WHERE first = ?", (last + 1,))
        last = after[0]
    before = connection.execute(
        "SELECT first, last FROM pruned WHERE first < ? ORDER BY first DESC LIMIT 1", (first,)
    ).fetchone()
    if before and before[1] == first - 1:
        connection.execute("UPDATE pruned SET last = ? WHERE first = ?", (last, before[0]))
    else:
        connection.execute("INSERT INTO pruned VALUES (?, ?)", (first, last))
