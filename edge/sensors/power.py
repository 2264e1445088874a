"""From readings to LOAD_RUNNING, and minute summaries. Pure.

Three rules tell that a feeder's machine runs, the surest that applies:

1. `running_kw` is configured: the load reaches it. It ends under 60 % of that.
2. The feeder stands at almost nothing (idle below 1 kW): 5 kW is a machine. No learning is
   needed beyond having seen the feeder stand once.
3. Otherwise something permitted runs on the same feeder (main fan, pumps, guard house):
   - duty `hoist`: three up-swings within ten minutes, each of at least 10 kW and of a quarter
     of the idle level. A hoist takes 60 to 180 s for a cycle, so three always fit in; the motor
     of a drainage pump may be started only a few times an hour and then runs on, fans and guard
     houses breathe by some per cent. It ends when the last swing is 15 minutes old.
   - any other duty: the load stands above idle by 10 kW and by half; it ends under 60 % of that
     distance.

Two readings must agree, at most `off_s` apart: a single disturbed one starts nothing, and a
hoist that is sampled every 30 s is still caught. The sign of the power is ignored, since a
reversed current transformer must not hide a load. While a machine runs, idle is not learned.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from edge.clock import Stamp
from edge.domain.activity import Activity, ActivityKind, Duty, Phase
from edge.domain.observation import Quality, Reading
from edge.domain.record import Draft, RecordType
from edge.sensors.baseline import Idle, Swings
from edge.sensors.spec import MeterSpec

_STANDS_KW = 1.0
_MACHINE_KW = 5.0
_RELEASE = 0.6
_SHARED_KW, _SHARED_SHARE = 10.0, 0.5
_SWING_KW, _SWING_SHARE = 10.0, 0.25
_SWINGS, _SWING_WINDOW_S, _SWING_END_S = 3, 600.0, 900.0
_OFF_S = 30.0
_HOIST_OFF_S = 180.0  # the pause between two trips is part of the run
_GOES_ON_S = 60.0
_STALE_S = 900.0
_BASELINE_KW, _BASELINE_SHARE, _BASELINE_S = 0.5, 0.2, 600.0


@dataclass(slots=True)
class _Level:
    """A threshold with hysteresis and minimum times."""

    off_s: float
    running: bool = False
    started: Stamp | None = None  # the first reading above, confirmed by a second
    last_above: Stamp | None = None

    def step(self, kw: float, on_kw: float, off_kw: float, stamp: Stamp) -> None:
        if kw >= (off_kw if self.running else on_kw):
            self.running = self.started is not None
            self.started = self.started or stamp
            self.last_above = stamp
        elif self.last_above is not None and stamp.since(self.last_above) >= self.off_s:
            self.running, self.started, self.last_above = False, None, None


@dataclass(slots=True)
class _Cycles:
    """Cyclic load on top of others."""

    swings: Swings = field(default_factory=Swings)
    running: bool = False
    started: Stamp | None = None
    last_above: Stamp | None = None

    def step(self, kw: float, delta: float, stamp: Stamp) -> None:
        if self.swings.step(kw, delta, stamp):
            first = self.swings.last(_SWINGS, stamp, _SWING_WINDOW_S)
            if not self.running and first is not None:
                self.running, self.started = True, first
            self.last_above = stamp
        elif self.running and self.swings.last(1, stamp, _SWING_END_S) is None:
            self.running, self.started = False, None


class _Feeder:
    """One meter's state."""

    def __init__(self, meter: MeterSpec) -> None:
        self._meter = meter
        self._idle = Idle()
        self._level = _Level(_HOIST_OFF_S if meter.duty is Duty.HOIST else _OFF_S)
        self._cycles = _Cycles()
        self._open: Stamp | None = None  # when the activity under way started
        self._said: Stamp | None = None
        self._last_above: Stamp | None = None
        self._newest: Stamp | None = None
        self._peak_kw = 0.0
        self._recorded: float | None = None  # idle level that a record tells
        self._recorded_at: Stamp | None = None

    def step(self, kw: float, stamp: Stamp) -> list[Activity]:
        self._newest = stamp
        if self._open is None:
            self._idle.learn(kw, stamp)
        on_kw, off_kw = self._levels()
        self._level.step(kw, on_kw, off_kw, stamp)
        if on_kw == math.inf:
            self._cycles.step(kw, max(_SWING_KW, _SWING_SHARE * self._idle.level), stamp)
        running = [rule for rule in (self._level, self._cycles) if rule.running]
        above = [rule.last_above for rule in running if rule.last_above is not None]
        starts = [rule.started for rule in running if rule.started is not None]
        self._last_above = max(above, key=_moment, default=self._last_above)
        return self._say(min(starts, key=_moment, default=None), kw, stamp)

    def recall(self, level: float, blocks: int) -> None:
        self._idle.recall(level, blocks)
        self._recorded = level

    def learned(self) -> list[Draft]:
        """A record when the idle level has moved: down at once, up at most every ten minutes."""
        level, stamp = self._idle.level, self._newest
        if stamp is None or not self._moved(level, stamp):
            return []
        self._recorded, self._recorded_at = level, stamp
        data = {
            "source": self._meter.code,
            "idle_kw": round(level, 3),
            "blocks": self._idle.blocks,
        }
        return [Draft(RecordType.POWER_BASELINE, stamp, data)]

    def _moved(self, level: float, stamp: Stamp) -> bool:
        if self._recorded is None:
            return True
        if abs(level - self._recorded) < max(_BASELINE_KW, _BASELINE_SHARE * self._recorded):
            return False
        late = self._recorded_at is None or stamp.since(self._recorded_at) >= _BASELINE_S
        return level < self._recorded or late

    def tick(self, now: Stamp) -> list[Activity]:
        if self._newest is None or now.since(self._newest) < _STALE_S:
            return []
        self._level = _Level(self._level.off_s)
        self._cycles = _Cycles()
        return self._say(None, 0.0, self._newest)

    def _levels(self) -> tuple[float, float]:
        """Loads from which the machine counts as running, and under which as standing, kW."""
        if self._meter.running_kw is not None:
            return self._meter.running_kw, _RELEASE * self._meter.running_kw
        idle = self._idle.level
        if idle < _STANDS_KW:
            return _MACHINE_KW, _RELEASE * _MACHINE_KW
        if self._meter.duty is Duty.HOIST:
            return math.inf, math.inf  # only its cycles tell it from what else runs there
        above = max(_SHARED_KW, _SHARED_SHARE * idle)
        return idle + above, idle + _RELEASE * above

    def _say(self, started: Stamp | None, kw: float, stamp: Stamp) -> list[Activity]:
        if self._open is None:
            if started is None:
                return []
            self._open, self._said, self._peak_kw = started, stamp, kw
            return [self._report(Phase.STARTED, started, stamp, kw)]
        self._peak_kw = max(self._peak_kw, kw)
        if started is None:
            began, self._open = self._open, None
            return [self._report(Phase.ENDED, began, self._last_above or stamp, kw)]
        if self._said is not None and stamp.since(self._said) < _GOES_ON_S:
            return []
        self._said = stamp
        return [self._report(Phase.GOES_ON, self._open, stamp, kw)]

    def _report(self, phase: Phase, started: Stamp, stamp: Stamp, kw: float) -> Activity:
        detail = {
            "kw": round(kw, 3),
            "peak_kw": round(self._peak_kw, 3),
            "idle_kw": round(self._idle.level, 3),
        }
        return Activity(
            ActivityKind.LOAD_RUNNING,
            self._meter.code,
            "",
            self._meter.duty.value,
            phase,
            started,
            stamp,
            detail,
        )


def _moment(stamp: Stamp) -> int:
    return stamp.mono_us


class PowerAnalyser:
    """LOAD_RUNNING per feeder; the aspect is the feeder's duty."""

    def __init__(self, meters: Iterable[MeterSpec]) -> None:
        self._feeders = {meter.code: _Feeder(meter) for meter in meters}

    def step(self, reading: Reading) -> list[Activity]:
        """Judge one reading of one of the meters given; those without a figure say nothing."""
        feeder = self._feeders[reading.source]
        kw = power_of(reading)
        return [] if kw is None else feeder.step(abs(kw), reading.stamp)

    def learned(self, source: str) -> list[Draft]:
        """POWER_BASELINE when a meter's idle level has moved; ask after each of its readings.

        `data`: {"source", "idle_kw", "blocks" (ten-minute blocks it rests on)}.
        """
        return self._feeders[source].learned()

    def recall(self, data: Mapping[str, Any]) -> None:
        """Take up a POWER_BASELINE record's data after a restart; other meters' are passed over.

        Without it a machine that runs across the restart would pass for its own idle level.
        """
        feeder = self._feeders.get(data["source"])
        if feeder is not None:
            feeder.recall(data["idle_kw"], data["blocks"])

    def tick(self, now: Stamp) -> list[Activity]:
        """End what no reading has confirmed for 15 minutes."""
        return [item for feeder in self._feeders.values() for item in feeder.tick(now)]


def power_of(reading: Reading) -> float | None:
    """The reading's power in kW if it is a figure to be used."""
    kw = reading.values.get("power_kw")
    if reading.quality is Quality.BAD or kw is None or not math.isfinite(kw):
        return None
    return kw
