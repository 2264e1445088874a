"""A small file that only saves something: written as well as may be, and nothing waits for it."""

from __future__ import annotations

from pathlib import Path

import structlog

log = structlog.get_logger(__name__)


class Spare:
    """Replaced as a whole, without fsync: after a power cut an older one, or none, is as good.

    Attributes:
        failed: how often it could not be written; the first time and the end of it are logged.
    """

    def __init__(self, path: Path) -> None:
        self.failed = 0
        self._path = path
        self._fails = False

    def write(self, data: bytes) -> None:
        """Put `data` there, if there is room for it."""
        fresh = self._path.with_name(self._path.name + ".new")
        try:
            fresh.write_bytes(data)
            fresh.replace(self._path)
        except OSError as error:
            self.failed += 1
            if not self._fails:
                log.warning(
                    "a file cannot be kept; work goes on", path=str(self._path), error=str(error)
                )
            self._fails = True
        else:
            if self._fails:
                log.info("a file can be kept again", path=str(self._path), failed=self.failed)
            self._fails = False
