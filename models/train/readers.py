"""Detector files read for comparison: pictures in, scored boxes per class out, NumPy only.

Written apart from `edge.vision`, so that the product's decoders and these check each other.
A foreign file is only ever measured; nothing of it goes into ours.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from models.train.metrics import suppress

Array = NDArray[np.float32]
Picture = NDArray[np.uint8]
Raw = tuple[Array, Array]  # boxes [A,4] in picture pixels, scores [A,2]
FLOOR = 0.01  # detections below this score are dropped
NMS_IOU = 0.55
MOST = 400  # candidates per class before suppression
PERSON, VEHICLES = 0, [2, 3, 5, 7]  # COCO, where a file knows eighty classes


class Reader:
    """One detector file on one thread. Calling it gives [D,5] x1,y1,x2,y2,score per class."""

    def __init__(self, path: Path, read: Callable[[Runner, Picture], Raw]) -> None:
        self.name, self.read, self.run = path.stem, read, Runner(path)

    def __call__(self, picture: Picture) -> list[Array]:
        boxes, scores = self.read(self.run, picture)
        height, width = picture.shape[:2]
        boxes = boxes.clip(0, np.array([width, height, width, height], np.float32))
        found = []
        for score in scores.T:
            sure = np.flatnonzero(score > FLOOR)
            sure = sure[np.argsort(-score[sure])[:MOST]]
            rows = np.column_stack((boxes[sure], score[sure])).astype(np.float32)
            found.append(rows[suppress(rows[:, :4], rows[:, 4], NMS_IOU)].reshape(-1, 5))
        return found


class Runner:
    """A session on one thread."""

    def __init__(self, path: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(path, options)
        self.entries = [i.name for i in self.session.get_inputs()]
        self.exits = [o.name for o in self.session.get_outputs()]

    def __call__(self, *inputs: Array) -> list[Array]:
        return self.session.run(self.exits, dict(zip(self.entries, inputs, strict=True)))


def tensor(picture: Picture, mean: object = 0.0, std: object = 1.0) -> Array:
    normal = (picture.astype(np.float32) - np.float32(mean)) / np.float32(std)
    return np.ascontiguousarray(normal.transpose(2, 0, 1)[None], np.float32)


def two(scores: Array) -> Array:
    """Eighty COCO classes [A,80] to person and vehicle [A,2]."""
    return np.stack((scores[:, PERSON], scores[:, VEHICLES].max(1)), 1)


def cells(side: int, stride: int) -> Array:
    """Whole cell numbers (x, y) of a square grid, row by row."""
    ys, xs = np.mgrid[: side // stride, : side // stride].reshape(2, -1)
    return np.stack((xs, ys), 1).astype(np.float32)


def grid(run: Runner, picture: Picture) -> Raw:
    """Our own file."""
    small = cv2.resize(picture, (448, 256), interpolation=cv2.INTER_LINEAR)
    scores, boxes = run(tensor(small))
    height, width = picture.shape[:2]
    return boxes[0] * np.tile(np.float32([width / 448, height / 256]), 2), scores[0]


def yolox(run: Runner, picture: Picture) -> Raw:
    side = 416
    height, width = picture.shape[:2]
    scale = min(side / height, side / width)
    board = np.full((side, side, 3), 114, np.uint8)
    w, h = int(width * scale), int(height * scale)
    board[:h, :w] = cv2.resize(picture, (w, h), interpolation=cv2.INTER_LINEAR)
    raw = run(tensor(board))[0][0]
    at = np.concatenate([cells(side, s) for s in (8, 16, 32)])
    stride = np.concatenate([np.full((side // s) ** 2, s, np.float32) for s in (8, 16, 32)])
    middle = (raw[:, :2] + at) * stride[:, None]
    half = np.exp(raw[:, 2:4]) * stride[:, None] / 2
    boxes = np.concatenate((middle - half, middle + half), 1) / scale
    return boxes, two(raw[:, 5:] * raw[:, 4:5])


def nanodet(run: Runner, picture: Picture) -> Raw:
    side = run.session.get_inputs()[0].shape[2]
    height, width = picture.shape[:2]
    scale = min(side / height, side / width)
    w, h = int(width * scale), int(height * scale)
    left, top = (side - w) // 2, (side - h) // 2
    board = np.zeros((side, side, 3), np.uint8)
    board[top : top + h, left : left + w] = cv2.resize(
        picture,
        (w, h),
        interpolation=cv2.INTER_AREA,
    )
    out = run(tensor(board, (103.53, 116.28, 123.675), (57.375, 57.12, 58.395)))
    boxes = []
    for stride, sides in zip((8, 16, 32), out[3:], strict=True):
        bins = np.exp(sides[0].reshape(-1, 4, 8))
        reach = (bins * np.arange(8)).sum(-1) / bins.sum(-1) * stride
        middle = cells(side, stride) * stride + (stride - 1) / 2
        boxes.append(np.concatenate((middle - reach[:, :2], middle + reach[:, 2:]), 1))
    shrink = np.float32([w / width, h / height])
    whole = (np.concatenate(boxes) - np.tile(np.float32([left, top]), 2)) / np.tile(shrink, 2)
    return whole.astype(np.float32), two(np.concatenate([o[0] for o in out[:3]]))


def picodet(run: Runner, picture: Picture) -> Raw:
    side = 320
    height, width = picture.shape[:2]
    rgb = cv2.cvtColor(cv2.resize(picture, (side, side)), cv2.COLOR_BGR2RGB)
    mean, std = np.float32([123.675, 116.28, 103.53]), np.float32([58.395, 57.12, 57.375])
    scale = np.float32([[side / height, side / width]])
    rows = run(tensor(rgb, mean, std), scale)[0]
    scores = np.zeros((len(rows), 80), np.float32)
    known = (rows[:, 0] >= 0) & (rows[:, 0] < 80)
    scores[known, rows[known, 0].astype(int)] = rows[known, 1]
    return rows[:, 2:6], two(scores)


def fastestdet(run: Runner, picture: Picture) -> Raw:
    side, stride = 352, 16
    height, width = picture.shape[:2]
    small = cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)
    raw = run(tensor(small, 0, 255))[0][0].reshape(85, -1).T
    middle = (np.tanh(raw[:, 1:3]) + cells(side, stride)) / (side // stride)
    half = 1 / (1 + np.exp(-raw[:, 3:5])) / 2
    boxes = np.concatenate((middle - half, middle + half), 1)
    scores = raw[:, :1].clip(0) ** 0.6 * raw[:, 5:].clip(0) ** 0.4
    return boxes * np.tile(np.float32([width, height]), 2), two(scores)


KINDS = {
    "eseal": grid,
    "yolox": yolox,
    "nanodet": nanodet,
    "picodet": picodet,
    "fastestdet": fastestdet,
}


def reader(path: Path) -> Reader:
    """Open a file whose name begins with one of `KINDS`."""
    for start, read in KINDS.items():
        if path.name.startswith(start):
            return Reader(path, read)
    raise SystemExit(f"{path.name} is no file that can be measured: one of {', '.join(KINDS)}")
