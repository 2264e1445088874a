"""Boxes follow their pictures into the training views."""

from __future__ import annotations

import numpy as np

from models.train import views


def row(*values: float) -> np.ndarray:
    return np.array([values], np.float32)


def test_stretching_moves_boxes_by_both_factors() -> None:
    picture = np.zeros((512, 224, 3), np.uint8)
    view, boxes = views.stretched(picture, row(22.4, 51.2, 112, 256, 0, 0))
    assert view.shape == (views.HEIGHT, views.WIDTH, 3)
    np.testing.assert_allclose(boxes, row(44.8, 25.6, 224, 128, 0, 0), rtol=1e-5)


def test_a_box_cut_to_a_sliver_becomes_a_region_that_is_not_judged() -> None:
    boxes = views.place(row(0, 0, 100, 100, 1, 0), (80, 0, 200, 200), None)
    assert boxes[0, 5] == 1
    assert boxes[0, 0] == 0


def test_a_box_outside_the_window_goes() -> None:
    assert len(views.place(row(0, 0, 50, 50, 0, 0), (100, 100, 200, 200), None)) == 0


def test_a_mosaic_keeps_every_box_in_its_own_corner() -> None:
    rng = np.random.default_rng(5)
    items = [
        (np.full((90, 120, 3), shade, np.uint8), row(30, 20, 90, 80, 0, 0))
        for shade in (40, 90, 140, 190)
    ]
    view, boxes = views.mosaic(rng, items)
    for x1, y1, x2, y2 in boxes[:, :4]:
        inside = view[int(y1) + 1 : int(y2) - 1, int(x1) + 1 : int(x2) - 1]
        assert len(np.unique(inside)) == 1
