"""What is usual behind a meter: a base by the half hour, its spread, machines that come and go.

Learned from ten-minute blocks of a commissioning time, robustly: somebody may have worked in it.
The base of a half hour is a low quantile over the days, so it takes work at that time on most
days to lift it, and a half hour that stands out among the others is not believed at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from edge.sensors.power.machines import Machine
from edge.sensors.power.sizes import Floats, breath, flicker, found_sizes, patience, sized

SLOTS = 48
"""Half hours of a day."""
BLOCK_S = 600
SLOT_BLOCKS = 3
DAY_BLOCKS = 86_400 // BLOCK_S
_BLOCK_US = BLOCK_S * 1_000_000

_LOW = 0.25  # quantile over the days that is the base of a half hour
_STANDS_OUT = 4.0  # times the spread of the half hours
_NEAR_KW = 8.0  # farther from the base it is no straying
_STRAYS = 0.98  # quantile of how far the load strays that is its spread
_MOST_SPREAD_KW, _MOST_SPREAD_SHARE = 1.5, 0.04
_SWITCHED_KW, _SWITCHED_SHARE, _SWITCHED = 5.0, 0.2, 4
_MOST_LOSS = 0.03


@dataclass(frozen=True, slots=True)
class Block:
    """Ten minutes: their number since 1970, the load's median, and what passed elsewhere, kW."""

    number: int
    kw: float
    through_kw: float = 0.0


@dataclass(slots=True)
class Usual:
    """What was learned.

    Attributes:
        base_kw: by half hour of the day (UTC), as followed since.
        learned_kw: the same as it was at the end of the commissioning time.
        spread_kw: how far the load strays from the base, but for the rarest 2 %.
        machines: sizes of what comes and goes.
        breath_kw: how far the load strays from its middle while a machine runs.
        flicker_kw: what comes on most days for some minutes: heaters, by their thermostats.
        patience_s: for how long a load below a machine's size may be that machine: pumps are
            started and stopped by and by at some mines.
        loss_share: by what share of the load that passes elsewhere this one is greater: cables'
            losses, and meters that do not quite agree.
    """

    base_kw: list[float]
    learned_kw: list[float] = field(default_factory=list)
    spread_kw: float = 0.0
    machines: list[Machine] = field(default_factory=list)
    breath_kw: float = 0.0
    flicker_kw: float = 0.0
    patience_s: float = 0.0
    loss_share: float = 0.0

    def at(self, wall_us: int) -> float:
        """The base at a moment, kW; ten minutes before and after a half hour, the greater one."""
        block = wall_us // _BLOCK_US
        base = self.base_kw
        return max(
            base[(block - 1) // SLOT_BLOCKS % SLOTS],
            base[block // SLOT_BLOCKS % SLOTS],
            base[(block + 1) // SLOT_BLOCKS % SLOTS],
        )


def learn(blocks: Sequence[Block], declared: Sequence[Machine] = ()) -> Usual:
    """What is usual, from at least one block, in order of time.

    Args:
        blocks: of the commissioning time.
        declared: machines that may run; their sizes are learned, and those of what else is flat,
            frequent and seen on most days.
    """
    numbers = np.array([block.number for block in blocks])
    through = np.array([block.through_kw for block in blocks])
    kw = np.array([block.kw for block in blocks])
    loss = _loss(kw, through)
    kw = kw - loss * through
    slots, days = numbers // SLOT_BLOCKS % SLOTS, numbers // DAY_BLOCKS
    base = _base(kw, slots)
    above = kw - base[slots]
    machines = [sized(above, machine) for machine in declared]
    machines += found_sizes(above, days, float(base.mean()), machines)
    left = _without(above, machines)
    for slot in range(SLOTS):
        mine = left[(slots == slot) & np.isfinite(left)]
        if len(mine) >= SLOT_BLOCKS:
            base[slot] += np.median(mine)
    above = kw - base[slots]
    left = _without(above, machines)
    usable = np.abs(left[np.isfinite(left)])
    spread = float(np.quantile(usable, _STRAYS)) if len(usable) else 0.0
    most = _MOST_SPREAD_KW + _MOST_SPREAD_SHARE * float(base.mean())
    base_kw = [round(float(value), 3) for value in base]
    return Usual(
        base_kw,
        list(base_kw),
        round(min(spread, most), 3),
        machines,
        round(breath(above, machines), 3),
        round(flicker(above, days, machines), 3),
        patience(above, days, machines) * BLOCK_S,
        round(loss, 5),
    )


def _loss(kw: Floats, through: Floats) -> float:
    """What changes with the load that passes, seen where that was switched.

    Ten minutes before and after, neither the time of day nor who works then matters.
    """
    if len(kw) < 3:
        return 0.0
    change = through[2:] - through[:-2]
    far = np.abs(change) >= max(_SWITCHED_KW, _SWITCHED_SHARE * float(np.ptp(through)))
    if far.sum() < _SWITCHED:
        return 0.0
    share = float(np.median((kw[2:] - kw[:-2])[far] / change[far]))
    return min(max(share, -_MOST_LOSS), _MOST_LOSS)


def _base(kw: Floats, slots: npt.NDArray[np.int64]) -> Floats:
    """A low load for each half hour; those that stand out or are missing take after the others."""
    base = np.full(SLOTS, np.nan)
    for slot in range(SLOTS):
        near = kw[np.isin(slots, [(slot - 1) % SLOTS, slot, (slot + 1) % SLOTS])]
        if len(near):
            base[slot] = np.quantile(near, _LOW)
    middle = np.nanmedian(base)
    far = np.nanmedian(np.abs(base - middle))
    base[base > middle + max(5.0, _STANDS_OUT * far, 0.3 * abs(middle))] = np.nan
    base[np.isnan(base)] = np.nanmedian(base)
    return base


def _without(above: Floats, machines: Sequence[Machine]) -> Floats:
    """What strays from the base; NaN where a machine or something else runs."""
    left = above.copy()
    left[np.abs(above) > _NEAR_KW] = np.nan
    for machine in machines:
        left[(above >= machine.low_kw) & (above <= machine.high_kw)] = np.nan
    return left
