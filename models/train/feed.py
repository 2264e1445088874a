"""Batches: views picked, zoomed, flipped, varied; the teacher asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.train import views
from models.train.augment import vary
from models.train.prepare import Store
from models.train.teacher import Teacher
from models.train.views import Boxes, Picture

Soft = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]


@dataclass(frozen=True)
class Batch:
    """Pictures [N,H,W,3] uint8, box rows per picture, the teacher's opinion (see `loss`)."""

    pictures: NDArray[np.uint8]
    truth: list[Boxes]
    soft: Soft


@dataclass(frozen=True)
class Mix:
    """How a stage draws its pictures."""

    size: tuple[int, int]
    batch: int
    mosaic: float  # chance that a photo's view is its mosaic
    rendered: float  # share of rendered pictures
    asked: float  # share of the photos on which the teacher is asked


def zoomed(rng: np.random.Generator, picture: Picture, boxes: Boxes) -> tuple[Picture, Boxes]:
    """Sometimes a part of the view instead of all; sometimes mirrored."""
    if rng.random() < 0.5:
        w = float(rng.uniform(0.65, 1)) * views.WIDTH
        h = min(w / views.WIDTH * float(rng.uniform(0.85, 1.15)), 1) * views.HEIGHT
        x = float(rng.uniform(0, views.WIDTH - w))
        y = float(rng.uniform(0, views.HEIGHT - h))
        part = (float(round(x)), float(round(y)), float(round(w)), float(round(h)))
        x, y, w, h = part
        picture = picture[int(y) : int(y + h), int(x) : int(x + w)]
        boxes = views.place(boxes, part, None)
    if rng.random() < 0.5:
        picture = picture[:, ::-1]
        boxes = boxes.copy()
        boxes[:, [0, 2]] = views.WIDTH - boxes[:, [2, 0]]
    return picture, boxes


class Feed:
    """Endless batches for one stage."""

    def __init__(
        self,
        photos: Store,
        rendered: Store | None,
        teacher: Teacher,
        mix: Mix,
        seed: int,
    ) -> None:
        self.photos, self.rendered, self.teacher, self.mix = photos, rendered, teacher, mix
        self.rng = np.random.default_rng(seed)
        self.order = iter(self._endless(len(photos) // 3))

    def _endless(self, count: int) -> Iterator[int]:
        while True:
            yield from (int(i) for i in self.rng.permutation(count))

    def _one(self) -> tuple[Picture, Picture, Boxes, float]:
        rng, mix = self.rng, self.mix
        if self.rendered is not None and rng.random() < mix.rendered:
            index, store, trust = int(rng.integers(len(self.rendered))), self.rendered, 0.0
        else:
            which = 2 if rng.random() < mix.mosaic else int(rng.integers(2))
            index, store = 3 * next(self.order) + which, self.photos
            trust = float(rng.random() < mix.asked)
        picture, boxes = zoomed(rng, store.pictures[index], store.boxes(index))
        if (picture.shape[1], picture.shape[0]) != mix.size:
            shrink = picture.shape[1] > mix.size[0]
            how = cv2.INTER_AREA if shrink else cv2.INTER_LINEAR
            picture = np.asarray(cv2.resize(picture, mix.size, interpolation=how), np.uint8)
        picture = np.ascontiguousarray(picture)
        share = np.array(mix.size, np.float32) / (views.WIDTH, views.HEIGHT)
        boxes = boxes.copy()
        boxes[:, :4] *= np.tile(share, 2)
        tiny = (boxes[:, 2:4] - boxes[:, :2]).min(1) < views.MIN_SIDE * 0.8
        boxes[:, 5] = np.maximum(boxes[:, 5], tiny)
        return picture, vary(rng, picture), boxes, trust

    def __next__(self) -> Batch:
        clean, varied, truth, trust = zip(
            *(self._one() for _ in range(self.mix.batch)),
            strict=True,
        )
        soft = self._opinion(np.stack(clean), np.array(trust, np.float32))
        return Batch(np.stack(varied), list(truth), soft)

    def _opinion(self, pictures: NDArray[np.uint8], trust: NDArray[np.float32]) -> Soft:
        """Ask the teacher where it is trusted; zeros elsewhere."""
        asked = trust > 0
        if not asked.any():
            asked[0] = True
        some_scores, some_boxes = self.teacher(pictures[asked])
        cells = some_scores.shape[1]
        scores = np.zeros((len(trust), cells, some_scores.shape[2]), np.float32)
        boxes = np.zeros((len(trust), cells, 4), np.float32)
        scores[asked], boxes[asked] = some_scores, some_boxes
        return scores, boxes, trust
