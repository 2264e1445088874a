"""Rendered shaft heads and gates with exact truth, as a `Store`: what no photo list has.

Fixed cameras a few metres up, infrared night, rain, snow, fog, dusk, empty yards. Scenes whose
seed is below `HELD_OUT` train; those from there on are only ever measured.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from models.train import views
from models.train.prepare import write
from models.train.views import Boxes, Picture
from simulators.cameras.scene.actors import Actor, Kind
from simulators.cameras.scene.routes import Spot
from simulators.cameras.scene.scene import Scene

HELD_OUT = 1_000_000
SIZE = (896, 512)
CONDITIONS = ("day", "dusk", "night", "rain", "snow", "fog")
WEIGHTS = (0.24, 0.14, 0.32, 0.1, 0.1, 0.1)
PER_SCENE = 12  # pictures of one layout, half of them in another light
NUMBER = {"person": 0, "vehicle": 1}
HIDDEN = 0.35  # an actor of which less is seen is not judged
MOMENT = 20.0  # scene second of every picture


def ground(rng: np.random.Generator, scene: Scene, least: float) -> Spot | None:
    """A spot in view where a person is at least `least` of the picture's height."""
    for _ in range(20):
        try:
            x, z = scene.ground(float(rng.uniform(0.03, 0.97)), float(rng.uniform(0.2, 1.02)))
        except ValueError:
            continue
        ends = np.array([[x, 0, z], [x, 1.72, z]], np.float32)
        (foot, head), depth = scene.lens.project(ends)
        if depth.min() > 3 and abs(float(foot[1] - head[1])) >= least * scene.size[1]:
            return x, z
    return None


def actor(rng: np.random.Generator, scene: Scene, kind: Kind) -> Actor | None:
    """Somebody at a random spot, at rest or on the way, at `MOMENT`."""
    spot = ground(rng, scene, 0.07)
    if spot is None:
        return None
    seed, heading = int(rng.integers(1 << 30)), float(rng.uniform(-np.pi, np.pi))
    if kind is Kind.PERSON and rng.random() < 0.4:
        rest = "crouch" if rng.random() < 0.4 else "stand"
        return Actor.still(
            kind,
            0,
            2 * MOMENT,
            spot,
            seed=seed,
            rest=rest,
            facing=heading,
        )
    step = np.array([np.sin(heading), np.cos(heading)]) * float(rng.uniform(3, 8))
    keys = ((MOMENT - 5, *(spot - step)), (MOMENT + 5, *(spot + step)))
    return Actor(kind, tuple((float(t), float(x), float(z)) for t, x, z in keys), seed)


def populate(rng: np.random.Generator, scene: Scene) -> None:
    """Nobody, a few people, some vehicles."""
    people = int(rng.choice([0, 1, 2, 3, 5], p=[0.35, 0.33, 0.18, 0.1, 0.04]))
    vehicles = int(rng.choice([0, 1, 2], p=[0.62, 0.3, 0.08]))
    kinds = [Kind.PERSON] * people
    kinds += [Kind.TRUCK if rng.random() < 0.6 else Kind.CAR for _ in range(vehicles)]
    cast = [actor(rng, scene, kind) for kind in kinds]
    scene.actors = [a for a in cast if a is not None]


def truth(scene: Scene) -> Boxes:
    """Box rows of the scene at `MOMENT`."""
    rows = [
        [b.x1, b.y1, b.x2, b.y2, NUMBER[b.label], float(b.visible < HIDDEN)]
        for b in scene.boxes(MOMENT)
    ]
    return np.array(rows, np.float32).reshape(-1, 6)


def scenes(
    first: int,
    count: int,
    each: int,
) -> Iterator[tuple[Picture, Boxes, tuple[str, str]]]:
    """Yield `count` whole pictures, `each` of one layout, their boxes, and (condition, place)."""
    made, seed = 0, first
    while made < count:
        rng = np.random.default_rng(seed)
        place = "shaft" if rng.random() < 0.6 else "gate"
        scene = Scene(SIZE, seed=seed, place=place)
        scene.epoch += float(rng.uniform(0, 3e7))
        scene.clock = bool(rng.random() < 0.8)
        for number in range(min(each, count - made)):
            if number % (each // 2) == 0:
                scene.condition = str(rng.choice(CONDITIONS, p=WEIGHTS))
            scene.noise = float(rng.choice([0.3, 1.0, 2.0, 4.0]))
            scene.shake = float(rng.choice([0.0, 0.0, 3.0]))
            populate(rng, scene)
            yield scene.render(MOMENT), truth(scene), (str(scene.condition), place)
            made += 1
        seed += 1


def held_out_scenes(count: int) -> Iterator[tuple[Picture, Boxes, tuple[str, str]]]:
    """Pictures of layouts, people and vehicles that no training picture shows."""
    return scenes(HELD_OUT, count, 4)


def training_views(count: int) -> Iterator[tuple[Picture, Boxes]]:
    """Whole views and cut ones in turn: a cut brings people nearer than such a camera does."""
    rng = np.random.default_rng(11)
    for number, (picture, boxes, _) in enumerate(scenes(0, count, PER_SCENE)):
        if number % 2:
            yield views.cropped(rng, picture, boxes)
        else:
            yield views.stretched(picture, boxes)


def prepare(work: Path, count: int) -> None:
    """Make the rendered views under `work`/rendered unless they are there."""
    if not (work / "rendered" / "boxes.npz").exists():
        write(work / "rendered", count, training_views(count))


def main() -> None:
    parser = argparse.ArgumentParser(prog="models.train.rendered", description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--count", type=int, default=2600)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    prepare(args.work, args.count)


if __name__ == "__main__":
    main()
