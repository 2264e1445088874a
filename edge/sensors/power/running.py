"""From readings to LOAD_RUNNING. Pure.

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
from dataclasses import dataclass

from edge.clock import Stamp
from edge.domain.activity import Activity, ActivityKind, Duty
from edge.sensors.power.cycles import Cycles
from edge.sensors.power.idle import Idle
from edge.sensors.power.telling import Detail, Telling
from edge.sensors.spec import MeterSpec

_STANDS_KW = 1.0
_MACHINE_KW = 5.0
_RELEASE = 0.6
_SHARED_KW, _SHARED_SHARE = 10.0, 0.5
_SWING_KW, _SWING_SHARE = 10.0, 0.25
_OFF_S = 30.0
_HOIST_OFF_S = 180.0  # the pause between two trips is part of the run
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


class Running:
    """Whether one meter's machine runs."""

    def __init__(self, meter: MeterSpec) -> None:
        self._meter = meter
        self._hoist = meter.duty is Duty.HOIST
        self.idle = Idle()
        self._level = _Level(_HOIST_OFF_S if self._hoist else _OFF_S)
        self._cycles = Cycles()
        self._telling = Telling(ActivityKind.LOAD_RUNNING, meter.code, meter.duty.value)
        self._last_above: Stamp | None = None
        self._peak_kw = 0.0
        self._recorded: float | None = None  # idle level that a record tells
        self._recorded_at: Stamp | None = None
        self._on_kw, self._off_kw = self._levels()
        self.news = False
        """Whether `moved` is worth asking."""

    def step(self, kw: float, stamp: Stamp) -> list[Activity]:
        """Judge a load that was read, kW."""
        under_way = self._telling.since is not None
        if not under_way and self.idle.learn(kw, stamp):
            self._on_kw, self._off_kw = self._levels()
            self.news = True
        on_kw, off_kw = self._on_kw, self._off_kw
        level, cycles = self._level, self._cycles
        if kw >= on_kw or level.last_above is not None:
            level.step(kw, on_kw, off_kw, stamp)
        if on_kw == math.inf:
            cycles.step(kw, max(_SWING_KW, _SWING_SHARE * self.idle.level), stamp)
        if not (under_way or level.running or cycles.running):
            return []
        running = [rule for rule in (level, cycles) if rule.running]
        above = [rule.last_above for rule in running if rule.last_above is not None]
        starts = [rule.started for rule in running if rule.started is not None]
        self._last_above = max(above, key=_moment, default=self._last_above)
        self._peak_kw = max(self._peak_kw, kw) if under_way else kw
        return self._say(min(starts, key=_moment, default=None), stamp, kw)

    @property
    def open(self) -> bool:
        """Whether it is told that the machine runs."""
        return self._telling.since is not None

    def silent(self, newest: Stamp) -> list[Activity]:
        """No reading has come for long: what was last seen ends with its last reading."""
        self._level = _Level(self._level.off_s)
        self._cycles = Cycles()
        self._last_above = newest
        return self._say(None, newest, 0.0)

    def recall(self, level: float, blocks: int) -> None:
        """Take up what a record told before a restart."""
        self.idle.recall(level, blocks)
        self._recorded = level
        self._on_kw, self._off_kw = self._levels()

    def moved(self, stamp: Stamp) -> bool:
        """Whether the idle level is worth a record: down at once, up at most every ten minutes."""
        level = self.idle.level
        if self._recorded is None:
            return True
        if abs(level - self._recorded) < max(_BASELINE_KW, _BASELINE_SHARE * self._recorded):
            self.news = False
            return False
        late = self._recorded_at is None or stamp.since(self._recorded_at) >= _BASELINE_S
        return level < self._recorded or late

    def recorded(self, stamp: Stamp) -> None:
        """A record tells the present idle level."""
        self._recorded, self._recorded_at = self.idle.level, stamp
        self.news = False

    def _levels(self) -> tuple[float, float]:
        """Loads from which the machine counts as running, and under which as standing, kW."""
        if self._meter.running_kw is not None:
            return self._meter.running_kw, _RELEASE * self._meter.running_kw
        idle = self.idle.level
        if idle < _STANDS_KW:
            return _MACHINE_KW, _RELEASE * _MACHINE_KW
        if self._hoist:
            return math.inf, math.inf  # only its cycles tell it from what else runs there
        above = max(_SHARED_KW, _SHARED_SHARE * idle)
        return idle + above, idle + _RELEASE * above

    def _say(self, started: Stamp | None, stamp: Stamp, kw: float) -> list[Activity]:
        def detail() -> Detail:
            return {
                "kw": round(kw, 3),
                "peak_kw": round(self._peak_kw, 3),
                "idle_kw": round(self.idle.level, 3),
            }

        return self._telling.say(started, stamp, detail, self._last_above)


def _moment(stamp: Stamp) -> int:
    return stamp.mono_us
