"""What every motor does at its terminals: start, warm up, breathe."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulators.power.moments import STEP_S, Floats, Rng


@dataclass(frozen=True, slots=True)
class Starter:
    """How a motor comes up to its load.

    Attributes:
        inrush: active power of the first step as a multiple of the load's (direct on line).
        rise_s: seconds to the load where it is started softly or against a closed valve.
        from_share: share of the load that it begins with then.
    """

    inrush: float
    rise_s: float
    from_share: float


def starter(chance: Rng, *, valve: bool) -> Starter:
    """Direct on line, softly, or (a pump) against a closed valve that is opened by and by."""
    way = chance.random()
    if valve and way < 0.35:
        return Starter(1.4, float(chance.uniform(40, 180)), float(chance.uniform(0.4, 0.6)))
    if way < 0.65:
        return Starter(float(chance.uniform(1.2, 2.2)), 0.0, 1.0)
    return Starter(1.0, float(chance.uniform(8, 25)), 0.2)


def shape(chance: Rng, steps: int, start: Starter, texture: float) -> Floats:
    """A run of this many steps as multiples of the load: start, warm-up, texture."""
    seconds = np.arange(steps) * float(STEP_S)
    curve = np.ones(steps)
    if start.rise_s:
        part = np.minimum(seconds / start.rise_s, 1.0)
        curve = start.from_share + (1 - start.from_share) * part
    curve *= 1 + float(chance.uniform(0.0, 0.035)) * np.exp(-seconds / chance.uniform(300, 1200))
    if steps:
        curve[0] *= start.inrush
    return curve * (1 + run_noise(chance, steps, texture))


def run_noise(chance: Rng, steps: int, deviation: float, knot_s: float = 60.0) -> Floats:
    """Smooth noise over a run."""
    every = max(1.0, knot_s / STEP_S)
    count = int(steps / every) + 3
    knots = chance.normal(0, deviation, count)
    return np.interp(np.arange(steps) / every, np.arange(count), knots)
