"""Average precision at IoU 0.5. Pure.

AP as in COCO: all detections of the set in order of score, precision made monotone, mean over
101 recall points. Ignore regions swallow detections (more than half inside) without a verdict.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
IOU = 0.5


@dataclass(frozen=True)
class Case:
    """One picture, one class: found [D,5] x1,y1,x2,y2,score; truth and ignored [G,4]."""

    found: Array
    truth: Array
    ignored: Array


def iou(a: Array, b: Array) -> Array:
    """Intersection over union [len(a), len(b)] of x1,y1,x2,y2 rows."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:4], b[None, :, 2:4])
    both = (high - low).clip(0).prod(-1)
    area_a = (a[:, 2:4] - a[:, :2]).clip(0).prod(-1)
    area_b = (b[:, 2:4] - b[:, :2]).clip(0).prod(-1)
    return np.asarray(both / (area_a[:, None] + area_b[None] - both + 1e-6), np.float32)


def covered(found: Array, ignored: Array) -> NDArray[np.bool_]:
    """Which detections lie for more than half of their area in one ignore region."""
    if not len(ignored):
        return np.zeros(len(found), bool)
    low = np.maximum(found[:, None, :2], ignored[None, :, :2])
    high = np.minimum(found[:, None, 2:4], ignored[None, :, 2:4])
    both = (high - low).clip(0).prod(-1)
    area = (found[:, 2:4] - found[:, :2]).clip(0).prod(-1)
    return np.asarray((both / (area[:, None] + 1e-6) > 0.5).any(1))


def judge(case: Case) -> tuple[NDArray[np.float64], NDArray[np.int8], NDArray[np.bool_]]:
    """Match by falling score: scores, verdicts (1 true, 0 false, -1 no verdict), truth found."""
    order = np.argsort(-case.found[:, 4], kind="stable")
    found = case.found[order]
    verdict = np.zeros(len(found), np.int8)
    taken = np.zeros(len(case.truth), bool)
    swallowed = covered(found, case.ignored)
    overlap = iou(found[:, :4], case.truth)
    for n in range(len(found)):
        free = np.where(taken, 0.0, overlap[n])
        if len(free) and free.max() >= IOU:
            taken[int(free.argmax())] = True
            verdict[n] = 1
        elif swallowed[n]:
            verdict[n] = -1
    return found[:, 4].astype(np.float64), verdict, taken


def average_precision(cases: list[Case]) -> float:
    """AP50 of one class over all pictures; NaN when there is nothing to find."""
    count = sum(len(c.truth) for c in cases)
    if not count:
        return float("nan")
    judged = [judge(c) for c in cases]
    scores = np.concatenate([j[0] for j in judged])
    verdict = np.concatenate([j[1] for j in judged])
    scores, verdict = scores[verdict >= 0], verdict[verdict >= 0]
    true = np.cumsum(verdict[np.argsort(-scores, kind="stable")])
    if not len(true):
        return 0.0
    recall = true / count
    precision = true / np.arange(1, len(true) + 1)
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    points = np.searchsorted(recall, np.linspace(0, 1, 101), side="left")
    inside = points < len(precision)
    return float(precision[points[inside]].sum() / 101)


def recall_by_height(
    cases: list[Case],
    heights: list[float],
    edges: tuple[float, ...],
    threshold: float,
) -> list[tuple[int, float]]:
    """(how many, share found at `threshold`) per band of box height over picture height.

    Args:
        cases: the pictures.
        heights: height of each picture in the boxes' pixels.
        edges: rising inner bounds of the bands.
        threshold: detections below this score count as absent.
    """
    total = np.zeros(len(edges) + 1, int)
    good = np.zeros(len(edges) + 1, int)
    for case, height in zip(cases, heights, strict=True):
        sure = case.found[case.found[:, 4] >= threshold]
        taken = judge(Case(sure, case.truth, case.ignored))[2]
        band = np.digitize((case.truth[:, 3] - case.truth[:, 1]) / height, edges)
        np.add.at(total, band, 1)
        np.add.at(good, band, taken.astype(int))
    return [(int(t), float(g / t) if t else float("nan")) for t, g in zip(total, good, strict=True)]


def false_boxes(cases: list[Case], threshold: float) -> int:
    """Detections at or above `threshold` that match nothing and lie in no ignore region."""
    count = 0
    for case in cases:
        sure = case.found[case.found[:, 4] >= threshold]
        count += int((judge(Case(sure, case.truth, case.ignored))[1] == 0).sum())
    return count
