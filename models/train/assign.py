"""Which grid cells answer for which box: task-aligned assignment, pure NumPy.

After TOOD (Feng et al., ICCV 2021): a cell's claim on a box is score^a * IoU^b; the best `TOP`
cells of each box answer for it. A cell claimed twice goes to the box it overlaps most.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.model.precision import iou

ALPHA, BETA, TOP = 0.5, 5.0, 10
Array = NDArray[np.float32]


def inside(centres: Array, boxes: Array) -> NDArray[np.bool_]:
    """Which centres lie in which boxes: [boxes, cells]."""
    x, y = centres[:, 0], centres[:, 1]
    return np.asarray(
        (x > boxes[:, 0:1]) & (x < boxes[:, 2:3]) & (y > boxes[:, 1:2]) & (y < boxes[:, 3:4]),
    )


def assign(
    scores: Array,
    boxes: Array,
    centres: Array,
    strides: Array,
    truth: Array,
) -> tuple[NDArray[np.intp], NDArray[np.intp], Array]:
    """Match cells with boxes.

    Args:
        scores: [A, classes], 0 to 1. boxes: [A, 4]. centres: [A, 2]. strides: [A].
        truth: [G, 5] x1,y1,x2,y2,class.

    Returns:
        Cells that answer, the box each answers for, and the score each should give (0 to 1).
    """
    if not len(truth):
        return np.zeros(0, np.intp), np.zeros(0, np.intp), np.zeros(0, np.float32)
    may = inside(centres, truth)
    middle = (truth[:, :2] + truth[:, 2:4]) / 2
    near = np.abs(centres[None] - middle[:, None]).max(-1) < strides[None] * 0.75
    may |= near & (strides[None] == strides.min())
    overlap = iou(truth, boxes)
    claim = scores[:, truth[:, 4].astype(int)].T ** ALPHA * overlap**BETA + 1e-9
    claim = np.where(may, claim, 0.0)
    count = min(TOP, claim.shape[1])
    best = np.argpartition(-claim, count - 1, axis=1)[:, :count]
    chosen = np.zeros_like(may)
    np.put_along_axis(chosen, best, True, axis=1)
    chosen &= claim > 0
    owner = np.where(chosen, overlap + 1e-6, 0.0).argmax(0)
    cells = np.flatnonzero(chosen.any(0))
    owner = owner[cells]
    claim = np.where(chosen, claim, 0.0)
    peak = claim.max(1)
    reach = np.where(chosen, overlap, 0.0).max(1)
    target = claim[owner, cells] / (peak[owner] + 1e-12) * reach[owner]
    return cells, owner, target.astype(np.float32)
