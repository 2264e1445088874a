"""The one thread that writes: it takes everything that waits and commits it at once.

A commit holds leaves, the tree nodes they complete, cursors, receipts and, when one is due,
the checkpoint over all of it. Futures resolve after the commit, never before.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any, Protocol

from edge.clock import Clock, Stamp
from edge.domain.record import Record
from edge.errors import EsealError, LedgerCorrupt, Refused, StorageFull
from edge.ledger.checkpoint import Signer
from edge.ledger.chore import Chore
from edge.ledger.commit import Commit
from edge.ledger.leaf import Unplaced
from edge.ledger.merkle import peaks
from edge.ledger.reader import Durable, node_of
from edge.ledger.schema import rollback, told
from edge.ledger.witness import write_head

BATCH_DRAFTS = 500  # a commit takes no further request once it holds this many drafts
SEAL_AFTER_S = 9.0  # checkpoints are promised at most 10 s apart; a commit takes its time
_LOOK_S = 0.5  # how often the clock is asked whether a checkpoint is due


class Request(Protocol):
    """Something to be done within a commit."""

    @property
    def future(self) -> Future[Any]: ...

    def apply(self, commit: Commit) -> Callable[[], Any]:
        """Do it within the commit; the result is asked for when the commit is durable.

        Raises:
            ValueError, Refused: this request is at fault; the others are not.
        """


@dataclass(frozen=True, slots=True)
class Append:
    """Append drafts as leaves."""

    future: Future[list[Record]]
    drafts: Sequence[Unplaced]

    def apply(self, commit: Commit) -> Callable[[], list[Record]]:
        records = commit.append(self.drafts)
        return lambda: records


@dataclass(frozen=True, slots=True)
class MoveCursor:
    """Move a cursor forward; backward is a wish not granted and no error."""

    future: Future[None]
    name: str
    index: int

    def apply(self, commit: Commit) -> Callable[[], None]:
        commit.move(self.name, self.index)
        return lambda: None


@dataclass(frozen=True, slots=True)
class AddReceipt:
    """Keep a province's cosignature of one of our heads."""

    future: Future[None]
    note: bytes
    size: int

    def apply(self, commit: Commit) -> Callable[[], None]:
        commit.receive(self.note, self.size)
        return lambda: None


@dataclass(frozen=True, slots=True)
class SealHead:
    """Sign the head as it is after this commit."""

    future: Future[bytes]

    def apply(self, commit: Commit) -> Callable[[], bytes]:
        commit.seal_wanted = True
        return lambda: commit.after.checkpoint or b""


@dataclass(frozen=True, slots=True)
class Rotate:
    """Let another key sign from here on."""

    future: Future[Record]
    successor: Signer

    def apply(self, commit: Commit) -> Callable[[], Record]:
        (record,) = commit.rotate(self.successor)
        return lambda: record


@dataclass(frozen=True, slots=True)
class Tend:
    """Let go of a bounded slice of what is old."""

    future: Future[None]
    chore: Chore

    def apply(self, commit: Commit) -> Callable[[], None]:
        commit.tend(self.chore)
        return lambda: None


class Writer:
    """Owns the writing connection and its thread.

    `durable` is replaced as a whole after each commit, so that any thread may read it.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        durable: Durable,
        *,
        directory: Path,
        origin: str,
        signer: Signer,
        clock: Clock,
    ) -> None:
        self.durable = durable
        self._connection = connection
        self._directory = directory
        self._origin = origin
        self._signer = signer
        self._clock = clock
        self._peaks: Mapping[int, bytes] = peaks(durable.size, self._node)
        self._sealed_at: Stamp | None = None
        # Written in C: with Python's own locks handing over would cost as much as the work.
        self._queue: SimpleQueue[Request | None] = SimpleQueue()  # None: close
        self._closing = False
        self._ended = False
        self._turn = Lock()  # whoever holds it commits
        self._busy = False  # the thread has requests in hand
        self._over: EsealError | None = None
        self._thread = Thread(target=self._run, name="eseal-ledger", daemon=True)
        self._thread.start()

    def put(self, request: Request) -> None:
        """Queue a request; its future tells the outcome."""
        self._queue.put(request)
        if self._ended:  # the writer may have looked for the last time before this came
            self._refuse_rest()

    def do(self, request: Request) -> Any:
        """Do a request for a caller who waits for the disk anyway; gives its result.

        If nothing else waits it is committed in the caller's thread: two changes of thread cost
        as much as all that the ledger adds to SQLite.
        """
        if not self._busy and self._queue.empty() and self._turn.acquire(blocking=False):
            try:
                slept = not self._unsealed
                self._process([request])
                if slept and self._unsealed:
                    self._queue.put(Append(Future(), ()))  # the thread looks after checkpoints
            finally:
                self._turn.release()
        else:
            self.put(request)
        return request.future.result()

    def stop(self) -> None:
        """Commit what waits, seal the head, and end the thread."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        try:
            with closing(self._connection):
                while not self._closing:
                    batch = self._take()
                    with self._turn:
                        self._process(batch)
                    self._busy = False
                self._turn.acquire()  # for good: nobody else commits from here on
                self._finish()
        finally:
            self._over = self._over or EsealError("the ledger is closed")
            self._ended = True
            self._refuse_rest()

    def _refuse_rest(self) -> None:
        with suppress(Empty):
            while True:
                request = self._queue.get_nowait()
                if request is not None:
                    _fail([request], self._over or EsealError("the ledger is closed"))

    def _take(self) -> list[Request]:
        """What waits, up to a batch; empty when only a checkpoint is due."""
        while True:
            try:
                request = self._queue.get(timeout=_LOOK_S if self._unsealed else None)
                self._busy = True
                break
            except Empty:
                if self._seal_due(self.durable, self._clock.now()):
                    return []
        batch: list[Request] = []
        drafts = 0
        while request is not None:
            batch.append(request)
            drafts += len(request.drafts) if isinstance(request, Append) else 1
            if drafts >= BATCH_DRAFTS or self._queue.empty():
                return batch
            request = self._queue.get()
        self._closing = True
        return batch

    def _process(self, batch: list[Request]) -> None:
        requests = [item for item in batch if item.future.set_running_or_notify_cancel()]
        if self._over is not None:
            _fail(requests, self._over)
            return
        try:
            self._commit(requests)
        except StorageFull as error:
            for request in requests:
                if isinstance(request, Append) and not request.drafts:
                    request.future.set_result([])  # a probe: the writer lives, the disk is full
            _fail(requests, error)
        except LedgerCorrupt as error:
            self._over = error  # from here on nothing is written
            _fail(requests, error)
        except Exception as error:
            self._over = EsealError(f"the ledger's writer ended: {error!r}")
            _fail(requests, error)
            raise

    def _commit(self, requests: list[Request]) -> None:
        now = self._clock.now()
        commit = Commit(self.durable, self._peaks, self._origin, self._signer, now, self._node)
        answers = []
        for request in requests:
            try:
                answers.append((request.future, request.apply(commit)))
            except (ValueError, OverflowError, RecursionError, Refused) as error:
                request.future.set_exception(error)
        if commit.seal_wanted or commit.has_alarm or self._seal_due(commit.after, now):
            commit.seal()
        if not commit.empty:
            self._write(commit)
        if commit.after.sealed != self.durable.sealed:
            self._sealed_at = now
            write_head(self._directory, commit.after.checkpoint or b"")
        self.durable, self._peaks = commit.after, commit.peaks
        self._signer = commit.signer
        for future, answer in answers:
            future.set_result(answer())
        if commit.vacuum_pages:
            self._vacuum(commit.vacuum_pages)

    def _write(self, commit: Commit) -> None:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            commit.write(self._connection)
            self._connection.execute("COMMIT")
        except (sqlite3.Error, UnicodeDecodeError):
            rollback(self._connection)
            with told(self._directory):
                raise

    def _vacuum(self, pages: int) -> None:
        with suppress(sqlite3.Error):  # it only makes the file smaller; the next commit will tell
            # A script, because it is stepped to its end: each step gives back one page.
            self._connection.executescript(f"PRAGMA incremental_vacuum({pages:d})")

    @property
    def _unsealed(self) -> bool:
        return self.durable.size > max(0, self.durable.sealed)

    def _seal_due(self, durable: Durable, now: Stamp) -> bool:
        if durable.size <= max(0, durable.sealed):
            return False
        return self._sealed_at is None or now.since(self._sealed_at) >= SEAL_AFTER_S

    def _finish(self) -> None:
        """Leave a sealed head and a short WAL; a full disk is no reason not to stop."""
        if self._over is None and self._unsealed:
            self._process([SealHead(Future())])
        with suppress(sqlite3.Error):
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _node(self, level: int, position: int) -> bytes:
        return node_of(self._connection, level, position, self._directory)


def _fail(requests: Iterable[Request], error: BaseException) -> None:
    for request in requests:
        if not request.future.done():
            request.future.set_exception(error)
