"""People counted over a directed line at the shaft mouth: scripted crossings, both ways.

Rendered scenes (day and infrared night, layouts and clothes that no training picture shows),
coded as a camera codes, through the product's own gate, detector, tracker and lines in simulated
time. Once more with a perfect detector whose boxes tremble, miss and lie now and then: what is
left there is the tracker's and the lines' own error.

An error is counted script by script: somebody missed here and somebody too many there do not
make up for each other. `net_*` is what a head-count would be wrong by in the end.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count, islice

import numpy as np

from benchmarks.crossings import FIRST_SEED, KINDS, PAUSE_S, Count, Mouth, Script, scripts
from benchmarks.rig import report
from benchmarks.visits_stream import LazyStream
from edge.clock import ManualClock, Stamp
from edge.domain.activity import Activity, ActivityKind, Phase
from edge.domain.observation import Label, Quality, Sighting
from edge.vision.detect.detector import Detector
from edge.vision.detect.loading import load_detector
from edge.vision.follow.track import Found
from edge.vision.follow.tracker import Tracker
from edge.vision.follow.zones import ZoneAnalyser
from edge.vision.playback import follow
from simulators.cameras.scene import Scene

SIZE = (896, 504)
CONDITIONS = ("day", "night")
SCENES = 2  # of each condition
SEEDS = FIRST_SEED + 100
RATE_S = 0.2  # between two pictures of the perfect detector
EARLY_S, LATE_S = 1.0, 1.5  # a crossing belongs to the script it falls into
TREMBLE = 0.03  # of a box's size, standard deviation of each edge
MISSED = 0.1  # of the boxes
LIES = 0.03  # boxes a picture that show nothing
HIDDEN = 0.35  # an actor of which less is seen is not found


@dataclass
class Row:
    """What became of the scripts of one kind."""

    scripts: int = 0
    right: int = 0
    true: list[int] = field(default_factory=lambda: [0, 0])
    counted: list[int] = field(default_factory=lambda: [0, 0])
    wrong: list[int] = field(default_factory=lambda: [0, 0])
    doubted: int = 0
    wrong_and_doubted: int = 0

    def add(self, other: Row) -> None:
        """Add another row to this one."""
        for name in ("scripts", "right", "doubted", "wrong_and_doubted"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("true", "counted", "wrong"):
            mine, more = getattr(self, name), getattr(other, name)
            setattr(self, name, [a + b for a, b in zip(mine, more, strict=True)])

    def error(self, way: int) -> float:
        """Wrong crossings of one direction for each true one."""
        return self.wrong[way] / max(1, self.true[way])


@dataclass(frozen=True)
class Crossed:
    """One crossing as the product told it."""

    at: float
    way: int  # 0 in, 1 out
    doubted: bool


def judge(script: Script, crossed: Iterable[Crossed]) -> Row:
    """Compare one script with the crossings that fall into it."""
    mine = [one for one in crossed if script.begin - EARLY_S <= one.at < script.end + LATE_S]
    counted: Count = (sum(one.way == 0 for one in mine), sum(one.way == 1 for one in mine))
    truth = (0, 0) if script.either and counted == (0, 0) else script.truth
    wrong = [abs(a - b) for a, b in zip(counted, truth, strict=True)]
    doubted, right = any(one.doubted for one in mine), not any(wrong)
    return Row(
        1, int(right), list(truth), list(counted), wrong, int(doubted), int(doubted and not right)
    )


def people(activities: Iterable[Activity], start: Stamp) -> Iterator[Crossed]:
    """The crossings of people among activities."""
    for item in activities:
        if item.kind is not ActivityKind.LINE_CROSSED or item.phase is not Phase.STARTED:
            continue
        if item.detail["label"] == Label.PERSON:
            way, doubted = int(item.aspect == "out"), bool(item.detail.get("uncertain"))
            yield Crossed(item.stamp.since(start), way, doubted)


def product(scene: Scene, cast: list[Script], detector: Detector) -> list[Crossed]:
    """What the product counts."""
    scene.actors = [actor for script in cast for actor in script.actors]
    camera, start = Mouth(scene).camera(), ManualClock().now()
    zones = ZoneAnalyser(camera)
    crossed: list[Crossed] = []
    pictures = LazyStream(scene).pictures(cast[-1].end + PAUSE_S)
    for observation, _ in follow(pictures, camera, detector, start):
        if isinstance(observation, Sighting):
            crossed += people(zones.step(observation), start)
    return crossed


def perfect(scene: Scene, cast: list[Script], seed: int) -> list[Crossed]:
    """What tracker and lines count of boxes that are true but for small faults."""
    camera, clock = Mouth(scene).camera(), ManualClock()
    tracker, zones, start = Tracker(), ZoneAnalyser(camera), clock.now()
    rng = np.random.default_rng(seed)
    crossed: list[Crossed] = []
    for script in cast:
        scene.actors = list(script.actors)
        clock.advance(script.begin - EARLY_S - clock.now().since(start))
        while (t := clock.now().since(start)) < script.end + LATE_S:
            objects = tracker.step(_boxes(scene, t, rng), clock.now())
            sighting = Sighting(camera.code, clock.now(), Quality.GOOD, objects)
            crossed += people(zones.step(sighting), start)
            clock.advance(RATE_S)
    return crossed


def _boxes(scene: Scene, t: float, rng: np.random.Generator) -> list[Found]:
    found = []
    for box in scene.boxes(t):
        if box.visible < HIDDEN or rng.random() < MISSED:
            continue
        edges = np.array([box.x1, box.y1, box.x2, box.y2])
        size = np.tile(edges[2:] - edges[:2], 2)
        edges = np.clip((edges + rng.normal(0, TREMBLE, 4) * size) / np.tile(scene.size, 2), 0, 1)
        found.append(Found(Label(box.label), 0.7, tuple(edges.tolist())))
    if rng.random() < LIES:
        x, y = rng.uniform(0, 0.9), rng.uniform(0, 0.8)
        found.append(Found(Label.PERSON, 0.5, (x, y, x + 0.05, y + 0.2)))
    return found


def main() -> None:
    """Count and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="", help="detector: a name or an .onnx file")
    parser.add_argument("--scenes", type=int, default=SCENES, help="of each condition")
    parser.add_argument("--seed", type=int, default=SEEDS, help="of the first scene")
    parser.add_argument("--quick", action="store_true", help="one script of a kind, two scenes")
    args = parser.parse_args()
    detector = load_detector(args.model, 1)
    kinds = dict.fromkeys(KINDS, 1) if args.quick else KINDS
    wanted = len(CONDITIONS) * (1 if args.quick else args.scenes)
    rows: dict[str, dict[tuple[str, str], Row]] = {
        "product": defaultdict(Row),
        "perfect": defaultdict(Row),
    }
    for number, scene in enumerate(islice(views(args.seed), wanted)):
        seed, condition = scene.seed, CONDITIONS[number % len(CONDITIONS)]
        scene.condition = condition
        cast = list(scripts(scene, seed, kinds))
        for name, crossed in (
            ("product", product(scene, cast, detector)),
            ("perfect", perfect(scene, cast, seed)),
        ):
            for script in cast:
                row = judge(script, crossed)
                rows[name][script.kind, condition].add(row)
                if not row.right:
                    print(
                        f"{name}, scene {seed} by {condition}, {script.kind} at "
                        f"{script.begin:.1f} s: true {row.true}, counted {row.counted}"
                    )
    for name, table in rows.items():
        show(name, table)
    whole = {name: total(table.values()) for name, table in rows.items()}
    report({"crossings": sum(whole["product"].true), **figures(whole)})


def views(seed: int) -> Iterator[Scene]:
    """Scenes whose line is in view, without end."""
    for number in count(seed):
        scene = Scene(SIZE, seed=number)
        if Mouth(scene).in_view:
            yield scene


def figures(whole: dict[str, Row]) -> dict[str, float]:
    """The report's figures of the product and of the perfect detector."""
    told: dict[str, float] = {}
    for name, prefix in (("product", ""), ("perfect", "perfect_")):
        row = whole[name]
        for way, direction in enumerate(("in", "out")):
            told[f"{prefix}error_{direction}"] = round(row.error(way), 4)
            net = abs(row.counted[way] - row.true[way]) / max(1, row.true[way])
            told[f"{prefix}net_{direction}"] = round(net, 4)
    row = whole["product"]
    told["scripts_wrong"] = row.scripts - row.right
    told["scripts_wrong_and_said_uncertain"] = row.wrong_and_doubted
    told["scripts_said_uncertain"] = row.doubted
    return told


def total(rows: Iterable[Row]) -> Row:
    """All rows in one."""
    whole = Row()
    for row in rows:
        whole.add(row)
    return whole


def show(name: str, table: dict[tuple[str, str], Row]) -> None:
    """Print the table by kind and condition."""
    print(f"\n| {name} | light | scripts | right | in: true, counted | out | said uncertain |")
    print("|---|---|---|---|---|---|---|")
    for (kind, condition), row in sorted(table.items()):
        ways = [f"{row.true[way]}, {row.counted[way]}" for way in (0, 1)]
        print(
            f"| {kind} | {condition} | {row.scripts} | {row.right} "
            f"| {ways[0]} | {ways[1]} | {row.doubted} |"
        )


if __name__ == "__main__":
    main()
