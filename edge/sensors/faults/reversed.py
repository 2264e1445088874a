"""Power that flows backwards: a current transformer turned round, all of them or one. Pure.

A meter that exports is honest where something may generate: solar panels behind the incoming or
the living feeder, a hoist or a belt that lets a load down. So a negative sign is a fault

- at a fan, a pump, a compressor or a face; and at any duty where only some phases are negative
  that have never been so before, or while no sun shines;
- at a hoist or a belt where power never turns positive for half an hour;
- anywhere, where it turned from one reading to the next and the load stayed the same.
"""

from __future__ import annotations

from collections.abc import Mapping

from edge.clock import Stamp
from edge.domain.activity import Activity, ActivityKind, Duty
from edge.sensors.faults.look import PHASES, Layout, Look, Row
from edge.sensors.faults.report import Detail, Fault
from edge.sensors.spec import MeterSpec

_SUNNY = frozenset({Duty.INCOMING, Duty.LIVING, Duty.OTHER})
_LOWERING = frozenset({Duty.HOIST, Duty.BELT})
_LOOKS, _PATIENT = 2, 6
_PATIENT_S = 1800.0
_LEAST_KW, _SHARE = 0.05, 0.1  # of the strongest phase: less has no sign to speak of
_ALIKE = 0.3
_MIRRORED, _MIRRORED_KW = 0.05, 0.3  # no cloud leaves just the same, the other way
_SUDDEN = 5.0  # times as far as the reading before went
_DAY_S = 86_400
_DARK_FROM_S, _DARK_TO_S = 21 * 3600, 4 * 3600

Negative = frozenset[int]
NONE: Negative = frozenset()
WHOLE: Negative = frozenset({0, 1, 2})


class Reversed:
    """METER_REVERSED. Detail: `phases` (all, or their names), `kw` as it was read, `used_kw`."""

    def __init__(self, meter: MeterSpec, utc_offset_s: float) -> None:
        self._offset_s = utc_offset_s
        self._fault = Fault(ActivityKind.METER_REVERSED, meter)
        self._duty = meter.duty
        self._negative = NONE
        self._turned = False
        self._exported = NONE  # phases that have honestly been negative
        self._looks = 0
        self._since: Stamp | None = None
        self._layout: Layout | None = None
        self._tail: list[Row] = []  # the newest readings, of that layout

    @property
    def open(self) -> bool:
        """Whether the sign of its power is wrong at present."""
        return self._fault.open

    @property
    def pending(self) -> bool:
        """Whether one phase may have been turned: the sum says too little until that is known."""
        if self._negative in {NONE, WHOLE} or self._fault.open:
            return False
        return self._turned or self._duty not in _SUNNY

    def suspects(self, layout: Layout, before: Row, now: Row) -> bool:
        """Whether from one reading to the next some phases, not all, have turned."""
        negative = _negative(layout, now)
        if negative in {NONE, WHOLE} or _negative(layout, before):
            return False
        return not negative & self._exported and _alike(_parts(layout, before), _parts(layout, now))

    def judge(self, look: Look) -> list[Activity]:
        """Judge a look."""
        if look.layout is not self._layout:
            self._layout, self._tail = look.layout, []
        tail, self._tail = self._tail, [*self._tail, *look.rows][-2:]
        row = look.rows[-1] if abs(look.rows[-1][0]) >= _LEAST_KW else look.peak
        negative = _negative(look.layout, row)
        if not negative:
            return self._upright(look)
        if negative != self._negative or self._since is None:
            self._negative, self._since, self._looks = negative, look.first, 0
            self._turned = self._turned_at_once(look, [*tail, *look.rows])
        self._looks += 1
        if self._fault.open or self._wrong(look):
            return self._tell(look)
        if self._looks >= _PATIENT:
            self._exported |= negative
        return []

    def _upright(self, look: Look) -> list[Activity]:
        if self._fault.open and abs(look.peak[0]) < _LEAST_KW:
            return []  # it stands: no sign either way
        self._negative, self._since, self._turned = NONE, None, False
        return self._fault.gone(look.last)

    def _wrong(self, look: Look) -> bool:
        if self._looks < _LOOKS:
            return False
        if self._duty in _SUNNY:
            return self._dark(look.last) or (self._turned and not self._negative & self._exported)
        if self._duty in _LOWERING and self._negative == WHOLE:
            if look.top[0] > _LEAST_KW:
                self._since = None
            lasted_s = 0.0 if self._since is None else look.last.since(self._since)
            return self._looks >= _PATIENT and lasted_s >= _PATIENT_S
        return True

    def _turned_at_once(self, look: Look, rows: list[Row]) -> bool:
        """Whether the sign changed from one reading to the next, and nothing else moved."""
        for zero, one, two in zip(rows, rows[1:], rows[2:], strict=False):
            if _negative(look.layout, two) == self._negative and not _negative(look.layout, one):
                before, after = _parts(look.layout, one), _parts(look.layout, two)
                calm = abs(two[0] - one[0]) > _SUDDEN * abs(one[0] - zero[0])
                mirrored = abs(one[0]) >= _MIRRORED_KW and _alike(before, after, _MIRRORED)
                return mirrored or (calm and _alike(before, after))
        return False

    def _dark(self, stamp: Stamp) -> bool:
        second = (stamp.wall_us / 1e6 + self._offset_s) % _DAY_S
        return second >= _DARK_FROM_S or second < _DARK_TO_S

    def _tell(self, look: Look) -> list[Activity]:
        names = [PHASES[i] for i in sorted(self._negative)]
        row = look.rows[-1]
        detail: Detail = {
            "phases": "L1 L2 L3" if self._negative == WHOLE else " ".join(names),
            "kw": round(row[0], 3),
            "used_kw": round(sum(map(abs, _parts(look.layout, row))), 3),
        }
        return self._fault.there(self._since or look.first, look.last, detail)

    def rest(self, stamp: Stamp) -> list[Activity]:
        """There is no voltage, and so no sign."""
        self._negative, self._since, self._tail = NONE, None, []
        return self._fault.gone(stamp)


def upright(values: Mapping[str, float]) -> dict[str, float]:
    """The values as a meter would give them whose transformers are the right way round."""
    mended = dict(values)
    phases = [name for name in ("power_l1_kw", "power_l2_kw", "power_l3_kw") if name in values]
    for name in (*phases, "power_kw", "power_factor"):
        if name in values:
            mended[name] = abs(values[name])
    if len(phases) == len(PHASES):
        mended["power_kw"] = sum(mended[name] for name in phases)
    return mended


def _parts(layout: Layout, row: Row) -> tuple[float, ...]:
    powers = layout.powers
    return row[:1] if powers is None else powers(row)


def _negative(layout: Layout, row: Row) -> Negative:
    """Phases that are clearly negative; all of them where only the whole is known."""
    if layout.powers is None:
        return WHOLE if row[0] < -_LEAST_KW else NONE
    parts = layout.powers(row)
    if min(parts) >= 0:
        return NONE
    least = max(_LEAST_KW / 3, _SHARE * max(map(abs, parts)))
    return frozenset(i for i, kw in enumerate(parts) if kw < -least)


def _alike(before: tuple[float, ...], after: tuple[float, ...], share: float = _ALIKE) -> bool:
    return all(
        abs(abs(a) - abs(b)) <= max(share * abs(a), _LEAST_KW)
        for a, b in zip(before, after, strict=True)
    )
