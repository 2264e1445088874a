"""What a feeder draws while its machine stands. Pure."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque

from edge.clock import Stamp

_BLOCK_US = 600_000_000
_BLOCKS = 576  # four days
_QUANTILE = 0.2


class Idle:
    """Idle level of a feeder in kW: the 20 % quantile of ten-minute minima of four days.

    A minimum forgets every load that pauses within ten minutes (a hoist does), the quantile
    those that run for hours (pumps) and short cuts of the supply. It is usable from the first
    reading on: then it is the lowest load seen so far. Memory is bounded.
    """

    def __init__(self) -> None:
        self._minima: deque[float] = deque()
        self._ordered: list[float] = []  # the same minima
        self._begun = False
        self._block_ends_us = -1
        self._lowest = 0.0
        self._level = 0.0

    @property
    def level(self) -> float:
        """Idle level, kW; 0 before the first reading."""
        return self._level

    @property
    def blocks(self) -> int:
        """How many ten-minute blocks the level rests on."""
        return len(self._minima)

    def recall(self, level: float, blocks: int) -> None:
        """Begin from what was learned before a restart, with the weight that it had then."""
        for _ in range(min(max(blocks, 1), _BLOCKS)):
            self._keep(level)
        self._level = level

    def learn(self, kw: float, stamp: Stamp) -> bool:
        """Take a reading into account; True when the level may have moved with it.

        Leave out those of a machine known to run.
        """
        if stamp.mono_us < self._block_ends_us:
            if kw >= self._lowest:
                return False
            self._lowest = kw
        else:
            if self._begun:
                self._keep(self._lowest)
            self._begun = True
            self._block_ends_us, self._lowest = stamp.mono_us + _BLOCK_US, kw
        self._level = self._quantile()
        return True

    def _keep(self, lowest: float) -> None:
        if len(self._minima) == _BLOCKS:
            del self._ordered[bisect_left(self._ordered, self._minima.popleft())]
        self._minima.append(lowest)
        insort(self._ordered, lowest)

    def _quantile(self) -> float:
        """Of the blocks that are over and the one under way, without sorting them anew."""
        at = int(_QUANTILE * len(self._ordered))
        place = bisect_left(self._ordered, self._lowest)
        if place == at:
            return self._lowest
        return self._ordered[at if place > at else at - 1]
