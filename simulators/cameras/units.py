"""Encoded pictures: NAL units of one moment, and how they lie in Annex B bytes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Codec(StrEnum):
    """What a camera encodes with."""

    H264 = "h264"
    H265 = "h265"

    @property
    def header(self) -> int:
        """Bytes of a NAL unit's header."""
        return 1 if self is Codec.H264 else 2

    def nal_type(self, nal: bytes) -> int:
        """The type field of a NAL unit."""
        return nal[0] & 0x1F if self is Codec.H264 else (nal[0] >> 1) & 0x3F

    @property
    def parameter_types(self) -> tuple[int, ...]:
        """Types of the parameter sets, in the order in which a decoder wants them."""
        return (7, 8) if self is Codec.H264 else (32, 33, 34)

    def is_key(self, nal: bytes) -> bool:
        """Whether a decoder can start at this NAL unit (IDR; IRAP in H.265)."""
        kind = self.nal_type(nal)
        return kind == 5 if self is Codec.H264 else 16 <= kind <= 21


@dataclass(frozen=True, slots=True)
class AccessUnit:
    """One encoded picture.

    Attributes:
        nals: NAL units without start codes.
        pts: seconds; ascends in the order of showing.
        key: a decoder can start here.
    """

    nals: tuple[bytes, ...]
    pts: float
    key: bool


def split_annexb(data: bytes) -> list[bytes]:
    """NAL units between start codes (00 00 01 or 00 00 00 01)."""
    found: list[bytes] = []
    begin = data.find(b"\0\0\1")
    while begin >= 0:
        begin += 3
        end = data.find(b"\0\0\1", begin)
        nal = data[begin:] if end < 0 else data[begin:end]
        nal = nal.rstrip(b"\0")  # trailing zero bytes belong to the next start code
        if nal:
            found.append(nal)
        begin = end
    return found


def unit_of(codec: Codec, annexb: bytes, pts: float) -> AccessUnit:
    """The access unit that an encoder put out as Annex B bytes."""
    nals = tuple(nal for nal in split_annexb(annexb) if len(nal) >= codec.header)
    return AccessUnit(nals, pts, any(codec.is_key(nal) for nal in nals))


def parameter_sets(codec: Codec, nals: tuple[bytes, ...] | list[bytes]) -> tuple[bytes, ...]:
    """SPS and PPS (and VPS before them in H.265) among `nals`; empty when one is missing."""
    sets: list[bytes] = []
    for kind in codec.parameter_types:
        found = next((nal for nal in nals if nal and codec.nal_type(nal) == kind), None)
        if found is None:
            return ()
        sets.append(found)
    return tuple(sets)
