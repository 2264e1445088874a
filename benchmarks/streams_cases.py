"""Hostile streams, each made of a seed: what a camera in wrong hands may send.

A case is what the server answers and what it sends as pictures; the same seed, the same bytes.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, partial

from benchmarks.fuzz import mutate
from simulators.cameras import sdp
from simulators.cameras.feeds import Loop, encode_loop
from simulators.cameras.mjpeg import jpeg
from simulators.cameras.rtp import Packetiser, interleave
from simulators.cameras.scene import Scene
from simulators.cameras.units import AccessUnit, Codec

SIZE = (160, 96)
UNITS = 12  # pictures of a round, two groups
ROUNDS = 3  # some are used up by finding out what the stream is
_HUGE = (
    0,
    1,
    2,
    7,
    255,
    511,
    1023,
    4095,
    8191,
    65534,
    65535,
    1 << 20,
    (1 << 31) - 1,
    (1 << 32) - 2,
)


class Kind(StrEnum):
    """What is wrong with a stream."""

    BITS = "bits"  # flipped in what the RTP packets carry
    CUT = "cut"  # NAL units and packets that end early, a stream that breaks off
    SIZES = "sizes"  # parameter sets that claim anything
    RTP = "rtp"  # forged heads, orders, lengths, channels
    SDP = "sdp"  # a description of anything
    ANSWERS = "answers"  # RTSP answers of anything
    JPEG = "jpeg"  # pictures over HTTP


@dataclass(frozen=True, slots=True)
class Case:
    """One hostile stream.

    Attributes:
        kind: what is wrong with it.
        description: what DESCRIBE is answered with.
        wire: what is sent after PLAY, or after the request in HTTP.
        answers: changes each RTSP answer.
    """

    kind: Kind
    description: bytes
    wire: bytes
    answers: Callable[[bytes], bytes] = bytes


def case(seed: int) -> Case:
    """The stream of this seed."""
    chance = random.Random(seed)
    kind = list(Kind)[seed % len(Kind)]
    if kind is Kind.JPEG:
        return Case(kind, b"", _pictures(chance))
    codec = chance.choice(tuple(Codec))
    sets = chance.choice((_sets(good(codec)), ()))
    length = good(codec).length
    units = [
        AccessUnit(unit.nals, unit.pts + turn * length, unit.key)
        for turn in range(ROUNDS)
        for unit in good(codec).units
    ]
    if change := _NALS.get(kind):
        units = [_with(unit, lambda nal: change(nal, chance)) for unit in units]
    if kind is Kind.SIZES:
        units, sets = _sized(codec, units, chance)
    packetiser = Packetiser(codec, seed)
    packets = [one for unit in units for one in packetiser.packets(unit)]
    if kind is Kind.RTP:
        packets = _forged(packets, chance)
    description = sdp.describe(codec, sets, "127.0.0.1", 12).encode()
    wire = interleave(packets, 0)
    answers: Callable[[bytes], bytes] = bytes
    match kind:
        case Kind.SDP:
            for _ in range(chance.randint(1, 4)):
                description = mutate(description, description, chance)
        case Kind.ANSWERS:
            answers = partial(_sometimes, chance)
        case Kind.RTP if chance.random() < 0.3:
            wire = mutate(wire, wire, chance)
        case Kind.CUT:
            wire = wire[: chance.randint(0, len(wire))]
    return Case(kind, description, wire, answers)


def _sometimes(chance: random.Random, data: bytes) -> bytes:
    return mutate(data, data, chance) if chance.random() < 0.4 else data


@cache
def good(codec: Codec) -> Loop:
    """A stream with nothing wrong."""
    return encode_loop(Scene(SIZE, 1), UNITS / 12, codec, 12, gop=0.5)


@cache
def _picture() -> bytes:
    return jpeg(Scene(SIZE, 1), 0.0)


def _sets(loop: Loop) -> tuple[bytes, ...]:
    return tuple(
        nal for nal in loop.units[0].nals if loop.codec.nal_type(nal) in loop.codec.parameter_types
    )


def _with(unit: AccessUnit, change: Callable[[bytes], bytes]) -> AccessUnit:
    return AccessUnit(tuple(change(nal) for nal in unit.nals), unit.pts, unit.key)


def _flipped(nal: bytes, chance: random.Random) -> bytes:
    if chance.random() < 0.4:
        return nal
    data = bytearray(nal)
    for _ in range(chance.choice((1, 1, 3, 20))):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return bytes(data)


def _cut(nal: bytes, chance: random.Random) -> bytes:
    return nal[: chance.randint(1, len(nal))] if chance.random() < 0.4 else nal


def _sized(
    codec: Codec, units: Sequence[AccessUnit], chance: random.Random
) -> tuple[list[AccessUnit], tuple[bytes, ...]]:
    """Units with parameter sets of our invention, and those sets."""
    kind = 7 if codec is Codec.H264 else 33

    def invented(nal: bytes) -> bytes:
        if codec.nal_type(nal) != kind:
            return nal
        if codec is Codec.H264 and chance.random() < 0.7:
            return sps(chance)
        data = bytearray(nal)
        for _ in range(chance.randint(1, 6)):
            data[chance.randrange(2, len(data))] = chance.randrange(256)
        return bytes(data)

    changed = [_with(unit, invented) for unit in units]
    sets = tuple(
        nal for nal in changed[0].nals if nal and codec.nal_type(nal) in codec.parameter_types
    )
    return changed, sets


_NALS = {Kind.BITS: _flipped, Kind.CUT: _cut}


class _Bits:
    """Writes bits and Exp-Golomb numbers, as parameter sets are made of."""

    def __init__(self) -> None:
        self._text = ""

    def u(self, width: int, value: int) -> None:
        self._text += f"{value & ((1 << width) - 1):0{width}b}"

    def ue(self, value: int) -> None:
        text = f"{value + 1:b}"
        self._text += "0" * (len(text) - 1) + text

    def bytes(self) -> bytes:
        text = self._text + "1"
        text += "0" * (-len(text) % 8)
        raw = bytes(int(text[i : i + 8], 2) for i in range(0, len(text), 8))
        out = bytearray()
        for byte in raw:  # three bytes must not look like a start code
            if byte <= 3 and out[-2:] == b"\0\0":
                out.append(3)
            out.append(byte)
        return bytes(out)


def sps(chance: random.Random) -> bytes:
    """A sequence parameter set of H.264 (7.3.2.1.1) that claims anything."""
    bits = _Bits()

    def claim(usual: int) -> int:
        return usual if chance.random() < 0.6 else chance.choice(_HUGE)

    profile = chance.choice((66, 77, 88, 100, 110, 122, 244))
    bits.u(8, profile)
    bits.u(8, 0)
    bits.u(8, chance.choice((10, 31, 40, 52, 62, 255)))
    bits.ue(claim(0))
    if profile in {100, 110, 122, 244}:
        bits.ue(chance.choice((0, 1, 2, 3, 4, 99)))
        bits.ue(claim(0))
        bits.ue(claim(0))
        bits.u(2, 0)
    bits.ue(claim(4))
    order = chance.choice((0, 1, 2, 3))
    bits.ue(order)
    if order == 0:
        bits.ue(claim(4))
    elif order == 1:
        bits.u(1, 0)
        bits.ue(claim(1))
        bits.ue(claim(1))
        bits.ue(cycle := claim(2))
        for _ in range(min(cycle, 300)):
            bits.ue(claim(1))
    bits.ue(claim(chance.choice((1, 4, 16))))
    bits.u(1, 0)
    bits.ue(chance.choice((9, 119, 239, 511, claim(9))))
    bits.ue(chance.choice((5, 67, 134, 271, claim(5))))
    bits.u(2, chance.choice((3, 2, 1)))
    if cropped := chance.random() < 0.3:
        bits.u(1, cropped)
        for _ in range(4):
            bits.ue(claim(1))
    else:
        bits.u(1, 0)
    bits.u(1, chance.random() < 0.5)
    for _ in range(chance.randint(0, 12)):
        bits.u(32, chance.choice(_HUGE))
    return b"\x67" + bits.bytes()


def _forged(packets: list[bytes], chance: random.Random) -> list[bytes]:
    """RTP packets with heads that no camera writes, in orders that no network makes."""
    out = [_forged_one(packet, chance) for packet in packets]
    if chance.random() < 0.4:
        chance.shuffle(out)
    if chance.random() < 0.3:
        out = [one for one in out for _ in range(chance.randint(0, 3))]
    return out


def _forged_one(packet: bytes, chance: random.Random) -> bytes:
    head, payload = bytearray(packet[:12]), packet[12:]
    match chance.randrange(9):
        case 0:
            head[0] = chance.randrange(256)  # version, padding, extension, sources
        case 1:
            head[1] = chance.randrange(256)  # marker and payload type
        case 2:
            head[2:4] = chance.randbytes(2)  # number
        case 3:
            head[4:8] = chance.randbytes(4)  # stamp
        case 4:
            head[8:12] = chance.randbytes(4)  # source
        case 5:
            payload = payload[: chance.randint(0, min(4, len(payload)))]
        case 6:  # an aggregation or a fragment that says of itself what it likes
            first = chance.choice((24, 25, 26, 27, 28, 29, 0x60, 0x62, 0xFF))
            payload = bytes([first]) + chance.randbytes(chance.randint(0, 30)) + payload
    return bytes(head) + payload


def _pictures(chance: random.Random) -> bytes:
    """Parts of a multipart answer with changed pictures, heads, lengths and boundaries."""
    wire = bytearray()
    for _ in range(24):
        picture = bytearray(_picture())
        for _ in range(chance.choice((0, 1, 5, 60))):
            picture[chance.randrange(len(picture))] = chance.randrange(256)
        if chance.random() < 0.3:  # a frame header that claims anything
            at = picture.find(b"\xff\xc0")
            if at >= 0:
                picture[at + 5 : at + 9] = chance.randbytes(4)
        if chance.random() < 0.2:
            del picture[chance.randint(2, len(picture)) :]
        length: int | str = len(picture)
        if chance.random() < 0.2:
            length = chance.choice((0, -1, 1 << 31, 1 << 62, "x", 10))
        head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {length}\r\n\r\n".encode()
        if chance.random() < 0.15:
            head = mutate(head, head, chance)
        wire += head + picture + b"\r\n"
    return bytes(wire)
