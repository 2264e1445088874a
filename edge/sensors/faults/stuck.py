"""Frozen values: a register, or all of them, that no longer follow what is measured. Pure.

A whole row that stands still is told by what must breathe in it: the grid's voltage and
frequency. So a feeder that stands at exactly 0.0 for days is honest as long as they move. Where
a profile has neither, nothing is said of zero. Power that stands still above zero while the rest
moves is told too, but only where its resolution is fine enough for a machine's noise to show.
"""

from __future__ import annotations

from edge.clock import Stamp
from edge.domain.activity import Activity, ActivityKind
from edge.sensors.faults.look import Look, Row
from edge.sensors.faults.report import Fault, Streak
from edge.sensors.spec import MeterSpec

_WHOLE_S, _POWER_S = 600.0, 3600.0
_FINE = 200  # steps of resolution above zero from which noise shows


class Stuck:
    """METER_FROZEN. Detail: `kw` that stands, `readings` that repeat it, `hours`."""

    def __init__(self, meter: MeterSpec) -> None:
        self._fault = Fault(ActivityKind.METER_FROZEN, meter)
        self._whole, self._power = Streak(), Streak()
        self._last: Row | None = None
        self._readings = 0

    @property
    def open(self) -> bool:
        """Whether its readings say nothing at present."""
        return self._fault.open

    def judge(self, look: Look, step_kw: float) -> list[Activity]:
        """Judge a look; `step_kw` is the resolution of the power as seen so far."""
        rows, kw = look.rows, look.rows[0][0]
        n, was = len(rows), self._last
        self._last = rows[-1]
        still = was is not None and was == rows[0] and rows.count(was) == n
        self._whole.step(still and look.layout.breathes, look.first)
        stands = look.top[0] == look.bottom[0] and was is not None and was[0] == kw
        fine = abs(kw) >= _FINE * step_kw > 0
        self._power.step(stands and fine and not self._whole.count, look.first)
        self._readings = self._readings + n if stands else 0
        for streak, least_s in ((self._whole, _WHOLE_S), (self._power, _POWER_S)):
            if streak.count and streak.unlikely and streak.lasted(look.last) >= least_s:
                return self._tell(streak, kw, look.last)
        return self._fault.gone(look.last)

    def _tell(self, streak: Streak, kw: float, stamp: Stamp) -> list[Activity]:
        detail = {
            "kw": round(kw, 3),
            "readings": self._readings,
            "hours": round(streak.lasted(stamp) / 3600, 2),
        }
        return self._fault.there(streak.since or stamp, stamp, detail)

    def rest(self, stamp: Stamp) -> list[Activity]:
        """Nothing can be said: there was a gap, or something graver explains it."""
        self._last = None
        self._whole.drop()
        self._power.drop()
        return self._fault.gone(stamp)
