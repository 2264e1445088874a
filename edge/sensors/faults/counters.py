"""The energy counter against the power: set back, rolled over, counting something else. Pure.

A counter that comes to its last digit and begins anew is recognised: what it then has counted is
what has flowed. Some meters save their counter every few minutes only, so a cut of the supply may
take the last minutes' energy from it (Janitza UMG 96-S2 manual, 18.6). A single misread counter
is nothing: the next one must confirm it.
"""

from __future__ import annotations

import math
from itertools import pairwise

from edge.clock import Stamp
from edge.domain.activity import Activity, ActivityKind
from edge.sensors.faults.look import Look
from edge.sensors.faults.report import Fault
from edge.sensors.spec import MeterSpec

_WINDOW_S, _GIVEN_UP_S = 1800.0, 86_400.0
_SHARE = 0.1  # meters of class 1 and sampling agree far better
_STEPS = 2.0
_TOLD = 2  # windows in a row that disagree alike
_KEEPS_S = 3600.0  # what happened at once is told for so long
_SAVED_H = 0.1
_UNKNOWN_KW = 1000.0  # what may have flowed while nobody looked, where nothing is known
_MOST_ROUND = 10
_LAST = 0.9  # of its range
_CALM = 0.02
_BITS = tuple(2.0**bits * scale for bits in (31, 32) for scale in (0.001, 0.01, 0.1, 1.0))


class Flow:
    """What has flowed by the power that was read, since the gateway began.

    Attributes:
        kwh: the sum, up to when the counter was read last.
        blur: its variance by sampling, kWh².
        unseen_kwh: what may have flowed under the meter's starting current.
        backwards: some of it flowed backwards, so that the counter counts another way.
    """

    __slots__ = ("backwards", "blur", "kwh", "unseen_kwh")

    def __init__(self) -> None:
        self.kwh = self.blur = self.unseen_kwh = 0.0
        self.backwards = False


class Counter:
    """METER_ENERGY_MISMATCH and METER_ENERGY_SET_BACK.

    Detail of both: `read_kwh`, `expected_kwh`; of a mismatch these are of the last window of
    `hours`.
    """

    def __init__(self, meter: MeterSpec) -> None:
        self._differs = Fault(ActivityKind.METER_ENERGY_MISMATCH, meter)
        self._back = Fault(ActivityKind.METER_ENERGY_SET_BACK, meter)
        self._step = 1.0
        self._fine = False  # whether `_step` was seen
        self._value: float | None = None
        self._at: Stamp | None = None
        self._flow = 0.0  # when `_value` was read
        self._strange: float | None = None
        self._from: tuple[Stamp, float, Flow] | None = None  # the window: when, counter, flow
        self._votes = 0
        self._since: Stamp | None = None
        self._told_at: Stamp | None = None

    @property
    def value(self) -> float | None:
        """The newest counter that is believed, kWh."""
        return self._value

    def recall(self, kwh: float) -> None:
        """What the counter told before a restart; it must not be lower now."""
        self._value = kwh

    def read(
        self, kwh: float, flow: Flow, stamp: Stamp, *, most_kw: float, ratio: float
    ) -> list[Activity]:
        """Take a counter, a finite one.

        Args:
            kwh: as read.
            flow: until then, by the power.
            stamp: when.
            most_kw: the greatest load known.
            ratio: by which the counter may have been multiplied.
        """
        was, at = self._value, self._at
        said = self._over(stamp)
        if was is None:
            return said + self._take(kwh, flow, stamp)
        hours = 0.0 if at is None else max(stamp.since(at), 0.0) / 3600
        grown, flowed = kwh - was, flow.kwh - self._flow
        most = 3 * most_kw * hours + 20 * self._step + 5.0
        if at is None:
            most = math.inf
        slack = 1e-6 * abs(was)
        if -slack <= grown <= most:
            if grown > slack and (grown < self._step or not self._fine):
                self._step, self._fine = grown, True
            self._strange = None
            return said + self._judge(kwh, flow, stamp)
        if self._strange is None or abs(kwh - self._strange) > most:
            self._strange = kwh  # a single misread counter says nothing
            return said
        self._strange = None
        if grown > 0:
            detail = {"read_kwh": round(kwh, 2), "expected_kwh": round(was + flowed, 2)}
            self._told_at = stamp
            said += self._differs.there(stamp, stamp, {**detail, "hours": round(hours, 2)})
        elif not (self._saved(grown, most_kw) or self._rolled(was, kwh, flowed, at, ratio)):
            detail = {"read_kwh": round(kwh, 2), "expected_kwh": round(was, 2)}
            self._told_at = stamp
            said += self._back.there(stamp, stamp, detail)
        return said + self._take(kwh, flow, stamp)

    def _saved(self, grown: float, most_kw: float) -> bool:
        """Whether no more is missing than a meter loses that was without supply."""
        return -grown <= max(_SAVED_H * most_kw, self._step)

    def _rolled(
        self, was: float, now: float, flowed: float, at: Stamp | None, ratio: float
    ) -> bool:
        """Whether the counter came to its last digit: what it counted then is what flowed."""
        most = _UNKNOWN_KW * 24 if at is None else 1.5 * abs(flowed) + 5 * self._step + 5.0
        ends = [10.0**digits * factor for digits in range(3, _MOST_ROUND) for factor in (1, ratio)]
        return any(_LAST * end <= was <= end and end - was + now <= most for end in (*ends, *_BITS))

    def _take(self, kwh: float, flow: Flow, stamp: Stamp) -> list[Activity]:
        self._value, self._at, self._flow = kwh, stamp, flow.kwh
        self._begin(kwh, flow, stamp)
        return []

    def _begin(self, kwh: float, flow: Flow, stamp: Stamp) -> None:
        flow.backwards = False
        kept = Flow()
        kept.kwh, kept.blur, kept.unseen_kwh = flow.kwh, flow.blur, flow.unseen_kwh
        self._from = (stamp, kwh, kept)

    def _judge(self, kwh: float, flow: Flow, stamp: Stamp) -> list[Activity]:
        self._value, self._at, self._flow = kwh, stamp, flow.kwh
        if self._from is None or flow.backwards:
            self._begin(kwh, flow, stamp)
            return []
        began, first, then = self._from
        lasted_s = stamp.since(began)
        if lasted_s < _WINDOW_S:
            return []
        counted, flowed = kwh - first, flow.kwh - then.kwh
        most = max(counted, flowed)
        wide = _STEPS * self._step + 3 * math.sqrt(max(flow.blur - then.blur, 0.0)) + 0.1
        low, high = wide + _SHARE * most, wide + _SHARE * most + flow.unseen_kwh - then.unseen_kwh
        if -low <= counted - flowed <= high:
            if 0.3 * most < high and lasted_s < _GIVEN_UP_S:
                return []  # too little has flowed to tell
            self._begin(kwh, flow, stamp)
            self._votes, self._since = 0, None
            return self._differs.gone(stamp)
        self._begin(kwh, flow, stamp)
        vote = 1 if counted > flowed else -1
        self._votes = self._votes + vote if self._votes * vote > 0 else vote
        if abs(self._votes) == 1:
            self._since = began
        if abs(self._votes) < _TOLD and not self._differs.open:
            return []
        detail = {
            "read_kwh": round(counted, 2),
            "expected_kwh": round(flowed, 2),
            "hours": round(lasted_s / 3600, 2),
        }
        return self._differs.there(self._since or began, stamp, detail)

    def _over(self, stamp: Stamp) -> list[Activity]:
        """What happened at once is told for an hour."""
        if self._told_at is None or stamp.since(self._told_at) < _KEEPS_S:
            return []
        self._told_at = None
        return self._back.gone(stamp) + ([] if self._votes else self._differs.gone(stamp))

    def anew(self) -> None:
        """The power was not known for a while: what flowed must not be compared."""
        self._from = None

    def pause(self) -> None:
        """Values are not to be believed: of the counter, only that it must not go back is kept."""
        self._at, self._from, self._strange = None, None, None

    def rest(self, stamp: Stamp) -> list[Activity]:
        """Another meter, another ratio, or values not to be believed: begin anew."""
        self._value, self._at, self._from, self._strange = None, None, None, None
        self._votes, self._since, self._told_at = 0, None, None
        return self._back.gone(stamp) + self._differs.gone(stamp)


def blur_of(look: Look, hours: float) -> float:
    """By how much the sum of powers read every so many `hours` may be wrong: a variance, kWh²."""
    rows = look.rows
    spread = look.top[0] - look.bottom[0]
    total = spread * spread * len(rows)  # more than it can be: enough where the load is calm
    if spread > _CALM * look.peak[0]:
        steps = [two[0] - one[0] for one, two in pairwise(rows)]
        total = sum(step * step for step in steps)
    return total * hours * hours / 4
