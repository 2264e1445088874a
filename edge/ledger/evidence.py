"""Evidence files, named by their SHA-256.

Order that keeps the promise "a record never names a file that is not there": write to a
temporary name, fsync the file, rename, fsync the directory; only then is the record appended.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
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
        if not _is_hex(digest, 64):
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
        if path.is_file() and path.stat().st_size == len(data):
            os.utime(path)  # retention, which may be about to delete it, sees that it is wanted
        else:
            self._write(path, data)
        # Also when the file was there: the call that wrote it may have failed just here.
        fsync_directory(path.parent)
        fsync_directory(self._directory)
        return EvidenceRef(digest, media_type, len(data), caption)

    def folders(self) -> list[str]:
        """Names of the folders that are there. Raises OSError."""
        names = (entry.name for entry in os.scandir(self._directory) if entry.is_dir())
        return sorted(name for name in names if _is_hex(name, 2))

    def list(self, folder: str) -> Iterator[tuple[str, int, int]]:
        """Hash, bytes and time of the last touch (ns) of each file. Raises OSError."""
        with os.scandir(self._directory / folder) as entries:
            for entry in entries:
                if _is_hex(entry.name, 64) and entry.is_file(follow_symlinks=False):
                    status = entry.stat(follow_symlinks=False)
                    yield entry.name, status.st_size, status.st_mtime_ns

    def touched_ns(self, digest: str) -> int:
        """When the file was last stored; 0 if it is not there."""
        try:
            return self.path(digest).stat().st_mtime_ns
        except OSError:
            return 0

    def remove(self, digest: str, touched_ns: int) -> int:
        """Delete a file unless it was stored again since; gives the bytes that it took.

        Run it in the thread that also stores. Raises OSError.
        """
        path = self.path(digest)
        try:
            status = path.stat()
            if status.st_mtime_ns != touched_ns:
                return 0
            path.unlink()
        except FileNotFoundError:
            return 0
        return status.st_size

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


def _is_hex(text: str, length: int) -> bool:
    return len(text) == length and set(text) <= set("0123456789abcdef")


def fsync_directory(path: Path) -> None:
    """Make the names in a directory durable. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
