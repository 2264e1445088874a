"""What may go wrong with a camera's stream, switched on and off by whoever tests against it."""

from __future__ import annotations

import os
import random

from simulators.cameras.units import AccessUnit


class Faults:
    """Faults of one camera; all are off at first.

    Attributes:
        hung: connections are taken, requests read, nothing is sent any more.
        stalled: requests are answered, pictures are not sent.
        trickle: what is sent leaves one byte a second.
        garbage: what is sent as pictures is chance bytes.
        drop_keys: key frames are left out.
        corrupt: share of the pictures' packets in which bytes are changed.
        lost: share of the pictures' packets that are left out.
        jump_s: added to the pictures' stamps; may be negative.
        redirect: address that clients are sent on to instead of being served.
    """

    def __init__(self) -> None:
        self.hung = self.stalled = self.trickle = False
        self.garbage = self.drop_keys = False
        self.corrupt = self.lost = self.jump_s = 0.0
        self.redirect = ""
        self._chance = random.Random(1)

    def spoiled(self, unit: AccessUnit) -> AccessUnit | None:
        """What is sent instead of a picture, if anything is."""
        if self.hung or self.stalled or (unit.key and self.drop_keys):
            return None
        nals = unit.nals
        if self.garbage:
            nals = tuple(os.urandom(len(nal)) for nal in nals)
        return AccessUnit(nals, unit.pts + self.jump_s, unit.key)

    def damaged(self, packets: list[bytes], head: int) -> list[bytes]:
        """What is left of packets on their way; their first `head` bytes stay as they are."""
        if not self.corrupt and not self.lost:
            return packets
        left = [one for one in packets if self._chance.random() >= self.lost]
        return [
            self._changed(one, head) if self._chance.random() < self.corrupt else one
            for one in left
        ]

    def _changed(self, packet: bytes, head: int) -> bytes:
        data = bytearray(packet)
        for _ in range(1 + len(data) // 100):
            if len(data) > head:
                data[self._chance.randrange(head, len(data))] ^= 1 << self._chance.randrange(8)
        return bytes(data)
