"""The ruler itself: average precision, ignore regions, bands."""

from __future__ import annotations

import math

import numpy as np
import pytest

from edge.model import precision as metrics
from edge.model.precision import Case

NOTHING = np.zeros((0, 4), np.float32)
BOX = (10.0, 10.0, 30.0, 50.0)
FAR = (200.0, 10.0, 230.0, 50.0)


def found(*rows: tuple[tuple[float, float, float, float], float]) -> np.ndarray:
    return np.array([[*box, score] for box, score in rows], np.float32).reshape(-1, 5)


def boxes(*rows: tuple[float, float, float, float]) -> np.ndarray:
    return np.array(rows, np.float32).reshape(-1, 4)


def test_finding_all_and_nothing_else_is_one() -> None:
    case = Case(found((BOX, 0.9), (FAR, 0.4)), boxes(BOX, FAR), NOTHING)
    assert metrics.average_precision([case]) == pytest.approx(1)


def test_finding_the_better_half_is_about_one_half() -> None:
    case = Case(found((BOX, 0.9)), boxes(BOX, FAR), NOTHING)
    assert metrics.average_precision([case]) == pytest.approx(51 / 101)


def test_a_false_box_ahead_of_the_true_one_halves_precision() -> None:
    case = Case(found((FAR, 0.9), (BOX, 0.5)), boxes(BOX), NOTHING)
    assert metrics.average_precision([case]) == pytest.approx(0.5)
    assert metrics.false_boxes([case], 0.6) == 1


def test_a_second_box_on_the_same_object_is_false() -> None:
    case = Case(found((BOX, 0.9), (BOX, 0.8)), boxes(BOX), NOTHING)
    assert metrics.false_boxes([case], 0.1) == 1


def test_an_ignore_region_swallows_boxes_without_a_verdict() -> None:
    case = Case(found((FAR, 0.9), (BOX, 0.5)), boxes(BOX), boxes((190.0, 0.0, 260.0, 90.0)))
    assert metrics.average_precision([case]) == pytest.approx(1)
    assert metrics.false_boxes([case], 0.1) == 0


def test_nothing_to_find_has_no_precision() -> None:
    assert math.isnan(metrics.average_precision([Case(found((BOX, 0.9)), NOTHING, NOTHING)]))


def test_recall_is_counted_per_band_of_height_and_above_the_threshold() -> None:
    case = Case(found((BOX, 0.9), (FAR, 0.3)), boxes(BOX, FAR), NOTHING)
    bands = metrics.recall_by_height([case], [100.0], (0.1, 0.5), 0.4)
    assert bands[0][0] == bands[2][0] == 0
    assert bands[1] == (2, 0.5)
