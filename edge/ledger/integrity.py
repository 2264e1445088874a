"""What is checked when the ledger is opened: work in proportion to what is new.

The newest checkpoint's signature, its root against the stored nodes, and every leaf since that
checkpoint (and a fixed number before it) against the nodes it completed. Older leaves are
covered by the nodes' root; `eseal fsck` reads them all.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

from edge.errors import LedgerCorrupt, Refused
from edge.ledger.checkpoint import Checkpoint, Verifier, parse_note, verify_checkpoint
from edge.ledger.leaf import decode_leaf
from edge.ledger.merkle import new_nodes, root
from edge.ledger.pruned import runs
from edge.ledger.reader import Durable, node_of, read_durable
from edge.ledger.schema import corrupt

RECHECKED = 1000  # sealed leaves that are read again at every start


def check(
    connection: sqlite3.Connection, origin: str, verifier: Verifier, directory: Path
) -> Durable:
    """Check the file against itself and its newest signature; return what is on disk.

    Raises:
        LedgerCorrupt: it contradicts itself; says where.
        sqlite3.Error: run it inside `schema.told`.
    """
    durable = read_durable(connection, directory)

    def fail(what: str) -> LedgerCorrupt:
        return corrupt(directory, what)

    def node(level: int, position: int) -> bytes:
        return node_of(connection, level, position, directory)

    (top,) = connection.execute("SELECT max(pos) FROM node WHERE level = 0").fetchone()
    if (-1 if top is None else top) != durable.size - 1:
        raise fail(f"it has {durable.size} leaves but its tree ends at leaf {top}")
    _check_head(durable, origin, verifier, node, fail)
    _check_receipt(durable, origin, node, fail)
    _check_leaves(connection, max(0, durable.sealed - RECHECKED), origin, node, fail)
    ahead = [name for name, index in durable.cursors.items() if not 0 <= index <= durable.size]
    if ahead:
        raise fail(f"cursor {ahead[0]} points past the newest leaf")
    return durable


def _check_head(
    durable: Durable,
    origin: str,
    verifier: Verifier,
    node: Callable[[int, int], bytes],
    fail: Callable[[str], LedgerCorrupt],
) -> None:
    if durable.checkpoint is None:
        return
    try:
        head = verify_checkpoint(durable.checkpoint, verifier)
    except Refused as error:
        raise fail(f"its newest checkpoint is damaged ({error})") from error
    if head.size != durable.sealed or head.origin != origin:
        raise fail("its newest checkpoint is filed under another size or origin")
    if head.size > durable.size:
        raise fail(f"it has {durable.size} leaves but signed for {head.size}; some were removed")
    _check_root(head, node, "checkpoint", fail)


def _check_receipt(
    durable: Durable,
    origin: str,
    node: Callable[[int, int], bytes],
    fail: Callable[[str], LedgerCorrupt],
) -> None:
    if durable.receipt is None:
        return
    size, note = durable.receipt
    try:
        held = parse_note(note).checkpoint
    except Refused as error:
        raise fail(f"its newest receipt is damaged ({error})") from error
    if held.size != size or held.origin != origin:
        raise fail("its newest receipt is filed under another size or origin")
    if held.size > durable.size:
        raise fail(f"it has {durable.size} leaves but the province holds {held.size}")
    _check_root(held, node, "receipt", fail)


def _check_root(
    head: Checkpoint,
    node: Callable[[int, int], bytes],
    name: str,
    fail: Callable[[str], LedgerCorrupt],
) -> None:
    if root(head.size, node) != head.root:
        raise fail(f"its tree of {head.size} leaves does not have the root that its {name} names")


def _check_leaves(
    connection: sqlite3.Connection,
    start: int,
    origin: str,
    node: Callable[[int, int], bytes],
    fail: Callable[[str], LedgerCorrupt],
) -> None:
    rows = connection.execute(
        "SELECT idx, lane, type, leaf FROM leaf WHERE idx >= ? ORDER BY idx", (start,)
    )
    gone = dict(runs(connection, start, 2**53))
    expected = start
    filed: list[tuple[int, str, str]] = []
    for index, lane, kind, leaf in rows:
        while index > expected and expected in gone:
            expected = gone[expected]
        if index != expected:
            raise fail(f"leaf {expected} is missing")
        expected += 1
        if not isinstance(leaf, bytes):
            raise fail(f"leaf {index} is damaged")
        for level, position, digest in new_nodes(index, leaf, node):
            if node(level, position) != digest:
                raise fail(f"leaf {index} is not the one that its tree was built from")
        envelope = decode_leaf(leaf)
        said = tuple(envelope[key] for key in ("id", "source", "lane", "type"))
        if said != (str(index), origin, lane, kind):
            raise fail(f"leaf {index} is filed under another place, lane or type")
        filed.append((index, lane, kind))
    _check_indices(connection, start, filed, fail)


def _check_indices(
    connection: sqlite3.Connection,
    start: int,
    filed: list[tuple[int, str, str]],
    fail: Callable[[str], LedgerCorrupt],
) -> None:
    """A record that an index forgot would not be sent, or not be restored."""
    end = filed[-1][0] + 1 if filed else start
    for column, index, values in (
        ("lane", "leaf_by_lane", [(lane, i) for i, lane, _kind in filed]),
        ("type", "leaf_by_type", [(kind, i) for i, _lane, kind in filed]),
    ):
        query = (
            f"SELECT idx FROM leaf INDEXED BY {index} WHERE {column} = ?"  # noqa: S608 constants
            " AND idx >= ? AND idx < ?"
        )
        for wanted in {value for value, _i in values}:
            listed = [i for (i,) in connection.execute(query, (wanted, start, end))]
            if listed != [i for value, i in values if value == wanted]:
                raise fail(f"its index {index} is damaged")
