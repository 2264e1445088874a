"""Single readings that no feeder can draw. Pure.

A reading far from the one before is held back, not used, where it cannot be: beyond what voltage
and current allow, or, where these are not read, beyond any machine and twice the greatest load.
The next one decides: back where the load was, and it was a spike; a load that goes on is believed.
"""

from __future__ import annotations

from edge.clock import Stamp
from edge.domain.activity import Activity, ActivityKind
from edge.sensors.faults.look import Values
from edge.sensors.faults.report import Fault
from edge.sensors.spec import MeterSpec

_APPARENT = 1.3  # power over apparent power: sweeps are torn, meters differ
_LEAST_KVA = 1.0
_CEILING, _CEILING_KW = 2.0, 500.0  # no machine starts above both
_ALIKE = 0.3
_MOST_HELD = 20
_QUIET_S = 900.0


class Spikes:
    """METER_SPIKE. Detail: `kw` as read, `before_kw`, `count` since it began.

    Attributes:
        held: readings that wait for the next one to decide what they were.
    """

    def __init__(self, meter: MeterSpec) -> None:
        self._fault = Fault(ActivityKind.METER_SPIKE, meter)
        self.held: list[tuple[float, Stamp]] = []
        self._count = 0
        self._newest: Stamp | None = None
        self._blind = False  # voltage and current do not tell what the power can be

    def doubts(self, kw: float, values: Values, stamp: Stamp, *, most_kw: float) -> bool:
        """Whether a reading that jumped is held back."""
        apparent = _apparent(values)
        if apparent is None:
            self._blind = True
        if self._blind or apparent is None:
            goes_on = self.held and _alike(kw, self.held[-1][0])
            impossible = abs(kw) > max(_CEILING * most_kw, _CEILING_KW) and not goes_on
        else:
            impossible = abs(kw) > _APPARENT * apparent + _LEAST_KVA
        if not impossible:
            return False
        if len(self.held) >= _MOST_HELD:
            self._blind = True  # its voltages or currents do not belong to its power
            return False
        self.held.append((kw, stamp))
        return True

    def settle(self, kw: float, before_kw: float, jump_kw: float, stamp: Stamp) -> list[Activity]:
        """A reading that is believed follows those held back: what were they?"""
        held, self.held = self.held, []
        changed = abs(kw - before_kw) > jump_kw
        if changed and (self._blind or _alike(kw, held[-1][0])):
            return []  # a load that had never been seen, or a machine's start
        self._count += len(held)
        self._newest = stamp
        worst = max(held, key=lambda item: abs(item[0]))
        detail = {
            "kw": round(worst[0], 3),
            "before_kw": round(before_kw, 3),
            "count": self._count,
        }
        return self._fault.there(held[0][1], stamp, detail)

    def judge(self, stamp: Stamp) -> list[Activity]:
        """It is over a quarter of an hour after the last one."""
        if self._newest is None or stamp.since(self._newest) < _QUIET_S:
            return []
        self._newest, self._count = None, 0
        return self._fault.gone(stamp)

    def rest(self, stamp: Stamp) -> list[Activity]:
        """Another meter answers."""
        return self._fault.gone(stamp)


def _apparent(values: Values) -> float | None:
    """Apparent power in kVA; None where a voltage or a current is not there."""
    try:
        return (
            abs(values["voltage_l1_v"] * values["current_l1_a"])
            + abs(values["voltage_l2_v"] * values["current_l2_a"])
            + abs(values["voltage_l3_v"] * values["current_l3_a"])
        ) / 1000
    except KeyError:
        return None


def _alike(kw: float, other: float) -> bool:
    return abs(kw - other) <= _ALIKE * max(abs(kw), abs(other))
