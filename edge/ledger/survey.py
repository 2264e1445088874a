"""Reading a ledger that may be damaged, and noting what is.

Page by page, and row by row where a page cannot be read: one bad page must not hide the rest.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge.ledger.lineage import Lineage
from edge.ledger.pruned import runs
from edge.ledger.schema import explain

PAGE = 256
MAX_RUNS = 1000
MAX_FOUND = 200

Words = tuple[str, str]  # Chinese, English
Progress = Callable[[Words, int, int], None]  # stage, done, of


class Unreadable:
    """What stands for a row that SQLite cannot read."""


UNREADABLE = Unreadable()
Row = tuple[Any, ...]


@dataclass(slots=True)
class Findings:
    """What was found.

    Attributes:
        origin: of the ledger, if it says so.
        size: leaves that there are or should be.
        whole: leaves that were read and are right.
        pruned: leaves that retention let go; their hashes are right.
        signed: how many leaves the newest valid checkpoint covers.
        checkpoints, receipts: valid ones.
        evidence, gone: files that are right, and that retention deleted.
        unnamed: files that no record names.
        faults: what is missing or damaged.
    """

    origin: str = ""
    size: int = 0
    whole: int = 0
    pruned: int = 0
    signed: int = 0
    checkpoints: int = 0
    receipts: int = 0
    evidence: int = 0
    gone: int = 0
    unnamed: int = 0
    faults: list[Words] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Whether nothing is missing or damaged."""
        return not self.faults

    def text(self) -> str:
        """Plain words, Chinese and English, a pair of lines for each point."""
        unsigned = self.size - self.signed
        lines: list[Words] = [
            ("结论：账本完好。", "Verdict: the ledger is whole.")
            if self.sound
            else ("结论：账本有缺失或损坏。", "Verdict: something is missing or damaged."),
            (
                (
                    f"{self.origin or '?'}：应有 {self.size} 条记录，完好 {self.whole} 条，"
                    f"按保存期限只留哈希 {self.pruned} 条。"
                ),
                (
                    f"{self.origin or '?'}: {self.size} records, of which {self.whole} are whole "
                    f"and {self.pruned} were let go by retention (their hashes are kept)."
                ),
            ),
            (
                (
                    f"有效检查点 {self.checkpoints} 个，最新的覆盖 {self.signed} 条"
                    f"（其后 {unsigned} 条尚未签名）；有效回执 {self.receipts} 个。"
                ),
                (
                    f"Valid checkpoints: {self.checkpoints}, the newest over {self.signed} records "
                    f"({unsigned} newer are not signed yet); valid receipts: {self.receipts}."
                ),
            ),
            (
                (
                    f"证据文件：{self.evidence} 个完好，{self.gone} 个按保存期限已删，"
                    f"{self.unnamed} 个没有记录提到。"
                ),
                (
                    f"Evidence files: {self.evidence} whole, {self.gone} deleted by retention, "
                    f"{self.unnamed} named by no record."
                ),
            ),
            *((f"损坏：{zh}", f"damaged: {en}") for zh, en in self.faults),
        ]
        return "\n".join(f"{zh}\n  {en}" for zh, en in lines)

    def fault(self, chinese: str, english: str) -> None:
        """Note one, up to a bound."""
        if len(self.faults) < MAX_FOUND:
            self.faults.append((chinese, english))


class Survey:
    """What every stage works on: connections, what the file should hold, and what was found."""

    def __init__(self, directory: Path, connection: sqlite3.Connection) -> None:
        self.directory = directory
        self.connection = connection
        self.found = Findings()
        self.lineage = Lineage("")
        # On disk, removed when closed: memory stays bounded however much evidence there is.
        self.named = sqlite3.connect("", isolation_level=None)
        self.named.execute("CREATE TABLE named (digest BLOB PRIMARY KEY, idx INT) WITHOUT ROWID")

    def value(self, query: str, default: Any = None, *values: Any) -> Any:
        """First column of the first row; the default where there is none or it cannot be read."""
        with suppress(sqlite3.Error, UnicodeDecodeError):
            row = self.connection.execute(query, values).fetchone()
            return default if row is None or row[0] is None else row[0]
        return default

    def is_pruned(self, index: int) -> bool:
        """Whether retention let this leaf go, as of now."""
        with suppress(sqlite3.Error):
            return any(runs(self.connection, index, index + 1))
        return False

    def node(self, level: int, position: int) -> bytes | None:
        """A stored node's hash; None if it is not there."""
        query = "SELECT hash FROM node WHERE level = ? AND pos = ?"
        digest = self.value(query, None, level, position)
        return digest if isinstance(digest, bytes) and len(digest) == 32 else None


@contextmanager
def stepping_over(survey: Survey, chinese: str, english: str) -> Iterator[None]:
    """Note a damaged part of the file and go on; a failing disk is raised as it is."""
    try:
        yield
    except (sqlite3.Error, UnicodeDecodeError) as error:
        ours = explain(error, survey.directory) if isinstance(error, sqlite3.Error) else None
        if isinstance(error, sqlite3.Error) and ours is None:
            raise
        survey.found.fault(f"{chinese}无法读取", f"{english} cannot be read ({error})")


@dataclass(slots=True)
class Runs:
    """Indices as runs (first, last); their count is exact, the runs are bounded."""

    count: int = 0
    runs: list[tuple[int, int]] = field(default_factory=list)

    def add(self, index: int) -> None:
        """Take the next index; they come in ascending order."""
        self.count += 1
        if self.runs and self.runs[-1][1] == index - 1:
            self.runs[-1] = (self.runs[-1][0], index)
        elif len(self.runs) < MAX_RUNS:
            self.runs.append((index, index))

    def __str__(self) -> str:
        told = [str(a) if a == b else f"{a}-{b}" for a, b in self.runs[:20]]
        known = sum(b - a + 1 for a, b in self.runs[:20])
        return ", ".join(told) + (f", … (+{self.count - known})" if known < self.count else "")


def rows(
    connection: sqlite3.Connection,
    columns: str,
    table: str,
    start: int,
    end: int,
    *,
    key: str,
    where: str = "",
) -> Iterator[tuple[int, Row | Unreadable | None]]:
    """For every key from `start` to before `end` its row; None if there is none.

    Args:
        connection: of the file.
        columns: what a row holds.
        table: where it is.
        start: first key.
        end: one past the last.
        key: an integer column.
        where: what else must hold, with its AND.
    """
    page = (
        f"SELECT {key}, {columns} FROM {table} WHERE {key} >= ? AND {key} < ?"  # noqa: S608
        f" {where} ORDER BY {key}"
    )
    one = f"SELECT {key}, {columns} FROM {table} WHERE {key} = ? {where}"  # noqa: S608
    position = start
    while position < end:
        stop = min(position + PAGE, end)
        try:
            found = {row[0]: row[1:] for row in connection.execute(page, (position, stop))}
        except (sqlite3.Error, UnicodeDecodeError):
            for index in range(position, stop):
                yield index, _one(connection, one, index)
        else:
            for index in range(position, stop):
                yield index, found.get(index)
        position = stop


def _one(connection: sqlite3.Connection, query: str, index: int) -> Row | Unreadable | None:
    try:
        row: Row | None = connection.execute(query, (index,)).fetchone()
    except (sqlite3.Error, UnicodeDecodeError):
        return UNREADABLE
    return None if row is None else row[1:]
