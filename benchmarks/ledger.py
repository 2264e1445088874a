"""Durable appends, tree and all, next to bare SQLite and to other people's storage.

`append_vs_…` is the other's time for the same bytes divided by ours: above 1 we are faster. Ours
goes through the front door, from drafts to records that are durable. All take turns in short
blocks; of what a commit took the lower quartile is compared, because a machine that does something
else as well takes a commit apart for milliseconds, now ours, now the other's.

- `append_vs_sqlite`: bare SQLite writes the same bytes (the ledger's own rows of leaves and tree
  nodes, made beforehand) in the same tables with the same pragmas: what the ledger adds is
  spelling, hashing, futures and its thread. The lower of 1 and 10 records a commit.
- `…_leaves_only`: SQLite writes only the leaves, without lanes, types, indices or a tree.
- with 1 and 10 records a commit each commit is waited for before the next records are handed
  over; with 500, a full commit, one batch is spelled while another is written, as on a busy
  gateway (`alone`: not so).
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.parts import ORIGIN, fill, open_ledger, summary
from benchmarks.peers.install import PeerMissing
from benchmarks.peers.persistqueue import PersistQueue
from benchmarks.peers.thingsboard import ThingsBoard
from benchmarks.rig import arguments, report
from edge.domain.record import Draft
from edge.ledger.leaf import encode_leaf
from edge.ledger.merkle import new_nodes
from edge.ledger.schema import connect_writer, migrate
from edge.ledger.store import Ledger

BULK = 10_000  # events in a burst against ThingsBoard
UNDER_WAY = 2

Block = Callable[[int, int], list[float]]  # commits, records each: seconds of each commit
Rows = list[tuple[Any, ...]]


class Ours:
    """The ledger through its front door."""

    def __init__(self, ledger: Ledger, under_way: int = 1) -> None:
        self._ledger = ledger
        self._under_way = under_way

    def submit(self, commits: int, records: int) -> list[float]:
        return [timed(partial(self._submitted, batch)) for batch in batches(commits, records)]

    def _submitted(self, drafts: list[Draft]) -> None:
        self._ledger.submit(drafts).result()

    def ahead(self, commits: int, records: int) -> list[float]:
        """Some are under way; what one took is the mean of the block."""
        waiting: deque[Future[Any]] = deque()
        drafts = batches(commits, records)
        began = time.perf_counter()
        for batch in drafts:
            if len(waiting) >= self._under_way:
                waiting.popleft().result()
            waiting.append(self._ledger.submit(batch))
        for future in waiting:
            future.result()
        return [(time.perf_counter() - began) / commits]


def batches(commits: int, records: int) -> list[list[Draft]]:
    return [[summary(number) for number in range(records)] for _ in range(commits)]


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


class Bare:
    """What SQLite itself takes for these bytes."""

    def __init__(self, directory: Path, *, leaves_only: bool) -> None:
        directory.mkdir()
        if not leaves_only:
            migrate(directory)
        self._connection = connect_writer(directory)
        if leaves_only:
            self._connection.execute(
                "CREATE TABLE leaf (idx INTEGER PRIMARY KEY, leaf BLOB NOT NULL) STRICT"
            )
        self._leaves_only = leaves_only
        self._size = 0
        self._nodes: dict[tuple[int, int], bytes] = {}

    def block(self, commits: int, records: int) -> list[float]:
        rows = [self._rows(records) for _ in range(commits)]
        return [timed(partial(self._commit, leaves, nodes)) for leaves, nodes in rows]

    def _commit(self, leaves: Rows, nodes: Rows) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        if self._leaves_only:
            self._connection.executemany("INSERT INTO leaf VALUES (?, ?)", leaves)
        else:
            self._connection.executemany("INSERT INTO leaf VALUES (?, ?, ?, ?, ?)", leaves)
            self._connection.executemany("INSERT INTO node VALUES (?, ?, ?)", nodes)
        self._connection.execute("COMMIT")

    def _rows(self, records: int) -> tuple[Rows, Rows]:
        leaves: Rows = []
        nodes: Rows = []
        for index in range(self._size, self._size + records):
            draft = summary(index)
            leaf = encode_leaf(draft, ORIGIN, index)
            if self._leaves_only:
                leaves.append((index, leaf))
                continue
            kind, wall_us = draft.type.value, draft.stamp.wall_us
            leaves.append((index, draft.lane.value, kind, wall_us, leaf))
            for node in new_nodes(index, leaf, lambda *place: self._nodes[place]):
                self._nodes[node[:2]] = node[2]
                nodes.append(node)
        self._size += records
        return leaves, nodes

    def close(self) -> None:
        self._connection.close()


def take_turns(
    blocks: Mapping[str, Block], rounds: int, commits: int, records: int
) -> dict[str, float]:
    """Lower quartile of what a commit took, microseconds, by name."""
    times: dict[str, list[float]] = {name: [] for name in blocks}
    names = list(blocks)
    for round_ in range(rounds + 1):
        names.append(names.pop(0))
        for name in names:
            took = blocks[name](commits, records)
            if round_:  # the first one warms up
                times[name] += took
    quartiles = {
        name: round(statistics.quantiles(taken, n=4)[0] * 1e6, 1) for name, taken in times.items()
    }
    print(f"{records:5} records a commit, us: {quartiles}")
    return quartiles


def against_sqlite(folder: Path, rounds: int) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for records, commits in ((1, 5), (10, 5), (500, 8)):
        ours, other = (open_ledger(folder / f"{name}-{records}") for name in ("ours", "other"))
        bare = Bare(folder / f"bare-{records}", leaves_only=False)
        leaves = Bare(folder / f"leaves-{records}", leaves_only=True)
        blocks: dict[str, Block] = {"bare": bare.block, "leaves_only": leaves.block}
        if records < 500:
            blocks |= {"ours": Ours(ours).submit}
        else:
            blocks |= {"ours": Ours(ours, UNDER_WAY).ahead, "alone": Ours(other).submit}
        took = take_turns(blocks, rounds * (6 if records < 500 else 1), commits, records)
        closing: tuple[Ledger | Bare, ...] = (ours, other, bare, leaves)
        for item in closing:
            item.close()
        figures[f"sqlite_{records}_us"] = took
        figures[f"ratio_{records}"] = round(took["bare"] / took["ours"], 3)
        figures[f"ratio_{records}_leaves_only"] = round(took["leaves_only"] / took["ours"], 3)
    return {
        "append_vs_sqlite": min(figures["ratio_1"], figures["ratio_10"]),
        "append_vs_sqlite_500": figures["ratio_500"],
        **figures,
    }


def against_persistqueue(folder: Path, rounds: int) -> dict[str, Any]:
    """One record, durable, each waited for; persist-queue has no other way."""
    try:
        peer = PersistQueue(folder / "persistqueue")
    except PeerMissing as missing:
        return {"append_vs_persistqueue": None, "persistqueue_missing": str(missing)}
    leaf = encode_leaf(summary(0), ORIGIN, 0)

    def block(commits: int, _records: int) -> list[float]:
        return [timed(partial(peer.put, leaf)) for _ in range(commits)]

    ledger = open_ledger(folder / "ours-persistqueue")
    took = take_turns({"ours": Ours(ledger).submit, "persistqueue": block}, rounds, 20, 1)
    ledger.close()
    peer.close()
    ratio = round(took["persistqueue"] / took["ours"], 3)
    return {"append_vs_persistqueue": ratio, "persistqueue_1_us": took}


def against_thingsboard(folder: Path, rounds: int) -> dict[str, Any]:
    """A burst of events until all are in the file; and a single one."""
    (folder / "thingsboard").mkdir()
    try:
        peer = ThingsBoard(folder / "thingsboard")
    except PeerMissing as missing:
        return {"append_vs_thingsboard": None, "thingsboard_missing": str(missing)}
    leaf = encode_leaf(summary(0), ORIGIN, 0)

    def burst_of(records: int) -> None:
        for _ in range(records):
            peer.put(leaf)
        peer.wait()

    def block(commits: int, records: int) -> list[float]:
        return [timed(partial(burst_of, records)) for _ in range(commits)]

    ledger = open_ledger(folder / "ours-thingsboard")

    def in_batches(_commits: int, records: int) -> list[float]:
        (each,) = Ours(ledger, UNDER_WAY).ahead(records // 500, 500)
        return [each * (records // 500)]

    few = max(3, rounds // 4)
    burst = take_turns({"ours": in_batches, "thingsboard": block}, few, 1, BULK)
    single = take_turns({"ours": Ours(ledger).submit, "thingsboard": block}, few, 3, 1)
    ledger.close()
    peer.close()
    return {
        "append_vs_thingsboard": round(burst["thingsboard"] / burst["ours"], 3),
        "append_vs_thingsboard_1": round(single["thingsboard"] / single["ours"], 3),
        f"thingsboard_{BULK}_us": burst,
        "thingsboard_1_us": single,
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
    rounds = 5 if args.quick else 40
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        figures = against_sqlite(folder, rounds)
        figures |= against_persistqueue(folder, rounds)
        figures |= against_thingsboard(folder, rounds)
        figures |= backlog(folder, 50_000 if args.quick else 1_000_000)
    report(figures)


if __name__ == "__main__":
    main()
