"""The newest packets of a stream, undecoded, by whole groups of pictures. Pure.

A group begins with a key picture; only from there can its packets be decoded or shown.
"""

from __future__ import annotations

from collections import deque
from typing import Generic, NamedTuple, Protocol, TypeVar

KEEP_S = 8.0  # a clip begins 5 s before an activity, which is told up to 3 s after it began
MAX_BYTES = 8_000_000
MAX_PACKETS = 1_000


class Packet(Protocol):
    """What is asked of a packet; `av.Packet` has it."""

    @property
    def size(self) -> int: ...

    @property
    def is_keyframe(self) -> bool: ...

    @property
    def pts(self) -> int | None: ...


P = TypeVar("P", bound=Packet)


class Held(NamedTuple, Generic[P]):
    """A packet and when it came, seconds."""

    packet: P
    at: float


class Ring(Generic[P]):
    """Keeps the group under way, the one before it, and what reaches `KEEP_S` back.

    Attributes:
        size: bytes held.
        dropped: packets that the bounds let go before their time.
    """

    def __init__(
        self,
        keep_s: float = KEEP_S,
        max_bytes: int = MAX_BYTES,
        max_packets: int = MAX_PACKETS,
    ) -> None:
        self._keep_s = keep_s
        self._max_bytes, self._max_packets = max_bytes, max_packets
        self._groups: deque[list[Held[P]]] = deque()
        self._newest: list[Held[P]] = []
        self._count = self.size = self.dropped = 0

    def put(self, packet: P, at: float) -> None:
        """Take a packet that came at `at` seconds, never going back."""
        if packet.is_keyframe:
            self._newest = []
            self._groups.append(self._newest)
            while len(self._groups) > 2 and at - self._groups[1][0].at >= self._keep_s:
                self._let_go()
        elif not self._groups:
            return  # nothing to decode it from
        self._newest.append(Held(packet, at))
        self._count += 1
        self.size += packet.size
        while self.size > self._max_bytes or self._count > self._max_packets:
            self.dropped += self._let_go()

    def _let_go(self) -> int:
        group = self._groups.popleft()
        self._count -= len(group)
        self.size -= sum(held.packet.size for held in group)
        return len(group)

    def newest(self) -> list[Held[P]]:
        """The group under way."""
        return list(self._newest) if self._groups else []

    def last_two(self) -> list[Held[P]]:
        """The group under way and the whole one before it; empty when that is not held."""
        return [*self._groups[-2], *self._groups[-1]] if len(self._groups) > 1 else []

    def since(self, at: float) -> list[Held[P]]:
        """Everything from the key picture at or before `at` on; from the oldest if it is later."""
        first = 0
        for i, group in enumerate(self._groups):
            if group[0].at <= at:
                first = i
        return [held for group in list(self._groups)[first:] for held in group]
