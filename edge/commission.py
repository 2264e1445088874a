"""Taking cameras' references by local command, while the daemon runs.

The command leaves a note in the storage directory and the daemon takes it away; what comes of it
is a record. Whoever may write there has the ledger and the keys in hand as well, so the note
needs no signature; that it was a command is said in the record.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import structlog

from edge.clock import Clock
from edge.domain.observation import ReferenceAsked
from edge.domain.record import RecordType
from edge.errors import ConfigError, Fault
from edge.ledger.reader import LedgerView

LOOK_S = 1.0
MAX_NOTE = 16_384  # bytes
_NAME = "reference.asked"

log = structlog.get_logger(__name__)


def ask(directory: Path, cameras: Collection[str]) -> None:
    """Leave the note that these cameras' references are wanted."""
    note = directory / f"{_NAME}.part"
    note.write_text(json.dumps(sorted(cameras)))
    note.rename(directory / _NAME)


def waits(directory: Path) -> bool:
    """Whether the daemon has not taken the note yet."""
    return (directory / _NAME).exists()


def taken(directory: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Number and data of each record of a reference, oldest first."""
    with closing(LedgerView.open(directory)) as view:
        for leaf in view.leaves_of({RecordType.CAMERA_REFERENCE}):
            yield int(leaf["id"]), leaf["data"]


def chosen(cameras: list[str], known: Collection[str], *, every: bool) -> list[str]:
    """The cameras that are meant. Raises ConfigError for one that is not wired."""
    faults = [
        Fault(name, "is no camera of this configuration", f"name one of {', '.join(known)}")
        for name in cameras
        if name not in known
    ]
    if faults:
        raise ConfigError(faults)
    return list(known) if every else cameras


async def watch_asked(
    directory: Path,
    cameras: Collection[str],
    clock: Clock,
    observe: Callable[[ReferenceAsked], None],
) -> None:
    """Take such notes until cancelled; what is none of ours is logged and thrown away."""
    while True:
        for camera in _take(directory / _NAME):
            if camera in cameras:
                observe(ReferenceAsked(camera, clock.now()))
        await clock.sleep(LOOK_S)


def _take(note: Path) -> list[str]:
    try:
        with note.open("rb") as file:
            data = file.read(MAX_NOTE)
        note.unlink()
    except FileNotFoundError:
        return []
    try:
        names = json.loads(data)
    except ValueError:
        names = None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        log.warning("a note that asks for references cannot be read", file=str(note))
        return []
    return names
