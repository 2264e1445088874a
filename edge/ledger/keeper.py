"""Retention at work: what is old or too much goes, in slices so small that no alarm waits.

One sweep at a time, in a thread of its own. It reads through connections of its own and asks the
writer for one bounded commit after the other. Nothing goes that no receipt covers; evidence goes
only when its record is receipted, its upload is over and its incident is closed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import islice
from threading import Event
from typing import Any

from edge.clock import Clock
from edge.domain.record import Lane, RecordType
from edge.ledger.candidates import PAGE, Candidates, leaf_limit
from edge.ledger.chore import Chore, Named
from edge.ledger.evidence import EvidenceFiles
from edge.ledger.leaf import evidence_of
from edge.ledger.past import let_go, used
from edge.ledger.policy import (
    DAY_US,
    Policy,
    Space,
    old_checkpoints,
    province_time_us,
    spare_receipts,
)
from edge.ledger.reader import Durable, Reader
from edge.ledger.schema import FILE_NAME, told

SLICE = 50  # leaves in one commit
PAUSE_S = 0.02  # between two of them: what waits meanwhile goes first
ORPHAN_S = 86_400  # a file that no record names is left over from a crash once it is so old
_ROW_BYTES = 120  # of a leaf's row and its two index entries, beside the leaf itself
_VACUUM_PAGES = 32
_FREE_PAGES = 1024  # stay in the file for what comes next


class Stopped(Exception):
    """The ledger is being closed."""


@dataclass(frozen=True, slots=True)
class Ports:
    """What a sweep needs of the ledger.

    Attributes:
        reader: queries.
        durable: what is on disk now.
        tend: one slice for the writer.
        files: evidence files.
        in_files: runs something in the thread that also stores evidence.
        clock: the time here.
    """

    reader: Reader
    durable: Callable[[], Durable]
    tend: Callable[[Chore], Future[None]]
    files: EvidenceFiles
    in_files: Callable[[Callable[[], int]], Future[int]]
    clock: Clock


class Keeper:
    """Sweeps.

    Attributes:
        evidence_bytes: what the files took when they were last counted.
        past_bytes: likewise, the logs that broke off.
    """

    def __init__(self, ports: Ports) -> None:
        self.evidence_bytes = 0
        self.past_bytes = 0
        self.stopping = Event()
        self._ports = ports
        self._reader = ports.reader
        self._seen = 0  # leaves looked through in this run
        self._candidates = Candidates(ports.reader, self._breathe)

    def space(self, policy: Policy) -> Space:
        """How much room there is; cheap. OSError if the directory is gone."""
        directory = self._reader.directory
        taken = self.evidence_bytes + self.past_bytes
        for name in (FILE_NAME, FILE_NAME + "-wal"):
            path = directory / name
            taken += path.stat().st_size if path.exists() else 0
        system = os.statvfs(directory)
        return Space(taken, system.f_bavail * system.f_frsize, policy)

    def sweep(self, policy: Policy) -> Space:
        """Let go of what is old, and of more if space is short; gives the space afterwards.

        Raises:
            StorageFull, LedgerCorrupt: as the writer or the disk says.
            Stopped: the ledger is being closed.
        """
        self._index()
        self._count_files()
        with told(self._reader.directory):
            self.past_bytes = used(self._reader.directory)
        durable = self._ports.durable()
        if durable.receipt is not None:
            now_us = min(self._ports.clock.now().wall_us, province_time_us(durable.receipt[1]))
            self._heads(durable.receipt[0], now_us)
            self._by_age(durable, policy, now_us)
            with told(self._reader.directory):
                let_go(self._reader.directory, policy, now_us, self._breathe)
                self.past_bytes = used(self._reader.directory)
            self._by_room(durable, policy)
        self._vacuum()
        with told(self._reader.directory):
            return self.space(policy)

    def _index(self) -> None:
        """Note which evidence the new records name, and which incidents are open."""
        end = self._ports.durable().size
        indexed = self._cursor("indexed")
        for rows in self._pages("type", RecordType.ACTIVITY_STARTED.value, indexed, end):
            self._note(rows, indexed)
        for rows in self._pages("lane", Lane.ALARM.value, self._seen, end):
            self._note(rows, indexed)
            for index, _wall_us, leaf in rows:
                self._follow(self._reader.decode(index, leaf)["data"])
        self._seen = end
        if end > indexed:
            self._tend(Chore(indexed=end))

    def _note(self, rows: list[tuple[int, int, bytes]], indexed: int) -> None:
        named = [
            Named(bytes.fromhex(digest), index, wall_us)
            for index, wall_us, leaf in rows
            if index >= indexed and b'"sha256"' in leaf
            for digest in evidence_of(self._reader.decode(index, leaf))
        ]
        if named:
            self._tend(Chore(named=tuple(named)))

    def _follow(self, data: dict[str, Any]) -> None:
        incident = str(data.get("incident", ""))
        if "closed" in data or not incident:
            self._candidates.open.pop(incident, None)
        else:
            self._candidates.open[incident] = frozenset(map(bytes.fromhex, evidence_of(data)))

    def _pages(
        self, column: str, value: str, start: int, end: int
    ) -> Iterator[list[tuple[int, int, bytes]]]:
        query = (
            f"SELECT idx, wall_us, leaf FROM leaf WHERE {column} = ? AND idx >= ?"  # noqa: S608
            " AND idx < ? ORDER BY idx LIMIT ?"
        )
        while True:
            with self._reader.connection() as connection:
                rows = connection.execute(query, (value, start, end, PAGE)).fetchall()
            if rows:
                yield rows
            if len(rows) < PAGE:
                return
            start = rows[-1][0] + 1
            self._breathe()

    def _heads(self, covered: int, now_us: int) -> None:
        with self._reader.connection() as connection:
            sizes = connection.execute("SELECT size, wall_us FROM checkpoint").fetchall()
            receipts = connection.execute(
                "SELECT id, wall_us FROM receipt ORDER BY size, id"
            ).fetchall()
        for part in _slices(old_checkpoints(sizes, covered, now_us)):
            self._tend(Chore(checkpoints=part))
        for part in _slices(spare_receipts(receipts)):
            self._tend(Chore(receipts=part))

    def _by_age(self, durable: Durable, policy: Policy, now_us: int) -> None:
        limit = leaf_limit(durable)
        routine = self._candidates.routine(limit, now_us - policy.routine_days * DAY_US)
        alarms = self._candidates.alarms(limit, now_us - policy.alarm_days * DAY_US)
        for leaves in (routine, alarms):
            for part in _slices(leaves):
                self._tend(Chore(prune=tuple(index for index, _bytes in part)))
        before_us = now_us - policy.evidence_days * DAY_US
        for digests in self._candidates.evidence(durable, before_us):
            self._delete(digests)

    def _by_room(self, durable: Durable, policy: Policy) -> None:
        """Where space is short more goes: routine first, then evidence, the oldest first."""
        with told(self._reader.directory):
            excess = self.space(policy).excess - self._free_bytes()
        if excess <= 0:
            return
        for part in _slices(self._candidates.routine(leaf_limit(durable), None)):
            self._tend(Chore(prune=tuple(index for index, _bytes in part)))
            excess -= sum(size + _ROW_BYTES for _index, size in part)
            if excess <= 0:
                return
        for digests in self._candidates.evidence(durable, None):
            for digest in digests:
                excess -= self._delete([digest])
                if excess <= 0:
                    return

    def _delete(self, digests: list[bytes]) -> int:
        """Say that files go, then delete them; gives the bytes that they took."""
        if not digests:
            return 0
        now_us = self._ports.clock.now().wall_us
        seen = {digest: self._ports.files.touched_ns(digest.hex()) for digest in digests}
        self._tend(Chore(gone=tuple(digests), gone_us=now_us))

        def remove() -> int:
            files = self._ports.files
            return sum(files.remove(digest.hex(), at) for digest, at in seen.items())

        freed = self._ports.in_files(remove).result()
        self.evidence_bytes -= freed
        return freed

    def _count_files(self) -> None:
        """Add up the files, and remove those that a crash left without a record."""
        total = 0
        now_ns = self._ports.clock.now().wall_us * 1000
        with told(self._reader.directory):
            for folder in self._ports.files.folders():  # at most 256
                listed = list(self._ports.files.list(folder))
                with self._reader.connection() as connection:
                    known = {
                        digest
                        for (digest,) in connection.execute(
                            "SELECT digest FROM evidence WHERE digest >= ? AND digest <= ?",
                            (bytes.fromhex(folder), bytes.fromhex(folder) + b"\xff" * 31),
                        )
                    }
                for name, size, touched_ns in listed:
                    total += size
                    left = bytes.fromhex(name) not in known
                    if left and now_ns - touched_ns > ORPHAN_S * 1_000_000_000:
                        total -= self._orphan(name, touched_ns)
                self._breathe()
        self.evidence_bytes = total

    def _orphan(self, name: str, touched_ns: int) -> int:
        return self._ports.in_files(lambda: self._ports.files.remove(name, touched_ns)).result()

    def _vacuum(self) -> None:
        for _slice in range(self._free_pages() // _VACUUM_PAGES):
            if self._free_pages() <= _FREE_PAGES:
                return
            self._tend(Chore(vacuum_pages=_VACUUM_PAGES))

    def _free_pages(self) -> int:
        with self._reader.connection() as connection:
            count: int = connection.execute("PRAGMA freelist_count").fetchone()[0]
        return count

    def _free_bytes(self) -> int:
        with self._reader.connection() as connection:
            size: int = connection.execute("PRAGMA page_size").fetchone()[0]
        return size * self._free_pages()

    def _cursor(self, name: str) -> int:
        with self._reader.connection() as connection:
            row = connection.execute("SELECT idx FROM cursor WHERE name = ?", (name,)).fetchone()
        return row[0] if row else 0

    def _tend(self, chore: Chore) -> None:
        self._ports.tend(chore).result()
        self._breathe()

    def _breathe(self) -> None:
        if self.stopping.wait(PAUSE_S):
            raise Stopped


def _slices(items: Iterable[Any]) -> Iterator[tuple[Any, ...]]:
    waiting = iter(items)
    while part := tuple(islice(waiting, SLICE)):
        yield part
