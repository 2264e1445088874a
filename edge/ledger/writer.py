"""The one thread that writes: it takes everything that waits and commits it at once.

A commit holds leaves, the tree nodes they complete, cursors, receipts and, when one is due,
the checkpoint over all of it. Futures resolve after the commit, never before.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import closing, suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, TypeVar

from edge.clock import Clock, Stamp
from edge.errors import EsealError, LedgerCorrupt, Refused, StorageFull
from edge.ledger.checkpoint import Signer
from edge.ledger.commit import Commit
from edge.ledger.merkle import peaks
from edge.ledger.reader import Durable, node_of
from edge.ledger.requests import Append, Request, SealHead
from edge.ledger.schema import rollback, told
from edge.ledger.spare import Spare
from edge.ledger.witness import HEAD_NAME

BATCH_DRAFTS = 500  # a commit takes no further request once it holds this many drafts
SEAL_AFTER_S = 9.0  # checkpoints are promised at most 10 s apart; a commit takes its time
_LOOK_S = 0.5  # how often the clock is asked whether a checkpoint is due


R = TypeVar("R")
_Waiting = tuple[Request[Any], Future[Any]]


class Writer:
    """Owns the writing connection and its thread.

    `durable` is replaced as a whole after each commit, so that any thread may read it; `head` is
    the newest checkpoint once more.
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
        self.head = Spare(directory / HEAD_NAME)
        # Written in C: with Python's own locks handing over would cost as much as the work.
        self._queue: SimpleQueue[_Waiting | None] = SimpleQueue()  # None: close
        self._closing = False
        self._ended = False
        self._over: EsealError | None = None
        self._vacuum_pages = 0
        self._thread = Thread(target=self._run, name="eseal-ledger", daemon=True)
        self._thread.start()

    def put(self, request: Request[R]) -> Future[R]:
        """Queue a request; the future tells the outcome."""
        future: Future[R] = Future()
        self._queue.put((request, future))
        if self._ended:  # the writer may have looked for the last time before this came
            self._refuse_rest()
        return future

    def stop(self) -> None:
        """Commit what waits, seal the head, and end the thread."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        try:
            with closing(self._connection):
                while not self._closing:
                    self._process(self._take())
                    self._vacuum()
                self._finish()
        finally:
            self._over = self._over or EsealError("the ledger is closed")
            self._ended = True
            self._refuse_rest()

    def _refuse_rest(self) -> None:
        with suppress(Empty):
            while True:
                waiting = self._queue.get_nowait()
                if waiting is not None and waiting[1].set_running_or_notify_cancel():
                    waiting[1].set_exception(self._over)

    def _take(self) -> list[_Waiting]:
        """What waits, up to a batch; empty when only a checkpoint is due."""
        while True:
            try:
                waiting = self._queue.get(timeout=_LOOK_S if self._unsealed else None)
                break
            except Empty:
                if self._seal_due(self.durable, self._clock.now()):
                    return []
        batch: list[_Waiting] = []
        drafts = 0
        while waiting is not None:
            batch.append(waiting)
            drafts += len(waiting[0].drafts) if isinstance(waiting[0], Append) else 1
            if drafts >= BATCH_DRAFTS or self._queue.empty():
                return batch
            waiting = self._queue.get()
        self._closing = True
        return batch

    def _process(self, batch: list[_Waiting]) -> None:
        waiting = [item for item in batch if item[1].set_running_or_notify_cancel()]
        try:
            outcomes = self._work([request for request, _future in waiting])
        except Exception as error:
            for _request, future in waiting:
                future.set_exception(error)
            raise
        for (_request, future), outcome in zip(waiting, outcomes, strict=True):
            if isinstance(outcome, Exception):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)

    def _work(self, requests: list[Request[Any]]) -> list[Any]:
        """Commit them together; gives of each its result, or the exception that is its answer."""
        if self._over is not None:
            return [self._over] * len(requests)
        now = self._clock.now()
        commit = Commit(self.durable, self._peaks, self._origin, self._signer, now, self._node)
        answers: list[Any] = []
        try:
            for request in requests:
                try:
                    answers.append(request.apply(commit))
                except (ValueError, OverflowError, RecursionError, Refused) as error:
                    answers.append(error)
            self._commit(commit, now)
        except (StorageFull, LedgerCorrupt) as error:
            if isinstance(error, LedgerCorrupt):
                self._over = error  # from here on nothing is written
            faults = [answer if isinstance(answer, Exception) else error for answer in answers]
            faults += [error] * (len(requests) - len(faults))
            if self._over is None:  # whoever probes is told that the writer lives
                return [
                    [] if _probes(r) else fault for r, fault in zip(requests, faults, strict=True)
                ]
            return faults
        except Exception as error:
            self._over = EsealError(f"the ledger's writer ended: {error!r}")
            raise
        return [answer if isinstance(answer, Exception) else answer() for answer in answers]

    def _commit(self, commit: Commit, now: Stamp) -> None:
        if commit.seal_wanted or commit.has_alarm or self._seal_due(commit.after, now):
            commit.seal()
        if not commit.empty:
            self._write(commit)
        if commit.after.sealed != self.durable.sealed:
            self._sealed_at = now
            self.head.write(commit.after.checkpoint or b"")
        self.durable, self._peaks = commit.after, commit.peaks
        self._signer = commit.signer
        self._vacuum_pages = commit.vacuum_pages

    def _write(self, commit: Commit) -> None:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            commit.write(self._connection)
            self._connection.execute("COMMIT")
        except (sqlite3.Error, UnicodeDecodeError):
            rollback(self._connection)
            with told(self._directory):
                raise

    def _vacuum(self) -> None:
        """Give pages back, once whoever waited for the commit knows of it."""
        pages, self._vacuum_pages = self._vacuum_pages, 0
        if pages:
            with suppress(sqlite3.Error):  # only to make the file smaller; a commit will tell
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
            self._work([SealHead()])
        with suppress(sqlite3.Error):
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _node(self, level: int, position: int) -> bytes:
        return node_of(self._connection, level, position, self._directory)


def _probes(request: Request[Any]) -> bool:
    return isinstance(request, Append) and not request.drafts
