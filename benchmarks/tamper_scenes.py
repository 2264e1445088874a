"""Half hours in which nobody does anything to the camera: weather, light and traffic."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.tamper_acts import Picture, Place
from simulators.cameras.scene.actors import Actor, Kind
from simulators.cameras.scene.clutter import Insects, Vegetation
from simulators.cameras.scene.nuisance import (
    Cloud,
    ExposureHunting,
    Flicker,
    Headlights,
    Lamp,
    Nuisance,
)

CLEAR_S = 150  # clear day before: the reference is taken
CHANGE_S = {"fog": 240, "rain": 60, "snow": 600, "dusk": 900}
HONEST_S = 1800
DUSK_S = 420  # of the half hour that ends in an infrared night, and begins with a dusk
NIGHTS = ("ir-night-4", "ir-night-8")


def honest(seed: int, kind: str, setting: str) -> Iterator[Picture]:
    """Pictures, one a second: a clear day for `CLEAR_S`, then `HONEST_S` of the setting.

    A night comes through dusk, switches to infrared at once, and ends the same way.
    """
    place = Place(seed, kind, "day", margin=1.0)
    rng = np.random.default_rng([seed, 77])
    _people(place, rng)
    for second in range(CLEAR_S + HONEST_S):
        yield _shown(place, setting, place.t0 + second, second - CLEAR_S)


def _shown(place: Place, setting: str, t: float, since: int) -> Picture:
    if since < 0 or setting == "day":
        return place.shown(t)
    if setting in NIGHTS:
        return _night(place, setting, t, since)
    part = min(1.0, since / CHANGE_S[setting])
    back = max(0.0, min(1.0, (since - HONEST_S + CHANGE_S[setting]) / CHANGE_S[setting]))
    return _between(place, "day", setting, t, min(part, 1 - back))


def _night(place: Place, setting: str, t: float, since: int) -> Picture:
    left = HONEST_S - since
    if since < DUSK_S:
        return _between(place, "day", "dusk", t, since / DUSK_S)
    if left < DUSK_S:
        return _between(place, "day", "dusk", t, left / DUSK_S)
    place.set(setting)
    return place.shown(t)


def _between(place: Place, first: str, second: str, t: float, part: float) -> Picture:
    """Both at once, as light and weather change."""
    place.set(first)
    one = place.shown(t)
    if part <= 0:
        return one
    place.set(second)
    other = place.shown(t)
    place.set(first)
    return np.asarray(one * (1 - part) + other * part, np.uint8)


def _people(place: Place, rng: np.random.Generator) -> None:
    """Who and what comes by, and what the light does, over the half hour."""
    scene, lens = place.scene, place.scene.lens
    begin = place.t0 + CLEAR_S
    t = begin + 20
    nuisances: list[Nuisance] = [
        Vegetation(lens, (float(rng.uniform(-5, 5)), float(rng.uniform(8, 14))), seed=place.seed),
        Insects(begin, begin + HONEST_S, lens, per_minute=20, seed=place.seed),
    ]
    while t < begin + HONEST_S - 150:
        side = 1 if rng.integers(2) else -1
        if rng.integers(2):
            _comes(place, rng, t, side)
        else:
            nuisances += _light(rng, t)
        t += float(rng.uniform(40, 120))
    scene.nuisances = nuisances


def _comes(place: Place, rng: np.random.Generator, t: float, side: int) -> None:
    """Traffic and people; a truck that stops before the lens for minutes is one of them."""
    scene = place.scene
    what = int(rng.integers(5))
    if what == 0:
        scene.drive(t, seed=int(rng.integers(1000)))
    elif what == 1:
        spots = [(side * 12, 8.5), (0.0, float(rng.uniform(6.0, 7.5))), (-side * 12, 8.5)]
        scene.actors.append(Actor.along(Kind.TRUCK, t, spots, pause=150.0, seed=what))
    elif what == 2:
        spots = [(side * 6, 6.5), (0.3, 5.6), (-side * 6, 6.5)]
        for extra in range(3):
            walk = [(x + 0.8 * extra, z + 0.3 * extra) for x, z in spots]
            scene.actors.append(Actor.along(Kind.PERSON, t, walk, pause=60.0, seed=extra))
    elif what == 3:
        scene.walk(t, "in")
    else:
        spots = [(side * 9, 12), (0, 8.5), (-side * 9, 12)]
        scene.actors.append(Actor.along(Kind.CAR, t, spots, pause=40.0))


def _light(rng: np.random.Generator, t: float) -> list[Nuisance]:
    """What the light does for seconds or minutes."""
    what = int(rng.integers(5))
    if what == 0:
        return [Cloud(t, hold_s=float(rng.uniform(5, 60)), depth=0.4)]
    if what == 1:
        spot = (float(rng.uniform(0.2, 0.8)), float(rng.uniform(0.3, 0.8)))
        return [Lamp(t, t + 90, spot, reach=0.35, strength=1.2)]
    if what == 2:
        return [Headlights(t + k, strength=1.5) for k in (0, 6, 12)]
    if what == 3:
        return [ExposureHunting(t + 8 * k, swing=0.35) for k in range(5)]
    return [Flicker(t, t + 60)]
