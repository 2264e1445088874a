"""Values too perfect to be measured: a meter simulator on the bus. Pure.

Four signs, each judged against how often an honest meter shows it by chance:

- `equal-phases`: the three voltages agree to the last digit, look after look;
- `no-noise`: voltages move smoothly or not at all; a grid's never do;
- `exact-product`: power is U·I·pf to the last digit, and this meter's was not before (a meter
  that computes one from the other is like that from its first day);
- `repeats`: whole rows were seen before, all of them the same time before.
"""

from __future__ import annotations

from edge.clock import Stamp
from edge.domain.activity import Activity, ActivityKind
from edge.sensors.faults.look import Look, Three
from edge.sensors.faults.repeats import Repeats
from edge.sensors.faults.report import Detail, Fault, Streak
from edge.sensors.spec import MeterSpec

_LEAST_S = 900.0
_SMOOTH = 2e-4  # of the voltage: what one sample differs from the line through its neighbours
_EXACT, _FINE = 1e-6, 2e-4  # of the power
_LEAST_KW = 1.0
_TAIL = 3
_CLEAR = 2  # a recording begins anew with one that agrees with nothing
_FROM_THE_START = frozenset({"equal-phases", "repeats"})
"""No honest meter was ever like that; the others need to have been different before."""


class Perfect:
    """METER_TOO_PERFECT. Detail: `sign`, `hours`, `kw`; `lag_s` where it repeats."""

    def __init__(self, meter: MeterSpec) -> None:
        self._fault = Fault(ActivityKind.METER_TOO_PERFECT, meter)
        self._equal, self._smooth, self._exact = Streak(), Streak(), Streak()
        self._repeats = Repeats()
        self._clear = 0  # looks without any sign
        self._signs = (
            ("equal-phases", self._equal),
            ("no-noise", self._smooth),
            ("exact-product", self._exact),
            ("repeats", self._repeats.streak),
        )

    @property
    def open(self) -> bool:
        """Whether its readings are believed no more."""
        return self._fault.open

    @property
    def suspect(self) -> bool:
        """Whether it is more than frozen: phases never agree to the last digit by freezing."""
        return self._equal.count > 0

    def judge(self, look: Look, step_kw: float) -> list[Activity]:
        """Judge a look of a meter whose voltage is there; `step_kw` as for frozen values."""
        now, volts = look.last, look.layout.volts
        if volts is not None:
            tail = tuple(map(volts, look.rows[-3:]))
            self._equal.step(_equal(tail[0]) and _equal(tail[-1]), look.first)
            if look.top != look.bottom:  # else it is frozen
                if len(tail) == _TAIL:
                    self._smooth.step(_smooth(*tail), look.first)
                exact = _exact(look, step_kw)
                if exact is not None:
                    self._exact.step(exact, look.first)
        self._repeats.step(look)
        for sign, streak in self._signs:
            if streak.count and streak.unlikely and streak.lasted(now) >= _LEAST_S:
                since = streak.since or now
                if sign in _FROM_THE_START or streak.known_otherwise:
                    self._clear = 0
                    return self._fault.there(since, now, self._detail(sign, since, look))
        if not self._fault.open:
            return []
        self._clear = 0 if any(streak.count for _, streak in self._signs) else self._clear + 1
        return self._fault.gone(now) if self._clear >= _CLEAR else []

    def _detail(self, sign: str, since: Stamp, look: Look) -> Detail:
        detail: dict[str, str | float] = {
            "sign": sign,
            "hours": round(look.last.since(since) / 3600, 2),
            "kw": round(look.rows[-1][0], 3),
        }
        if sign == "repeats":
            period_s = look.last.since(look.first) / len(look.rows)
            detail["lag_s"] = round(self._repeats.lag * period_s)
        return detail

    def rest(self, stamp: Stamp) -> list[Activity]:
        """Nothing can be said: there was a gap, or the voltage is gone."""
        for _, streak in self._signs:
            streak.drop()
        return self._fault.gone(stamp)


def _equal(volts: Three) -> bool:
    return volts[0] == volts[1] == volts[2]


def _smooth(one: Three, two: Three, three: Three) -> bool:
    for phase, volts in enumerate(two):
        if abs(one[phase] - 2 * volts + three[phase]) > _SMOOTH * volts:
            return False
    return True


def _exact(look: Look, step_kw: float) -> bool | None:
    """Whether power is the product of the rest; None where its last digit is too coarse to say."""
    layout, row = look.layout, look.rows[-1]
    kw = abs(row[0])
    if layout.volts is None or layout.currents is None or layout.factor is None:
        return None
    if kw < _LEAST_KW or step_kw > _FINE * kw:
        return None
    (u1, u2, u3), (i1, i2, i3) = layout.volts(row), layout.currents(row)
    told = (u1 * i1 + u2 * i2 + u3 * i3) * abs(row[layout.factor]) / 1000
    return abs(told - kw) <= max(_EXACT * kw, step_kw / 2)
