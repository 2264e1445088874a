"""Answers that are wrong in every way that is seen on real buses, drawn by seed."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable

from simulators.meters.units import Unit
from simulators.meters.wire import answer_pdu, framed

STORM_S, CALM_S = 60.0, 240.0
_LATEST_S = 3.0

Frame = Callable[[int, bytes], bytes]
"""(unit, PDU) → the bytes that carry it."""


class Mischief:
    """Gives the `answers` of a `Wire`, or of a server on TCP with another `frame`.

    A minute of every five is a storm, in which most answers are spoiled; otherwise one in twenty.

    Args:
        seed: of all that is drawn.
        checked: the transport tells a broken frame (RTU has a CRC), so that bits may flip.

    Attributes:
        done: how often each kind was done.
    """

    def __init__(self, seed: int, *, checked: bool) -> None:
        self.chance = random.Random(seed)
        self.done: Counter[str] = Counter()
        self._kinds: list[Callable[[int, bytes, Frame], list[tuple[float, bytes]]]] = [
            self.silence,
            self.late,
            self.half,
            self.halves,
            self.garbage,
            self.garbage_before,
            self.garbage_after,
            self.exception,
            self.stranger,
            self.twice,
        ]
        if checked:
            self._kinds.append(self.flipped)

    def answers(self, unit: Unit, request: bytes) -> list[tuple[float, bytes]]:
        """For a `Wire`."""
        return self.spoil(unit, request, framed)

    def spoil(self, unit: Unit, request: bytes, frame: Frame) -> list[tuple[float, bytes]]:
        """What the unit sends, after how many seconds each."""
        now = asyncio.get_running_loop().time()
        pdu = answer_pdu(unit, request, now)
        stormy = now % (STORM_S + CALM_S) < STORM_S
        if self.chance.random() >= (0.7 if stormy else 0.05):
            return [(0.0, frame(unit.unit, pdu))]
        kind = self.chance.choice(self._kinds)
        self.done[kind.__name__] += 1
        return kind(unit.unit, pdu, frame)

    def noise(self) -> bytes:
        """Bytes that mean nothing."""
        return self.chance.randbytes(self.chance.randrange(1, 60))

    def silence(self, unit: int, pdu: bytes, frame: Frame) -> list[tuple[float, bytes]]:
        _ = unit, pdu, frame
        return []

    def late(self, unit: int, pdu: bytes, frame: Frame) -> list[tuple[float, bytes]]:
        return [(self.chance.uniform(0.05, _LATEST_S), frame(unit, pdu))]

    def half(self, unit: int, pdu: bytes, frame: Frame) -> list[tuple[float, bytes]]:
        whole = frame(unit, pdu)
        return [(0.0, whole[: self.chance.randrange(1, len(whole))])]

    def halves(self, unit: int, pdu: bytes, frame: Frame) -> list[tuple[float, bytes]]:
        whole = frame(unit, pdu)
        cut = self.chance.randrange(1, len(whole))
        return [(0.0, whole[:cut]), (self.chance.uniform(0.05, _LATEST_S), whole[cut:])]

    def garbage(self, unit: int, pdu: bytes, frame: Frame) -> list[tuple[float, bytes]]:
        _ = unit, pdu, frame
        return [(0.0, self.noise())]

    def garbage_before(self, unit: int, pdu: bytes, frame: Frame) -> list[tuple[float, bytes]]:
        return [(0.0, self.noise() + frame(unit, pdu))]

    def garbage_after(self, unit: int, pdu: bytes, frame: Frame) -> list[tuple[float, bytes]]:
        return [(0.0, frame(unit, pdu) + self.noise())]

    def exception(self, unit: int, pdu: bytes, frame: Frame) -> list[tuple[float, bytes]]:
        code = self.chance.choice((1, 2, 3, 4, 5, 6, 8, 10, 11))
        return [(0.0, frame(unit, bytes([pdu[0] & 0x7F | 0x80, code])))]

    def stranger(self, unit: int, pdu: bytes, frame: Frame) -> list[tuple[float, bytes]]:
        """A sound frame that answers something else: another unit, function or length."""
        match self.chance.randrange(3):
            case 0:
                return [(0.0, frame(unit % 247 + 1, pdu))]
            case 1:
                return [(0.0, frame(unit, bytes([pdu[0] ^ 7]) + pdu[1:]))]
        longer = bytes([pdu[0], pdu[1] + 2]) + pdu[2:] + self.chance.randbytes(2)
        return [(0.0, frame(unit, longer))]

    def twice(self, unit: int, pdu: bytes, frame: Frame) -> list[tuple[float, bytes]]:
        whole = frame(unit, pdu)
        return [(0.0, whole), (self.chance.uniform(0.0, _LATEST_S), whole)]

    def flipped(self, unit: int, pdu: bytes, frame: Frame) -> list[tuple[float, bytes]]:
        broken = bytearray(frame(unit, pdu))
        for _ in range(self.chance.randrange(1, 5)):
            broken[self.chance.randrange(len(broken))] ^= 1 << self.chance.randrange(8)
        return [(0.0, bytes(broken))]
