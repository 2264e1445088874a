"""Drainage: water runs into a sump, pumps lift it out; the level drives them.

Lift of a pump: Q [m³/h] = P [kW] · η · 3600 / (ρ g H) with ρ g = 9.81 kN/m³, the textbook's
hydraulic power. A station is dry when its pumps together lift more than runs in.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators.power.moments import (
    HOUR_S,
    STEP_S,
    Floats,
    Rng,
    Span,
    log_uniform,
)
from simulators.power.motor import shape, starter

_HOLD = 4  # steps between two looks at the level
_RHO_G = 9.81  # kN/m³


@dataclass(frozen=True, slots=True)
class Station:
    """A pump station as it was built.

    Attributes:
        rated_kw: nameplate of each pump.
        load_kw: what each draws at the terminals with the sump half full.
        lift_m3h: what one lifts.
        inflow_m3h: mean inflow.
        sump_m3: room between the lowest and the highest level.
        way: `level`, `tariff` (pumped down in the cheap hours) or `shift` (a man goes there).
    """

    rated_kw: float
    load_kw: tuple[float, ...]
    lift_m3h: float
    inflow_m3h: float
    sump_m3: float
    way: str


@dataclass(frozen=True)
class Drainage:
    """What a station did.

    Attributes:
        kw: of each pump, by step.
        on: of each pump, by step.
        level: share of the sump that is full, by step.
        spilled_m3: what ran over the brim.
    """

    kw: tuple[Floats, ...]
    on: tuple[NDArray[np.bool_], ...]
    level: Floats
    spilled_m3: float


def draw_station(chance: Rng, *, big: bool = False) -> Station:
    """A station: 37–900 kW, head 60–600 m, run for 8–55 % of the day at mean inflow."""
    sizes = (37, 45, 55, 75, 90, 110, 132, 160, 185, 220, 280, 315, 355, 450, 560, 680, 900)
    rated = float(chance.choice(sizes[6 if big else 0 :]))
    count = int(chance.choice([1, 2, 3], p=[0.25, 0.5, 0.25]))
    share = float(chance.uniform(0.78, 0.98))
    loads = tuple(float(rated * share * chance.uniform(0.96, 1.04)) for _ in range(count))
    head, efficiency = log_uniform(chance, 60, 600), float(chance.uniform(0.55, 0.75))
    lift = loads[0] * efficiency * HOUR_S / (_RHO_G * head)
    duty = float(chance.uniform(0.08, 0.55 if count > 1 else 0.35))
    run_h = log_uniform(chance, 0.4, 5.0)  # of one run from the upper to the lower level
    sump = lift * (1 - duty) * run_h / 0.65
    way = str(chance.choice(["level", "tariff", "shift"], p=[0.5, 0.38, 0.12]))
    if way != "level":  # the sump must hold the water of a day, or part of it
        sump = max(sump, lift * duty * float(chance.uniform(10, 26)))
    return Station(rated, loads, lift, lift * duty, sump, way)


def drain(
    chance: Rng,
    span: Span,
    station: Station,
    wetness: Floats,
    dark: NDArray[np.bool_] | None = None,
) -> Drainage:
    """Run the station through the span; where it is `dark` there is no power."""
    level, on, spilled = _levels(chance, span, station, wetness, dark)
    start = starter(chance, valve=True)
    texture = float(chance.uniform(0.003, 0.012))
    head_effect = float(chance.uniform(0.0, 0.04))
    kw = []
    for i, load in enumerate(station.load_kw):
        power = np.zeros(span.size)
        for first, last in runs(on[i]):
            run = shape(chance, last - first, start, texture) * load
            power[first:last] = run * (1 - head_effect * (level[first:last] - 0.5))
        kw.append(power)
    return Drainage(tuple(kw), on, level, spilled)


def runs(on: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and past-the-last step of each stretch of True."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], on, [False]))))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _levels(
    chance: Rng, span: Span, station: Station, wetness: Floats, dark: NDArray[np.bool_] | None
) -> tuple[Floats, tuple[NDArray[np.bool_], ...], float]:
    count = len(station.load_kw)
    looks = span.size // _HOLD + 1
    inflow = (station.inflow_m3h * wetness[::_HOLD] / HOUR_S * STEP_S * _HOLD).tolist()
    hours = span.hour[::_HOLD].tolist()
    lifted = station.lift_m3h / HOUR_S * STEP_S * _HOLD
    control = _Control(chance, station)
    level, spilled = float(chance.uniform(0.25, 0.6)), 0.0
    levels, active = np.empty(looks), np.zeros((count, looks), dtype=bool)
    for i in range(min(looks, len(inflow))):
        if dark is not None and dark[i * _HOLD]:
            control.running = []
        else:
            control.look(level, hours[i])
        for pump in control.running:
            active[pump, i] = True
        level += (inflow[i] - lifted * len(control.running)) / station.sump_m3
        if level > 1.0:
            spilled += (level - 1.0) * station.sump_m3
            level = 1.0
        level = max(level, 0.0)
        levels[i] = level
    fine = np.repeat(levels, _HOLD)[: span.size]
    return fine, tuple(np.repeat(one, _HOLD)[: span.size] for one in active), spilled


class _Control:
    """The float switches, the clock and the pumpman: which pumps run."""

    def __init__(self, chance: Rng, station: Station) -> None:
        self._chance = chance
        self._way, self._count = station.way, len(station.load_kw)
        self._high = float(chance.uniform(0.7, 0.85))
        self._low = float(chance.uniform(0.06, 0.15))
        self._cheap = (
            float(chance.choice([23.0, 0.0, 0.0, 0.5])),
            float(chance.choice([6.0, 7.0])),
        )
        self._next = int(chance.integers(self._count))
        self._visits = sorted(float(h) for h in chance.choice([0, 4, 8, 12, 16, 20], 3, False))
        self._visit_due, self._last_hour = False, 0.0
        self.running: list[int] = []

    def look(self, level: float, hour: float) -> None:
        """Decide once more."""
        if level <= self._low:
            self.running = []
            return
        wanted = len(self.running)
        if wanted == 0 and level >= self._threshold(hour):
            wanted = 1
        if level >= 0.93:
            wanted = max(wanted, 2)
        if level >= 0.98:
            wanted = max(wanted, 3)
        while len(self.running) < min(wanted, self._count):
            self.running.append(self._take())
        self._last_hour = hour

    def _threshold(self, hour: float) -> float:
        if self._way == "tariff":  # by day only what else would run over
            return self._low + 0.12 if self._is_cheap(hour) else 0.9
        if self._way == "shift":
            if any(self._last_hour < v <= hour for v in self._visits):
                self._visit_due = bool(self._chance.random() < 0.85)
                self._last_visit = hour
            if self._visit_due:
                self._visit_due = False
                return self._low + 0.2
            return 0.9
        return self._high

    def _is_cheap(self, hour: float) -> bool:
        begin, end = self._cheap
        return begin <= hour < end if begin < end else hour >= begin or hour < end

    def _take(self) -> int:
        free = [i for i in range(self._count) if i not in self.running]
        pump = min(free, key=lambda i: (i - self._next) % self._count)
        self._next = (pump + 1) % self._count
        return pump
