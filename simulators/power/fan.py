"""The main fan: never off but for its monthly test; breathes with the air and the weather."""

from __future__ import annotations

import numpy as np

from simulators.power.moments import HOUR_S, STEP_S, Floats, Rng, Span, smooth
from simulators.power.motor import shape, starter
from simulators.power.weather import Event


class Fan:
    """One main fan and its standby, as built."""

    def __init__(self, chance: Rng) -> None:
        self.rated_kw = float(
            chance.choice([15, 22, 30, 37, 45, 55, 75, 90, 110, 132, 160, 185, 220, 280])
        )
        self.load_kw = self.rated_kw * float(chance.uniform(0.5, 0.92))
        self._standby = float(chance.uniform(0.94, 1.06))
        self._night = float(chance.uniform(0.6, 0.9)) if chance.random() < 0.15 else 1.0
        self._hours = (float(chance.uniform(6, 8)), float(chance.uniform(18, 22)))
        self._breath = float(chance.uniform(0.002, 0.012))
        self._slow = float(chance.uniform(0.003, 0.015))

    def kw(self, chance: Rng, span: Span, temperature: Floats, events: list[Event]) -> Floats:
        """Its power by step. Shaft power goes with the density of the air, thus with 1/T."""
        power = self.load_kw * 283.0 / (273.0 + temperature)
        power *= (
            1 + smooth(chance, span, 240, self._breath) + smooth(chance, span, 6000, self._slow)
        )
        by_day = (span.hour >= self._hours[0]) & (span.hour < self._hours[1])
        power = np.where(by_day, power, power * self._night)
        for event in events:
            if event.kind == "fan-test":
                self._test(chance, span, power, event)
            elif event.kind == "power-cut":
                self._restart(chance, span, power, event)
            elif event.kind == "fan-blades":
                factor = 1 + float(chance.choice([-1, 1]) * chance.uniform(0.04, 0.15))
                self._test(chance, span, power, event)
                power[span.step(event.end_s) :] *= factor
        return power

    def _test(self, chance: Rng, span: Span, power: Floats, event: Event) -> None:
        """Stopped, then the standby fan takes over until the next test."""
        first, last = span.step(event.begin_s), span.step(event.end_s)
        power[first:last] = 0.0
        power[last:] *= self._standby
        self._start(chance, power, last)

    def _restart(self, chance: Rng, span: Span, power: Floats, event: Event) -> None:
        """After a power cut somebody has to press the button."""
        last = span.step(event.end_s + float(chance.uniform(0, 600)))
        power[span.step(event.begin_s) : last] = 0.0
        self._start(chance, power, last)

    def _start(self, chance: Rng, power: Floats, last: int) -> None:
        rest = power[last : last + HOUR_S // STEP_S]
        rest *= shape(chance, len(rest), starter(chance, valve=False), 0.0)
