"""Sizes of machines that come and go, from what a load shows above its base. Pure.

What stands above the base is a machine only if it has one size, holds still, and came on most
days, as pumps do: who works in secret while the meters are new does so on some nights only.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from edge.sensors.power.machines import Machine, seen

_ELEVATED_KW, _ELEVATED_SHARE = 8.0, 0.08
_SAME = 0.09  # a machine's size varies by so much
_FLAT_KW, _FLAT_SHARE = 2.0, 0.06
_MAX_MACHINES = 4
_MIN_BLOCKS = 6
_MIN_DAYS_SHARE = 0.6
_MIN_FLAT_SHARE = 0.5
_MIN_SHARE = 0.15  # of all elevated blocks
_BREATHES = 0.9  # quantile; the first and last blocks of a run stray far
_MOST_PART_BLOCKS = 3
_FLICKERS_KW = 5.0
_PARTS_SHARE, _PARTS_DAYS = 0.2, 2

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


def flat(above: Floats) -> Bools:
    """Which blocks are like one of their neighbours."""
    step = np.abs(np.diff(above))
    near = step <= np.maximum(_FLAT_KW, _FLAT_SHARE * np.abs(above[1:]))
    like = np.zeros(len(above), dtype=np.bool_)
    like[:-1] |= near
    like[1:] |= near
    return like


def inside(above: Floats, machine: Machine) -> Bools:
    """Where one such machine explains the load."""
    within: Bools = (above >= machine.low_kw) & (above <= machine.high_kw)
    return within


def sized(above: Floats, machine: Machine) -> Machine:
    """A declared machine with the size that it was seen to have, if it was seen."""
    if machine.staged:
        return machine
    mine = above[flat(above) & inside(above, machine)]
    if len(mine) < _MIN_BLOCKS // 2:
        return machine
    middle = float(np.median(mine))
    near = mine[np.abs(mine - middle) <= _SAME * middle]
    low, high = np.quantile(near, [0.05, 0.95])
    return seen(middle, float(low), float(high), machine.count)


def found_sizes(
    above: Floats, days: npt.NDArray[np.int64], base_kw: float, known: Sequence[Machine]
) -> list[Machine]:
    """Sizes besides the known ones, the most frequent first."""
    level = flat(above)
    left = above > max(_ELEVATED_KW, _ELEVATED_SHARE * base_kw)
    for machine in known:
        left &= ~inside(above, machine)
    total, all_days = int(left.sum()), len(set(days.tolist()))
    found: list[Machine] = []
    for _ in range(_MAX_MACHINES):
        sizes = np.sort(above[left & level])
        if len(sizes) < _MIN_BLOCKS:
            break
        ends = np.searchsorted(sizes, sizes * (1 + _SAME) / (1 - _SAME), side="right")
        first = int(np.argmax(ends - np.arange(len(sizes))))
        kw = float(np.median(sizes[first : ends[first]]))
        mine = left & (np.abs(above - kw) <= _SAME * kw)
        enough = (
            mine.sum() >= max(_MIN_BLOCKS, _MIN_SHARE * total)
            and len(set(days[mine].tolist())) >= max(2, _MIN_DAYS_SHARE * all_days)
            and level[mine].mean() >= _MIN_FLAT_SHARE
        )
        if not enough:
            break
        low, high = np.quantile(above[mine], [0.05, 0.95])
        found.append(seen(kw, float(low), float(high)))
        left &= ~mine
    return found


def breath(above: Floats, machines: Sequence[Machine]) -> float:
    """How far the load strays from the median of its run while one machine runs, kW."""
    strays: list[float] = []
    for machine in machines:
        for first, end in _runs(inside(above, machine)):
            run = above[first + 1 : end - 1]  # without those in which it was switched
            strays += np.abs(run - np.median(run)).tolist() if len(run) > 1 else []
    return float(np.quantile(strays, _BREATHES)) if strays else 0.0


def flicker(above: Floats, days: npt.NDArray[np.int64], machines: Sequence[Machine]) -> float:
    """What stands above the base for ten or twenty minutes several times on most days, kW."""
    other = above > _FLICKERS_KW
    for machine in machines:
        other &= ~inside(above, machine)
    short = [(float(above[a:b].max()), int(days[a])) for a, b in _runs(other) if b - a <= 2]
    all_days = len(set(days.tolist()))
    often = len(short) >= 2 * all_days
    if not often or len({day for _, day in short}) < _MIN_DAYS_SHARE * all_days:
        return 0.0
    return float(np.quantile([kw for kw, _ in short], _BREATHES))


def patience(above: Floats, days: npt.NDArray[np.int64], machines: Sequence[Machine]) -> float:
    """For how many blocks a part of a machine's load is to be borne.

    As many as it was seen for right before or after the whole, and two more; that must have been
    so on two days and for every fifth run.
    """
    if not machines:
        return 0.0
    whole = np.zeros(len(above), dtype=np.bool_)
    for machine in machines:
        whole |= inside(above, machine)
    part = (above > _ELEVATED_KW) & (above < max(machine.high_kw for machine in machines)) & ~whole
    wholes = len(_runs(whole))
    beside: list[tuple[int, int]] = []  # blocks that a part lasted, and its day
    for first, end in _runs(part):
        touches = whole[max(first - 1, 0)] or whole[min(end, len(above) - 1)]
        if touches and end - first <= _MOST_PART_BLOCKS:
            beside.append((end - first, int(days[first])))
    often = len(beside) >= _PARTS_SHARE * wholes
    if not often or len({day for _, day in beside}) < _PARTS_DAYS:
        return 0.0
    return float(max(blocks for blocks, _ in beside) + 2)


def _runs(where: Bools) -> list[tuple[int, int]]:
    """First and end (exclusive) of each stretch of True."""
    ends = np.flatnonzero(np.diff(np.concatenate([[0], where.astype(int), [0]])))
    return [(int(a), int(b)) for a, b in zip(ends[::2], ends[1::2], strict=True)]
