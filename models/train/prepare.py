"""Photos and boxes to views in memory maps, once: `views.u8` [M,H,W,3] and `boxes.npz`.

The split is by a hash of the file name, so that it never depends on order or chance.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import tarfile
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from models.train import views
from models.train.views import Boxes, Picture

HELD_OUT_PERCENT = 8


@dataclass(frozen=True)
class Photo:
    """One photo of the data list. Box rows as in `views`, in picture pixels."""

    name: str
    source: str
    condition: tuple[str, ...]
    picture: Picture
    boxes: Boxes
    by_people: frozenset[int]  # classes whose boxes were drawn by people, not by detectors


def held_out(name: str) -> bool:
    """Whether training must never see this file."""
    return int(hashlib.sha256(name.encode()).hexdigest()[:8], 16) % 100 < HELD_OUT_PERCENT


def rows(image: dict, annotations: list[dict]) -> Boxes:
    """COCO rows to box rows. A category that is not complete on this image is ignored whole."""
    out = []
    for a in annotations:
        x, y, w, h = a["bbox"]
        out.append([x, y, x + w, y + h, a["category_id"] - 1, float(bool(a.get("iscrowd")))])
    out.extend(
        [0, 0, image["width"], image["height"], category - 1, 1.0]
        for category in (1, 2)
        if category not in image["labelled"]
    )
    return np.array(out, np.float32).reshape(-1, 6)


def load(folder: Path, *, want_held_out: bool) -> list[Photo]:
    """Read one side of the split from `images.tar` and `annotations.json.gz` in `folder`."""
    with gzip.open(folder / "annotations.json.gz") as file:
        listing = json.load(file)
    by_image: dict[int, list[dict]] = {}
    for a in listing["annotations"]:
        by_image.setdefault(a["image_id"], []).append(a)
    images = {i["file_name"]: i for i in listing["images"]}
    photos = []
    with tarfile.open(folder / "images.tar") as tar:
        for member in tar:
            image = images.get(member.name)
            if image is None or held_out(member.name) != want_held_out:
                continue
            content = tar.extractfile(member)
            if content is None:
                continue
            data = np.frombuffer(content.read(), np.uint8)
            picture = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
            boxes = rows(image, by_image.get(image["id"], []))
            condition = tuple(image["condition"])
            origins = image["label_origin_by_category"].items()
            by_people = frozenset(int(k) - 1 for k, origin in origins if origin == "source")
            photos.append(
                Photo(member.name, image["source"], condition, picture, boxes, by_people),
            )
    return sorted(photos, key=lambda p: p.name)


def fingerprint(folder: Path) -> dict[str, str]:
    """SHA-256 of the files that the views come from."""
    names = ("annotations.json.gz", "images.tar")
    return {n: hashlib.sha256((folder / n).read_bytes()).hexdigest() for n in names}


class Store:
    """Views in a memory map, boxes beside it."""

    def __init__(self, folder: Path) -> None:
        packed = np.load(folder / "boxes.npz")
        self.offsets, self.rows = packed["offsets"], packed["rows"]
        shape = (len(self.offsets) - 1, views.HEIGHT, views.WIDTH, 3)
        self.pictures = np.memmap(folder / "views.u8", np.uint8, "r", shape=shape)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def boxes(self, index: int) -> Boxes:
        return self.rows[self.offsets[index] : self.offsets[index + 1]]


def write(folder: Path, count: int, made: object) -> None:
    """Write `count` (picture, boxes) pairs from the iterable `made` as a `Store`."""
    folder.mkdir(parents=True, exist_ok=True)
    shape = (count, views.HEIGHT, views.WIDTH, 3)
    pictures = np.memmap(folder / "views.u8", np.uint8, "w+", shape=shape)
    every, offsets = [], [0]
    for index, (picture, boxes) in enumerate(made):  # type: ignore[call-overload]
        pictures[index] = picture
        every.append(boxes)
        offsets.append(offsets[-1] + len(boxes))
    pictures.flush()
    if len(every) != count:
        raise ValueError(f"promised {count} views, made {len(every)}")
    np.savez(folder / "boxes.npz", offsets=np.array(offsets), rows=np.concatenate(every))


def photo_views(photos: list[Photo], seed: int):
    """Three views of each photo: stretched, cropped, and the corner of a mosaic."""
    rng = np.random.default_rng(seed)
    for photo in photos:
        yield views.stretched(photo.picture, photo.boxes)
        yield views.cropped(rng, photo.picture, photo.boxes)
        others = [photos[i] for i in rng.integers(len(photos), size=3)]
        four = [photo, *others]
        rng.shuffle(four)
        yield views.mosaic(rng, [(p.picture, p.boxes) for p in four])


def prepare(data: Path, work: Path, seed: int) -> None:
    """Make the training views of the photos under `work`/photos unless they are there."""
    if (work / "photos" / "boxes.npz").exists():
        return
    photos = load(data, want_held_out=False)
    write(work / "photos", 3 * len(photos), photo_views(photos, seed))
    listing = {"files": fingerprint(data), "photos": [p.name for p in photos], "seed": seed}
    (work / "list.json").write_text(json.dumps(listing, indent=1))
