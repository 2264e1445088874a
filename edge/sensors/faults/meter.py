"""One meter's readings through the analysers of data faults. Pure; time comes from stamps.

Readings are only gathered; what they show is judged a look at a time (`look.py`). What cannot
wait is asked of each: a jump, a gap, a ratio, a serial number.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

from edge.clock import Stamp
from edge.domain.activity import Activity
from edge.domain.observation import Quality, Reading
from edge.sensors.faults.counters import Counter, Flow, blur_of
from edge.sensors.faults.gaps import Gaps
from edge.sensors.faults.identity import Identity, Register
from edge.sensors.faults.look import ALONE, Look, Values, layout_of, rows_of
from edge.sensors.faults.perfect import Perfect
from edge.sensors.faults.phases import Phases
from edge.sensors.faults.reversed import Reversed, upright
from edge.sensors.faults.spikes import Spikes
from edge.sensors.faults.stuck import Stuck
from edge.sensors.faults.voltage import Voltage
from edge.sensors.spec import MeterSpec

_LOOK_US, _LONG_LOOK_US, _READINGS = 60_000_000, 300_000_000, 10
_NEVER_US = -(2**63)
_TOO_SOON_US = 50_000  # no meter is read so often
_NEAR, _FAR = 0.92, 1.15  # of the load before: what is beyond is looked at
_JUMP_KW, _JUMP_SHARE = 2.0, 0.3  # of the greatest load known
_HOUR_US = 3.6e9
_MOST_KW, _MOST_KWH = 1e7, 1e12  # more is no figure of a mine
_NO_FIGURE = math.nan
_BAD = Quality.BAD  # asked of every reading
_BACKWARDS_KW = -0.05
_ROUNDING = 1e-9


class Checked(NamedTuple):
    """What became of a reading.

    Attributes:
        activities: data faults that started, go on or ended.
        usable: the reading itself, or mended, or None where nothing of it can be believed. Its
            `source` is another meter's where the two have changed places.
    """

    activities: list[Activity]
    usable: Reading | None


class Meter:
    """All that is known of one meter's honesty."""

    def __init__(self, meter: MeterSpec, register: Register, utc_offset_s: float) -> None:
        self._spec, self._offset_s = meter, utc_offset_s
        self.identity = Identity(meter, register)
        self.gaps = Gaps(meter)
        self._mono, self._due = _NEVER_US, 0
        self._stamp: Stamp | None = None  # of the newest reading
        self._begun: Stamp | None = None  # when the look under way began
        self._batch: list[Values] = []
        self._newest: Values = {}  # the last reading of the look before
        self._kw = 0.0
        self._plain = self._counts = True  # readings may be used as they are, counters too
        self._begin()

    def _begin(self) -> None:
        """Nothing is known of how this meter behaves."""
        self.counter, self._flow = Counter(self._spec), Flow()
        self._kwh = 0.0  # what has flowed up to now
        self._counted: tuple[float, float, Stamp] | None = None  # newest counter, what had flowed
        self._spikes = Spikes(self._spec)
        self._stuck, self._perfect = Stuck(self._spec), Perfect(self._spec)
        self._reversed = Reversed(self._spec, self._offset_s)
        self._phases, self._voltage = Phases(self._spec), Voltage(self._spec)
        self._layout = ALONE
        self._wide = 0  # quantities of a sweep that reads neither energies nor ratios
        self._step_kw = self._most_kw = 0.0
        self._believed_kw = math.inf  # the greatest load known, once something is
        self._jump_kw = _JUMP_KW
        # Who finds that a reading tells too little, before it is sure enough to be told.
        self._suspect: Voltage | Reversed | Phases | None = None

    def step(self, reading: Reading) -> Checked:
        """Take one reading."""
        values, stamp = reading.values, reading.stamp
        took = stamp.mono_us - self._mono
        said: list[Activity] = []
        if not _TOO_SOON_US < took <= self.gaps.longest_us:
            if self._stamp is not None and took <= _TOO_SOON_US:
                return Checked(said, self._usable(reading, values))
            said = self._interrupted(stamp)
            took = 0
        self._mono, self._stamp = stamp.mono_us, stamp
        if len(values) > self._wide or reading.serial:
            said += self._slow(reading)
        if not self._plain:
            if self.identity.estranged:
                return Checked(said, self._foreign(reading))
            values = self.identity.scaled(values)
        kw = values.get("power_kw", _NO_FIGURE)
        if not -_MOST_KW < kw < _MOST_KW or reading.quality is _BAD:
            self.counter.anew()  # what flows is not known
            return Checked(said, None)
        if self._spikes.held or not _NEAR * self._kw - 0.5 < kw < _FAR * self._kw + 0.5:
            told, held = self._jumped(kw, values, stamp)
            said += told
            if held:
                self._kwh += self._kw * took / _HOUR_US
                return Checked(said, None)
        self._kw = kw
        self._kwh += kw * took / _HOUR_US
        self._batch.append(values)
        if stamp.mono_us >= self._due:
            said += self._judge(stamp)
        return Checked(said, reading if self._plain else self._usable(reading, values))

    def _jumped(self, kw: float, values: Values, stamp: Stamp) -> tuple[list[Activity], bool]:
        """Whether a reading far from the one before is held back, and what those held were."""
        far = abs(kw - self._kw) >= self._jump_kw
        if far and self._spikes.doubts(kw, values, stamp, most_kw=self._believed_kw):
            return [], True
        self._believed_kw = max(self._believed_kw, abs(kw))
        if self._suspect is None:
            self._suspect = self._suspects(self._batch[-1] if self._batch else self._newest, values)
            self._refresh()
        if not self._spikes.held:
            return [], False
        return self._spikes.settle(kw, self._kw, self._jump_kw, stamp), False

    def _suspects(self, before: Values, now: Values) -> Voltage | Reversed | Phases | None:
        """Who finds that part of the load has vanished from one reading to the next."""
        layout = self._layout
        try:
            one, two = layout.row(before), layout.row(now)
        except KeyError:
            return None
        asked = (self._voltage, self._reversed, self._phases)
        return next((who for who in asked if who.suspects(layout, one, two)), None)

    def _slow(self, reading: Reading) -> list[Activity]:
        """What most sweeps do not read: serial number, ratios, counter."""
        values, identity = reading.values, self.identity
        said: list[Activity] = []
        kwh = values.get("energy_import_kwh")
        if kwh is not None and 0 <= kwh < _MOST_KWH:
            self._counted = (kwh, self._kwh, reading.stamp)
            said = self.gaps.settle(kwh) if self.gaps.ended else said
        asked = (reading.serial, values.get("ct_ratio"), values.get("pt_ratio"))
        if asked == identity.settled:
            identity.confirmed(reading.stamp)
            return said
        return said + self._identified(reading)

    def _identified(self, reading: Reading) -> list[Activity]:
        """A serial number or a ratio is new, or not yet as it should be."""
        stamp, identity = reading.stamp, self.identity
        known = identity.estranged, identity.factors
        said = identity.read(reading.serial, reading.values, stamp)
        if identity.another:
            identity.another = False
            said += self._rest(stamp)
            self._begin()
        elif known != (identity.estranged, identity.factors):
            said += self.counter.rest(stamp)
        else:
            return said
        self._batch, self._counted = [], None
        self._refresh()
        return said

    def _count(self) -> list[Activity]:
        """Judge the newest counter."""
        if self._counted is None:
            return []
        (kwh, self._flow.kwh, stamp), self._counted = self._counted, None
        return self.counter.read(
            kwh, self._flow, stamp, most_kw=self._most_kw, ratio=self.identity.ratio
        )

    def _foreign(self, reading: Reading) -> Reading | None:
        """A reading that another meter gave, or that nobody knows yet who gave."""
        self._begun, self._due = reading.stamp, reading.stamp.mono_us + _LOOK_US
        if self.identity.unsure:
            return None
        return replace(reading, source=self.identity.elsewhere, quality=Quality.UNCERTAIN)

    def _interrupted(self, stamp: Stamp) -> list[Activity]:
        """The first reading, or the first one after a gap."""
        said: list[Activity] = []
        if self._stamp is not None:
            said = self._count() + self.gaps.over(self._stamp, stamp, self.counter.value)
            self.counter.anew()
        self._batch, self._begun = [], stamp
        self._due = stamp.mono_us + _LOOK_US
        self._kw, self._believed_kw = 0.0, math.inf  # nothing to compare the next one with
        return said

    def _judge(self, stamp: Stamp) -> list[Activity]:
        """Judge the readings gathered; gives what is to be told."""
        batch, self._batch = self._batch, []
        self._newest = batch[-1]
        begun, self._begun = self._begun or stamp, stamp
        said = self.gaps.settle(None)
        period_us = (stamp.mono_us - begun.mono_us) / len(batch)
        self.gaps.learn(period_us)
        length_us = min(max(_LOOK_US, _READINGS * period_us), _LONG_LOOK_US)
        self._due = stamp.mono_us + round(length_us)
        layout = layout_of(batch, self._layout)
        rows = rows_of(batch, layout)
        if not rows:
            layout, rows = ALONE, rows_of(batch, ALONE)
        self._layout, self._wide = layout, len(layout.names)
        look = Look(layout, rows, begun, stamp)
        self._learn(look, period_us)
        said += self._spikes.judge(stamp)
        if self._counts:
            said += self._count()
        gone, told = self._voltage.judge(look)
        said += told
        if gone:
            said += self._stuck.rest(stamp) + self._perfect.rest(stamp)
            said += self._reversed.rest(stamp) + self._phases.rest(stamp)
        else:
            said += self._alive(look)
        asked = (self._voltage, self._reversed, self._phases)
        self._suspect = next((who for who in asked if who.pending), None)
        if self._reversed.open or self._phases.open or self._suspect is not None:
            self.counter.anew()  # a phase that tells too little explains what it counts
        self._refresh()
        return said

    def _alive(self, look: Look) -> list[Activity]:
        """Judge a look of a meter that has voltage, the gravest first: it explains the others."""
        said = self._perfect.judge(look, self._step_kw)
        if self._perfect.suspect:
            said += self._stuck.rest(look.last)
        else:
            said += self._stuck.judge(look, self._step_kw)
        if self._perfect.open or self._stuck.open:
            self.counter.pause()
            return said
        said += self._reversed.judge(look)
        if self._reversed.open:
            return said + self._phases.rest(look.last)
        return said + self._phases.judge(look, self._step_kw)

    def _learn(self, look: Look, period_us: float) -> None:
        """Greatest load, resolution, and how well the sum of the powers is known."""
        high, low, rows = look.top[0], look.bottom[0], look.rows
        self._most_kw = self._believed_kw = max(self._most_kw, high, -low)
        self._jump_kw = max(_JUMP_KW, _JUMP_SHARE * self._most_kw)
        step = abs(rows[-1][0] - rows[0][0])
        if step > _ROUNDING * self._most_kw and not 0 < self._step_kw <= step:
            self._step_kw = step
        flow = self._flow
        flow.backwards = flow.backwards or low < _BACKWARDS_KW
        flow.blur += blur_of(look, period_us / _HOUR_US)
        if low == 0.0:
            unseen_kw = self._voltage.starting_kw(self.identity.ct)
            flow.unseen_kwh += unseen_kw * (look.last.mono_us - look.first.mono_us) / _HOUR_US

    def _refresh(self) -> None:
        identity = self.identity
        self._counts = not (
            identity.estranged or identity.factors or self._stuck.open or self._perfect.open
        )
        self._plain = self._counts and not (
            self._reversed.open or self._phases.open or self._suspect is not None
        )

    def _usable(self, reading: Reading, values: Values) -> Reading | None:
        if self._plain:
            return reading
        if self._stuck.open or self._perfect.open or self._suspect is self._voltage:
            return None
        if self._reversed.open or self._suspect is self._reversed:
            values = upright(values)
        elif self._phases.open or self._suspect is self._phases:
            values = self._phases.mended(values)
        return replace(reading, values=values, quality=Quality.UNCERTAIN)

    def _rest(self, stamp: Stamp) -> list[Activity]:
        """Another meter answers: what was wrong with the one before is over."""
        said = self.counter.rest(stamp) + self._spikes.rest(stamp) + self._voltage.rest(stamp)
        said += self._stuck.rest(stamp) + self._perfect.rest(stamp)
        return said + self._reversed.rest(stamp) + self._phases.rest(stamp)

    def tick(self, now: Stamp) -> list[Activity]:
        """Tell a gap while it lasts."""
        if self._stamp is None or now.mono_us - self._mono <= self.gaps.longest_us:
            return []
        return self.gaps.silent(self._stamp, now)
