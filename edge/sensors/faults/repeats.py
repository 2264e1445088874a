"""Rows that were seen before, all of them the same number of readings before: a recording. Pure."""

from __future__ import annotations

from itertools import count

from edge.sensors.faults.look import Look, Row
from edge.sensors.faults.report import Streak

_KEPT = 8192  # rows remembered: half a day at 5 s, three days at 30 s
_APART = 2  # readings that two lags of one recording may differ by: polls get lost
_COLUMNS = 4  # a row of fewer is often seen again by chance


class Repeats:
    """Looks up the highest and the lowest row of each look among those before it.

    Attributes:
        streak: for how many rows lookups have agreed on one lag.
        lag: the newest lag, in readings; 0 before the first.
    """

    def __init__(self) -> None:
        self.streak = Streak()
        self.lag = 0
        self._seen: dict[int, int] = {}
        self._index = 0

    def step(self, look: Look) -> None:
        """Take a look; rows that say too little, or all the same, are passed over."""
        rows, seen = look.rows, self._seen
        if len(look.layout.names) < _COLUMNS or look.top == look.bottom:
            return
        for row in (look.top, look.bottom):
            self.streak.step(self._agrees(rows, row), look.first)
        seen.update(zip(map(hash, rows), count(self._index), strict=False))
        self._index += len(rows)
        if len(seen) > 2 * _KEPT:
            oldest = self._index - _KEPT
            self._seen = {key: index for key, index in seen.items() if index >= oldest}

    def _agrees(self, rows: list[Row], row: Row) -> bool:
        before = self._seen.get(hash(row))
        if before is None:
            return False
        lag, self.lag = self.lag, self._index + rows.index(row) - before
        return abs(self.lag - lag) <= _APART
