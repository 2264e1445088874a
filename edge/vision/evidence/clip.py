"""A clip in the making: the packets from before an activity until its end. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic

from edge.vision.camera.channel import MAX_CLIP
from edge.vision.stream.ring import Held, P

PRE_ROLL_S = 5.0  # before the activity began
POST_ROLL_S = 15.0  # after it was told; a longer activity's clip ends here
TAIL_S = 1.0  # after its end
HEADROOM = 200_000  # bytes of the file that are no pictures


class Clip(Generic[P]):
    """Takes packets until it is over; what it holds begins with a key picture."""

    def __init__(self, before: Iterable[Held[P]], now: float) -> None:
        """Begin with what was held before it was asked for."""
        self.packets: list[Held[P]] = []
        self.asked = now
        self._until = now + POST_ROLL_S
        self._size = 0
        self._full = False
        for held in before:
            self.put(held)

    def put(self, held: Held[P]) -> None:
        """Take a packet, unless there are too many already."""
        self._full = self._full or self._size + held.packet.size > MAX_CLIP - HEADROOM
        if not self._full and (self.packets or held.packet.is_keyframe):
            self.packets.append(held)
            self._size += held.packet.size

    def end(self, now: float) -> None:
        """What it is about is over."""
        self._until = min(self._until, now + TAIL_S)

    def over(self, now: float) -> bool:
        """Whether it takes nothing more."""
        return self._full or now >= self._until
