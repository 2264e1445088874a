"""Scripts of rendered scenes: visits to a shaft mouth, and hours in which nobody comes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np

from simulators.cameras.scene import Actor, Scene
from simulators.cameras.scene.clutter import Insects, Vegetation
from simulators.cameras.scene.nuisance import (
    Cloud,
    ExposureHunting,
    Flicker,
    Headlights,
    IrSwitchover,
    Lamp,
    Nuisance,
)

SIZE = (1280, 720)
SEED = 2_000_000  # the detector of ours was trained on scenes below 1,000,000
FAR_FOV = 88.0  # a person at the mouth is an eighth of the picture's height, else a fifth
SETTLE_S = 20.0  # before the first visit, and between two at least
SHORTEST_S, LONGEST_S = 2.0, 20.0
VIEWS = ("near", "far")


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody is in the zone from `begin` to `end`, scene seconds."""

    begin: float
    end: float
    what: str


@dataclass(frozen=True, slots=True)
class Event:
    """A nuisance, for telling what a false incident may come from."""

    begin: float
    end: float
    what: str


@dataclass(frozen=True, slots=True)
class Clip:
    """A scene with its script, `seconds` long."""

    scene: Scene
    seconds: float
    visits: tuple[Visit, ...] = ()
    events: tuple[Event, ...] = ()


def build(setting: str, view: str, number: int) -> Scene:
    """Layout `number` under a setting, seen from near or far; empty. One of a kind at a time."""
    scene = _painted(view, number)
    scene.set(setting)
    scene.actors, scene.nuisances = [], []
    return scene


@lru_cache(maxsize=4)
def _painted(view: str, number: int) -> Scene:
    return Scene(SIZE, SEED + number, "shaft", fov=FAR_FOV if view == "far" else None)


def within(spot: tuple[float, float], polygon: Sequence[tuple[float, float]]) -> bool:
    """Whether a spot lies in a polygon, its edge included."""
    return cv2.pointPolygonTest(np.array(polygon, np.float32), spot, measureDist=False) >= 0


# Visits

_MANNERS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("walks in", "in", {}),
    ("comes out", "out", {}),
    ("walks past", "mouth", {}),
    ("looks and goes back", "in", {"turn": 0.8}),
    ("hurries past", "mouth", {"speed": 2.1}),
    ("pair walks in", "in", {"count": 2}),
    ("crouches along", "mouth", {"gait": "crouch", "speed": 0.9}),
    ("crawls in", "in", {"gait": "crawl", "speed": 0.6}),
    ("waits before it", "in", {"turn": 0.85, "rest": "crouch"}),
    ("walks in backwards", "in", {"backwards": True}),
)


def visits(setting: str, view: str, number: int, count: int) -> Clip:
    """`count` visits, one after another, with the steady nuisances of the setting."""
    scene = build(setting, view, number)
    rng = np.random.default_rng([SEED, number, count])
    mouth, line = scene.layout.extras["mouth"]
    away = 6.0 if mouth > 0 else -6.0
    scene.layout.routes["mouth"] = ((mouth - away, line), (mouth + away, line - 0.8))
    found: list[Visit] = []
    t = SETTLE_S
    while len(found) < count:
        what, route, manner = _MANNERS[(number * 3 + len(found)) % len(_MANNERS)]
        actors = _cast(scene, rng, t, route, dict(manner))
        spans = [span for actor in actors if (span := _stay(scene, actor)) is not None]
        begin, end = min(b for b, _ in spans), max(e for _, e in spans)
        if not SHORTEST_S <= end - begin <= LONGEST_S:
            continue
        scene.actors += actors
        found.append(Visit(begin, end, what))
        t = max(actor.end for actor in actors) + SETTLE_S + float(rng.uniform(0, 15))
    scene.nuisances = steady(scene, setting, number)
    return Clip(scene, t, tuple(found))


def _cast(
    scene: Scene, rng: np.random.Generator, t: float, route: str, manner: dict[str, Any]
) -> list[Actor]:
    count, seed = manner.pop("count", 1), int(rng.integers(1 << 30))
    manner.setdefault("speed", float(rng.uniform(1.0, 1.6)))
    if "turn" in manner:
        manner["pause"] = float(rng.uniform(0, 12))
    spots = scene.layout.routes[route]
    return [
        Actor.along("person", t, spots, aside=0.8 * index, seed=seed + index, **manner)
        for index in range(count)
    ]


def _stay(scene: Scene, actor: Actor) -> tuple[float, float] | None:
    """From when to when its feet are in the zone."""
    zone = scene.layout.zones["shaft-mouth"]
    moments = [
        t
        for t in np.arange(actor.start, actor.end, 0.05)
        if (pose := actor.at(float(t))) is not None and within(pose.place, zone)
    ]
    return (float(moments[0]), float(moments[-1])) if moments else None


# Hours in which nobody comes


def steady(scene: Scene, setting: str, number: int) -> list[Nuisance]:
    """What is always there: two bushes in the wind, at night insects before the lens."""
    x, _ = scene.layout.extras["mouth"]
    wind = {"rain": 9.0, "fog": 2.5, "snow": 7.0}.get(setting, 5.0)
    found: list[Nuisance] = [
        Vegetation(scene.lens, (-0.8 * x, 8.6), wind=wind, seed=number),
        Vegetation(scene.lens, (1.75 * x, 9.0), height=1.4, wind=wind, seed=number + 1),
    ]
    if setting.startswith("ir-night"):
        found.append(Insects(0.0, np.inf, scene.lens, per_minute=6.0, seed=number))
    return found


def empty(setting: str, view: str, number: int, seconds: float) -> Clip:
    """Nobody comes; light, weather and animals do what they do."""
    scene = build(setting, view, number)
    scene.nuisances = steady(scene, setting, number)
    rng = np.random.default_rng([SEED, number, 1])
    events: list[Event] = []
    for make, every_s in _HAPPENS[setting]:
        t = 60.0 + float(rng.exponential(every_s))
        while t < seconds - 10:
            happened = make(scene, rng, t)
            events += happened
            t = max(event.end for event in happened) + float(rng.exponential(every_s))
    return Clip(scene, seconds, (), tuple(sorted(events, key=lambda event: event.begin)))


Make = Callable[[Scene, np.random.Generator, float], list[Event]]


def _note(scene: Scene, *nuisances: Nuisance) -> list[Event]:
    scene.nuisances += nuisances
    return [Event(item.start, item.end, type(item).__name__) for item in nuisances]


def _cloud(scene: Scene, rng: np.random.Generator, t: float) -> list[Event]:
    side = float(rng.choice([-1, 1]))
    cloud = Cloud(
        t,
        hold_s=float(rng.uniform(5, 60)),
        rise_s=float(rng.uniform(1, 5)),
        travel_s=side * float(rng.uniform(1, 6)),
        depth=float(rng.uniform(0.15, 0.45)),
    )
    return _note(scene, cloud, ExposureHunting(t + 2, swing=0.08))


def _exposure(scene: Scene, rng: np.random.Generator, t: float) -> list[Event]:
    swing, period = float(rng.uniform(0.08, 0.25)), float(rng.uniform(0.8, 2.5))
    return _note(scene, ExposureHunting(t, swing, period))


def _lamp(scene: Scene, rng: np.random.Generator, t: float) -> list[Event]:
    end = t + float(rng.uniform(30, 240))
    spot = (float(rng.uniform(0.2, 0.8)), float(rng.uniform(0.5, 0.8)))
    lamp = Lamp(t, end, spot, float(rng.uniform(0.12, 0.3)), float(rng.uniform(0.4, 1.2)))
    return _note(scene, lamp, Flicker(t, end), ExposureHunting(t + 0.2, swing=0.1))


def _headlights(scene: Scene, rng: np.random.Generator, t: float) -> list[Event]:
    sweep = float(rng.uniform(2, 7)) * float(rng.choice([-1, 1]))
    return _note(scene, Headlights(t, sweep, strength=float(rng.uniform(0.5, 1.6))))


def _infrared(scene: Scene, rng: np.random.Generator, t: float) -> list[Event]:
    return _note(scene, IrSwitchover(t, t + float(rng.uniform(60, 240))))


def _animal(scene: Scene, rng: np.random.Generator, t: float) -> list[Event]:
    """A dog or a cat beside the zone."""
    return [_cross(scene, rng, t, 8.5)]


def _cross(scene: Scene, rng: np.random.Generator, t: float, depth: float) -> Event:
    mouth, _ = scene.layout.extras["mouth"]
    side = float(rng.choice([-1, 1]))
    kind = str(rng.choice(["dog", "cat"]))
    route = [(mouth - 9 * side, depth), (mouth + 9 * side, depth - 0.5)]
    actor = Actor.along(kind, t, route, seed=int(rng.integers(1 << 30)))
    scene.actors.append(actor)
    return Event(actor.start, actor.end, kind)


def animals(setting: str, view: str, number: int, count: int) -> Clip:
    """`count` dogs and cats that go through the zone: nobody, but more than an empty scene."""
    scene = build(setting, view, number)
    scene.nuisances = steady(scene, setting, number)
    _, line = scene.layout.extras["mouth"]
    rng = np.random.default_rng([SEED, number, 2])
    events: list[Event] = []
    t = SETTLE_S
    for _ in range(count):
        events.append(_cross(scene, rng, t, line))
        t = events[-1].end + SETTLE_S
    return Clip(scene, t, (), tuple(events))


_DUSK: tuple[tuple[Make, float], ...] = (
    (_lamp, 600),
    (_headlights, 500),
    (_infrared, 1200),
    (_exposure, 900),
    (_animal, 1800),
)
_NIGHT: tuple[tuple[Make, float], ...] = (
    (_lamp, 900),
    (_headlights, 500),
    (_exposure, 900),
    (_animal, 1800),
)
_WEATHER: tuple[tuple[Make, float], ...] = ((_exposure, 600), (_headlights, 1200), (_animal, 1800))
_HAPPENS: dict[str, tuple[tuple[Make, float], ...]] = {
    "day": ((_cloud, 200), (_exposure, 900), (_animal, 1800)),
    "dusk": _DUSK,
    "ir-night-4": _NIGHT,
    "ir-night-8": _NIGHT,
    "fog": _WEATHER,
    "rain": _WEATHER,
    "snow": _WEATHER,
}
"""What happens under each setting, and the mean time between two of a kind, seconds."""
