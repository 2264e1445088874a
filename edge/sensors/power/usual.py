"""What is usual behind a meter: a base by the hour, its spread, and machines that come and go.

Learned from ten-minute blocks of a commissioning time, robustly: somebody may have worked in it.
The base of an hour is a low quantile over the days, so it takes work at that hour on most days
to lift it, and an hour that stands out among the hours is not believed at all. What stands above
the base is a machine only if it has one size, holds still, and came on most days, as pumps do.

Afterwards the base follows the season, but slowly and not without end: creeping shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from edge.sensors.power.machines import Machine, seen

HOURS = 24
BLOCK_S = 600
_DAY_BLOCKS = 86_400 // BLOCK_S
_HOUR_BLOCKS = 3600 // BLOCK_S

_LOW = 0.25  # quantile over the days that is the base of an hour
_STANDS_OUT = 4.0  # times the spread of the hours
_ELEVATED_KW, _ELEVATED_SHARE = 8.0, 0.08
_SAME = 0.09  # a machine's size varies by so much
_FLAT_KW, _FLAT_SHARE = 2.0, 0.06
_MAX_MACHINES = 4
_MIN_BLOCKS = 6
_MIN_DAYS_SHARE = 0.6
_MIN_FLAT_SHARE = 0.5
_MIN_SHARE = 0.15  # of all elevated blocks
_STRAYS = 0.98  # quantile of how far the load strays that is its spread
_MOST_SPREAD_KW, _MOST_SPREAD_SHARE = 1.5, 0.04
_BREATHES = 0.9  # the same while a machine runs; the first and last of a run stray far
_PATIENT_BLOCKS = 3

Floats = npt.NDArray[np.float64]


@dataclass(slots=True)
class Usual:
    """What was learned.

    Attributes:
        base_kw: by hour of the day (UTC), as followed since.
        learned_kw: the same as it was at the end of the learning time.
        spread_kw: how far the load strays from the base, but for the rarest 2 %.
        machines: sizes of what comes and goes.
        breath_kw: how far the load strays from its middle while a machine runs.
        patience_s: for how long a load below a machine's size may be that machine: pumps are
            started and stopped by and by at some mines.
    """

    base_kw: list[float]
    learned_kw: list[float] = field(default_factory=list)
    spread_kw: float = 0.0
    machines: list[Machine] = field(default_factory=list)
    breath_kw: float = 0.0
    patience_s: float = 0.0

    def at(self, wall_us: int) -> float:
        """The base at a moment, between the middles of two hours, kW."""
        hours = wall_us / 3.6e9 - 0.5
        hour = int(hours)
        part = hours - hour
        return self.base_kw[hour % HOURS] * (1 - part) + self.base_kw[(hour + 1) % HOURS] * part


def learn(blocks: Sequence[tuple[int, float]], machines: Sequence[Machine] = ()) -> Usual:
    """What is usual, from `(number of the ten-minute block, median kW)` in order of time.

    Args:
        blocks: at least one.
        machines: declared ones; without any their sizes are learned.
    """
    numbers = np.array([number for number, _ in blocks])
    kw = np.array([value for _, value in blocks])
    hours = numbers // _HOUR_BLOCKS % HOURS
    days = numbers // _DAY_BLOCKS
    base = _base(kw, hours)
    above = kw - base[hours]
    if machines:
        found = [_sized(above, machine) for machine in machines]
    else:
        found = _machines(above, days, base.mean())
    standing = _without(above, found)
    for hour in range(HOURS):
        mine = standing[(hours == hour) & np.isfinite(standing)]
        if len(mine) >= 3:
            base[hour] += np.median(mine)
    left = _without(kw - base[hours], found)
    usable = np.abs(left[np.isfinite(left)])
    spread = float(np.quantile(usable, _STRAYS)) if len(usable) else 0.0
    base_kw = [round(float(value), 3) for value in base]
    return Usual(
        base_kw,
        list(base_kw),
        round(min(spread, _MOST_SPREAD_KW + _MOST_SPREAD_SHARE * float(base.mean())), 3),
        found,
        round(_breath(kw - base[hours], found), 3),
        _patience(kw - base[hours], days, found),
    )


def _base(kw: Floats, hours: npt.NDArray[np.int64]) -> Floats:
    """A low load for each hour; hours that stand out or are missing take after the others."""
    base = np.full(HOURS, np.nan)
    for hour in range(HOURS):
        near = kw[(hours == hour) | (hours == (hour + 1) % HOURS) | (hours == (hour - 1) % HOURS)]
        if len(near):
            base[hour] = np.quantile(near, _LOW)
    middle = np.nanmedian(base)
    far = np.nanmedian(np.abs(base - middle))
    limit = middle + max(5.0, _STANDS_OUT * far, 0.3 * middle)
    base[base > limit] = np.nan
    base[np.isnan(base)] = np.nanmedian(base)
    return base


def _flat(above: Floats) -> npt.NDArray[np.bool_]:
    """Which blocks are like one of their neighbours."""
    step = np.abs(np.diff(above))
    near = step <= np.maximum(_FLAT_KW, _FLAT_SHARE * np.abs(above[1:]))
    like = np.zeros(len(above), dtype=np.bool_)
    like[:-1] |= near
    like[1:] |= near
    return like


def _machines(above: Floats, days: npt.NDArray[np.int64], base_kw: float) -> list[Machine]:
    """Sizes that are flat, frequent, and seen on most days; the most frequent first."""
    flat = _flat(above)
    elevated = above > max(_ELEVATED_KW, _ELEVATED_SHARE * base_kw)
    total, all_days = int(elevated.sum()), len(set(days.tolist()))
    left = elevated.copy()
    found: list[Machine] = []
    while len(found) < _MAX_MACHINES and left.sum() >= _MIN_BLOCKS:
        sizes = np.sort(above[left & flat])
        if len(sizes) < _MIN_BLOCKS:
            break
        ends = np.searchsorted(sizes, sizes * (1 + _SAME) / (1 - _SAME), side="right")
        first = int(np.argmax(ends - np.arange(len(sizes))))
        kw = float(np.median(sizes[first : ends[first]]))
        mine = left & (np.abs(above - kw) <= _SAME * kw)
        on_days = len(set(days[mine].tolist()))
        enough = (
            mine.sum() >= max(_MIN_BLOCKS, _MIN_SHARE * total)
            and on_days >= max(2, _MIN_DAYS_SHARE * all_days)
            and flat[mine].mean() >= _MIN_FLAT_SHARE
        )
        if not enough:
            break
        found.append(seen(round(kw, 3)))
        left &= ~mine
    return found


def _sized(above: Floats, machine: Machine) -> Machine:
    """A declared machine with the size that it was seen to have, if it was seen."""
    mine = above[_flat(above) & (above >= machine.low_kw) & (above <= machine.high_kw)]
    if len(mine) < _MIN_BLOCKS // 2:
        return machine
    return seen(round(float(np.median(mine)), 3), machine.count)


def _without(above: Floats, machines: Sequence[Machine]) -> Floats:
    """What is left where nothing or one known size runs; NaN where something else does."""
    left = above.copy()
    left[np.abs(above) > _ELEVATED_KW] = np.nan
    for machine in machines:
        mine = (above >= machine.low_kw) & (above <= machine.high_kw)
        left[mine] = np.nan
    return left


def _breath(above: Floats, machines: Sequence[Machine]) -> float:
    """How far the load strays from the median of its run while one machine runs."""
    strays: list[float] = []
    for machine in machines:
        inside = (above >= machine.low_kw) & (above <= machine.high_kw)
        ends = np.flatnonzero(np.diff(np.concatenate([[0], inside.astype(int), [0]])))
        for first, end in zip(ends[::2], ends[1::2], strict=True):
            run = above[first + 1 : end - 1]  # without those in which it was switched
            strays += np.abs(run - np.median(run)).tolist() if len(run) > 1 else []
    return float(np.quantile(strays, _BREATHES)) if strays else 0.0


def _patience(above: Floats, days: npt.NDArray[np.int64], machines: Sequence[Machine]) -> float:
    """How long the machines were seen between standing and running, on two days at least."""
    if not machines:
        return 0.0
    part = (above > _ELEVATED_KW) & (above < max(machine.high_kw for machine in machines))
    for machine in machines:
        part &= (above < machine.low_kw) | (above > machine.high_kw)
    seen_on: dict[int, set[int]] = {}
    length = 0
    for inside, day in zip([*part, False], [*days, 0], strict=True):
        if inside:
            length += 1
            last_day = int(day)
        elif length:
            if length <= _PATIENT_BLOCKS:
                for shorter in range(1, length + 1):
                    seen_on.setdefault(shorter, set()).add(last_day)
            length = 0
    longest = max((blocks for blocks, on in seen_on.items() if len(on) > 1), default=0)
    return float((longest + 2) * BLOCK_S) if longest else 0.0
