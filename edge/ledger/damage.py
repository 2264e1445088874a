"""When a damaged ledger may be left behind for a new epoch, and when it must not."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import structlog

from edge.ledger.evidence import fsync_directory

MARK = "ledger.damaged"
MAX_MARK = 2000
LATELY_S = 3600.0
"""A ledger that is damaged again so soon stands on a disk that fails: it must not become a row of
short epochs that nobody looks at."""

log = structlog.get_logger(__name__)


def mark(directory: Path, why: str) -> None:
    """Note damage that was found while the ledger was open, for the next start."""
    try:
        (directory / MARK).write_text(why[:MAX_MARK], "utf-8")
        fsync_directory(directory)
    except OSError as error:  # then the next start finds it, or meets it again
        log.error("damage cannot be noted", path=str(directory / MARK), error=str(error), why=why)


def marked(directory: Path) -> str:
    """What `mark` noted; empty if nothing."""
    try:
        with (directory / MARK).open("rb") as file:
            return file.read(MAX_MARK).decode("utf-8", "replace") or "it was found damaged"
    except OSError:
        return ""


def left_lately(epochs: Path, now_us: int) -> bool:
    """Whether a ledger was set aside within the last hour, by the wall clock."""
    with suppress(OSError):
        return any(abs(now_us / 1e6 - past.stat().st_mtime) < LATELY_S for past in epochs.iterdir())
    return False
