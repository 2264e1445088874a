"""What a camera's process may say to the daemon, byte for byte. Pure.

The process decodes hostile bytes, so it may itself be in an attacker's hands: every message
is a fixed header, then at most so many bytes; nothing is ever unpickled (docs/adr/0003), and
no text of its own but the reason of its end is shown to anybody.

A message is `<4sBI`: magic, kind, length of the body. The other way go `commands.py`.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import TypeVar

import numpy as np

from edge.domain.observation import RANGES, Box, Measures
from edge.errors import Refused
from edge.vision.camera.gate import MAX_MOVING, GateState
from edge.vision.picture import MAX_EDGE, Pixels
from edge.vision.stream.policy import Decoding, Facts, Policy, Reason
from edge.vision.tamper.sketch import SKETCH_BYTES

Member = TypeVar("Member", bound=Enum)

MAGIC = b"ESV2"
HEADER = struct.Struct("<4sBI")
_PICTURE = struct.Struct("<HHBfB")  # width, height, why, age, number of boxes
_BOX = struct.Struct("<4f")
_QUALITY = struct.Struct(f"<{len(RANGES)}dBf")  # measures, gate, threshold
_FACTS = struct.Struct("<16sHHfffBB")  # codec, width, height, fps, gop, kbps, decoding, reason
_CLIP = struct.Struct("<ffI")  # age of its first picture, duration, pictures
_MAX_REASON = 200
MAX_AGE_S = 12.0  # of a picture that was decoded late
MAX_CLIP = 12_000_000  # bytes
MAX_CLIP_S = 60.0
MAX_BODY = _PICTURE.size + MAX_MOVING * _BOX.size + 3 * MAX_EDGE * MAX_EDGE
_SIZES = (0, 16384)
_FACT_RANGES = {"fps": (0, 1000), "gop_s": (0, 3600), "kbps": (0, 1e6)}


class Kind(IntEnum):
    """Kinds of message."""

    PICTURE = 1
    QUALITY = 2
    ENDED = 3
    FACTS = 4
    CLIP = 5


class Why(IntEnum):
    """Why a picture is handed over."""

    MOTION = 0
    LOOK_ANYWAY = 1


@dataclass(frozen=True, slots=True, eq=False)
class PictureMessage:
    """A picture worth detecting.

    Attributes:
        frame: uint8, height x width x 3, blue-green-red.
        why: why it is handed over.
        age_s: how long ago it was received, 0..12; late ones were decoded when a later one moved.
        moving: what moves in it, biggest first: x1, y1, x2, y2 as fractions of the picture.
    """

    frame: Pixels
    why: Why
    age_s: float = 0.0
    moving: tuple[Box, ...] = ()


@dataclass(frozen=True, slots=True)
class QualityMessage:
    """Measures of the newest picture, about once a second, and how the gate is.

    Attributes:
        threshold: grey levels that a typical pixel must differ by.
    """

    measures: Measures
    gate: GateState
    threshold: float


@dataclass(frozen=True, slots=True)
class FactsMessage:
    """What the stream is and how it is watched; said when it becomes known and when it changes."""

    facts: Facts
    policy: Policy


@dataclass(frozen=True, slots=True, eq=False)
class ClipMessage:
    """The answer to a CLIP command.

    Attributes:
        data: an MP4 file; empty when nothing could be kept.
        age_s: how long ago its first picture was received.
        duration_s: from its first picture to its last.
        pictures: how many are in it.
    """

    data: memoryview
    age_s: float
    duration_s: float
    pictures: int


@dataclass(frozen=True, slots=True)
class EndedMessage:
    """The stream ended; the process ends after this."""

    reason: str


Message = PictureMessage | QualityMessage | FactsMessage | ClipMessage | EndedMessage

_LIMITS = {
    Kind.PICTURE: (_PICTURE.size + 3, MAX_BODY),
    Kind.QUALITY: (_QUALITY.size, _QUALITY.size + SKETCH_BYTES),
    Kind.ENDED: (0, _MAX_REASON),
    Kind.FACTS: (_FACTS.size, _FACTS.size),
    Kind.CLIP: (_CLIP.size, _CLIP.size + MAX_CLIP),
}


def pack_picture(
    frame: Pixels, why: Why, age_s: float = 0.0, moving: tuple[Box, ...] = ()
) -> list[bytes | memoryview]:
    """A picture as buffers to be written one after the other, without a copy of the pixels."""
    height, width = frame.shape[:2]
    boxes = moving[:MAX_MOVING]
    age_s = min(max(0.0, age_s), MAX_AGE_S)
    body = _PICTURE.pack(width, height, why, age_s, len(boxes))
    body += b"".join(_BOX.pack(*box) for box in boxes)
    pixels = np.ascontiguousarray(frame).data.cast("B")
    return [_header(Kind.PICTURE, len(body) + pixels.nbytes) + body, pixels]


def pack_quality(measures: Measures, gate: GateState, threshold: float) -> bytes:
    """Measures and the gate's state as a message."""
    figures = (getattr(measures, name) for name in RANGES)
    body = _QUALITY.pack(*figures, _number(gate), threshold) + measures.sketch
    return _header(Kind.QUALITY, len(body)) + body


def pack_facts(facts: Facts, policy: Policy) -> bytes:
    """What the stream is as a message."""
    codec = facts.codec.encode("ascii", "replace")[:16]
    figures = (
        min(max(low, getattr(facts, name)), high) for name, (low, high) in _FACT_RANGES.items()
    )
    codes = _number(policy.decoding), _number(policy.reason)
    body = _FACTS.pack(codec, facts.width, facts.height, *figures, *codes)
    return _header(Kind.FACTS, len(body)) + body


def pack_clip(data: bytes, age_s: float, duration_s: float, pictures: int) -> list[bytes]:
    """A clip as buffers to be written one after the other."""
    body = _CLIP.pack(age_s, duration_s, pictures)
    return [_header(Kind.CLIP, len(body) + len(data)) + body, data]


def pack_ended(reason: str) -> bytes:
    """The last message."""
    body = reason.encode()[:_MAX_REASON]
    return _header(Kind.ENDED, len(body)) + body


def _header(kind: Kind, length: int) -> bytes:
    return HEADER.pack(MAGIC, kind, length)


def _number(member: Enum) -> int:
    return list(type(member)).index(member)


def parse_header(data: bytes) -> tuple[Kind, int]:
    """Kind and body length. Raises Refused unless both are possible."""
    try:
        magic, kind, length = HEADER.unpack(data)
        known = Kind(kind)
    except (struct.error, ValueError) as error:
        raise Refused(f"camera process: no message header ({error})") from error
    if magic != MAGIC:
        raise Refused("camera process: bytes that are no message")
    low, high = _LIMITS[known]
    if not low <= length <= high:
        raise Refused(f"camera process: {known.name} of {length} bytes")
    return known, length


def parse_body(kind: Kind, body: bytearray) -> Message:
    """The message. Raises Refused when sizes disagree or a figure is out of its range."""
    match kind:
        case Kind.PICTURE:
            return _picture(body)
        case Kind.QUALITY:
            return _quality(body)
        case Kind.FACTS:
            return _facts(body)
        case Kind.CLIP:
            return _clip(body)
    text = body.decode("utf-8", "replace")
    return EndedMessage("".join(c if c.isprintable() else "?" for c in text))


def _picture(body: bytearray) -> PictureMessage:
    width, height, why, age_s, number = _PICTURE.unpack_from(body)
    begin = _PICTURE.size + number * _BOX.size
    fits = 0 < width <= MAX_EDGE and 0 < height <= MAX_EDGE and number <= MAX_MOVING
    if not fits or len(body) != begin + 3 * width * height:
        raise Refused(f"camera process: {len(body)} bytes for a picture of {width}x{height}")
    _within("age_s", age_s, 0, MAX_AGE_S)
    boxes = tuple(_BOX.iter_unpack(memoryview(body)[_PICTURE.size : begin]))
    if not all(0 <= x1 <= x2 <= 1 and 0 <= y1 <= y2 <= 1 for x1, y1, x2, y2 in boxes):
        raise Refused("camera process: something moves outside the picture")
    frame = np.frombuffer(body, np.uint8, offset=begin).reshape(height, width, 3)
    return PictureMessage(frame, _member(Why, why), age_s, boxes)


def _quality(body: bytearray) -> QualityMessage:
    *measured, gate, threshold = _QUALITY.unpack_from(body)
    sketch = bytes(memoryview(body)[_QUALITY.size :])
    if len(sketch) not in {0, SKETCH_BYTES}:
        raise Refused(f"camera process: {len(sketch)} bytes of a sketch")
    figures = dict(zip(RANGES, measured, strict=True))
    for name, (low, high) in RANGES.items():
        _within(name, figures[name], low, high)
    _within("threshold", threshold, 0, 255)
    return QualityMessage(Measures(**figures, sketch=sketch), _member(GateState, gate), threshold)


def _facts(body: bytearray) -> FactsMessage:
    codec, width, height, *figures, decoding, reason = _FACTS.unpack(body)
    name = codec.rstrip(b"\0").decode("latin-1")
    if not all(c.isascii() and (c.isalnum() or c == "_") for c in name):
        raise Refused("camera process: a codec without a name")
    _within("width", width, *_SIZES)
    _within("height", height, *_SIZES)
    for (fact, (low, high)), figure in zip(_FACT_RANGES.items(), figures, strict=True):
        _within(fact, figure, low, high)
    policy = Policy(_member(Decoding, decoding), _member(Reason, reason))
    return FactsMessage(Facts(name, width, height, *figures), policy)


def _clip(body: bytearray) -> ClipMessage:
    age_s, duration_s, pictures = _CLIP.unpack_from(body)
    _within("age_s", age_s, 0, MAX_CLIP_S)
    _within("duration_s", duration_s, 0, MAX_CLIP_S)
    _within("pictures", pictures, 0, 1000 * MAX_CLIP_S)
    return ClipMessage(memoryview(body)[_CLIP.size :], age_s, duration_s, pictures)


def _within(name: str, figure: float, low: float, high: float) -> None:
    if not (math.isfinite(figure) and low <= figure <= high):
        raise Refused(f"camera process: {name} {figure} is out of its range")


def _member(members: type[Member], number: int) -> Member:
    known = list(members)
    if number >= len(known):
        raise Refused(f"camera process: {members.__name__} {number} is not known")
    return known[number]
