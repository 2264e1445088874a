"""The fine grid of time that loads are computed on, and chance that is smooth in time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Rng = np.random.Generator

STEP_S = 5
"""Seconds of one step: starts of motors last as long, cycles of hoists a dozen times as long."""
DAY_S = 86_400
HOUR_S = 3600
LOCAL_S = 8 * HOUR_S  # Beijing time


def rng(*words: int | str) -> Rng:
    """Chance that is the same for the same words: each part of a week has its own."""
    return np.random.default_rng([w if isinstance(w, int) else _number(w) for w in words])


def _number(word: str) -> int:
    return int.from_bytes(word.encode()[:12], "big")


@dataclass(frozen=True)
class Span:
    """A stretch of time in steps of `STEP_S`.

    Attributes:
        start_us: its first moment, µs since 1970 UTC.
        length_s: seconds.
    """

    start_us: int
    length_s: int

    @property
    def size(self) -> int:
        """How many steps."""
        return self.length_s // STEP_S

    @cached_property
    def seconds(self) -> Floats:
        """Seconds since the start, of each step."""
        return np.arange(self.size, dtype=np.float64) * STEP_S

    @property
    def local_start_s(self) -> float:
        """Local seconds since 1970 of the start."""
        return self.start_us / 1e6 + LOCAL_S

    @cached_property
    def hour(self) -> Floats:
        """Local hour of the day, 0 ≤ h < 24, of each step."""
        return (self.local_start_s + self.seconds) % DAY_S / HOUR_S

    @cached_property
    def year_day(self) -> Floats:
        """Days since the first of January, local, of each step (years of 365.25 days)."""
        return (self.local_start_s + self.seconds) / DAY_S % 365.25

    def us(self, seconds: float) -> int:
        """A moment so many seconds after the start, µs since 1970 UTC."""
        return self.start_us + round(seconds * 1e6)

    def step(self, seconds: float) -> int:
        """The step that a moment lies in, within the span."""
        return int(min(max(seconds // STEP_S, 0), self.size))

    def midnights(self) -> list[float]:
        """Seconds since the start of each local midnight within the span, the first may be < 0."""
        first = -(self.local_start_s % DAY_S)
        return [float(at) for at in np.arange(first, self.length_s, DAY_S)]


def smooth(chance: Rng, span: Span, knot_s: float, deviation: float) -> Floats:
    """Noise of this deviation between whose independent knots lie `knot_s` seconds."""
    count = int(span.length_s / knot_s) + 3
    knots = chance.normal(0.0, deviation, count)
    return np.interp(span.seconds / knot_s + chance.random(), np.arange(count), knots)


def log_uniform(chance: Rng, low: float, high: float) -> float:
    """A size between two bounds, every factor as likely."""
    return float(low * (high / low) ** chance.random())
