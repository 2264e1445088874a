"""Formats that give a short list of things: DETR's family, SSD's, and suppression in the graph."""

from __future__ import annotations

import numpy as np

from edge.errors import Refused
from edge.vision.detect.formats.base import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    TO_ONE,
    Decoded,
    Format,
    Graph,
    Guess,
    Outputs,
    Shape,
    by_class,
    corners,
    named,
    only,
    sigmoid,
    softmax,
)
from edge.vision.detect.formats.classes import COCO, COCO_IDS, classes_of

_DETR_COLUMNS = 92  # COCO's 91 ids and "no object"
_RF_NAMES = ("labels", "dets")  # RF-DETR's for logits and boxes


def _query_outputs(outputs: Outputs, shape: Shape) -> Decoded:
    """Logits (N, Q, C) and boxes in pixels from (N, Q, 4) centre and size in fractions."""
    names = _RF_NAMES if "dets" in outputs else ("logits", "pred_boxes")
    logits, boxes = named(outputs, *names)
    if logits.ndim != 3 or boxes.shape != (*logits.shape[:2], 4):
        raise Refused(f"detector gives logits {logits.shape} and boxes {boxes.shape}")
    scale = np.array([shape.width, shape.height, shape.width, shape.height], np.float32)
    return logits, corners(boxes) * scale


def _detr(outputs: Outputs, shape: Shape) -> Decoded:
    """One logit a class (RT-DETR, D-FINE, RF-DETR): its sigmoid is the score."""
    logits, boxes = _query_outputs(outputs, shape)
    return boxes, sigmoid(logits)


def _detr_softmax(outputs: Outputs, shape: Shape) -> Decoded:
    """DETR as first published (arXiv 2005.12872): the last logit is "no object"."""
    logits, boxes = _query_outputs(outputs, shape)
    return boxes, softmax(logits)[..., :-1]


def _query_columns(graph: Graph) -> int | None:
    for names in (("logits", "pred_boxes"), _RF_NAMES):
        if set(graph.names) == set(names):
            shape = graph.shapes[graph.names.index(names[0])]
            return shape[2] if len(shape) == 3 else None
    return None


def _is_detr(graph: Graph, _width: int, _height: int) -> Guess | None:
    columns = _query_columns(graph)
    if columns is None or columns == _DETR_COLUMNS:
        return None
    classes = classes_of(graph.metadata, columns)
    if columns in {90, 91}:  # RF-DETR keeps the normalisation of its backbone
        return Guess(classes, resize="stretch", mean=IMAGENET_MEAN, std=IMAGENET_STD)
    return Guess(classes, resize="stretch", std=TO_ONE)


def _is_detr_softmax(graph: Graph, _width: int, _height: int) -> Guess | None:
    if _query_columns(graph) != _DETR_COLUMNS:
        return None
    return Guess(COCO_IDS, resize="stretch", mean=IMAGENET_MEAN, std=IMAGENET_STD)


def _listed(outputs: Outputs, shape: Shape) -> Decoded:
    """`labels`, `boxes`, `scores`: (N, K), (N, K, 4) in pixels, (N, K); N may be left out."""
    labels, boxes, scores = named(outputs, "labels", "boxes", "scores")
    if boxes.ndim == 2:
        labels, boxes, scores = labels[None], boxes[None], scores[None]
    if (
        boxes.ndim != 3
        or boxes.shape[2] != 4
        or not labels.shape == scores.shape == boxes.shape[:2]
    ):
        raise Refused(
            f"detector gives labels {labels.shape}, boxes {boxes.shape}, scores {scores.shape}"
        )
    return boxes, by_class(labels, scores, shape.classes)


def _is_listed(graph: Graph, _width: int, _height: int) -> Guess | None:
    """torchvision's; RT-DETR and D-FINE when they ask for the picture's size."""
    if set(graph.names) != {"labels", "boxes", "scores"}:
        return None
    transformer = any(item.name == "orig_target_sizes" for item in graph.inputs)
    classes = classes_of(graph.metadata, None) or (COCO if transformer else COCO_IDS)
    return Guess(classes, resize="stretch", std=TO_ONE)


def _ssd(outputs: Outputs, shape: Shape) -> Decoded:
    """`bboxes` (N, K, 4) in fractions of the picture, `labels` and `scores` (N, K)."""
    boxes, labels, scores = named(outputs, "bboxes", "labels", "scores")
    scale = np.array([shape.width, shape.height, shape.width, shape.height], np.float32)
    if boxes.ndim not in {2, 3} or boxes.shape[-1] != 4:
        raise Refused(f"detector gives bboxes {boxes.shape}")
    pixels = {"labels": labels, "boxes": (boxes * scale).astype(np.float32), "scores": scores}
    return _listed(pixels, shape)


def _is_ssd(graph: Graph, _width: int, _height: int) -> Guess | None:
    if set(graph.names) != {"bboxes", "labels", "scores"}:
        return None
    classes = classes_of(graph.metadata, None) or COCO_IDS
    return Guess(classes, resize="stretch", mean=IMAGENET_MEAN, std=IMAGENET_STD)


def _picodet(outputs: Outputs, shape: Shape) -> Decoded:
    """Suppression inside, as PaddleDetection exports it: rows (M, 6) and how many are real.

    A row is class, score, x1, y1, x2, y2, in input pixels when `scale_factor` is 1.
    """
    rows = next((item for item in outputs.values() if item.ndim == 2), None)
    counts = next((item for item in outputs.values() if item.ndim == 1), None)
    if rows is None or counts is None or rows.shape[1] != 6 or len(counts) != 1:
        raise Refused(f"detector gives {[item.shape for item in outputs.values()]}")
    real = rows[: int(np.clip(np.nan_to_num(counts[0]), 0, len(rows)))][None]
    return real[..., 2:6], by_class(real[..., 0], real[..., 1], shape.classes)


def _is_picodet(graph: Graph, _width: int, _height: int) -> Guess | None:
    if not any(item.name == "scale_factor" for item in graph.inputs) or len(graph.outputs) != 2:
        return None
    if sorted(len(shape) for shape in graph.shapes) != [1, 2]:
        return None
    if next(shape for shape in graph.shapes if len(shape) == 2)[1] != 6:
        return None
    classes = classes_of(graph.metadata, None) or COCO
    return Guess(classes, resize="stretch", mean=IMAGENET_MEAN, std=IMAGENET_STD)


def _end_to_end(outputs: Outputs, shape: Shape) -> Decoded:
    """Suppressed rows of pixels: (N, K, 6) or (K, 7).

    Six columns are x1, y1, x2, y2, score, class (YOLOv10 and later); seven are the picture's
    number, x1, y1, x2, y2, class, score (YOLOv7's export).
    """
    rows = only(outputs, 2 if _is_flat(outputs) else 3, "(N, K, 6) or (K, 7)")
    if rows.ndim == 2 and rows.shape[1] == 7:
        scores = np.where(rows[:, 0] == 0, rows[:, 6], np.float32(0))
        return rows[None, :, 1:5], by_class(rows[None, :, 5], scores[None], shape.classes)
    if rows.ndim == 3 and rows.shape[2] == 6:
        return rows[..., :4], by_class(rows[..., 5], rows[..., 4], shape.classes)
    raise Refused(f"detector gives {rows.shape}, not (N, K, 6) or (K, 7)")


def _is_flat(outputs: Outputs) -> bool:
    return all(item.ndim == 2 for item in outputs.values())


def _is_end_to_end(graph: Graph, _width: int, _height: int) -> Guess | None:
    if len(graph.outputs) != 1:
        return None
    shape = graph.shapes[0]
    if not (len(shape) == 3 and shape[2] == 6) and not (len(shape) == 2 and shape[1] == 7):
        return None
    return Guess(classes_of(graph.metadata, None) or COCO)


DETR = Format("detr", "logits (N, Q, C) and pred_boxes (N, Q, 4)", _detr, _is_detr)
DETR_SOFTMAX = Format(
    "detr-softmax", "logits (N, Q, 92) and pred_boxes (N, Q, 4)", _detr_softmax, _is_detr_softmax
)
LISTED = Format("listed", "labels, boxes, scores", _listed, _is_listed)
SSD = Format("ssd", "bboxes, labels, scores", _ssd, _is_ssd)
PICODET = Format(
    "picodet", "input scale_factor; rows (M, 6) and their count", _picodet, _is_picodet, single=True
)
END_TO_END = Format("end-to-end", "one output (N, K, 6) or (K, 7)", _end_to_end, _is_end_to_end)
