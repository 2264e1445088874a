"""Other machines of a working mine, and tools of a repair: power by step of one session."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from simulators.power.hoist import draw_hoist
from simulators.power.moments import STEP_S, Floats, Rng, log_uniform
from simulators.power.motor import run_noise, shape, starter

Work = Callable[[Rng, int], Floats]


@dataclass(frozen=True, slots=True)
class Machine:
    """Something that works in sessions.

    Attributes:
        kind: hoist, belt, compressor, face, winch, welding …
        rated_kw: its nameplate.
        work: chance and number of steps → kW by step.
    """

    kind: str
    rated_kw: float
    work: Work


def hoist(chance: Rng, low_kw: float = 55, high_kw: float = 400) -> Machine:
    """A hoist of a size between the two."""
    one = draw_hoist(chance, low_kw, high_kw)
    return Machine("hoist", one.rated_kw, one.work)


def belt(chance: Rng) -> Machine:
    """A belt: starts empty, carries more or less, empties at the end."""
    rated = float(chance.choice([40, 55, 75, 90, 132, 160, 200, 250]))
    empty, full = float(chance.uniform(0.25, 0.45)), float(chance.uniform(0.6, 0.95))
    start = starter(chance, valve=False)

    def work(chance: Rng, steps: int) -> Floats:
        fill = np.clip(0.7 + run_noise(chance, steps, 0.35, 300), 0, 1)
        clears = int(chance.uniform(120, 420)) // STEP_S
        ends = np.clip(np.arange(steps) / max(1, clears), 0, 1)
        carried = fill * ends * ends[::-1]
        load = empty + (full - empty) * carried
        return rated * load * shape(chance, steps, start, 0.012)

    return Machine("belt", rated, work)


def compressor(chance: Rng, low_kw: float = 55, high_kw: float = 250) -> Machine:
    """A screw compressor: loaded, unloaded at a quarter of the power, minutes each."""
    sizes = (15, 22, 37, 55, 75, 90, 110, 132, 160, 200, 250)
    rated = float(chance.choice([kw for kw in sizes if low_kw <= kw <= high_kw]))
    loaded, idle = float(chance.uniform(0.85, 1.05)), float(chance.uniform(0.2, 0.38))
    cycle_s, duty = float(chance.uniform(60, 480)), float(chance.uniform(0.3, 0.95))
    start = starter(chance, valve=False)

    def work(chance: Rng, steps: int) -> Floats:
        level: Floats = np.full(steps, idle)
        at = 0
        while at < steps:
            on = max(1, round(cycle_s * duty * float(chance.uniform(0.6, 1.5)) / STEP_S))
            off = max(1, round(cycle_s * (1 - duty) * float(chance.uniform(0.6, 1.5)) / STEP_S))
            level[at : at + on] = loaded
            at += on + off
        power: Floats = rated * level * shape(chance, steps, start, 0.01)
        return power

    return Machine("compressor", rated, work)


def face(chance: Rng) -> Machine:
    """Work underground: lights, a scraper or a cutter, drills; irregular."""
    rated = log_uniform(chance, 30, 200)
    lights = float(chance.uniform(2, 8))

    def work(chance: Rng, steps: int) -> Floats:
        power: Floats = np.full(steps, lights)
        for share, on_s, off_s in ((0.55, 400, 300), (0.25, 150, 240), (0.2, 60, 200)):
            on = _spells(chance, steps, on_s, off_s)
            power += rated * share * on * np.exp(run_noise(chance, steps, 0.2, 20))
        return power

    return Machine("face", rated, work)


def steady(chance: Rng, rated_kw: float, kind: str = "winch") -> Machine:
    """A motor under a constant load: a small fan, a pump, a mill, a haulage that never stops."""
    share = float(chance.uniform(0.75, 0.95))
    start = starter(chance, valve=False)
    texture = float(chance.uniform(0.01, 0.06))

    def work(chance: Rng, steps: int) -> Floats:
        return rated_kw * share * shape(chance, steps, start, texture)

    return Machine(kind, rated_kw, work)


def winch(chance: Rng, rated_kw: float) -> Machine:
    """A small winch: pulls for a minute or two, waits, pulls."""
    pull_s, wait_s = float(chance.uniform(45, 150)), float(chance.uniform(30, 120))

    def work(chance: Rng, steps: int) -> Floats:
        on = _spells(chance, steps, pull_s, wait_s)
        return rated_kw * (0.04 + 0.85 * on * (1 + run_noise(chance, steps, 0.1, 20)))

    return Machine("winch", rated_kw, work)


def welding(chance: Rng) -> Machine:
    """A welder and a grinder: arcs of half a minute, pauses, for an hour or three."""
    rated = float(chance.uniform(6, 20))

    def work(chance: Rng, steps: int) -> Floats:
        arcs = _spells(chance, steps, 35, 60) * _spells(chance, steps, 900, 500)
        return 0.3 + rated * arcs * (1 + run_noise(chance, steps, 0.15, 10))

    return Machine("welding", rated, work)


def _spells(chance: Rng, steps: int, on_s: float, off_s: float) -> Floats:
    """1 in spells of about `on_s`, 0 between them for about `off_s`."""
    level = np.zeros(steps)
    at = int(chance.exponential(off_s) / STEP_S)
    while at < steps:
        on = max(1, round(float(chance.gamma(3, on_s / 3)) / STEP_S))
        level[at : at + on] = 1.0
        at += on + max(1, round(float(chance.gamma(2, off_s / 2)) / STEP_S))
    return level


PRODUCTION: dict[str, Callable[[Rng], Machine]] = {
    "hoist": hoist,
    "belt": belt,
    "compressor": compressor,
    "face": face,
}
"""What only a working mine runs, by the duty of its feeder."""
