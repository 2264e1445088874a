"""Times without a reading, and what the counter counted meanwhile. Pure.

A source that the bus has told as lost needs no second word, unless energy flowed while nobody
looked.
"""

from __future__ import annotations

from edge.clock import Stamp
from edge.domain.activity import Activity, ActivityKind
from edge.sensors.faults.report import Fault
from edge.sensors.spec import MeterSpec

_LEAST_US, _PERIODS = 300_000_000, 5
_UNKNOWN_US = 2**62  # until it is known how often the meter is read
_MUCH_KW, _MUCH_KWH = 1.0, 0.5


class Gaps:
    """METER_GAP. Detail: `minutes`; `kwh` and `kw` (its mean) once a counter tells them.

    Attributes:
        longest_us: from one reading to the next, without being a gap.
        ended: a gap that is over (from, to, counter before) and whose energy is not known yet.
    """

    def __init__(self, meter: MeterSpec) -> None:
        self._fault = Fault(ActivityKind.METER_GAP, meter)
        self.longest_us = _UNKNOWN_US
        self._excused = False
        self.ended: tuple[Stamp, Stamp, float | None] | None = None

    def learn(self, period_us: float) -> None:
        """The meter is read so often."""
        self.longest_us = max(_LEAST_US, round(_PERIODS * period_us))
        self._excused = False

    def lost(self) -> None:
        """The bus has told that the meter does not answer."""
        self._excused = True

    def silent(self, last: Stamp, now: Stamp) -> list[Activity]:
        """No reading has come since `last`, for too long."""
        return [] if self._excused else self._fault.there(last, now, _minutes(last, now))

    def over(self, last: Stamp, now: Stamp, counter_kwh: float | None) -> list[Activity]:
        """A reading has come after a gap, before which the counter told this."""
        said = self.silent(last, now)
        self.ended = (last, now, counter_kwh)
        return said

    def settle(self, counter_kwh: float | None) -> list[Activity]:
        """The counter after the gap that is over; None where it has not been read by now."""
        if self.ended is None:
            return []
        (last, now, before), self.ended = self.ended, None
        detail = _minutes(last, now)
        if counter_kwh is not None and before is not None:
            kwh = counter_kwh - before
            hours = now.since(last) / 3600
            detail |= {"kwh": round(kwh, 2), "kw": round(kwh / hours, 2)}
            if self._excused and kwh >= max(_MUCH_KWH, _MUCH_KW * hours):
                return self._fault.there(last, now, detail) + self._fault.gone(now)
        return self._fault.gone(now, **detail)


def _minutes(last: Stamp, now: Stamp) -> dict[str, float]:
    return {"minutes": round(now.since(last) / 60, 1)}
