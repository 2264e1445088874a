"""Guard house, lights, heating: small, by day and season; thermostats and kettles."""

from __future__ import annotations

import numpy as np

from simulators.power.moments import HOUR_S, STEP_S, Floats, Rng, Span, log_uniform, smooth
from simulators.power.weather import Event


class Living:
    """What people who guard a mine switch on, as built."""

    def __init__(self, chance: Rng) -> None:
        self.base_kw = log_uniform(chance, 0.5, 6.0)
        self.lights_kw = log_uniform(chance, 0.5, 8.0)
        self.people = int(chance.integers(1, 9))
        self.heaters = [
            (float(kw), float(chance.uniform(700, 2600)), float(chance.uniform(-3, 2)))
            for kw in chance.choice([1.0, 1.5, 2.0, 3.0, 6.0, 9.0], int(chance.integers(0, 6)))
        ]
        if chance.random() < 0.2:  # an electric boiler instead of a stove
            self.heaters.append((float(chance.choice([12, 18, 24, 36])), 1500.0, 0.0))
        self.coolers = [1.0 + float(chance.random()) for _ in range(int(chance.integers(0, 4)))]

    @property
    def rated_kw(self) -> float:
        """What a technician would declare for it."""
        heat = sum(kw for kw, _, _ in self.heaters) + sum(self.coolers)
        return self.base_kw + self.lights_kw + heat + 2.0

    def kw(self, chance: Rng, span: Span, temperature: Floats, events: list[Event]) -> Floats:
        """Its power by step."""
        power = self.base_kw * (1 + smooth(chance, span, 900, 0.04))
        power += self._lights(chance, span)
        power += np.where(span.seconds % 2700 < chance.uniform(500, 1200), 0.12, 0.0)  # a fridge
        for kw, period, offset in self.heaters:
            wanted = (18.0 + offset - temperature) / 32.0
            power += _thermostat(chance, span, kw, period, wanted)
        for kw in self.coolers:
            awake = (span.hour > 10) | (span.hour < 1)
            wanted = np.where(awake, (temperature - 25.0) / 9.0, 0.0)
            power += _thermostat(chance, span, kw, float(chance.uniform(500, 1200)), wanted)
        self._kettles(chance, span, power)
        for event in events:
            if event.kind == "visit":
                self._visit(chance, span, power, event)
        return power

    def _lights(self, chance: Rng, span: Span) -> Floats:
        dusk, dawn = float(chance.uniform(17, 20)), float(chance.uniform(5, 7))
        level = np.full(span.size, 0.12)
        ends = chance.uniform(21.0, 23.5)
        level[(span.hour > dusk) & (span.hour < ends)] = 1.0
        level[(span.hour >= ends) | (span.hour < dawn)] = float(chance.uniform(0.2, 0.7))
        level[(span.hour >= 11.2) & (span.hour < 12.8)] += 0.3  # they cook
        return self.lights_kw * level * (1 + smooth(chance, span, 600, 0.05))

    def _kettles(self, chance: Rng, span: Span, power: Floats) -> None:
        days = span.length_s / 86_400
        for _ in range(int(chance.poisson(days * (2 + 1.5 * self.people)))):
            at = float(chance.uniform(0, span.length_s))
            first = span.step(at)
            if first < span.size and (6 <= span.hour[first] <= 23 or chance.random() < 0.15):
                power[first : first + int(chance.uniform(30, 80))] += float(
                    chance.choice([1.5, 1.8, 2.2, 3.0])
                )

    def _visit(self, chance: Rng, span: Span, power: Floats, event: Event) -> None:
        first, last = span.step(event.begin_s), span.step(event.end_s)
        power[first:last] += self.lights_kw * 0.5 + float(chance.uniform(0.5, 4.0))


def _thermostat(chance: Rng, span: Span, kw: float, period: float, wanted: Floats) -> Floats:
    """On for the wanted share of each period, whose length wanders."""
    pace = 1 + smooth(chance, span, 2 * HOUR_S, 0.12)
    phase = np.cumsum(np.maximum(pace, 0.3)) * (STEP_S / period) + chance.random()
    return np.where(phase % 1.0 < np.clip(wanted, 0.0, 1.0), kw, 0.0)
