"""Evidence files, named by their SHA-256.

Order that keeps the promise "a record never names a file that is not there": write to a
temporary name, fsync the file, rename, fsync the directory; only then is the record appended.
"""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

from edge.domain.activity import EvidenceRef

MAX_EVIDENCE_BYTES = 64_000_000


class EvidenceFiles:
    """A directory of files in 256 folders by the first byte of their hash."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._incoming = directory / "incoming"

    def prepare(self) -> None:
        """Make the directory; remove what a crash left half written. Raises OSError."""
        self._incoming.mkdir(parents=True, exist_ok=True)
        fsync_directory(self._directory.parent)
        for left in self._incoming.iterdir():
            left.unlink()

    def path(self, digest: str) -> Path:
        """Where the file with this hash (64 hex digits) is or would be."""
        if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
            raise ValueError(f"{digest[:80]!r} is not a SHA-256 in hex")
        return self._directory / digest[:2] / digest

    def put(self, data: bytes, media_type: str, caption: str) -> EvidenceRef:
        """Store `data` durably; one call at a time.

        Raises:
            OSError: the disk takes no more; nothing is left behind under the final name
                that is not whole.
            ValueError: larger than `MAX_EVIDENCE_BYTES`.
        """
        if len(data) > MAX_EVIDENCE_BYTES:
            raise ValueError(f"evidence of {len(data)} bytes is too large")
        digest = sha256(data).hexdigest()
        path = self.path(digest)
        if not (path.is_file() and path.stat().st_size == len(data)):
            self._write(path, data)
        # Also when the file was there: the call that wrote it may have failed just here.
        fsync_directory(path.parent)
        fsync_directory(self._directory)
        return EvidenceRef(digest, media_type, len(data), caption)

    def _write(self, path: Path, data: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._incoming / path.name
        try:
            with temporary.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise


def fsync_directory(path: Path) -> None:
    """Make the names in a directory durable. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
