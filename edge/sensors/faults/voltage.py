"""Voltage that is gone. Pure.

Of an idle mine's feeders the main fan's must never be dead, nor the line that feeds it; others
may be switched off. Where current flows without voltage, the leads were taken off, at any feeder.
"""

from __future__ import annotations

from edge.clock import Stamp
from edge.domain.activity import Activity, ActivityKind, Duty
from edge.sensors.faults.look import Layout, Look, Row
from edge.sensors.faults.report import Fault
from edge.sensors.spec import MeterSpec

_NEVER_DEAD = frozenset({Duty.FAN, Duty.INCOMING})
_GONE = 0.2  # of the highest voltage seen
_LEAST_V, _LEAST_A = 20.0, 1.0
_LOOKS = 2
_STARTING = 0.0015  # of full scale: less is not shown as power, and counted all the same
_CT_A, _DIRECT_A = 5.0, 100.0


class Voltage:
    """METER_VOLTAGE_GONE. Detail: `volts` and `expected_v` (highest phase), `amps`."""

    def __init__(self, meter: MeterSpec) -> None:
        self._fault = Fault(ActivityKind.METER_VOLTAGE_GONE, meter)
        self._must = meter.always_on or meter.duty in _NEVER_DEAD
        self._usual = 0.0
        self._amps = 0.0
        self._looks = 0
        self._since: Stamp | None = None

    @property
    def pending(self) -> bool:
        """Whether it is gone where it must not be: what the meter then tells is not what flows."""
        return self._looks > 0 and (self._must or self._amps >= _LEAST_A)

    def suspects(self, layout: Layout, before: Row, now: Row) -> bool:
        """Whether from one reading to the next it has gone where it must not be."""
        if layout.volts is None or not self._must:
            return False
        return max(layout.volts(now)) < _GONE * max(layout.volts(before))

    def judge(self, look: Look) -> tuple[bool, list[Activity]]:
        """Whether the voltage is gone, and what is to be told of it."""
        layout, row = look.layout, look.rows[-1]
        if layout.volts is None:
            return False, []
        volts = max(map(abs, layout.volts(row)))
        if volts > max(_GONE * self._usual, _LEAST_V):
            self._usual = max(self._usual, volts)
            self._looks, self._since = 0, None
            return False, self._fault.gone(look.last)
        self._looks += 1
        self._since = self._since or look.first
        self._amps = 0.0 if layout.currents is None else max(map(abs, layout.currents(row)))
        if self._looks < _LOOKS or not self.pending:
            return True, []
        detail = {
            "volts": round(volts, 1),
            "expected_v": round(self._usual, 1),
            "amps": round(self._amps, 2),
        }
        return True, self._fault.there(self._since, look.last, detail)

    def starting_kw(self, ct_ratio: float) -> float:
        """The load under which a meter with these transformers may show none, kW."""
        return _STARTING * 3 * self._usual * max(_CT_A * ct_ratio, _DIRECT_A) / 1000

    def rest(self, stamp: Stamp) -> list[Activity]:
        """Another meter answers."""
        return self._fault.gone(stamp)
