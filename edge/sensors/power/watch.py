"""What a load shows beyond what may run there: held against the usual, minute by minute. Pure.

A minute's mean, less the base of the hour, less the machines that explain it, leaves something.
It counts when it stands above a limit for minutes on end, or when the readings swing as a
hoist's do. While it counts, nothing is learned.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from edge.clock import Stamp
from edge.sensors.power.cycles import Cycles
from edge.sensors.power.idle import Idle
from edge.sensors.power.machines import STANDING, Machine, State, declared, explain, states
from edge.sensors.power.minutes import Minute
from edge.sensors.power.telling import Detail
from edge.sensors.power.usual import BLOCK_S, HOURS, Usual, learn
from edge.sensors.spec import PermittedSpec

_FLOOR_KW = 5.0
_SPREADS = 3.0
_BASE_SHARE = 0.04
_MACHINE_SHARE = 0.035  # of what is explained by machines: their load breathes
_BREATHS = 3.0
_RELEASE = 0.6
_CONFIRM_S, _CONFIRM = 180.0, 3  # minutes above, and how many of them
_SLOW_S = 600.0  # two readings so far apart confirm each other
_CALM_S = 600.0  # so long under the limit, and it is over
_MISSES = 2
_MAX_SKIPPED = 3
_SWING_KW, _SWING_SHARE, _SWING_SPANS = 10.0, 0.1, 2.5
_SPAN_STEP = 0.02
_DRIFT_UP, _DRIFT_DOWN = (0.3, 0.015), (1.0, 0.05)  # kW and share of the base, a day
_OFFSET_DRIFT = 0.02 / 60  # of a machine's load, a minute
_MOST_RISE_KW, _MOST_RISE_SHARE = 6.0, 0.3  # of the base since it was learned
_DAY_BLOCKS = 86_400 // BLOCK_S
_MAX_BLOCKS = 60 * _DAY_BLOCKS


@dataclass(slots=True)
class Found:
    """What is unexplained at present."""

    since: Stamp
    kw: float
    baseline_kw: float
    permitted_kw: float
    unexplained_kw: float
    limit_kw: float
    period_s: float | None

    def detail(self) -> Detail:
        """The figures that explain it."""
        figures: dict[str, str | int | float | bool] = {
            "kw": round(self.kw, 3),
            "baseline_kw": round(self.baseline_kw, 3),
            "permitted_kw": round(self.permitted_kw, 3),
            "unexplained_kw": round(self.unexplained_kw, 3),
            "limit_kw": round(self.limit_kw, 3),
        }
        if self.period_s is not None:
            figures["period_s"] = self.period_s
        return figures


class Watch:
    """One load: of a meter, or of what several leave over."""

    def __init__(self, learning_days: float, permitted: tuple[PermittedSpec, ...]) -> None:
        self._learning_s = learning_days * 86_400
        self._declared = [machine for spec in permitted if (machine := declared(spec)) is not None]
        self._blocks: list[tuple[int, float]] = []
        self._learned_s = 0.0
        self._usual: Usual | None = None
        self._choices: list[State] = []
        self._idle = Idle()
        self._cycles = Cycles()
        self._swing_kw = _SWING_KW
        self._span_kw = 0.0
        self._block = -1
        self._inside: list[float] = []
        self._left: list[float] = []  # unexplained in the block's minutes
        self._state, self._offset, self._excess = STANDING, 0.0, 0.0
        self._skipped = 0
        self._first: Stamp | None = None
        self._above = self._misses = 0
        self._calm: Stamp | None = None
        self._was = 0.0
        self._fell: Stamp | None = None
        self._open = False
        self.found: Found | None = None
        """What is unexplained now; None while nothing is."""
        self.fresh = False
        """Whether something was learned that a record should tell."""

    def reading(self, kw: float, stamp: Stamp) -> bool:
        """Take a reading for its swings; True when that changed what goes on."""
        was = self._cycles.running
        self._cycles.step(kw, self._swing_kw, stamp)
        return self._cycles.running is not was

    def minute(self, minute: Minute, stamp: Stamp, gap_s: float) -> None:
        """Judge a minute that is over.

        Args:
            minute: of the load.
            stamp: of the first reading after it.
            gap_s: seconds since the minute judged before.
        """
        wall_us = minute.number * 60_000_000 + 30_000_000
        self._keep_block(wall_us // (BLOCK_S * 1_000_000))
        self._inside.append(minute.kw)
        self._swing(minute)
        if self._usual is None:
            self._learned_s += min(gap_s, 3600.0)
            base, explained, excess, limit = self._idle.level, 0.0, 0.0, math.inf
        else:
            base = self._usual.at(wall_us)
            explained, excess, limit = self._judge(minute, base, stamp)
        if not (self._open or self._cycles.running):
            self._idle.learn(minute.kw, stamp)
            self.found = None
            return
        since = [at for at in (self._first if self._open else None, self._cycles.started) if at]
        self.found = Found(
            min(since, key=lambda at: at.mono_us),
            minute.kw,
            base,
            explained,
            excess,
            limit if math.isfinite(limit) else self._swing_kw,
            self._cycles.swings.period_s() if self._cycles.running else None,
        )

    def _judge(self, minute: Minute, base: float, stamp: Stamp) -> tuple[float, float, float]:
        usual = self._usual
        assert usual is not None
        limit = max(_FLOOR_KW, _SPREADS * usual.spread_kw, _BASE_SHARE * base)
        left = minute.kw - base
        state = explain(left, self._choices, limit / 2, self._state)
        slack = max(_MACHINE_SHARE * state.kw, _BREATHS * usual.breath_kw) if state.kw else 0.0
        moving = minute.most_kw - minute.least_kw > limit + slack
        if moving and self._skipped < _MAX_SKIPPED:
            self._skipped += 1
            return self._state.kw, self._excess, limit + slack
        self._skipped = 0 if not moving else self._skipped
        if state is not self._state:
            self._state = state
            self._offset = self._settled(left - state.kw, state, limit)
        excess = self._excess = left - state.kw - self._offset
        limit += slack
        self._hold(excess, limit, stamp)
        if not self._open:
            self._left.append(excess)
            rate = _OFFSET_DRIFT * state.kw
            self._offset += min(max(excess, -rate), rate)
        return state.kw + self._offset, excess, limit

    def _settled(self, left: float, state: State, limit: float) -> float:
        """A machine's load besides its typical one: what stays unexplained does so on."""
        if state is STANDING or not state.kw:
            return 0.0
        low, high = state.low_kw - state.kw, state.high_kw - state.kw
        before = self._excess if self._open else min(max(self._excess, 0.0), limit / 2)
        if low <= left - before <= high:
            return left - before
        return min(max(left, low), high)

    def _hold(self, excess: float, limit: float, stamp: Stamp) -> None:
        if excess >= (limit * _RELEASE if self._open else limit):
            self._first = self._first or stamp
            self._above, self._misses, self._calm = self._above + 1, 0, None
            if self._was - excess > limit:  # it is being stopped, by and by
                self._fell = stamp
            self._was = excess
            lasted = stamp.since(self._first)
            enough = _CONFIRM if lasted < _SLOW_S else 2
            if self._above >= enough and lasted >= max(_CONFIRM_S, self._patience(excess, stamp)):
                self._open = True
            return
        self._was, self._fell = 0.0, None
        self._misses += 1
        self._calm = self._calm or stamp
        calm_s = stamp.since(self._calm)
        if (self._open and calm_s >= _CALM_S) or (not self._open and self._misses >= _MISSES):
            self._open, self._first, self._above = False, None, 0

    def _patience(self, excess: float, stamp: Stamp) -> float:
        """How long to wait whether it is a machine that is started or stopped by and by."""
        assert self._usual is not None
        largest = self._choices[-1].high_kw - self._state.kw
        wait_s = self._usual.patience_s if excess < largest else 0.0
        falls = self._fell is not None and stamp.since(self._fell) < wait_s
        return 2 * wait_s if falls else wait_s

    def silent(self) -> None:
        """No reading has come for long: nothing is known to go on."""
        self._cycles = Cycles()
        self._open, self._first, self._above, self.found = False, None, 0, None

    def _swing(self, minute: Minute) -> None:
        """What counts as a swing: more than readings stray within a minute, and than noise.

        The former is the 95 % quantile of the learning time, followed step by step.
        """
        if self._usual is None:
            span = minute.most_kw - minute.least_kw
            step = _SPAN_STEP * max(self._span_kw, 1.0)
            self._span_kw += (0.95 if span > self._span_kw else -0.05) * step
        share = _SWING_SHARE * minute.kw
        if not self._cycles.running:
            self._swing_kw = max(_SWING_KW, share, _SWING_SPANS * self._span_kw)

    def _keep_block(self, number: int) -> None:
        """A ten-minute block is over: learn from it."""
        if number == self._block or not self._inside:
            self._block = number
            return
        kw = median(self._inside)
        if self._usual is None:
            self._blocks.append((self._block, round(kw, 2)))
            if self._block // _DAY_BLOCKS != number // _DAY_BLOCKS:
                self.fresh = True
            if self._learned_s >= self._learning_s or len(self._blocks) >= _MAX_BLOCKS:
                self._take(learn(self._blocks, self._declared))
                self._blocks = []
                self.fresh = True
        elif self._left and not (self._open or self._first or self._cycles.running):
            self._follow(self._usual, median(self._left))
            self.fresh |= self._block // _DAY_BLOCKS != number // _DAY_BLOCKS
        self._block, self._inside, self._left = number, [], []

    def _take(self, usual: Usual) -> None:
        self._usual = usual
        self._choices = states(usual.machines)

    def _follow(self, usual: Usual, left: float) -> None:
        """Let the base follow what is left over: slowly, and up only so far."""
        hour = self._block * BLOCK_S // 3600 % HOURS
        base = usual.base_kw
        kw, share = _DRIFT_UP if left > 0 else _DRIFT_DOWN
        most = max(kw, share * base[hour])
        step = min(max(left, -most), most)
        for other in range(HOURS):
            part = 6 if other == hour else _DAY_BLOCKS
            rise = max(_MOST_RISE_KW, _MOST_RISE_SHARE * usual.learned_kw[other])
            base[other] = min(base[other] + step / part, usual.learned_kw[other] + rise)

    def data(self) -> Mapping[str, Any]:
        """All that was learned, as a record keeps it."""
        self.fresh = False
        if self._usual is None:
            return {
                "learning": [list(block) for block in self._blocks],
                "learned_s": round(self._learned_s),
                "span_kw": round(self._span_kw, 3),
            }
        usual = self._usual
        return {
            "base_kw": [round(kw, 3) for kw in usual.base_kw],
            "learned_kw": usual.learned_kw,
            "spread_kw": usual.spread_kw,
            "machines": [
                [machine.kw, round(machine.low_kw, 3), round(machine.high_kw, 3), machine.count]
                for machine in usual.machines
            ],
            "breath_kw": usual.breath_kw,
            "patience_s": usual.patience_s,
            "span_kw": round(self._span_kw, 3),
        }

    def recall(self, data: Mapping[str, Any]) -> None:
        """Take up what a record kept."""
        self._span_kw = float(data["span_kw"])
        if "learning" in data:
            self._blocks = [(int(number), float(kw)) for number, kw in data["learning"]]
            self._learned_s = float(data["learned_s"])
            return
        machines = [
            Machine(float(kw), float(low), float(high), int(count))
            for kw, low, high, count in data["machines"]
        ]
        self._take(
            Usual(
                [float(kw) for kw in data["base_kw"]],
                [float(kw) for kw in data["learned_kw"]],
                float(data["spread_kw"]),
                machines,
                float(data["breath_kw"]),
                float(data["patience_s"]),
            )
        )
