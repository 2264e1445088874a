"""Of boxes that overlap the best remains. Pure."""

from __future__ import annotations

import numpy as np

from edge.vision.detect.formats.base import Floats


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
