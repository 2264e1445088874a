"""How often a load swings up, and how regularly. Pure."""

from __future__ import annotations

from collections import deque
from itertools import pairwise

from edge.clock import Stamp

_KEPT = 16


class Swings:
    """Up-swings of a load: rises by `delta` from the lowest point since the last such fall.

    Turning points are found the way rainflow counting finds them, so neither the sampling
    period nor a slow ramp matters, and three pumps started one after the other are one swing.
    """

    __slots__ = ("_high", "_low", "_rising", "_seen")

    def __init__(self) -> None:
        self._high = float("-inf")
        self._low = float("inf")
        self._rising = False
        self._seen: deque[Stamp] = deque(maxlen=_KEPT)

    def step(self, kw: float, delta: float, stamp: Stamp) -> bool:
        """Take a reading; True when an up-swing was completed with it."""
        if self._rising:
            if kw > self._high:
                self._high = kw
            elif self._high - kw >= delta:
                self._rising, self._low = False, kw
            return False
        if kw < self._low:
            self._low = kw
            return False
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

    def period_s(self) -> float | None:
        """Seconds from one swing to the next: the median of those seen last, if there are three."""
        if len(self._seen) < 3:
            return None
        moments = list(self._seen)
        gaps = sorted(b.since(a) for a, b in pairwise(moments))
        return round(gaps[len(gaps) // 2], 1)
