"""A week with one fault of a meter's data more, at a moment and of a size of chance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from edge.domain.activity import Duty
from simulators.power.faults import FAULTS, swapped
from simulators.power.labels import FaultLabel
from simulators.power.meters import Trace
from simulators.power.moments import HOUR_S, Rng, rng
from simulators.power.spoiled import part_of, spoil
from simulators.power.week import Week

SWAPPED = "swapped"
_SWAPPED_HOURS = (1.0, 24.0)
_SHOWS_KW, _SHOWS_SAMPLES = 1.0, 30
_ALWAYS_ON = (Duty.FAN, Duty.INCOMING)
_TRIES = 40


def with_fault(one: Week, kind: str, draw: int) -> Week:
    """The week with one fault of this kind more, at a meter and a moment of chance.

    The meter is one that carries a kilowatt for a quarter of an hour in that time (what is wrong
    with the figures of a meter at nothing shows in nothing), for `voltage-gone` one whose feeder
    must never be dead.

    Args:
        one: a week, best a clean one.
        kind: of `FAULTS`, or `swapped` (needs two meters).
        draw: makes moment, size and meter different.
    """
    chance = rng(one.seed, "fault", kind, draw)
    traces = {trace.code: trace for trace in one.traces}
    label = _label(chance, one, kind, traces)
    for _ in range(_TRIES):
        if all(_shows(traces[code], label) for code in label.sources):
            break
        label = _label(chance, one, kind, traces)
    if kind == SWAPPED:
        here, there = (traces[code] for code in label.sources)
        pair = swapped(here, there, label.begin_us, label.end_us)
        traces |= dict(zip(label.sources, pair, strict=True))
    else:
        source = label.sources[0]
        traces[source] = spoil(chance, traces[source], label)
    return replace(one, traces=tuple(traces.values()), faults=(*one.faults, label))


def _label(chance: Rng, one: Week, kind: str, traces: Mapping[str, Trace]) -> FaultLabel:
    hours = _SWAPPED_HOURS if kind == SWAPPED else FAULTS[kind].hours
    length = round(float(chance.uniform(*hours)) * HOUR_S * 1e6)
    room = max(one.end_us - one.learned_us - length, 0)
    begin = one.learned_us + round(float(chance.uniform(0.03, 0.97)) * room)
    codes = [c for c, t in traces.items() if kind != "voltage-gone" or t.duty in _ALWAYS_ON]
    chosen = chance.choice(codes, 2 if kind == SWAPPED else 1, replace=False)
    return FaultLabel(begin, begin + length, kind, tuple(str(code) for code in chosen))


def _shows(trace: Trace, label: FaultLabel) -> bool:
    power = trace.values["power_kw"][part_of(trace, label)]
    return int((np.abs(power) > _SHOWS_KW).sum()) >= _SHOWS_SAMPLES
