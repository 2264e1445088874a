"""What a camera's process finds out about the life in its pictures, for the measures. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from edge.vision.picture import Pixels
from edge.vision.tamper.liveness.clock import LOOKING, ClockReader
from edge.vision.tamper.liveness.repeats import Repeats


@dataclass(frozen=True, slots=True)
class Signs:
    """As in `Measures`."""

    repeats: float = 0.0
    repeat_lag_s: float = 0.0
    clock_s: float = LOOKING
    clock_date: float = 0.0


class Life:
    """The life of one connection's pictures."""

    def __init__(self) -> None:
        self._repeats = Repeats()
        self._clock = ClockReader()
        self.signs = Signs()

    def step(self, luma: Pixels, t: float, since_key: int) -> None:
        """Take the luma of every picture that is looked at."""
        seen = self._repeats.step(luma, t, since_key)
        shown = self._clock.step(luma, t)
        self.signs = Signs(float(seen.looks), seen.lag_s, shown.second, shown.date)
