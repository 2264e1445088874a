"""`ledger.head`: the newest checkpoint once more, beside the database.

Written after the commit that holds it, so it never says more than was durable. If the database
later holds less (its WAL was cut, an old copy was put in its place, it was deleted), the start
says so without asking the province. Whoever restores both is found by the province's receipt.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from edge.errors import Refused
from edge.ledger.checkpoint import MAX_NOTE_BYTES, Checkpoint, Verifier, verify_checkpoint
from edge.ledger.merkle import root
from edge.ledger.reader import Durable, node_of
from edge.ledger.schema import FILE_NAME, corrupt

HEAD_NAME = "ledger.head"


def read_head(directory: Path, verifier: Verifier) -> Checkpoint | None:
    """The head that this key signed last; None if there is none that can be trusted."""
    try:
        with (directory / HEAD_NAME).open("rb") as file:
            return verify_checkpoint(file.read(MAX_NOTE_BYTES + 1), verifier)
    except (OSError, Refused):
        return None


def check_gone(directory: Path, origin: str, verifier: Verifier) -> None:
    """Before a database is made: was there one? Raises LedgerCorrupt."""
    head = read_head(directory, verifier)
    path = directory / FILE_NAME
    if head is None or head.origin != origin or not head.size:
        return
    if not path.exists() or not path.stat().st_size:
        raise corrupt(
            directory, f"{FILE_NAME} is gone or empty: {head.size} records were signed for"
        )


def check_head(
    connection: sqlite3.Connection,
    durable: Durable,
    origin: str,
    verifier: Verifier,
    directory: Path,
) -> None:
    """Hold the database against the head beside it.

    Raises:
        LedgerCorrupt: it holds less than was signed, or something else.
        sqlite3.Error: run it inside `schema.told`.
    """
    head = read_head(directory, verifier)
    if head is None or head.origin != origin:
        return
    if head.size > durable.size:
        raise corrupt(
            directory,
            f"it has {durable.size} leaves but signed for {head.size}; the last "
            f"{head.size - durable.size} are missing (a cut WAL, or an old copy put back)",
        )
    if root(head.size, lambda level, at: node_of(connection, level, at, directory)) != head.root:
        raise corrupt(directory, f"its first {head.size} leaves are not those that it signed for")
