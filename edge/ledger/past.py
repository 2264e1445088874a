"""Logs that broke off, under `epochs/`: the room that they take, and when they may go.

They are never written again. One goes when the province has receipted its last record and that is
past retention: first its evidence, then its ledger; `ledger.head` stays, so that no later epoch
takes its number. What no receipt covers, or cannot be read, stays for whoever comes to look.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from edge.errors import ConfigError, LedgerCorrupt
from edge.ledger.damage import MARK
from edge.ledger.policy import DAY_US, Policy, province_time_us
from edge.ledger.reader import EVIDENCE_DIRECTORY, Reader
from edge.ledger.schema import FILE_NAME

FOLDER = "epochs"
_LEDGER = (FILE_NAME + "-wal", FILE_NAME + "-shm", MARK, FILE_NAME)  # the database last


def used(directory: Path) -> int:
    """Bytes of all past logs; evidence that the log in force shares is counted there. OSError."""
    return sum(
        status.st_size
        for past in _folders(directory)
        for path in past.rglob("*")
        if path.is_file() and (status := path.stat()).st_nlink == 1
    )


def let_go(directory: Path, policy: Policy, now_us: int, breathe: Callable[[], None]) -> None:
    """Delete what is covered and old.

    Args:
        directory: `storage.dir`.
        policy: how long what is kept.
        now_us: the time that counts, by the province's clock.
        breathe: called between files; may raise to stop.

    Raises:
        OSError: the disk fails; what was deleted is deleted, and the rest goes another time.
        StorageFull: likewise.
    """
    ledger_days = max(policy.routine_days, policy.alarm_days, policy.evidence_days)
    for past in _folders(directory):
        covered_us = _covered_us(past)
        if covered_us is None:
            continue
        if covered_us < now_us - policy.evidence_days * DAY_US:
            for path in (past / EVIDENCE_DIRECTORY).rglob("*"):
                if path.is_file():
                    path.unlink()
                    breathe()
        if covered_us < now_us - ledger_days * DAY_US:
            for name in _LEDGER:
                (past / name).unlink(missing_ok=True)


def _covered_us(past: Path) -> int | None:
    """When the province had everything; None if a record has no receipt, or it cannot be told."""
    if not (past / FILE_NAME).exists():
        return None
    reader = Reader(past)
    try:
        durable = reader.durable()
        if not durable.size or durable.receipt is None or durable.receipt[0] < durable.size:
            return None
        with reader.connection() as connection:
            (newest_us,) = connection.execute(
                "SELECT wall_us FROM leaf ORDER BY idx DESC LIMIT 1"
            ).fetchone()
    except (ConfigError, LedgerCorrupt):
        return None
    finally:
        reader.close()
    return max(int(newest_us), province_time_us(durable.receipt[1]))


def _folders(directory: Path) -> Iterator[Path]:
    if (directory / FOLDER).is_dir():
        yield from sorted(path for path in (directory / FOLDER).iterdir() if path.is_dir())
