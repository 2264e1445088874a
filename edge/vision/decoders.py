"""What a detector's outputs mean: one pure function a format, one line in `DECODERS`.

Every decoder gives boxes (N, A, 4: x1, y1, x2, y2 in input pixels) and class scores
(N, A, C: 0..1) for N pictures and A candidates, before thresholds and suppression.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from edge.errors import Refused

Floats = npt.NDArray[np.float32]
Decoded = tuple[Floats, Floats]
Decoder = Callable[[Mapping[str, Floats], int, int], Decoded]

_YOLOX_STRIDES = (8, 16, 32)


def grid(outputs: Mapping[str, Floats], _width: int, _height: int) -> Decoded:
    """Our own format: `scores` (N, A, C) after the sigmoid and `boxes` (N, A, 4) in pixels."""
    try:
        boxes, scores = outputs["boxes"], outputs["scores"]
    except KeyError as error:
        raise Refused(f"detector gives no output called {error}") from error
    if boxes.ndim != 3 or scores.ndim != 3 or boxes.shape != (*scores.shape[:2], 4):
        raise Refused(f"detector gives boxes {boxes.shape} and scores {scores.shape}")
    return boxes, scores


def yolox(outputs: Mapping[str, Floats], width: int, height: int) -> Decoded:
    """YOLOX's raw head: one output (N, A, 5 + C) over grids of strides 8, 16 and 32.

    A row is the centre's offset in cells, log of width and height in cells, objectness and
    class scores (both after their sigmoid). Format after the published YOLOX description.
    """
    rows = next(iter(outputs.values()))
    cells, strides = _cells(width, height)
    if rows.ndim != 3 or rows.shape[1] != len(cells) or rows.shape[2] < 6:
        raise Refused(f"detector gives {rows.shape}, not (N, {len(cells)}, 5 + classes)")
    centres = (rows[..., :2] + cells) * strides
    # The exponent is bounded: a hostile model's infinity must not poison the arithmetic.
    halves = np.exp(np.clip(rows[..., 2:4], -20, 20)) * strides / 2
    boxes = np.concatenate([centres - halves, centres + halves], axis=-1)
    return boxes.astype(np.float32), rows[..., 4:5] * rows[..., 5:]


def yolox_rows(width: int, height: int) -> int:
    """How many candidates YOLOX gives for an input of this size."""
    return len(_cells(width, height)[0])


def _cells(width: int, height: int) -> Decoded:
    cells, strides = [], []
    for stride in _YOLOX_STRIDES:
        ys, xs = np.mgrid[: height // stride, : width // stride]
        level = np.stack([xs.ravel(), ys.ravel()], axis=-1).astype(np.float32)
        cells.append(level)
        strides.append(np.full((len(level), 1), stride, np.float32))
    return np.concatenate(cells), np.concatenate(strides)


DECODERS: dict[str, Decoder] = {
    "grid": grid,
    "yolox": yolox,
}


def suppress(boxes: Floats, scores: Floats, iou: float) -> list[int]:
    """Indices that survive non-maximum suppression, best first.

    Args:
        boxes: (K, 4). A box without area survives and suppresses nothing.
        scores: (K,).
        iou: overlap above which the weaker box goes.
    """
    order = np.argsort(-scores, kind="stable")
    x1, y1, x2, y2 = boxes[order].astype(np.float64).T
    areas = np.maximum(x2 - x1, 0) * np.maximum(y2 - y1, 0)
    alive = np.ones(len(order), bool)
    kept = []
    for i in range(len(order)):
        if not alive[i]:
            continue
        kept.append(int(order[i]))
        wide = np.minimum(x2[i], x2) - np.maximum(x1[i], x1)
        high = np.minimum(y2[i], y2) - np.maximum(y1[i], y1)
        shared = np.maximum(wide, 0) * np.maximum(high, 0)
        union = areas[i] + areas - shared
        alive &= shared <= iou * union
    return kept
