"""How good a detector is on labelled pictures of one's own (COCO's form)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge.domain.observation import Label
from edge.errors import Refused
from edge.model.precision import Array, Case, average_precision, recall_by_height
from edge.vision.detect.detector import Detector
from edge.vision.detect.formats.classes import label_of
from edge.vision.detect.photo import read_photo

MAX_ANNOTATION_BYTES = 500_000_000
BANDS = (0.1, 0.25)  # bounds of box height over picture height
FLOOR = 0.01  # score from which detections count for average precision


@dataclass(frozen=True, slots=True)
class Labelled:
    """One picture's file and its boxes [G, 4] by label; ignored ones apart."""

    file: Path
    height: float
    truth: Mapping[Label, Array]
    ignored: Mapping[Label, Array]


def read_annotations(annotations: Path, images: Path) -> list[Labelled]:
    """Pictures of a COCO file whose categories are people or vehicles by their names.

    Raises:
        Refused: it is no such file, or none of its categories is ours.
    """
    try:
        if annotations.stat().st_size > MAX_ANNOTATION_BYTES:
            raise Refused(f"{annotations}: larger than {MAX_ANNOTATION_BYTES // 1_000_000} MB")
        told = json.loads(annotations.read_bytes())
        labels = {item["id"]: label_of(item["name"]) for item in told["categories"]}
        if not any(labels.values()):
            names = ", ".join(str(item["name"]) for item in told["categories"])[:200]
            raise Refused(f"{annotations}: no category is a person or a vehicle ({names})")
        boxes: dict[Any, list[dict[str, Any]]] = {}
        for item in told["annotations"]:
            if labels.get(item["category_id"]) is not None:
                boxes.setdefault(item["image_id"], []).append(item)
        return [
            _labelled(images, item, boxes.get(item["id"], []), labels) for item in told["images"]
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refused(f"{annotations}: is no COCO annotation file ({error!r:.200})") from error


def _labelled(
    images: Path,
    image: Mapping[str, Any],
    items: list[dict[str, Any]],
    labels: Mapping[Any, Label | None],
) -> Labelled:
    name = Path(str(image["file_name"]))
    if name.is_absolute() or ".." in name.parts:
        raise ValueError(f"{name} lies outside the pictures' folder")

    def rows(label: Label, crowd: bool) -> Array:
        return np.array(
            [
                (x, y, x + w, y + h)
                for item in items
                if labels[item["category_id"]] is label and bool(item.get("iscrowd")) is crowd
                for x, y, w, h in [item["bbox"]]
            ],
            np.float32,
        ).reshape(-1, 4)

    truth = {label: rows(label, crowd=False) for label in Label}
    ignored = {label: rows(label, crowd=True) for label in Label}
    return Labelled(images / name, float(image["height"]), truth, ignored)


def evaluate(detector: Detector, pictures: list[Labelled]) -> Iterator[dict[str, Any]]:
    """Look at every picture; the last thing given are the figures, before it `{"done": n}`.

    Figures: `pictures`, `unreadable`, and for each label `ap50`, `objects`, and `recall` at the
    detector's threshold by height of the box over height of the picture.
    """
    detector.spec = detector.spec.model_copy(update={"floor": FLOOR})
    cases: dict[Label, list[Case]] = {label: [] for label in Label}
    heights: list[float] = []
    unreadable = 0
    for number, picture in enumerate(pictures, 1):
        try:
            frame = read_photo(picture.file)
        except ValueError:
            unreadable += 1
            continue
        found = detector.detect([frame])[0]
        heights.append(picture.height)
        for label in Label:
            rows = [(*thing.box, thing.score) for thing in found if thing.label is label]
            detected = np.array(rows, np.float32).reshape(-1, 5)
            cases[label].append(Case(detected, picture.truth[label], picture.ignored[label]))
        yield {"done": number}
    threshold = detector.spec.threshold
    yield {
        "pictures": len(heights),
        "unreadable": unreadable,
        **{
            label.value: {
                "ap50": average_precision(cases[label]),
                "objects": sum(len(case.truth) for case in cases[label]),
                "recall": recall_by_height(cases[label], heights, BANDS, threshold),
            }
            for label in Label
        },
    }
