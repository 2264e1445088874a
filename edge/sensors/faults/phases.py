"""Phases that give nothing or too little: a voltage lead off, a current transformer shorted. Pure.

Motors draw the same of all three phases, so at a motor's feeder a loaded phase that carries far
less than the others is a fault. What else lives behind a meter loads phases as it likes: there a
phase must fall below every balance it has shown in a day, and must itself have fallen from one
reading to the next, while the others stayed: a heater that starts on another phase changes the
balance, but not that phase.
"""

from __future__ import annotations

from itertools import pairwise

from edge.clock import Stamp
from edge.domain.activity import Activity, ActivityKind, Duty
from edge.sensors.faults.look import PHASES, Layout, Look, Row, Three, Values
from edge.sensors.faults.report import Detail, Fault
from edge.sensors.spec import MeterSpec

_MOTORS = frozenset({Duty.FAN, Duty.PUMP, Duty.HOIST, Duty.BELT, Duty.COMPRESSOR, Duty.FACE})
_MOTOR_KW = 5.0
_LEAST_A, _LEAST_KW = 0.2, 0.2  # the mean of a phase from which its balance says something
_DEAD, _WEAK = 0.05, 0.75  # of the other two phases' mean
_DARK = 0.5  # of the highest phase voltage
_BELOW = 0.85  # of the lowest balance ever seen
_FELL, _STAYED = 0.9, (0.85, 1.2)
_STEPS = 20
_LOOKS, _PATIENT = 2, 4
_NAMES = {
    "V": ("voltage_l1_v", "voltage_l2_v", "voltage_l3_v"),
    "A": ("current_l1_a", "current_l2_a", "current_l3_a"),
    "kW": ("power_l1_kw", "power_l2_kw", "power_l3_kw"),
}
_LEARNED_S = 20 * 3600.0
_LEARNED = 60
_SLOWLY, _EVERY = 0.008, 4  # looks
_MEAN = 0.05


class Phases:
    """METER_PHASE_LOST and METER_UNBALANCED.

    Detail: `phase`, `quantity` (V, A or kW), `read` and `expected` (by the other two phases and,
    where known, by the balance before).
    """

    def __init__(self, meter: MeterSpec) -> None:
        self._lost = Fault(ActivityKind.METER_PHASE_LOST, meter)
        self._weak = Fault(ActivityKind.METER_UNBALANCED, meter)
        self._motor = meter.duty in _MOTORS
        self._had = [False, False, False]  # phases that have had voltage
        self._balance = _Balance()
        self._least_kw = 0.0
        self._looks = 0
        self._since: Stamp | None = None
        self._fell: int | None = None  # the phase whose fall began it
        self._told = (0, "kW")  # the phase that is too weak, and by which quantity it shows
        self._layout: Layout | None = None
        self._last: Row | None = None

    @property
    def open(self) -> bool:
        """Whether one of its phases is missing or too weak."""
        return self._lost.open or self._weak.open

    @property
    def pending(self) -> bool:
        """Whether a phase may give too little: the sum says too little until that is known."""
        return self._looks > 0 and not self.open

    def suspects(self, layout: Layout, before: Row, now: Row) -> bool:
        """Whether from one reading to the next one phase alone has fallen below its balance."""
        found = self._fallen(layout, before, now)
        self._told = self._told if found is None else found
        return found is not None

    def _fallen(self, layout: Layout, before: Row, now: Row) -> tuple[int, str] | None:
        """The phase that has fallen, and the quantity that shows it."""
        if layout.volts is not None:
            was, volts = layout.volts(before), layout.volts(now)
            if min(volts) < _DARK * max(volts):
                fell = min(was) >= _DARK * max(was)
                return (volts.index(min(volts)), "V") if fell else None
        quantity, loads = _loads(layout, now, self._least_kw)
        if loads is None:
            return None
        phase, share = _weakest(loads)
        usual = self._usual(phase, motor=self._motor and abs(now[0]) >= _MOTOR_KW)
        if usual is None or share >= usual or _fallen(layout, [before, now]) != phase:
            return None
        return phase, quantity

    def mended(self, values: Values) -> dict[str, float]:
        """The values with what the phase that was told should tell by the other two."""
        mended = dict(values)
        phase, quantity = self._told
        weighed = [values.get(name, 0.0) for name in _NAMES[quantity]]
        others = (sum(weighed) - weighed[phase]) / 2
        usual = 1.0 if quantity == "V" else self._balance.mean[phase]
        share = weighed[phase] / others if others else usual
        if share >= (_DARK if quantity == "V" else _BELOW * usual):
            return mended  # it is back
        powers = [values[name] for name in _NAMES["kW"] if name in values]
        if len(powers) == len(PHASES):
            mended[_NAMES["kW"][phase]] = told = (sum(powers) - powers[phase]) / 2 * usual
            mended["power_kw"] = sum(powers) - powers[phase] + told
        else:
            whole = (2 + usual) / (2 + share)
            mended |= {name: kw * whole for name, kw in values.items() if name == "power_kw"}
        return mended

    def judge(self, look: Look, step_kw: float) -> list[Activity]:
        """Judge a look of a meter whose voltage is not gone altogether.

        `step_kw` is the resolution of the power as seen so far: phases of a few steps have no
        balance.
        """
        self._least_kw = _STEPS * step_kw
        last = self._last if look.layout is self._layout else None
        self._layout, self._last = look.layout, look.rows[-1]
        dark = self._dark(look)
        if dark is not None:
            return self._seen(look, self._lost, dark)
        row = look.rows[-1]
        name, loads = _loads(look.layout, row, self._least_kw)
        if loads is None:
            row = look.peak
            name, loads = _loads(look.layout, row, self._least_kw)
        if loads is None:
            return []  # no load: the balance says nothing, and what was told stays
        phase, share = _weakest(loads)
        motor = self._motor and abs(row[0]) >= _MOTOR_KW
        usual = self._usual(phase, motor=motor)
        if usual is None or share >= usual:
            return self._balanced(look, loads, share)
        if self._since is None:
            rows = look.rows if last is None else [last, *look.rows]
            self._fell = _fallen(look.layout, rows)
        strong = motor and share < _WEAK
        if not strong and self._fell != phase and not self.open:
            self._since = self._since or look.first  # another phase rose: this one fell in nothing
            lasting = look.last.since(self._since) >= _LEARNED_S
            return self._balanced(look, loads, share) if lasting else []
        expected = (sum(loads) - loads[phase]) / 2 * self._balance.mean[phase]
        told = (phase, name, loads[phase], expected)
        fault = self._lost if share < _DEAD else self._weak
        return self._seen(look, fault, told, _LOOKS if strong or fault is self._lost else _PATIENT)

    def _usual(self, phase: int, *, motor: bool) -> float | None:
        """The share under which this phase carries too little; None where nothing is known."""
        learned = self._balance.low
        if learned is not None:
            return max(_BELOW * learned[phase], _WEAK if motor else 0.0)
        return _WEAK if motor else None

    def _dark(self, look: Look) -> tuple[int, str, float, float] | None:
        if look.layout.volts is None:
            return None
        volts = look.layout.volts(look.rows[-1])
        low, high = min(volts), max(volts)
        if low >= _DARK * high:
            self._had = [True, True, True]
            return None
        phase = volts.index(low)
        return (phase, "V", low, high) if self._had[phase] else None

    def _seen(
        self, look: Look, fault: Fault, told: tuple[int, str, float, float], looks: int = _LOOKS
    ) -> list[Activity]:
        self._looks += 1
        self._since = self._since or look.first
        phase, quantity, read, expected = told
        self._told = (phase, quantity)
        if self._looks < looks and not self.open:
            return []
        detail: Detail = {
            "phase": PHASES[phase],
            "quantity": quantity,
            "read": round(read, 3),
            "expected": round(expected, 3),
        }
        other = self._weak if fault is self._lost else self._lost
        over = other.gone(look.last)
        return over + fault.there(self._since, look.last, detail)

    def _balanced(self, look: Look, loads: Three, share: float) -> list[Activity]:
        self._looks, self._since, self._fell = 0, None, None
        self._balance.learn(loads, share, look.last)
        return self._lost.gone(look.last) + self._weak.gone(look.last)

    def rest(self, stamp: Stamp) -> list[Activity]:
        """The voltage is gone altogether, or the sign is wrong: no balance."""
        self._looks, self._since, self._fell = 0, None, None
        self._last = None
        return self._lost.gone(stamp) + self._weak.gone(stamp)


class _Balance:
    """The lowest share of each phase, against the mean of the other two; forgets slowly."""

    def __init__(self) -> None:
        self._low: Three | None = None
        self._first: Stamp | None = None
        self._count = 0
        self.low: Three | None = None  # once it is known well enough
        self.mean: Three = (1.0, 1.0, 1.0)

    def learn(self, loads: Three, weakest: float, stamp: Stamp) -> None:
        self._count += 1
        if self._count % _EVERY and self._low is not None and weakest >= max(self._low):
            return
        a, b, c = loads
        shares = (2 * a / ((b + c) or 1.0), 2 * b / ((a + c) or 1.0), 2 * c / ((a + b) or 1.0))
        if self._low is None or self._first is None:
            self._low, self._first = shares, stamp
        x, y, z = (
            min(share, low + (share - low) * _SLOWLY)
            for share, low in zip(shares, self._low, strict=True)
        )
        self._low = (x, y, z)
        d, e, f = (m + (n - m) * _MEAN for m, n in zip(self.mean, shares, strict=True))
        self.mean = (d, e, f)
        if self._count >= _LEARNED and stamp.since(self._first) >= _LEARNED_S:
            self.low = self._low


def _loads(layout: Layout, row: Row, least_kw: float) -> tuple[str, Three | None]:
    """What the phases carry, in amperes or else in kW; None where it is too little to judge."""
    if abs(row[0]) < least_kw:
        return "", None
    if layout.currents is not None:
        a, b, c = layout.currents(row)
        if a + b + c >= 3 * _LEAST_A:
            return "A", (abs(a), abs(b), abs(c))
    if layout.powers is not None:
        a, b, c = map(abs, layout.powers(row))
        if a + b + c >= 3 * _LEAST_KW:
            return "kW", (a, b, c)
    return "", None


def _weakest(loads: Three) -> tuple[int, float]:
    """The phase that carries least and its share of the mean of the other two."""
    low = min(loads)
    return loads.index(low), 2 * low / (sum(loads) - low)


def _fallen(layout: Layout, rows: list[Row]) -> int | None:
    """The phase that fell from one reading to the next while the others stayed; None if none."""
    for one, two in pairwise(rows):
        (_, before), (_, after) = _loads(layout, one, 0.0), _loads(layout, two, 0.0)
        if before is None or after is None or not min(before):
            continue
        ratios = [b / a for a, b in zip(before, after, strict=True)]
        phase = ratios.index(min(ratios))
        others = [ratio for i, ratio in enumerate(ratios) if i != phase]
        if ratios[phase] < _FELL and _STAYED[0] <= min(others) and max(others) <= _STAYED[1]:
            return phase
    return None
