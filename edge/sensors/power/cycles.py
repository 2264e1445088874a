"""A hoist by its cycles: three up-swings within ten minutes. Pure.

A hoist takes 60 to 180 s for a cycle, so three always fit in. The motor of a drainage pump may
be started only a few times an hour and then runs on.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from edge.clock import Stamp
from edge.sensors.power.swings import Swings

_SWINGS, _WINDOW_S, _END_S = 3, 600.0, 900.0


@dataclass(slots=True)
class Cycles:
    """Cyclic load on top of others; it ends when the last swing is 15 minutes old."""

    swings: Swings = field(default_factory=Swings)
    running: bool = False
    started: Stamp | None = None
    last_above: Stamp | None = None

    def step(self, kw: float, delta: float, stamp: Stamp) -> None:
        """Take a reading; a swing is a rise by `delta`."""
        if self.swings.step(kw, delta, stamp):
            first = self.swings.last(_SWINGS, stamp, _WINDOW_S)
            if not self.running and first is not None:
                self.running, self.started = True, first
            self.last_above = stamp
        elif self.running and self.swings.last(1, stamp, _END_S) is None:
            self.running, self.started = False, None
