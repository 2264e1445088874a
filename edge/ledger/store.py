"""The ledger: append-only records in one SQLite file, hashed, signed, never rewritten.

A record is durable before its future resolves. `Ledger` is what the daemon holds; other
processes look through `LedgerView`.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from edge.clock import Clock
from edge.domain.activity import EvidenceRef
from edge.domain.record import Draft, Lane, Record, RecordType
from edge.errors import ConfigError, EsealError, Fault
from edge.ledger.checkpoint import Signer
from edge.ledger.chore import Chore
from edge.ledger.evidence import EvidenceFiles, fsync_directory
from edge.ledger.integrity import check
from edge.ledger.keeper import Keeper, Ports
from edge.ledger.leaf import Unplaced
from edge.ledger.merkle import root
from edge.ledger.policy import Policy, Space
from edge.ledger.reader import CURSORS, EVIDENCE_DIRECTORY, LedgerView, Reader
from edge.ledger.requests import AddReceipt, Append, MoveCursor, Rotate, SealHead, Tend
from edge.ledger.schema import connect_writer, corrupt, migrate, rollback, told
from edge.ledger.spare import Spare
from edge.ledger.witness import check_gone, check_head
from edge.ledger.writer import Writer

__all__ = ["Ledger", "LedgerView"]

_LOCK_NAME = "ledger.lock"


class Ledger:
    """The one writer of a directory's ledger. Every method may be called from any thread."""

    def __init__(
        self,
        writer: Writer,
        reader: Reader,
        evidence: EvidenceFiles,
        origin: str,
        lock: int,
        clock: Clock,
    ) -> None:
        self.origin = origin
        self._writer = writer
        self._reader = reader
        self._evidence = evidence
        self._lock = lock
        # Evidence has a thread of its own: an alarm must not wait for a clip's fsync.
        self._files = ThreadPoolExecutor(1, "eseal-evidence")
        self._sweeps = ThreadPoolExecutor(1, "eseal-retention")
        self._keeper = Keeper(
            Ports(reader, lambda: writer.durable, self._tend, evidence, self._files.submit, clock)
        )

    @classmethod
    def open(cls, directory: Path, *, origin: str, signer: Signer, clock: Clock) -> Ledger:
        """Open the ledger in `directory`, or begin one.

        Args:
            directory: where `ledger.db` and `evidence/` lie; made if it is not there.
            origin: name of this log; every leaf and checkpoint carries it.
            signer: the gateway's key.
            clock: tells when a checkpoint is due.

        Raises:
            ConfigError: the ledger there is of another origin, key or version.
            LedgerCorrupt: it contradicts itself; says where and how to recover.
            StorageFull: the disk is full or cannot be written.
            EsealError: another process has it open.
        """
        with ExitStack() as undo:
            with told(directory):
                directory.mkdir(parents=True, exist_ok=True)
                fsync_directory(directory.absolute().parent)
                lock = _lock(directory)
                undo.callback(os.close, lock)
                evidence = EvidenceFiles(directory / EVIDENCE_DIRECTORY)
                evidence.prepare()
                check_gone(directory, origin, signer.verifier)
            migrate(directory)
            with told(directory):
                connection = connect_writer(directory)
                undo.callback(connection.close)
                _identify(connection, directory, origin, signer)
                durable = check(connection, origin, signer.verifier, directory)
                check_head(connection, durable, origin, signer.verifier, directory)
                writer = Writer(
                    connection,
                    durable,
                    directory=directory,
                    origin=origin,
                    signer=signer,
                    clock=clock,
                )
            undo.pop_all()
        return cls(writer, Reader(directory), evidence, origin, lock, clock)

    @property
    def vkey(self) -> str:
        """Public key that its checkpoints are signed with, as a C2SP verifier key."""
        return self._reader.meta("vkey")

    @property
    def size(self) -> int:
        """Durable leaves."""
        return self._writer.durable.size

    @property
    def head(self) -> Spare:
        """`ledger.head`; its `dropped` counts how often it could not be written."""
        return self._writer.head

    def submit(self, drafts: Sequence[Draft]) -> Future[list[Record]]:
        """Append `drafts`, all or none; the future gives their records once they are durable.

        With no drafts nothing is written: the answer shows that the writer is alive.

        Raises (through the future):
            StorageFull: the disk takes nothing; submit again later.
            LedgerCorrupt: SQLite found the file damaged; nothing is written any more.
            ValueError: a draft is not JSON with finite numbers, or too large.
        """
        try:
            unplaced = [Unplaced(draft, self.origin) for draft in drafts]
        except (ValueError, OverflowError, RecursionError) as error:
            future: Future[list[Record]] = Future()
            future.set_exception(error)
            return future
        return self._writer.put(Append(unplaced))

    def put_evidence(self, data: bytes, media_type: str, caption: str) -> Future[EvidenceRef]:
        """Store a file durably, before the record that names it. StorageFull as `submit`."""
        return self._files.submit(self._put_evidence, data, media_type, caption)

    def _put_evidence(self, data: bytes, media_type: str, caption: str) -> EvidenceRef:
        with told(self._reader.directory):
            return self._evidence.put(data, media_type, caption)

    def evidence_path(self, sha256: str) -> Path:
        """Where the evidence with this hash (hex) is or would be."""
        return self._evidence.path(sha256)

    def leaves_of(self, types: Iterable[RecordType]) -> Iterator[dict[str, Any]]:
        """Decoded envelopes of these types, oldest first."""
        return self._reader.leaves_of(types, self.size)

    def pending(self, lane: Lane, after: int, limit: int) -> list[Record]:
        """Records of `lane` with index >= `after`, ascending, at most `limit`."""
        return self._reader.pending(lane, after, limit)

    def cursor(self, name: str) -> int:
        """Next index not yet PUBACKed: `alarm`, `routine` or `evidence`."""
        return self._writer.durable.cursors[name]

    def move_cursor(self, name: str, index: int) -> Future[None]:
        """Move a cursor forward; a smaller index than it has changes nothing."""
        if name not in CURSORS:
            raise ValueError(f"no cursor is called {name!r}")
        return self._writer.put(MoveCursor(name, index))

    def checkpoint(self) -> bytes | None:
        """The newest stored signed checkpoint."""
        return self._writer.durable.checkpoint

    def seal_head(self) -> Future[bytes]:
        """Sign and store the head if it is newer than the newest checkpoint; give the newest."""
        return self._writer.put(SealHead())

    def add_receipt(self, note: bytes, size: int) -> Future[None]:
        """Keep a receipt whose cosignature the caller has verified.

        Raises (through the future):
            Refused: it is not for a head of this ledger; nothing is kept.
        """
        return self._writer.put(AddReceipt(note, size))

    def receipt(self) -> tuple[int, bytes] | None:
        """Size and note of the receipt that covers most."""
        return self._writer.durable.receipt

    def newest(self, lane: Lane) -> int | None:
        """Newest index of that lane."""
        return self._writer.durable.newest.get(lane)

    def backlog(self, lane: Lane) -> tuple[int, int | None]:
        """Records of `lane` not PUBACKed, and wall time (µs) of the oldest."""
        return self._reader.backlog(lane, self.cursor(lane.value))

    def rotate(self, successor: Signer) -> Future[Record]:
        """Let another key of this gateway sign from here on: a leaf that both keys sign.

        The caller has stored the new key before, and keeps it once this is durable.

        Raises (through the future):
            ValueError: it is the same key, or is named after another gateway.
            StorageFull, LedgerCorrupt: as `submit`.
        """
        return self._writer.put(Rotate(successor))

    def root_at(self, size: int) -> bytes:
        """Root of the first `size` leaves. LedgerCorrupt if a node of the tree is missing."""
        return root(size, self._reader.node)

    def space(self, policy: Policy) -> Space:
        """How much room there is; cheap. StorageFull if the directory cannot be looked at."""
        with told(self._reader.directory):
            return self._keeper.space(policy)

    def sweep(self, policy: Policy) -> Future[Space]:
        """Let go of what is old or too much, in slices between which records are appended.

        Raises (through the future):
            StorageFull, LedgerCorrupt: as `submit`.
            Stopped: the ledger was closed meanwhile.
        """
        return self._sweeps.submit(self._keeper.sweep, policy)

    def _tend(self, chore: Chore) -> Future[None]:
        return self._writer.put(Tend(chore))

    def close(self) -> None:
        """Commit what waits, seal the head and let go of the directory. May be called twice."""
        if self._lock < 0:
            return
        self._keeper.stopping.set()
        self._sweeps.shutdown(cancel_futures=True)
        self._files.shutdown()
        self._writer.stop()
        self._reader.close()
        os.close(self._lock)
        self._lock = -1


def _lock(directory: Path) -> int:
    """Claim the directory for this process; the system lets go when the process ends."""
    descriptor = os.open(directory / _LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise EsealError(
            f"{directory} is in use by another eseal; stop that one, or give this one a "
            "storage.dir of its own"
        ) from error
    return descriptor


def _identify(connection: sqlite3.Connection, directory: Path, origin: str, signer: Signer) -> None:
    """Write who this ledger belongs to on first use; afterwards hold it against that."""
    ours = {"origin": origin, "vkey": str(signer.verifier)}
    stored = dict(connection.execute("SELECT key, value FROM meta").fetchall())
    if not stored and connection.execute("SELECT max(idx) FROM leaf").fetchone()[0] is None:
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT INTO meta VALUES (?, ?)", ours.items())
            connection.execute("COMMIT")
        except sqlite3.Error:
            rollback(connection)
            raise
        return
    missing = ours.keys() - stored.keys()
    if missing:
        raise corrupt(directory, f"it does not say its {min(missing)}")
    if stored["origin"] != origin:
        raise ConfigError(
            [
                Fault(
                    "storage.dir",
                    f"holds the ledger of {stored['origin']}, and this is {origin}",
                    "name an empty directory, or mend site.mine_code and site.gateway",
                )
            ]
        )
    if stored["vkey"] != ours["vkey"]:
        raise ConfigError(
            [
                Fault(
                    str(directory / "gateway.key"),
                    f"is not the key that signed this ledger ({stored['vkey'][:60]})",
                    "restore the key from its backup; a new key needs a new storage.dir",
                )
            ]
        )
