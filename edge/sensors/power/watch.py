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
from edge.domain.activity import Duty
from edge.sensors.power.cycles import Cycles
from edge.sensors.power.days import Curve, days_of
from edge.sensors.power.excess import Excess
from edge.sensors.power.idle import Idle
from edge.sensors.power.machines import STANDING, Machine, State, declared, explain, states
from edge.sensors.power.minutes import Minute
from edge.sensors.power.telling import Detail
from edge.sensors.power.usual import BLOCK_S, DAY_BLOCKS, SLOT_BLOCKS, SLOTS, Block, Usual, learn
from edge.sensors.spec import PermittedSpec

FLOOR_KW = 5.0
"""What is less than this is no machine."""
_SPREADS, _SPREADS_KW = 3.0, 0.0
_BASE_SHARE = 0.04
_MACHINE_SHARE = 0.035  # of what is explained by machines: their load breathes
_BREATHS = 3.0
_THROUGH_SHARE = 0.005
_SETTLES_S = 300.0  # a pump's load is its own some minutes after its start
_SMALL_KW, _SMALL_SHARE = 15.0, 1.0  # what a guard house switches on: undeclared, and as declared
_FLICKERS = 1.2
_MAX_SKIPPED = 3
_SWING_KW, _SWING_SHARE, _SWING_SPANS = 10.0, 0.08, 4.0
_SPAN = 0.8  # quantile
_RUNS_KW = 10.0
_SPAN_STEP = 0.02
_DRIFT_UP, _DRIFT_DOWN = (0.3, 0.015), (1.0, 0.15)  # kW and share of the base, a day
_OFF_SHARE, _OFF_BLOCKS = (
    0.3,
    72,
)  # so far below the base something is off; for half a day, or for good
_OFFSET_DRIFT = 0.02 / 60  # of a machine's load, a minute
_MOST_RISE_KW, _MOST_RISE_SHARE = 6.0, 0.3  # of the base since it was learned
_MAX_BLOCKS = 60 * DAY_BLOCKS


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

    def __init__(
        self,
        learning_days: float,
        permitted: tuple[PermittedSpec, ...],
        floor_kw: float = FLOOR_KW,
        *,
        curve: bool = False,
    ) -> None:
        self.curve = Curve(days_of(learning_days)) if curve else None
        """Of whole days, where they are judged."""
        self._floor_kw = floor_kw
        self._learning_s = learning_days * 86_400
        self._declared = [machine for spec in permitted if (machine := declared(spec)) is not None]
        living = [item.rated_kw * item.count for item in permitted if item.duty is Duty.LIVING]
        self._small_kw = _SMALL_SHARE * sum(living) if living else _SMALL_KW
        self._blocks: list[Block] = []
        self._through: list[float] = []
        self._off = 0  # blocks in a row in which something that always ran is off
        self._learned_s = 0.0
        self._usual: Usual | None = None
        self._choices: list[State] = []
        self._idle = Idle()
        self._cycles = Cycles()
        self._swing_kw = _SWING_KW
        self._spans_kw = [0.0, 0.0]
        self._block = -1
        self._inside: list[float] = []
        self._rest: list[float] = []  # the load without machines
        self._left: list[float] = []  # unexplained in the block's minutes
        self._state, self._offset, self._excess = STANDING, 0.0, 0.0
        self._before = 0.0  # what was unexplained when the state began
        self._switched: Stamp | None = None
        self._skipped = 0
        self._lasting = Excess()
        self.found: Found | None = None
        """What is unexplained now; None while nothing is."""
        self.fresh = False
        """Whether something was learned that a record should tell."""

    def reading(self, kw: float, stamp: Stamp) -> bool:
        """Take a reading for its swings; True when that changed what goes on."""
        was = self._cycles.running
        self._cycles.step(kw, self._swing_kw, stamp)
        return self._cycles.running is not was

    def minute(self, minute: Minute, stamp: Stamp, gap_s: float, through_kw: float = 0.0) -> None:
        """Judge a minute that is over.

        Args:
            minute: of the load.
            stamp: of the first reading after it.
            gap_s: seconds since the minute judged before.
            through_kw: load that passes here and is accounted for elsewhere.
        """
        wall_us = minute.number * 60_000_000 + 30_000_000
        self._keep_block(wall_us // (BLOCK_S * 1_000_000))
        self._inside.append(minute.kw)
        self._through.append(through_kw)
        self._swing(minute)
        if self._usual is None:
            self._learned_s += min(gap_s, 3600.0)
            base, explained, excess, limit = self._idle.level, 0.0, 0.0, math.inf
        else:
            base = self._usual.at(wall_us) + self._usual.loss_share * through_kw
            explained, excess, limit = self._judge(minute, base, stamp)
        loss = 0.0 if self._usual is None else self._usual.loss_share * through_kw
        self._rest.append(minute.kw - loss - explained)
        if self._lasting.since is None and not self._cycles.running:
            self._idle.learn(minute.kw, stamp)
            self.found = None
            return
        since = [at for at in (self._lasting.since, self._cycles.started) if at is not None]
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
        limit = max(self._floor_kw, _SPREADS * usual.spread_kw + _SPREADS_KW, _BASE_SHARE * base)
        limit += _THROUGH_SHARE * self._through[-1]
        left = minute.kw - base
        state = explain(left, self._choices, limit / 2, self._state)
        slack = max(_MACHINE_SHARE * state.kw, _BREATHS * usual.breath_kw) if state.kw else 0.0
        moving = minute.most_kw - minute.least_kw > limit + slack
        if moving and self._skipped < _MAX_SKIPPED:
            self._skipped += 1
            return self._state.kw, self._excess, limit + slack
        self._skipped = 0 if not moving else self._skipped
        if state is not self._state:
            standing = self._lasting.since is not None
            self._before = self._excess if standing else min(max(self._excess, 0.0), limit / 2)
            self._state, self._switched = state, stamp
        if state.staged or stamp.since(self._switched or stamp) <= _SETTLES_S:
            self._offset = self._settled(left - state.kw, state)
        excess = self._excess = left - state.kw - self._offset
        limit += slack
        strong = max(limit, self._small_kw, _FLICKERS * usual.flicker_kw)
        self._lasting.step(excess, limit, strong, self._patience(excess), stamp)
        if not self._lasting.doubtful:
            self._left.append(excess)
            rate = _OFFSET_DRIFT * state.kw
            self._offset += min(max(excess, -rate), rate)
        return state.kw + self._offset, excess, limit

    def _settled(self, left: float, state: State) -> float:
        """A machine's load besides its typical one: what was unexplained before stays so."""
        low, high = state.low_kw - state.kw, state.high_kw - state.kw
        if low <= left - self._before <= high:
            return left - self._before
        return min(max(left, low), high)

    def _patience(self, excess: float) -> float:
        """How long to wait whether it is a machine that is started or stopped by and by."""
        assert self._usual is not None
        largest = self._choices[-1].high_kw - self._state.kw
        return self._usual.patience_s if excess < largest else 0.0

    def silent(self) -> None:
        """No reading has come for long: nothing is known to go on."""
        self._cycles = Cycles()
        self._lasting = Excess()
        self.found = None

    def _swing(self, minute: Minute) -> None:
        """What counts as a swing: more than readings stray within a minute.

        That is four times the 80 % quantile of the commissioning time, followed step by step;
        apart for what stands and for what runs, since a pump is restless.
        """
        runs = minute.kw > self._idle.level + _RUNS_KW
        if self._usual is None:
            span, most = minute.most_kw - minute.least_kw, self._spans_kw[runs]
            step = _SPAN_STEP * max(most, 1.0)
            self._spans_kw[runs] = most + (_SPAN if span > most else _SPAN - 1) * step
        if not self._cycles.running:
            share = _SWING_SHARE * minute.kw
            self._swing_kw = max(_SWING_KW, share, _SWING_SPANS * self._spans_kw[runs])

    def _keep_block(self, number: int) -> None:
        """A ten-minute block is over: learn from it."""
        if number == self._block or not self._inside:
            self._block = number
            return
        kw = median(self._inside)
        if self._usual is None:
            self._blocks.append(Block(self._block, round(kw, 2), round(median(self._through), 1)))
            if self._block // DAY_BLOCKS != number // DAY_BLOCKS:
                self.fresh = True
            if self._learned_s >= self._learning_s or len(self._blocks) >= _MAX_BLOCKS:
                self._take(learn(self._blocks, self._declared))
                self._days_before()
                self._blocks = []
                self.fresh = True
        elif self._left and not (self._lasting.doubtful or self._cycles.running):
            self._follow(self._usual, median(self._left))
            self.fresh |= self._block // DAY_BLOCKS != number // DAY_BLOCKS
        if self._usual is not None and self.curve is not None and self._rest:
            self.curve.block(self._block, median(self._rest))
        self._block, self._inside, self._through = number, [], []
        self._rest, self._left = [], []

    def _days_before(self) -> None:
        """The commissioning time's days, now that it is known what may run."""
        usual, curve = self._usual, self.curve
        if usual is None or curve is None:
            return
        for block in self._blocks:
            kw = block.kw - usual.loss_share * block.through_kw
            left = kw - usual.at(block.number * BLOCK_S * 1_000_000)
            curve.block(block.number, kw - explain(left, self._choices, FLOOR_KW, STANDING).kw)
        curve.over = False

    def _take(self, usual: Usual) -> None:
        self._usual = usual
        self._choices = states(usual.machines)

    def _follow(self, usual: Usual, left: float) -> None:
        """Let the base follow what is left over: slowly, and up only so far."""
        slot = self._block // SLOT_BLOCKS % SLOTS
        base = usual.base_kw
        self._off = self._off + 1 if left < -_OFF_SHARE * base[slot] else 0
        if 0 < self._off < _OFF_BLOCKS:
            return
        kw, share = _DRIFT_UP if left > 0 else _DRIFT_DOWN
        most = max(kw, share * base[slot])
        step = min(max(left, -most), most)
        for other in range(SLOTS):
            part = SLOT_BLOCKS if other == slot else DAY_BLOCKS
            rise = max(_MOST_RISE_KW, _MOST_RISE_SHARE * usual.learned_kw[other])
            base[other] = min(base[other] + step / part, usual.learned_kw[other] + rise)

    def data(self) -> Mapping[str, Any]:
        """All that was learned, as a record keeps it."""
        self.fresh = False
        more = {} if self.curve is None else {"days": self.curve.data()}
        if self._usual is None:
            return {
                "learning": [[b.number, b.kw, b.through_kw] for b in self._blocks],
                "learned_s": round(self._learned_s),
                "spans_kw": [round(kw, 3) for kw in self._spans_kw],
            }
        usual = self._usual
        return {
            **more,
            "base_kw": [round(kw, 3) for kw in usual.base_kw],
            "learned_kw": usual.learned_kw,
            "spread_kw": usual.spread_kw,
            "machines": [
                [m.kw, round(m.low_kw, 3), round(m.high_kw, 3), m.count, int(m.staged)]
                for m in usual.machines
            ],
            "breath_kw": usual.breath_kw,
            "flicker_kw": usual.flicker_kw,
            "patience_s": usual.patience_s,
            "loss_share": usual.loss_share,
            "spans_kw": [round(kw, 3) for kw in self._spans_kw],
        }

    def recall(self, data: Mapping[str, Any]) -> None:
        """Take up what a record kept."""
        self._spans_kw = [float(kw) for kw in data["spans_kw"]]
        if "learning" in data:
            self._blocks = [
                Block(int(number), float(kw), float(through))
                for number, kw, through in data["learning"]
            ]
            self._learned_s = float(data["learned_s"])
            return
        if self.curve is not None and "days" in data:
            self.curve.recall(data["days"])
        machines = [
            Machine(float(kw), float(low), float(high), int(count), bool(staged))
            for kw, low, high, count, staged in data["machines"]
        ]
        self._take(
            Usual(
                [float(kw) for kw in data["base_kw"]],
                [float(kw) for kw in data["learned_kw"]],
                float(data["spread_kw"]),
                machines,
                float(data["breath_kw"]),
                float(data["flicker_kw"]),
                float(data["patience_s"]),
                float(data["loss_share"]),
            )
        )
