"""Formats with one row a cell or anchor: YOLOX, YOLOv5, YOLOv8 and 11, and our own."""

from __future__ import annotations

import numpy as np

from edge.domain.observation import Label
from edge.errors import Refused
from edge.vision.detect.formats.base import (
    Decoded,
    Format,
    Graph,
    Guess,
    Outputs,
    Shape,
    corners,
    named,
    only,
)
from edge.vision.detect.formats.cells import cells, count
from edge.vision.detect.formats.classes import classes_of, names_in

_ANCHORS = 3  # a cell of YOLOv5
_NOT_SCALED = (1.0, 1.0, 1.0)


def _grid(outputs: Outputs, _shape: Shape) -> Decoded:
    """`scores` (N, A, C) after the sigmoid and `boxes` (N, A, 4) in pixels."""
    boxes, scores = named(outputs, "boxes", "scores")
    if boxes.ndim != 3 or scores.ndim != 3 or boxes.shape != (*scores.shape[:2], 4):
        raise Refused(f"detector gives boxes {boxes.shape} and scores {scores.shape}")
    return boxes, scores


def _is_grid(graph: Graph, _width: int, _height: int) -> Guess | None:
    last = dict(zip(graph.names, graph.shapes, strict=True))
    if set(last) != {"boxes", "scores"} or len(last["scores"]) != 3:
        return None
    if last["scores"][2] not in {2, None}:
        return None
    ours = {Label.PERSON: (0,), Label.VEHICLE: (1,)}
    return Guess(ours, colour="bgr", resize="stretch", std=_NOT_SCALED)


def _yolox(outputs: Outputs, shape: Shape) -> Decoded:
    """Raw head (N, A, 5 + C) over the cells of strides 8, 16 and 32.

    A row is the centre's offset in cells, log of width and height in cells, objectness and
    class scores (both after their sigmoid). Source: arXiv 2107.08430 and its ONNX export.
    """
    rows = only(outputs, 3, "(N, cells, 5 + classes)")
    places, strides = cells(shape.width, shape.height)
    if rows.shape[1] != len(places) or rows.shape[2] < 6:
        raise Refused(f"detector gives {rows.shape}, not (N, {len(places)}, 5 + classes)")
    centres = (rows[..., :2] + places) * strides
    # The exponent is bounded: a hostile model's infinity must not poison the arithmetic.
    sizes = np.exp(np.clip(rows[..., 2:4], -20, 20)) * strides
    boxes = corners(np.concatenate([centres, sizes], axis=-1))
    return boxes.astype(np.float32), rows[..., 4:5] * rows[..., 5:]


def _is_yolox(graph: Graph, width: int, height: int) -> Guess | None:
    rows, columns = _rows(graph)
    if rows is None or columns is None or rows != count(width, height):
        return None
    classes = classes_of(graph.metadata, columns - 5)
    return Guess(classes, colour="bgr", resize="letterbox", std=_NOT_SCALED)


def _yolov5(outputs: Outputs, shape: Shape) -> Decoded:
    """Rows (N, R, 5 + C): centre, width, height in pixels, objectness, class scores."""
    rows = only(outputs, 3, "(N, rows, 5 + classes)")
    if rows.shape[2] < 5 + shape.classes:
        raise Refused(f"detector gives {rows.shape}, not (N, rows, 5 + {shape.classes} or more)")
    return corners(rows[..., :4]), rows[..., 4:5] * rows[..., 5:]


def _is_yolov5(graph: Graph, width: int, height: int) -> Guess | None:
    rows, columns = _rows(graph)
    if columns is None:
        return None
    anchors = [_ANCHORS * count(width, height), _ANCHORS * count(width, height, (8, 16, 32, 64))]
    if rows not in anchors and not (rows is None and _as_many_names(graph, columns - 5)):
        return None
    return Guess(classes_of(graph.metadata, columns - 5))


def _yolov8(outputs: Outputs, shape: Shape) -> Decoded:
    """Columns (N, 4 + C, A): centre, width, height in pixels, class scores; no objectness."""
    columns = only(outputs, 3, "(N, 4 + classes, cells)")
    if columns.shape[1] < 4 + shape.classes:
        raise Refused(
            f"detector gives {columns.shape}, not (N, 4 + {shape.classes} or more, cells)"
        )
    rows = columns.transpose(0, 2, 1)
    return corners(rows[..., :4]), rows[..., 4:]


def _is_yolov8(graph: Graph, width: int, height: int) -> Guess | None:
    if len(graph.outputs) != 1 or len(graph.shapes[0]) != 3:
        return None
    _, columns, rows = graph.shapes[0]
    if columns is None or columns < 5:
        return None
    named_so = rows is None and _as_many_names(graph, columns - 4)
    fits = rows == count(width, height) or named_so
    return Guess(classes_of(graph.metadata, columns - 4)) if fits else None


def _as_many_names(graph: Graph, classes: int) -> bool:
    """Where rows are not told, the names in the graph tell what the columns are."""
    names = names_in(graph.metadata)
    return names is not None and len(names) == classes


def _rows(graph: Graph) -> tuple[int | None, int | None]:
    """Rows and columns of the only output (N, R, columns); columns None when it is no such."""
    if len(graph.outputs) != 1 or len(graph.shapes[0]) != 3:
        return None, None
    _, rows, columns = graph.shapes[0]
    if columns is None or columns < 6:
        return None, None
    return rows, columns


GRID = Format("grid", "boxes (N, A, 4) and scores (N, A, 2): our own", _grid, _is_grid)
YOLOX = Format("yolox", "one output (N, H·W/64 + H·W/256 + H·W/1024, 5 + C)", _yolox, _is_yolox)
YOLOV5 = Format("yolov5", "one output (N, three times as many, 5 + C)", _yolov5, _is_yolov5)
YOLOV8 = Format("yolov8", "one output (N, 4 + C, H·W/64 + H·W/256 + H·W/1024)", _yolov8, _is_yolov8)
