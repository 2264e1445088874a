"""Outdoor temperature and water: season, day, fronts, heat waves, cold snaps, storms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulators.power.moments import DAY_S, HOUR_S, Floats, Rng, Span, smooth


@dataclass(frozen=True, slots=True)
class Event:
    """Something honest that changes loads.

    Attributes:
        kind: what.
        begin_s: seconds since the span's start.
        end_s: when it is over.
    """

    kind: str
    begin_s: float
    end_s: float


@dataclass(frozen=True)
class Weather:
    """Attributes: temperature, °C, and inflow as a multiple of the mine's mean, by step."""

    temperature: Floats
    wetness: Floats


def weather(chance: Rng, span: Span, events: list[Event], drift_k: float = 0.0) -> Weather:
    """What the sky does. `drift_k`: K that the season turns by over the span, beside the year's."""
    mean = float(chance.uniform(3.0, 16.0))
    swing = float(np.interp(mean, (3, 16), (21, 12)) + chance.normal(0, 1))
    temperature = mean - swing * np.cos(2 * np.pi * (span.year_day - 15) / 365.25)
    daily = float(chance.uniform(2.5, 6.0))
    temperature += daily * np.cos(2 * np.pi * (span.hour - 15) / 24)
    temperature += smooth(chance, span, 2 * DAY_S, 2.5) + smooth(chance, span, 3 * HOUR_S, 0.5)
    temperature += drift_k * span.seconds / span.length_s
    season = float(chance.uniform(0.05, 0.35))
    wetness = 1 + season * np.sin(2 * np.pi * (span.year_day - 120) / 365.25)
    wetness *= 1 + smooth(chance, span, 3 * DAY_S, 0.04)
    for event in events:
        if event.kind == "storm":
            wetness = wetness + _flood(chance, span, event)
        else:
            temperature = temperature + _front(chance, span, event)
    return Weather(temperature, np.maximum(wetness, 0.1))


def _flood(chance: Rng, span: Span, storm: Event) -> Floats:
    """Water that finds its way down: hours after the rain, and it ebbs for days."""
    lag, rise = float(chance.uniform(1, 8)) * HOUR_S, float(chance.uniform(2, 12)) * HOUR_S
    ebb = float(chance.uniform(1, 4)) * DAY_S
    after = np.maximum(span.seconds - storm.begin_s - lag, 0.0)
    shape = (1 - np.exp(-after / rise)) * np.exp(-after / ebb)
    return float(chance.uniform(0.4, 2.5)) * shape


def _front(chance: Rng, span: Span, event: Event) -> Floats:
    size = float(chance.uniform(6, 11)) * (1 if event.kind == "heat-wave" else -1.2)
    edge = float(chance.uniform(4, 18)) * HOUR_S
    into = np.clip((span.seconds - event.begin_s) / edge, 0, 1)
    out = np.clip((event.end_s + edge - span.seconds) / edge, 0, 1)
    return size * np.minimum(into, out)
