"""A small file that only saves something: written as well as may be, and nothing waits for it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)


class Spare:
    """Replaced as a whole, without fsync: after a power cut an older one, or none, is as good.

    Args:
        path: of the file.
        dropped: counts how often it could not be written; the first time and the end are logged.
    """

    def __init__(self, path: Path, dropped: Counter[str] | None = None) -> None:
        self.path = path
        self.dropped = Counter() if dropped is None else dropped
        self._fails = False

    def write(self, data: bytes) -> None:
        """Put `data` there, if there is room for it."""
        fresh = self.path.with_name(self.path.name + ".new")
        try:
            fresh.write_bytes(data)
            fresh.replace(self.path)
        except OSError as error:
            self.dropped[f"{self.path.name} not written"] += 1
            if not self._fails:
                log.warning(
                    "a file cannot be kept; work goes on", path=str(self.path), error=str(error)
                )
            self._fails = True
        else:
            if self._fails:
                log.info("a file can be kept again", path=str(self.path))
            self._fails = False
