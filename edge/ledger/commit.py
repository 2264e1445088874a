"""One commit in the making: what it adds, and what the ledger is once it is durable."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from edge.clock import Stamp
from edge.domain.record import Draft, Lane, Record
from edge.errors import Refused
from edge.ledger.checkpoint import Checkpoint, Signer, parse_note
from edge.ledger.chore import Chore
from edge.ledger.leaf import encode_leaf
from edge.ledger.merkle import new_nodes, root
from edge.ledger.reader import Durable


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
        self.peaks = dict(peaks)  # level to the newest perfect node there
        self.seal_wanted = False
        self.has_alarm = False
        self._origin = origin
        self._signer = signer
        self._now = now
        self._node = node
        self._new_nodes: dict[tuple[int, int], bytes] = {}
        self._leaves: list[tuple[int, str, str, int, bytes]] = []
        self._cursors: dict[str, int] = {}
        self._receipts: list[tuple[int, int, bytes]] = []
        self._head: tuple[int, int, bytes] | None = None
        self._chores: list[Chore] = []

    def append(self, drafts: Sequence[Draft]) -> list[Record]:
        """Add drafts as leaves, all or none. Raises ValueError on one that is no leaf."""
        start = self.after.size
        leaves = [encode_leaf(draft, self._origin, start + i) for i, draft in enumerate(drafts)]
        records = []
        newest = dict(self.after.newest)
        for index, (draft, leaf) in enumerate(zip(drafts, leaves, strict=True), start=start):
            # A list: the generator asks for the old peaks, which the loop replaces.
            for level, position, digest in list(new_nodes(index, leaf, self._peak)):
                self._new_nodes[level, position] = self.peaks[level] = digest
            self._leaves.append(
                (index, draft.lane.value, draft.type.value, draft.stamp.wall_us, leaf)
            )
            records.append(Record(index, draft.lane, draft.type, leaf))
            newest[draft.lane] = index
            self.has_alarm = self.has_alarm or draft.lane is Lane.ALARM
        self.after = replace(self.after, size=start + len(records), newest=newest)
        return records

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

    def seal(self) -> None:
        """Sign the head, unless the newest checkpoint is of this size already."""
        size = self.after.size
        if self.after.sealed == size:
            return
        head = Checkpoint(self._origin, size, root(size, self._peak))
        note = self._signer.checkpoint(head)
        self._head = (size, self._now.wall_us, note)
        self.after = replace(self.after, sealed=size, checkpoint=note)

    def write(self, connection: sqlite3.Connection) -> None:
        """Put the rows into the open transaction.

        Raises:
            sqlite3.Error: the transaction must be rolled back.
        """
        connection.executemany("INSERT INTO leaf VALUES (?, ?, ?, ?, ?)", self._leaves)
        connection.executemany(
            "INSERT INTO node VALUES (?, ?, ?)",
            [(level, position, digest) for (level, position), digest in self._new_nodes.items()],
        )
        connection.executemany(
            "INSERT INTO cursor VALUES (?, ?) ON CONFLICT DO UPDATE SET idx = excluded.idx",
            self._cursors.items(),
        )
        connection.executemany(
            "INSERT OR IGNORE INTO receipt (size, wall_us, note) VALUES (?, ?, ?)", self._receipts
        )
        if self._head:
            connection.execute("INSERT INTO checkpoint VALUES (?, ?, ?)", self._head)
        for chore in self._chores:
            chore.write(connection)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to write."""
        return not (
            self._leaves or self._cursors or self._receipts or self._head or self._chores
        )

    @property
    def vacuum_pages(self) -> int:
        """How many free pages of the file may be given back once this is durable."""
        return sum(chore.vacuum_pages for chore in self._chores)

    def _peak(self, level: int, _position: int) -> bytes:
        """On the right edge the newest node of a level is the only one that is asked for."""
        return self.peaks[level]

    def _known_node(self, level: int, position: int) -> bytes:
        fresh = self._new_nodes.get((level, position))
        return fresh if fresh is not None else self._node(level, position)
