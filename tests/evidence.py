"""Evidence files in parts, as they reach the province."""

from __future__ import annotations

from edge.domain.activity import EvidenceRef
from edge.uplink.codec import PART_BYTES, EvidencePart


def split_evidence(
    ref: EvidenceRef, data: bytes, part_bytes: int = PART_BYTES
) -> list[EvidencePart]:
    """Cut a file into parts of at most `part_bytes` bytes; an empty file is one empty part."""
    pieces = [data[at : at + part_bytes] for at in range(0, len(data), part_bytes)] or [b""]
    return [
        EvidencePart(ref.sha256, ref.media_type, len(data), i, len(pieces), piece)
        for i, piece in enumerate(pieces)
    ]
