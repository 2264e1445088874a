"""Loads with behaviour: pure functions of a seed and the seconds since they were switched on."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import Protocol

_NOISE_STEP_S = 4.0
# Parts of a hoist's cycle that end its acceleration, its run and its braking; the rest is
# loading and unloading, when only the auxiliaries draw power.
_ACCELERATED, _RUN, _BRAKED = 0.15, 0.55, 0.62
_OVERSHOOT = 1.35


class Load(Protocol):
    """Something that draws power."""

    def kw(self, seconds: float) -> float:
        """Active power, kW, `seconds` after it was switched on."""


def noise(seed: int, seconds: float) -> float:
    """Smooth noise in -1..1 that is the same for the same arguments."""
    step, part = divmod(seconds / _NOISE_STEP_S, 1.0)
    before, after = (2.0 * random.Random(f"{seed}:{int(step) + k}").random() - 1.0 for k in (0, 1))
    return before + (after - before) * part


@dataclass(frozen=True, slots=True)
class Fan:
    """A main fan: always on, breathing by some per cent."""

    rated_kw: float = 75.0
    seed: int = 1

    def kw(self, seconds: float) -> float:
        return self.rated_kw * (1.0 + 0.02 * noise(self.seed, seconds))


@dataclass(frozen=True, slots=True)
class Pump:
    """A drainage pump: `on_s` of every `on_s + off_s`, with a short inrush."""

    rated_kw: float = 110.0
    on_s: float = 1200.0
    off_s: float = 2400.0
    seed: int = 2

    def kw(self, seconds: float) -> float:
        into = seconds % (self.on_s + self.off_s)
        if into >= self.on_s:
            return 0.15
        inrush = 1.0 + 1.5 * math.exp(-into / 1.5)
        return self.rated_kw * inrush * (1.0 + 0.015 * noise(self.seed, seconds))


@dataclass(frozen=True, slots=True)
class Hoist:
    """A hoist: accelerate, run, brake, stand, over and over."""

    rated_kw: float = 160.0
    cycle_s: float = 98.0
    seed: int = 3

    def kw(self, seconds: float) -> float:
        part = (seconds % self.cycle_s) / self.cycle_s
        if part < _ACCELERATED:
            share = _OVERSHOOT * part / _ACCELERATED
        elif part < _RUN:
            share = 1.0 + 0.05 * noise(self.seed, seconds)
        elif part < _BRAKED:
            share = 0.3 * (_BRAKED - part) / (_BRAKED - _RUN)
        else:
            share = 0.0
        return 0.3 + self.rated_kw * share


@dataclass(frozen=True, slots=True)
class Living:
    """Guard house, lights, heating: a few kW with a day's rhythm."""

    mean_kw: float = 4.0
    seed: int = 4

    def kw(self, seconds: float) -> float:
        day = math.sin(2 * math.pi * seconds / 86_400.0)
        return self.mean_kw * (1.0 + 0.3 * day + 0.2 * noise(self.seed, seconds))
