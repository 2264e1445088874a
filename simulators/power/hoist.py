"""A hoist at work: accelerate, run, brake, stand, load; skips or a cage; it rests."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulators.power.moments import STEP_S, Floats, Rng

SIZES = (55, 75, 90, 110, 132, 160, 200, 250, 315, 400)  # kW


@dataclass(frozen=True, slots=True)
class Hoist:
    """One hoist as built.

    Attributes:
        rated_kw: nameplate of its motor.
        cycle_s: mean of a cycle, 60–180.
        skips: balanced skips (each trip loaded); else a cage (up loaded, down empty, men wait).
        auxiliaries_kw: oil, brakes and control while it is switched on.
    """

    rated_kw: float
    cycle_s: float
    skips: bool
    auxiliaries_kw: float

    def work(self, chance: Rng, steps: int) -> Floats:
        """Power by step of a session."""
        power = np.full(steps, self.auxiliaries_kw)
        at, trip = int(chance.integers(0, 12)), 0
        until_rest = int(chance.integers(8, 50))
        up = float(chance.uniform(0.7, 1.05))
        down = up if self.skips else float(chance.uniform(0.05, 0.4))
        while at < steps:
            cycle = self.cycle_s * float(chance.uniform(0.93, 1.1))
            if not self.skips and chance.random() < 0.15:
                cycle += float(chance.exponential(60))  # somebody climbs in
            load = (up if trip % 2 == 0 else down) * float(chance.uniform(0.85, 1.1))
            drive = self._trip(cycle, load)
            part = power[at : at + len(drive)]
            part += drive[: len(part)]
            at += len(drive)
            trip += 1
            if trip >= until_rest:
                at += int(chance.uniform(120, 1200)) // STEP_S
                until_rest = trip + int(chance.integers(8, 50))
        return power

    def _trip(self, cycle_s: float, load: float) -> Floats:
        seconds = np.arange(max(3, round(cycle_s / STEP_S))) * STEP_S / cycle_s
        knots = (0.0, 0.1, 0.18, 0.5, 0.6, 0.62, 1.0)
        heights = (0.3, 1.35, 1.0, 0.95, 0.2, 0.0, 0.0)
        return self.rated_kw * load * np.interp(seconds, knots, heights)


def draw_hoist(chance: Rng, low_kw: float = 55, high_kw: float = 400) -> Hoist:
    """A hoist between two sizes."""
    rated = float(chance.choice([kw for kw in SIZES if low_kw <= kw <= high_kw]))
    cycle = float(chance.uniform(60, 180))
    return Hoist(
        rated, cycle, bool(chance.random() < 0.5), rated * float(chance.uniform(0.01, 0.04))
    )
