"""Scripted walks over a directed line before a rendered shaft mouth, and how many truly cross.

The line lies `BEFORE` metres before the mouth. Whoever goes in walks on into the dark of the
mouth and is gone there; whoever comes out begins there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from edge.vision.spec import CameraSpec, LineSpec
from simulators.cameras.scene import Actor, Scene

BEFORE = 1.6  # metres from the line to the mouth
REACH = 2.3  # metres that the line goes to either side of the mouth's middle
AHEAD = 1.5  # metres before the line that are in view
AWAY = 4.2  # metres before the line where walks begin and end
DEEP = 3.0  # metres beyond it where people are gone
PAUSE_S = 2.5  # between two scripts
LEAD_S = 6.0  # before the first: the gate learns
SPEEDS = (0.8, 2.0)  # m/s
FIRST_SEED = 2_000_000  # scenes and clothes that no training picture shows
KINDS = {
    "single": 10,
    "pair": 8,
    "trio": 6,
    "file": 4,
    "meeting": 4,
    "u-turn": 6,
    "on-the-line": 4,
    "crouch": 4,
    "beside-vehicle": 3,
}
"""How many scripts of a kind a scene has; half of them go in."""

Spot = tuple[float, float]  # x, z on the ground, metres
Count = tuple[int, int]  # in, out


@dataclass(frozen=True)
class Script:
    """One event: who takes part and what a perfect count of people says.

    Attributes:
        kind: a name of `KINDS`.
        begin: scene seconds.
        end: when the last has gone.
        actors: who takes part.
        truth: crossings in and out.
        either: a turn so near to the line that no crossing is right as well.
    """

    kind: str
    begin: float
    end: float
    actors: tuple[Actor, ...]
    truth: Count
    either: bool = False


class Mouth:
    """Where the mouth and the line of a scene are."""

    def __init__(self, scene: Scene) -> None:
        zone = scene.layout.zones["shaft-mouth"]
        self.x = (zone[0][0] + zone[-1][0]) / 2
        self.z = scene.layout.routes["in"][-2][1] - BEFORE
        spots = [(self.x + side * REACH, 0.0, self.z) for side in (1, -1)]
        ends = np.array([*spots, (self.x, 0.0, self.z - AHEAD)], np.float32)
        px, _ = scene.lens.project(ends)
        wide, high = scene.size
        self.start, self.end, ahead = ((float(x) / wide, float(y) / high) for x, y in px)
        # Whoever hangs up a camera to count with sees the whole line and the ground before it.
        seen = (*self.start, *self.end, *ahead)
        self.in_view = min(seen) >= 0 and max(seen) <= 1

    def camera(self) -> CameraSpec:
        """The line as `seal.toml` would have it; from right to left, so that away is in."""
        line = LineSpec(code="mouth-line", start=self.start, end=self.end)
        return CameraSpec(code="shaft-cam", url="file:///rendered", line=(line,))

    def way(self, aside: float, *, inward: bool) -> list[Spot]:
        """Over the line, `aside` metres from the middle, coming or going at a slant."""
        lane = self.x + aside
        slant = -2.0 if self.x > 0 else 2.0  # towards the picture's middle
        spots = [
            (lane + slant, self.z - AWAY),
            (lane, self.z - 1.0),
            (self.x + 0.8 * aside, self.z + DEEP),
        ]
        return spots if inward else spots[::-1]


def scripts(scene: Scene, seed: int, kinds: dict[str, int]) -> Iterator[Script]:
    """Scripts in order of time, one after the other."""
    rng = np.random.default_rng(seed)
    mouth, now = Mouth(scene), LEAD_S
    every = [kind for kind, count in kinds.items() for _ in range(count)]
    order = [(kind, n % 2 == 0) for n, kind in enumerate(every)]
    for index in rng.permutation(len(order)):
        kind, inward = order[int(index)]
        script = _script(kind, rng, mouth, now, inward=inward)
        yield script
        now = script.end + PAUSE_S


def _script(
    kind: str, rng: np.random.Generator, mouth: Mouth, begin: float, *, inward: bool
) -> Script:
    speed = float(rng.uniform(*SPEEDS))

    def walker(aside: float, delay: float = 0.0, *, into: bool = inward) -> Actor:
        jitter = float(rng.uniform(-0.1, 0.1))
        pace = speed * float(rng.uniform(0.96, 1.04))
        return _walk(rng, begin + delay, mouth.way(aside + jitter, inward=into), pace)

    either = False
    if kind == "single":
        actors = [walker(float(rng.uniform(-1, 1)))]
    elif kind == "pair":
        gap = float(rng.uniform(0.65, 1.0))
        actors = [walker(side * gap / 2) for side in (-1, 1)]
    elif kind == "trio":
        gap = float(rng.uniform(0.65, 0.9))
        actors = [walker(side * gap) for side in (-1, 0, 1)]
    elif kind == "file":
        actors = [walker(0.0, delay) for delay in (0.0, 1.3, 2.6)]
    elif kind == "meeting":
        actors = [walker(-0.6, into=True), walker(0.6, into=False)]
    elif kind == "u-turn":
        actors, either = _turned(rng, mouth, begin, speed, inward=inward)
    elif kind in {"on-the-line", "crouch"}:
        actors = [_lingering(rng, mouth, begin, speed, kind, inward=inward)]
    else:
        actors = _beside(rng, mouth, begin, inward=inward)
    people = sum(actor.kind.label == "person" for actor in actors)
    truth = (people, 0) if inward else (0, people)
    if kind in {"u-turn", "meeting"}:
        truth = (1, 1)
    end = max(actor.end for actor in actors)
    return Script(kind, begin, end, tuple(actors), truth, either)


def _walk(rng: np.random.Generator, begin: float, way: Sequence[Spot], speed: float) -> Actor:
    return Actor.along("person", begin, way, speed=speed, seed=_dress(rng))


def _turned(
    rng: np.random.Generator, mouth: Mouth, begin: float, speed: float, *, inward: bool
) -> tuple[list[Actor], bool]:
    """Over the line and back, or only up to it: `either` count is right there."""
    far = float(rng.uniform(1.0, 1.8)) if rng.random() < 0.5 else float(rng.uniform(-0.3, 0.3))
    aside = float(rng.uniform(-0.8, 0.8))
    turn = mouth.z + (far if inward else -far)
    first, second, last = mouth.way(aside, inward=inward)
    if inward:
        way = [first, second, (mouth.x + aside, turn), second, first]
    else:
        way = [first, (mouth.x + aside, turn), first]
        del last
    return [_walk(rng, begin, way, speed)], far < 1.0


def _lingering(
    rng: np.random.Generator, mouth: Mouth, begin: float, speed: float, kind: str, *, inward: bool
) -> Actor:
    aside = float(rng.uniform(-0.8, 0.8))
    first, _, last = mouth.way(aside, inward=inward)
    stop = (mouth.x + aside, mouth.z + float(rng.uniform(-0.25, 0.25)))
    return Actor.along(
        "person",
        begin,
        [first, stop, last],
        speed=speed,
        pause=float(rng.uniform(2.0, 6.0)),
        seed=_dress(rng),
        rest="crouch" if kind == "crouch" else "stand",
    )


def _beside(rng: np.random.Generator, mouth: Mouth, begin: float, *, inward: bool) -> list[Actor]:
    """A car over the line at a walk, and somebody close behind its flank."""
    side = -1.0 if mouth.x > 0 else 1.0
    speed = float(rng.uniform(1.0, 1.5))
    spots = [(mouth.x - side * 0.9, mouth.z - AWAY - 2), (mouth.x - side * 0.7, mouth.z + DEEP + 3)]
    car = Actor.along("car", begin, spots if inward else spots[::-1], speed=speed, seed=_dress(rng))
    person = _walk(rng, begin + 1.0, mouth.way(side * 1.1, inward=inward), speed)
    return [car, person]


def _dress(rng: np.random.Generator) -> int:
    return FIRST_SEED + int(rng.integers(1 << 30))
