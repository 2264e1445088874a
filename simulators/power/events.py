"""Honest events of a week: weather, tests, repairs with leave, visits, power cuts."""

from __future__ import annotations

import numpy as np

from simulators.power.moments import DAY_S, HOUR_S, Rng, Span
from simulators.power.weather import Event

_HOURS = {
    "storm": (5, 36),
    "heat-wave": (48, 120),
    "cold-snap": (48, 120),
    "fan-test": (0.1, 0.6),
    "fan-blades": (0.5, 3.0),
    "visit": (1.0, 5.0),
    "machine-test": (0.25, 1.2),
    "welding": (0.7, 3.0),
    "power-cut": (0.05, 1.6),
}
_BY_DAY = frozenset({"fan-test", "fan-blades", "visit", "machine-test", "welding"})
_COMMON = {"storm": 3, "fan-test": 2, "visit": 3, "machine-test": 2, "welding": 2, "power-cut": 1.5}


def draw_events(chance: Rng, span: Span, from_s: float, count: int) -> list[Event]:
    """`count` events that begin after `from_s`; by day what people do; sorted, kinds differ."""
    weights = dict(_COMMON)
    day = float(span.year_day[0])
    weights["heat-wave"] = 4.0 if 150 < day < 250 else 0.0
    weights["cold-snap"] = 4.0 if day < 110 or day > 280 else 1.0
    weights["fan-blades"] = 0.3
    kinds = list(weights)
    share = np.array([weights[kind] for kind in kinds])
    chosen = chance.choice(kinds, min(count, len(kinds) - 1), replace=False, p=share / share.sum())
    events = [draw_event(chance, span, str(kind), from_s) for kind in chosen]
    return sorted(events, key=lambda event: event.begin_s)


def draw_event(chance: Rng, span: Span, kind: str, from_s: float) -> Event:
    """One event of this kind."""
    low, high = _HOURS[kind]
    length = float(chance.uniform(low, high)) * HOUR_S
    begin = float(chance.uniform(from_s, span.length_s - 6 * HOUR_S))
    if kind in _BY_DAY:
        nights = [at for at in span.midnights() if from_s - 8 * HOUR_S < at < span.length_s - DAY_S]
        begin = float(chance.choice(nights)) + float(chance.uniform(8.5, 16.0)) * HOUR_S
    return Event(kind, begin, begin + length)
