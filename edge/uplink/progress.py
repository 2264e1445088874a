"""How far the upload of large evidence has come, in a small file that may be lost."""

from __future__ import annotations

import json
from contextlib import suppress

from edge.ledger.spare import Spare
from edge.uplink.codec import MAX_PART_BYTES

FILES_KEPT = 8  # files under way at once: one of each kind, and those that were overtaken
_MAX_BYTES = 16_384


class Progress:
    """Parts PUBACKed of each file under way, and how far the clips have come.

    Args:
        file: where it is kept; None keeps it in memory.
        clips: index to begin with where nothing is known.

    Attributes:
        clips: next index of the alarm lane whose clips are not sent.
    """

    def __init__(self, file: Spare | None, clips: int) -> None:
        self._file = file
        self._parts: dict[str, tuple[int, int]] = {}  # bytes a part, next part
        self.clips = clips
        if file is not None:
            # Whatever is wrong with the file: it is ours, and it is only a saving.
            with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
                self._read(file.path.read_bytes()[:_MAX_BYTES])

    def _read(self, raw: bytes) -> None:
        data = json.loads(raw)
        clips = int(data["clips"])
        parts = {
            str(digest): (int(part_bytes), int(part))
            for digest, (part_bytes, part) in data["parts"].items()
            if 0 < int(part_bytes) <= MAX_PART_BYTES and int(part) >= 0
        }
        self.clips, self._parts = clips, parts

    def next_part(self, digest: str, part_bytes: int) -> int:
        """First part that is not PUBACKed, if the file is cut as it was before; else 0."""
        cut, part = self._parts.get(digest, (part_bytes, 0))
        return part if cut == part_bytes else 0

    def part_bytes(self, digest: str, most: int) -> int:
        """How to cut a file: as it was cut before, if that is not too large now."""
        cut, _part = self._parts.get(digest, (most, 0))
        return min(cut, most)

    def acknowledged(self, digest: str, part_bytes: int, part: int) -> None:
        """One part is PUBACKed, and all before it."""
        self._parts.pop(digest, None)
        self._parts[digest] = (part_bytes, part + 1)
        while len(self._parts) > FILES_KEPT:
            del self._parts[next(iter(self._parts))]
        self.keep()

    def finished(self, digest: str) -> None:
        """The file is sent, or given up."""
        if self._parts.pop(digest, None) is not None:
            self.keep()

    def keep(self) -> None:
        """Write it down; without fsync, as it may be lost."""
        if self._file is not None:  # on a full disk the upload goes on
            self._file.write(json.dumps({"clips": self.clips, "parts": self._parts}).encode())
