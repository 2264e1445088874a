"""Measure detector files with one ruler: `python -m models.train.evaluate --help`.

Held-out photos (AP at IoU 0.5, recall by height, false boxes), rendered scenes that no training
seed made, and a film of single visits. Needs no torch. Prints Markdown; `--json` keeps figures.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from edge.model import precision as metrics
from edge.model.precision import Case
from models.train.prepare import load
from models.train.readers import Array, Picture, Reader

CLASSES = ("person", "vehicle")
BANDS = (0.1, 0.25)  # bounds of box height over picture height
THRESHOLDS = (0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5)


@dataclass(frozen=True)
class Sight:
    """One labelled picture: tags for grouping, and which classes' boxes are of people's hand."""

    picture: Picture
    boxes: Array
    tags: frozenset[str]
    by_people: frozenset[int]


@dataclass(frozen=True)
class Seen:
    """A sight without its pixels, and what one file found in it, per class."""

    height: int
    tags: frozenset[str]
    by_people: frozenset[int]
    cases: tuple[Case, ...]


def photos(data: Path) -> Iterator[Sight]:
    """Held-out photos; tags are the conditions of the data list."""
    for photo in load(data, want_held_out=True):
        yield Sight(photo.picture, photo.boxes, frozenset(photo.condition), photo.by_people)


def look(read: Reader, sights: list[Sight]) -> list[Seen]:
    seen = []
    for sight in sights:
        found, boxes = read(sight.picture), sight.boxes
        cases = []
        for number, rows in enumerate(found):
            own = boxes[boxes[:, 4] == number]
            truth, ignored = own[own[:, 5] == 0, :4], own[own[:, 5] > 0, :4]
            cases.append(Case(rows, truth, ignored))
        seen.append(Seen(sight.picture.shape[0], sight.tags, sight.by_people, tuple(cases)))
    return seen


def milliseconds(read: Reader, picture: Picture, rounds: int = 60) -> float:
    """Best time of resize, network and decoding on one thread: others may use the machine."""
    cv2.setNumThreads(1)
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        read(picture)
        times.append(time.perf_counter() - began)
    return min(times) * 1000


def precision(seen: list[Seen]) -> dict[str, float]:
    """AP50 per class, and per class on boxes that people drew."""
    figures = {}
    for number, name in enumerate(CLASSES):
        figures[name] = metrics.average_precision([s.cases[number] for s in seen])
        human = [s.cases[number] for s in seen if number in s.by_people]
        figures[f"{name}_by_people"] = metrics.average_precision(human)
    return figures


def by_tag(seen: list[Seen], least: int = 10) -> dict[str, dict[str, float]]:
    """AP50 per class for each tag with at least `least` objects of the class."""
    figures: dict[str, dict[str, float]] = {}
    for tag in sorted({t for s in seen for t in s.tags}):
        for number, name in enumerate(CLASSES):
            cases = [s.cases[number] for s in seen if tag in s.tags]
            if sum(len(c.truth) for c in cases) >= least:
                figures.setdefault(tag, {})[name] = metrics.average_precision(cases)
    return figures


def bands(seen: list[Seen], threshold: float) -> dict[str, list[tuple[int, float]]]:
    """Per class: (how many, share found) for each height band."""
    return {
        name: metrics.recall_by_height(
            [s.cases[number] for s in seen],
            [float(s.height) for s in seen],
            BANDS,
            threshold,
        )
        for number, name in enumerate(CLASSES)
    }


def alarms(seen: list[Seen], threshold: float) -> dict[str, float]:
    """What one single picture says at a threshold.

    Returns:
        false_boxes: per picture, both classes. false_pictures: share of pictures without any
        labelled or ignored object that show a box. missed_pictures: share of pictures with an
        object of at least a quarter of the height in which nothing of its class is found.
    """
    boxes = metrics.false_boxes([c for s in seen for c in s.cases], threshold)
    empty, wrong, full, missed = 0, 0, 0, 0
    for sight in seen:
        sure = [c.found[c.found[:, 4] >= threshold] for c in sight.cases]
        if not any(len(c.truth) or len(c.ignored) for c in sight.cases):
            empty += 1
            wrong += any(len(rows) for rows in sure)
        for case, rows in zip(sight.cases, sure, strict=True):
            large = (case.truth[:, 3] - case.truth[:, 1]) >= BANDS[-1] * sight.height
            if large.any():
                full += 1
                missed += not metrics.judge(Case(rows, case.truth, case.ignored))[2].any()
    return {
        "false_boxes": boxes / len(seen),
        "false_pictures": wrong / empty if empty else float("nan"),
        "missed_pictures": missed / full if full else float("nan"),
    }


def film(read: Reader, path: Path, threshold: float, every: int = 5) -> dict[str, float]:
    """Share of frames with and without a person in which one is found (`presence.json`)."""
    presence = json.loads((path.parent / "presence.json").read_text())[path.name]["present"]
    video = cv2.VideoCapture(str(path))
    there, found, absent, wrong, number = 0, 0, 0, 0, 0
    while video.grab():
        if number % every == 0:
            _, frame = video.retrieve()
            hit = bool((read(np.asarray(frame, np.uint8))[0][:, 4] >= threshold).any())
            margin = min(min(abs(number - a), abs(number - b)) for a, b in presence)
            if any(a <= number <= b for a, b in presence):
                there, found = there + 1, found + hit
            elif margin > 5:
                absent, wrong = absent + 1, wrong + hit
        number += 1
    return {"found": found / there, "false": wrong / absent, "frames": there + absent}


def everything(
    read: Reader,
    threshold: float,
    sets: dict[str, list[Sight]],
    video: Path | None,
) -> dict[str, object]:
    """All figures of one file."""
    figures: dict[str, object] = {"threshold": threshold}
    for name, sights in sets.items():
        seen = look(read, sights)
        figures.setdefault("ms", milliseconds(read, sights[0].picture))
        figures[name] = {
            "pictures": len(seen),
            "ap50": precision(seen),
            "by_tag": by_tag(seen),
            "recall_by_height": bands(seen, threshold),
            "alarms": {str(t): alarms(seen, t) for t in sorted({*THRESHOLDS, threshold})},
        }
    if video is not None:
        figures["film"] = film(read, video, threshold)
    return figures


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="models.train.evaluate", description=__doc__)
    parser.add_argument("files", type=Path, nargs="+", help="ONNX files, ours or foreign")
    parser.add_argument("--data", type=Path, help="images.tar, annotations.json.gz")
    parser.add_argument("--rendered", type=int, default=0, help="how many rendered scenes")
    parser.add_argument("--video", type=Path, help="a film with presence.json beside it")
    parser.add_argument("--threshold", type=float, default=0.4, help="for foreign files")
    parser.add_argument("--own", type=float, default=0.4, help="threshold of our file")
    parser.add_argument("--json", type=Path, help="keep all figures here")
    return parser.parse_args()


def gather(args: argparse.Namespace) -> dict[str, list[Sight]]:
    sets: dict[str, list[Sight]] = {}
    if args.data:
        sets["photos"] = list(photos(args.data))
    if args.rendered:
        from models.train.rendered import held_out_scenes

        every = frozenset((0, 1))
        sets["rendered"] = [
            Sight(picture, boxes, frozenset(tags), every)
            for picture, boxes, tags in held_out_scenes(args.rendered)
        ]
    return sets


def cell(value: object) -> str:
    return f"{value:.3f}".removeprefix("0") if isinstance(value, float) else str(value)


def table(title: str, results: dict[str, dict], row: Callable[[dict], dict[str, object]]) -> None:
    """Print one Markdown table: a file per line."""
    rows = {name: row(figures) for name, figures in results.items()}
    heads = list(dict.fromkeys(h for r in rows.values() for h in r))
    print(f"\n{title}\n\n| file | {' | '.join(heads)} |\n|---|{'---|' * len(heads)}")
    for name, values in rows.items():
        print(f"| {name} | {' | '.join(cell(values.get(h, '')) for h in heads)} |")


def tell(results: dict[str, dict], sets: list[str]) -> None:
    table("ms a picture, one thread", results, lambda f: {"ms": round(f["ms"], 1)})
    for name in sets:
        table(f"{name}: AP50", results, lambda f, n=name: f[n]["ap50"])
        table(
            f"{name}: AP50 person / vehicle by condition",
            results,
            lambda f, n=name: {
                tag: " / ".join(cell(v.get(c, "–")) for c in CLASSES)
                for tag, v in f[n]["by_tag"].items()
            },
        )
        table(
            f"{name}: recall at the threshold, height < 10 % / 10-25 % / > 25 % (objects)",
            results,
            lambda f, n=name: {
                c: " / ".join(f"{cell(share)} ({count})" for count, share in rows)
                for c, rows in f[n]["recall_by_height"].items()
            },
        )
        table(
            f"{name}: single pictures by threshold: "
            "false boxes a picture, empty pictures with a box, objects > 25 % missed",
            results,
            lambda f, n=name: {
                t: " / ".join(cell(float(v)) for v in figures.values())
                for t, figures in f[n]["alarms"].items()
            },
        )
    if all("film" in f for f in results.values()):
        table("film: frames with a person found, without one called", results, lambda f: f["film"])


def main() -> None:
    args = arguments()
    sets = gather(args)
    results: dict[str, dict] = {}
    for path in args.files:
        threshold = args.own if path.name.startswith("eseal") else args.threshold
        results[path.stem] = everything(Reader(path), threshold, sets, args.video)
    tell(results, list(sets))
    if args.json:
        args.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
