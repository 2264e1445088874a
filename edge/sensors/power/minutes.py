"""A meter's readings by the minute: what the slower judgements look at. Pure."""

from __future__ import annotations

from dataclasses import dataclass

_MINUTE_US = 60_000_000


@dataclass(frozen=True, slots=True)
class Minute:
    """Mean, least and greatest load of a minute of the wall clock, kW."""

    number: int
    kw: float
    least_kw: float
    most_kw: float


class Minutes:
    """The minute under way and the one before it."""

    __slots__ = ("_count", "_least", "_most", "_number", "_sum", "last")

    def __init__(self) -> None:
        self._number = -1
        self._sum = self._least = self._most = 0.0
        self._count = 0
        self.last: Minute | None = None
        """The newest minute that is over."""

    def step(self, kw: float, wall_us: int) -> bool:
        """Take a reading; True when an earlier minute is over with it."""
        number = wall_us // _MINUTE_US
        if number == self._number:
            self._sum += kw
            self._count += 1
            if kw < self._least:
                self._least = kw
            elif kw > self._most:
                self._most = kw
            return False
        over = self._count > 0
        if over:
            self.last = self._minute()
        self._number, self._count = number, 1
        self._sum = self._least = self._most = kw
        return over

    def at(self, number: int) -> float | None:
        """The mean of that minute if it is the one under way or the last one, kW."""
        if number == self._number:
            return self._sum / self._count
        if self.last is not None and number == self.last.number:
            return self.last.kw
        return None

    def _minute(self) -> Minute:
        return Minute(self._number, self._sum / self._count, self._least, self._most)
