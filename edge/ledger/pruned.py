"""Leaves that retention let go of: their bytes are gone, their hashes are still in the tree."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

_PAGE = 256


def runs(connection: sqlite3.Connection, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Runs (first, end) of pruned leaves within `start` up to, not including, `end`.

    Raises:
        sqlite3.Error: run it inside `schema.told`.
    """
    before = connection.execute(
        "SELECT first FROM pruned WHERE first <= ? ORDER BY first DESC LIMIT 1", (start,)
    ).fetchone()
    position = before[0] if before else start
    while True:
        rows = connection.execute(
            "SELECT first, last FROM pruned WHERE first >= ? AND first < ? ORDER BY first LIMIT ?",
            (position, end, _PAGE),
        ).fetchall()
        for first, last in rows:
            if max(first, start) <= min(last, end - 1):
                yield max(first, start), min(last + 1, end)
        if len(rows) < _PAGE:
            return
        position = rows[-1][0] + 1
