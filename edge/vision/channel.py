"""What a camera's process may say to the daemon, byte for byte. Pure.

The process decodes hostile bytes, so it may itself be in an attacker's hands: every message
is a fixed header, then at most so many bytes; nothing is ever unpickled (docs/adr/0003).

A message is `<4sBI`: magic, kind, length of the body. The other way goes one byte a message:
leave to send the next picture.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from edge.domain.observation import RANGES, Measures
from edge.errors import Refused
from edge.vision.picture import MAX_EDGE, Pixels

MAGIC = b"ESV1"
HEADER = struct.Struct("<4sBI")
_PICTURE = struct.Struct("<HHB")  # width, height, why
_QUALITY = struct.Struct(f"<{len(RANGES)}d")
_MAX_REASON = 200
MAX_BODY = _PICTURE.size + 3 * MAX_EDGE * MAX_EDGE

LEAVE = b"n"  # send the next picture when the gate is open
LEAVE_AND_LOOK = b"a"  # send one at every look: something that may stand still is in view


class Kind(IntEnum):
    """Kinds of message."""

    PICTURE = 1
    QUALITY = 2
    ENDED = 3


class Why(IntEnum):
    """Why a picture is handed over."""

    MOTION = 0
    LOOK_ANYWAY = 1


@dataclass(frozen=True, slots=True, eq=False)
class PictureMessage:
    """A picture worth detecting."""

    frame: Pixels
    why: Why


@dataclass(frozen=True, slots=True)
class QualityMessage:
    """Measures of the newest picture, about once a second."""

    measures: Measures


@dataclass(frozen=True, slots=True)
class EndedMessage:
    """The stream ended; the process ends after this."""

    reason: str


Message = PictureMessage | QualityMessage | EndedMessage


def pack_picture(frame: Pixels, why: Why) -> list[bytes | memoryview]:
    """A picture as buffers to be written one after the other, without a copy of the pixels."""
    height, width = frame.shape[:2]
    body = _PICTURE.pack(width, height, why)
    pixels = np.ascontiguousarray(frame).data.cast("B")
    return [HEADER.pack(MAGIC, Kind.PICTURE, len(body) + pixels.nbytes) + body, pixels]


def pack_quality(measures: Measures) -> bytes:
    body = _QUALITY.pack(*(getattr(measures, name) for name in RANGES))
    return HEADER.pack(MAGIC, Kind.QUALITY, len(body)) + body


def pack_ended(reason: str) -> bytes:
    body = reason.encode()[:_MAX_REASON]
    return HEADER.pack(MAGIC, Kind.ENDED, len(body)) + body


def parse_header(data: bytes) -> tuple[Kind, int]:
    """Kind and body length. Raises Refused unless both are possible."""
    try:
        magic, kind, length = HEADER.unpack(data)
        known = Kind(kind)
    except (struct.error, ValueError) as error:
        raise Refused(f"camera process: no message header ({error})") from error
    if magic != MAGIC:
        raise Refused("camera process: bytes that are no message")
    limits = {
        Kind.PICTURE: (_PICTURE.size + 3, MAX_BODY),
        Kind.QUALITY: (_QUALITY.size, _QUALITY.size),
        Kind.ENDED: (0, _MAX_REASON),
    }
    low, high = limits[known]
    if not low <= length <= high:
        raise Refused(f"camera process: {known.name} of {length} bytes")
    return known, length


def parse_body(kind: Kind, body: bytearray) -> Message:
    """The message. Raises Refused when sizes disagree or a figure is out of its range."""
    if kind is Kind.PICTURE:
        return _picture(body)
    if kind is Kind.QUALITY:
        return _quality(body)
    text = body.decode("utf-8", "replace")
    return EndedMessage("".join(c if c.isprintable() else "?" for c in text))


def _picture(body: bytearray) -> PictureMessage:
    width, height, why = _PICTURE.unpack_from(body)
    expected = _PICTURE.size + 3 * width * height
    if not (0 < width <= MAX_EDGE and 0 < height <= MAX_EDGE and len(body) == expected):
        raise Refused(f"camera process: {len(body)} bytes for a picture of {width}x{height}")
    if why not in tuple(Why):
        raise Refused(f"camera process: a picture for reason {why}")
    frame = np.frombuffer(body, np.uint8, offset=_PICTURE.size).reshape(height, width, 3)
    return PictureMessage(frame, Why(why))


def _quality(body: bytearray) -> QualityMessage:
    figures = dict(zip(RANGES, _QUALITY.unpack(body), strict=True))
    for name, (low, high) in RANGES.items():
        if not low <= figures[name] <= high:  # a NaN is in no range either
            raise Refused(f"camera process: {name} {figures[name]} is out of its range")
    return QualityMessage(Measures(**figures))
