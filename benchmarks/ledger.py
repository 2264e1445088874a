"""Durable appends, tree and all, next to bare SQLite and to other people's storage.

`append_vs_…` is the other's time for the same bytes divided by ours: above 1 we are faster. Ours
begins when a draft is handed over and ends when its future resolves, which is after the commit.
Bare SQLite inserts the finished leaves into a table of two columns on the same thread, with
our pragmas. Both take turns in short blocks; medians of what a commit took are compared. With 1
and 10 records a commit each is waited for before the next is handed over (the writer would put
what waits into one commit); with 500, a full commit, one batch is spelled while another is
written, as on a busy gateway. `sqlite_500_alone` is the same with each waited for.
"""

from __future__ import annotations

import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks.parts import ORIGIN, fill, open_ledger, summary
from benchmarks.peers.install import PeerMissing
from benchmarks.peers.persistqueue import PersistQueue
from benchmarks.peers.thingsboard import ThingsBoard
from benchmarks.rig import arguments, report
from edge.ledger.leaf import encode_leaf
from edge.ledger.schema import connect_writer

PRAGMAS = ("journal_mode", "synchronous", "cell_size_check", "journal_size_limit")
BULK = 10_000  # events in a burst against ThingsBoard

Block = Callable[[int, int], list[float]]  # commits, records each: seconds of every commit


class Ours:
    """The ledger through its front door."""

    def __init__(self, directory: Path, under_way: int = 1) -> None:
        self._ledger = open_ledger(directory)
        self._under_way = under_way

    def block(self, commits: int, records: int) -> list[float]:
        """Append; with several under way a commit takes from one answer to the next."""
        batches = [[summary(number) for number in range(records)] for _ in range(commits)]
        took: list[float] = []
        waiting: deque[Future[Any]] = deque()
        last = time.perf_counter()
        for batch in [*batches, *[None] * (self._under_way - 1)]:
            if batch is not None:
                waiting.append(self._ledger.submit(batch))
            if len(waiting) >= self._under_way or batch is None:
                waiting.popleft().result()
                now = time.perf_counter()
                took.append(now - last)
                last = now
        return took

    def close(self) -> None:
        self._ledger.close()


class Bare:
    """What SQLite itself takes for these bytes."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir()
        self._connection = sqlite3.connect(directory / "bare.db", isolation_level=None)
        with closing(connect_writer(directory)) as ours:
            for name in PRAGMAS:
                (value,) = ours.execute(f"PRAGMA {name}").fetchone()
                self._connection.execute(f"PRAGMA {name} = {value}")
        self._connection.execute(
            "CREATE TABLE leaf (idx INTEGER PRIMARY KEY, leaf BLOB NOT NULL) STRICT"
        )
        self._size = 0

    def block(self, commits: int, records: int) -> list[float]:
        took = []
        leaf = encode_leaf(summary(0), ORIGIN, 0)
        for _ in range(commits):
            rows = [(self._size + i, leaf) for i in range(records)]
            began = time.perf_counter()
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany("INSERT INTO leaf VALUES (?, ?)", rows)
            self._connection.execute("COMMIT")
            took.append(time.perf_counter() - began)
            self._size += records
        return took

    def close(self) -> None:
        self._connection.close()


def compare(ours: Block, theirs: Block, rounds: int, commits: int, records: int) -> dict[str, Any]:
    """Take turns. Returns the ratio of medians and both in microseconds a commit."""
    times: tuple[list[float], list[float]] = ([], [])
    for round_ in range(rounds + 1):
        for taken, block in zip(times, (ours, theirs), strict=True):
            took = block(commits, records)
            if round_:  # the first one warms up
                taken.extend(took)
    mine, other = (statistics.median(taken) for taken in times)
    print(f"{records:4} a commit: ours {mine * 1e6:8.0f} us, theirs {other * 1e6:8.0f} us")
    return {"ratio": round(other / mine, 3), "us": round(mine * 1e6), "them_us": round(other * 1e6)}


def against_sqlite(folder: Path, rounds: int) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for records, commits, cases in (
        (1, 30, {"sqlite_1": 1}),
        (10, 30, {"sqlite_10": 1}),
        (500, 6, {"sqlite_500": 2, "sqlite_500_alone": 1}),
    ):
        bare = Bare(folder / f"bare-{records}")
        for name, under_way in cases.items():
            ours = Ours(folder / name, under_way)
            figures[name] = compare(ours.block, bare.block, rounds, commits, records)
            ours.close()
        bare.close()
    low = min(figures["sqlite_1"]["ratio"], figures["sqlite_10"]["ratio"])
    return {
        "append_vs_sqlite": low,
        "append_vs_sqlite_500": figures["sqlite_500"]["ratio"],
        **figures,
    }


def against_persistqueue(folder: Path, rounds: int) -> dict[str, Any]:
    """One record, durable; persist-queue has no other way."""
    try:
        peer = PersistQueue(folder / "persistqueue")
    except PeerMissing as missing:
        return {"append_vs_persistqueue": None, "persistqueue_missing": str(missing)}
    leaf = encode_leaf(summary(0), ORIGIN, 0)

    def block(commits: int, _records: int) -> list[float]:
        took = []
        for _ in range(commits):
            began = time.perf_counter()
            peer.put(leaf)
            took.append(time.perf_counter() - began)
        return took

    ours = Ours(folder / "ours-persistqueue")
    result = compare(ours.block, block, rounds, 20, 1)
    ours.close()
    peer.close()
    return {"append_vs_persistqueue": result["ratio"], "persistqueue_1": result}


def against_thingsboard(folder: Path, rounds: int) -> dict[str, Any]:
    """A burst of events until all are in the file; and a single one."""
    (folder / "thingsboard").mkdir()
    try:
        peer = ThingsBoard(folder / "thingsboard")
    except PeerMissing as missing:
        return {"append_vs_thingsboard": None, "thingsboard_missing": str(missing)}
    leaf = encode_leaf(summary(0), ORIGIN, 0)

    def block(commits: int, records: int) -> list[float]:
        took = []
        for _ in range(commits):
            began = time.perf_counter()
            for _ in range(records):
                peer.put(leaf)
            peer.wait()
            took.append(time.perf_counter() - began)
        return took

    ours = Ours(folder / "ours-thingsboard", 2)

    def ours_in_batches(_commits: int, records: int) -> list[float]:
        return [sum(ours.block(records // 500, 500))]

    burst = compare(ours_in_batches, block, max(3, rounds // 4), 1, BULK)
    ours.close()
    single = Ours(folder / "ours-single")
    one = compare(single.block, block, max(3, rounds // 4), 3, 1)
    single.close()
    peer.close()
    return {
        "append_vs_thingsboard": burst["ratio"],
        "append_vs_thingsboard_1": one["ratio"],
        f"thingsboard_{BULK}": burst,
        "thingsboard_1": one,
    }


def memory(directory: Path) -> float:
    """PSS (MB) of a process with this ledger and an uplink whose broker is away."""
    command = [sys.executable, "-m", "benchmarks.backlog", str(directory)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def backlog(folder: Path, count: int) -> dict[str, Any]:
    """What a backlog costs in memory."""
    open_ledger(folder / "idle").close()
    ledger = open_ledger(folder / "backlog")
    began = time.monotonic()
    fill(ledger, count)
    ledger.close()
    rate = count / (time.monotonic() - began)
    idle, full = memory(folder / "idle"), memory(folder / "backlog")
    return {
        "backlog_1m_extra_mb": round(full - idle, 1),
        "backlog_records": count,
        "idle_mb": round(idle, 1),
        "append_records_per_s": round(rate),
    }


def main() -> None:
    """Measure and report."""
    args = arguments(__doc__)
    rounds = 4 if args.quick else 25
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        figures = against_sqlite(folder, rounds)
        figures |= against_persistqueue(folder, rounds)
        figures |= against_thingsboard(folder, rounds)
        figures |= backlog(folder, 50_000 if args.quick else 1_000_000)
    report(figures)


if __name__ == "__main__":
    main()
