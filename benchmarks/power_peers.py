"""Textbook detectors on the same weeks, a few lines each; ours must beat them.

All three look at quarter-hour means of each meter's power, learn by the same commissioning time,
and raise at the end of the quarter hour in which they say yes; yes again within an hour is the
same alarm. A meter that must stand still is judged like any other.

- robust z: more than 3.5 robust deviations above the median of that hour of the day (Iglewicz
  and Hoaglin's modified z-score: 0.6745 (x - median) / MAD);
- CUSUM: Page's one-sided sum of the same z, slack 0.5, limit 8, reset when it raises;
- level: more than 1.1 times the largest quarter hour of the commissioning time.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from benchmarks.power_play import Raised
from simulators.power.meters import Trace
from simulators.power.moments import LOCAL_S
from simulators.power.week import Week

Floats = NDArray[np.float64]
_QUARTER_US = 900_000_000
_JOIN = 4  # quarter hours
_LEAST_KW = 0.5  # a deviation of nothing at all would make everything strange


def _quarters(trace: Trace) -> tuple[NDArray[np.int64], Floats]:
    """Number of each quarter hour and the mean power in it."""
    numbers, index = np.unique(trace.at_us // _QUARTER_US, return_inverse=True)
    sums = np.bincount(index, weights=trace.values["power_kw"])
    return numbers, sums / np.bincount(index)


def _z(numbers: NDArray[np.int64], mean: Floats, learned: NDArray[np.bool_]) -> Floats:
    hour = (numbers * 900 + LOCAL_S) // 3600 % 24
    z = np.zeros(len(mean))
    for h in range(24):
        known = mean[(hour == h) & learned]
        if len(known) == 0:
            continue
        middle = np.median(known)
        spread = max(float(np.median(np.abs(known - middle))), _LEAST_KW)
        z[hour == h] = 0.6745 * (mean[hour == h] - middle) / spread
    return z


def robust_z(numbers: NDArray[np.int64], mean: Floats, learned: NDArray[np.bool_]) -> Floats:
    """1 where the quarter hour is strange."""
    return (_z(numbers, mean, learned) > 3.5).astype(np.float64)


def cusum(numbers: NDArray[np.int64], mean: Floats, learned: NDArray[np.bool_]) -> Floats:
    """1 where the sum passes its limit."""
    total, says = 0.0, np.zeros(len(mean))
    for i, z in enumerate(_z(numbers, mean, learned).tolist()):
        total = max(0.0, total + z - 0.5)
        if total > 8.0:
            says[i], total = 1.0, 0.0
    return says


def level(numbers: NDArray[np.int64], mean: Floats, learned: NDArray[np.bool_]) -> Floats:  # noqa: ARG001
    """1 where it is above anything seen before."""
    return (mean > 1.1 * max(float(mean[learned].max()), _LEAST_KW)).astype(np.float64)


PEERS: dict[str, Callable[[NDArray[np.int64], Floats, NDArray[np.bool_]], Floats]] = {
    "robust-z": robust_z,
    "cusum": cusum,
    "level-15-min": level,
}


def raised_by(name: str, week: Week) -> list[Raised]:
    """Alarms of a peer on every meter of a week; what two meters tell at once is one alarm."""
    says: dict[int, str] = {}
    for trace in week.traces:
        numbers, mean = _quarters(trace)
        learned = numbers * _QUARTER_US < week.learned_us
        if not learned.any():
            continue
        for number in numbers[PEERS[name](numbers, mean, learned) > 0].tolist():
            says.setdefault(number, trace.code)
    alarms: list[Raised] = []
    last = -_JOIN - 1
    for number in sorted(says):
        at = (number + 1) * _QUARTER_US
        if at < week.learned_us:
            continue
        if number - last > _JOIN:
            since = number * _QUARTER_US
            alarms.append(Raised(name, "load-running", says[number], at, since, ""))
        last = number
    return alarms
