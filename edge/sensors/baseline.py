"""What a feeder draws while its machine stands, and how often its load swings. Pure."""

from __future__ import annotations

from collections import deque

from edge.clock import Stamp

_BLOCK_S = 600.0
_BLOCKS = 576  # four days
_QUANTILE = 0.2
_SWINGS_KEPT = 16


class Idle:
    """Idle level of a feeder in kW: the 20 % quantile of ten-minute minima of four days.

    A minimum forgets every load that pauses within ten minutes (a hoist does), the quantile
    those that run for hours (pumps) and short cuts of the supply. It is usable from the first
    reading on: then it is the lowest load seen so far. Memory is bounded.
    """

    def __init__(self) -> None:
        self._minima: deque[float] = deque(maxlen=_BLOCKS)
        self._block_start: Stamp | None = None
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
        self._minima.extend([level] * min(max(blocks, 1), _BLOCKS))
        self._level = level

    def learn(self, kw: float, stamp: Stamp) -> None:
        """Take a reading into account. Leave out those of a machine known to run."""
        if self._block_start is None:
            self._block_start, self._lowest = stamp, kw
        elif stamp.since(self._block_start) >= _BLOCK_S:
            self._minima.append(self._lowest)
            self._block_start, self._lowest = stamp, kw
        elif kw < self._lowest:
            self._lowest = kw
        else:
            return
        ordered = sorted([*self._minima, self._lowest])
        self._level = ordered[int(_QUANTILE * (len(ordered) - 1))]


class Swings:
    """Up-swings of a load: rises by `delta` from the lowest point since the last such fall.

    Turning points are found the way rainflow counting finds them, so neither the sampling
    period nor a slow ramp matters, and three pumps started one after the other are one swing.
    """

    def __init__(self) -> None:
        self._high = float("-inf")
        self._low = float("inf")
        self._rising = False
        self._seen: deque[Stamp] = deque(maxlen=_SWINGS_KEPT)

    def step(self, kw: float, delta: float, stamp: Stamp) -> bool:
        """Take a reading; True when an up-swing was completed with it."""
        if self._rising:
            self._high = max(self._high, kw)
            if self._high - kw >= delta:
                self._rising, self._low = False, kw
            return False
        self._low = min(self._low, kw)
        if kw - self._low < delta:
            return False
        self._rising, self._high = True, kw
        self._seen.append(stamp)
        return True

    def last(self, count: int, now: Stamp, window_s: float) -> Stamp | None:
        """When the `count`-th last swing was, if it lies within `window_s` before `now`."""
        if len(self._seen) < count or now.since(self._seen[-count]) > window_s:
            return None
        return self._seen[-count]
