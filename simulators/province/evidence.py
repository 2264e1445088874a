"""Puts evidence files together from their parts and holds them against their hash. Pure."""

from __future__ import annotations

from hashlib import sha256

from edge.errors import Refused
from edge.uplink.codec import EvidencePart

MAX_BYTES = 256_000_000  # of all files together


class EvidenceShelf:
    """Evidence of one gateway.

    Attributes:
        files: complete files by SHA-256 in hex, each checked.
        refused: files whose bytes did not fit their hash, and parts that did not fit theirs.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.refused = 0
        self._parts: dict[str, dict[int, EvidencePart]] = {}
        self._bytes = 0

    @property
    def incomplete(self) -> int:
        """Files of which some parts have come."""
        return len(self._parts)

    def add(self, part: EvidencePart) -> bytes | None:
        """Take a part; the whole file when this was its last one.

        Raises:
            Refused: the parts contradict each other or the hash, or the shelf is full.
        """
        if part.sha256 in self.files:
            return None
        parts = self._parts.setdefault(part.sha256, {})
        known = next(iter(parts.values()), part)
        if (known.parts, known.size) != (part.parts, part.size):
            self._drop(part.sha256)
            raise Refused("two parts of a file disagree about it")
        if part.part not in parts:
            if self._bytes + len(part.data) > MAX_BYTES:
                self._drop(part.sha256)
                raise Refused("no room for more evidence")
            self._bytes += len(part.data)
            parts[part.part] = part
        if len(parts) < part.parts:
            return None
        whole = b"".join(parts[i].data for i in range(part.parts))
        if sha256(whole).hexdigest() != part.sha256 or len(whole) != part.size:
            self._drop(part.sha256)
            raise Refused("a file does not have the hash that it is named by")
        del self._parts[part.sha256]
        self.files[part.sha256] = whole
        return whole

    def _drop(self, digest: str) -> None:
        self.refused += 1
        parts = self._parts.pop(digest, {})
        self._bytes -= sum(len(part.data) for part in parts.values())
