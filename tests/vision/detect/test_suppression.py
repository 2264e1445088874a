from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.domain.observation import Box
from edge.vision.detect.suppression import suppress
from edge.vision.follow.track import iou


def _box(row: np.ndarray) -> Box:
    x1, y1, x2, y2 = map(float, row)
    return x1, y1, x2, y2


boxes_st = st.lists(
    st.tuples(st.floats(0, 100), st.floats(0, 100), st.floats(0, 50), st.floats(0, 50)),
    max_size=20,
)


@settings(deadline=None)
@given(boxes_st, st.integers(0, 2**32 - 1), st.floats(0.1, 0.9))
def test_suppression_keeps_the_best_of_each_heap(corners, seed, threshold):
    """Survivors don't overlap more than allowed, and each that fell has a better neighbour."""
    boxes = np.array([(x, y, x + w, y + h) for x, y, w, h in corners], np.float32).reshape(-1, 4)
    scores = np.random.default_rng(seed).random(len(boxes)).astype(np.float32)
    kept = suppress(boxes, scores, threshold)
    assert [float(scores[i]) for i in kept] == sorted(
        (float(scores[i]) for i in kept), reverse=True
    )

    def overlap(i: int, j: int) -> float:
        return iou(_box(boxes[i]), _box(boxes[j]))

    for n, i in enumerate(kept):
        assert all(overlap(i, j) <= threshold + 1e-6 for j in kept[:n])
    for i in set(range(len(boxes))) - set(kept):
        assert any(overlap(i, j) > threshold - 1e-6 and scores[j] >= scores[i] for j in kept)
