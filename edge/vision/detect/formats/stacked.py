"""Formats with one map a grid: NanoDet and FastestDet."""

from __future__ import annotations

import numpy as np

from edge.errors import Refused
from edge.vision.detect.formats.base import (
    TO_ONE,
    Decoded,
    Format,
    Graph,
    Guess,
    Outputs,
    Shape,
    corners,
    named,
    only,
    softmax,
)
from edge.vision.detect.formats.cells import STRIDES, cells
from edge.vision.detect.formats.classes import classes_of

_NANODET_SCORES = [f"cls_pred_stride_{stride}" for stride in STRIDES]
_NANODET_EDGES = [f"dis_pred_stride_{stride}" for stride in STRIDES]
_MAX_BINS = 64
# What NanoDet was trained with, in the order of its channels: blue, green, red.
_NANODET_MEAN = (103.53, 116.28, 123.675)
_NANODET_STD = (57.375, 57.12, 58.395)


def _nanodet(outputs: Outputs, shape: Shape) -> Decoded:
    """Class scores (N, A, C) and edge distributions (N, A, 4 bins) for each of three strides.

    An edge's distance from the cell's middle pixel is the mean of its distribution over 0, 1, …
    strides. Sources: generalised focal loss, arXiv 2006.04388; NanoDet's ONNX export.
    """
    scores = np.concatenate(_joined(named(outputs, *_NANODET_SCORES)), axis=1)
    edges = np.concatenate(_joined(named(outputs, *_NANODET_EDGES)), axis=1)
    places, strides = cells(shape.width, shape.height)
    bins, odd = divmod(edges.shape[2], 4)
    if (
        edges.shape[:2] != scores.shape[:2]
        or scores.shape[1] != len(places)
        or odd
        or not 2 <= bins <= _MAX_BINS
    ):
        raise Refused(f"detector gives scores {scores.shape} and edges {edges.shape}")
    likely = softmax(edges.reshape(*edges.shape[:2], 4, bins))
    far = (likely @ np.arange(bins, dtype=np.float32)) * strides
    middle = (places + np.float32(0.5)) * strides - np.float32(0.5)
    return np.concatenate([middle - far[..., :2], middle + far[..., 2:]], axis=-1), scores


def _joined(levels: list[np.ndarray]) -> list[np.ndarray]:
    """Levels that can be put one behind the other. Raises Refused."""
    if any(level.ndim != 3 or level.shape[::2] != levels[0].shape[::2] for level in levels):
        raise Refused(f"detector gives levels {[level.shape for level in levels]}")
    return levels


def _is_nanodet(graph: Graph, _width: int, _height: int) -> Guess | None:
    if set(graph.names) != {*_NANODET_SCORES, *_NANODET_EDGES}:
        return None
    shape = graph.shapes[graph.names.index(_NANODET_SCORES[0])]
    classes = classes_of(graph.metadata, shape[-1] if shape else None)
    return Guess(classes, colour="bgr", shrink="area", pad=0, mean=_NANODET_MEAN, std=_NANODET_STD)


def _fastestdet(outputs: Outputs, shape: Shape) -> Decoded:
    """One map (N, 5 + C, rows, columns): objectness, offsets, sizes, class scores.

    The centre is the cell plus tanh of the offset, the size the sigmoid of the raw one, both
    in fractions of the picture after division; the score is objectness^0.6 times class^0.4.
    Source: FastestDet's published post-processing.
    """
    maps = only(outputs, 4, "(N, 5 + classes, rows, columns)")
    if maps.shape[1] < 6 or 0 in maps.shape:
        raise Refused(f"detector gives {maps.shape}, not (N, 5 + classes, rows, columns)")
    _, _, high, wide = maps.shape
    rows = maps.transpose(0, 2, 3, 1).reshape(len(maps), high * wide, -1)
    ys, xs = np.mgrid[:high, :wide]
    places = np.stack([xs.ravel(), ys.ravel()], axis=-1).astype(np.float32)
    fractions = np.array([wide, high], np.float32)
    centres = (places + np.tanh(rows[..., 1:3])) / fractions
    sizes = 0.5 * (1 + np.tanh(0.5 * rows[..., 3:5]))
    boxes = corners(np.concatenate([centres, sizes], axis=-1))
    boxes = boxes * np.array([shape.width, shape.height, shape.width, shape.height], np.float32)
    sure, classes = np.clip(rows[..., :1], 0, 1), np.clip(rows[..., 5:], 0, 1)
    scores = sure ** np.float32(0.6) * classes ** np.float32(0.4)
    return boxes.astype(np.float32), scores.astype(np.float32)


def _is_fastestdet(graph: Graph, width: int, height: int) -> Guess | None:
    if len(graph.outputs) != 1 or len(graph.shapes[0]) != 4:
        return None
    _, columns, high, wide = graph.shapes[0]
    if (wide, high) != (width // 16, height // 16) or columns is None or columns < 6:
        return None
    classes = classes_of(graph.metadata, columns - 5)
    return Guess(classes, colour="bgr", resize="stretch", shrink="area", std=TO_ONE)


NANODET = Format(
    "nanodet", "cls_pred_stride_8/16/32 and dis_pred_stride_8/16/32", _nanodet, _is_nanodet
)
FASTESTDET = Format("fastestdet", "one output (N, 5 + C, H/16, W/16)", _fastestdet, _is_fastestdet)
