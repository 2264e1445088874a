from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import Refused
from edge.vision.decoders import DECODERS, grid, suppress, yolox, yolox_rows
from edge.vision.detector import Detection, load_detector
from edge.vision.footing import Box
from edge.vision.track import iou

YOLOX_FILE = "yolox_nano_416x416.onnx"


def test_every_decoder_is_tested_here():
    """A new format is one function, one line, and one golden."""
    assert set(DECODERS) == {"grid", "yolox"}


def test_yolox_agrees_with_an_independent_decoder_on_thirteen_photos(shared_data: Path):
    """Golden: what was found at score 0.4 by other people's code from the same file."""
    told = json.loads((shared_data / "reference/reference_detections.json").read_text())
    detector = load_detector(str(shared_data / "models" / YOLOX_FILE), threads=1)
    compared = 0
    for name, expected in told[YOLOX_FILE].items():
        picture = cv2.imread(str(shared_data / "reference" / name))
        assert picture is not None
        found = [one for one in detector.detect([np.asarray(picture, np.uint8)])[0] if one.sure]
        wanted = [item for item in expected if item["score"] >= detector.spec.threshold]
        assert len(found) == len(wanted), name
        for item in wanted:
            assert any(_same(one, item) for one in found), (name, item)
            compared += 1
    assert compared >= 20


def _same(found: Detection, wanted: dict[str, Any]) -> bool:
    return (
        found.label.value == wanted["cls"]
        and abs(found.score - wanted["score"]) < 0.005
        and iou(found.box, tuple(wanted["xyxy"])) > 0.98
    )


def test_a_yolox_row_becomes_a_box_around_its_cell():
    """By hand: the cell in column 1, row 0 of the finest grid; offset (.5, .5), 2 x 4 cells."""
    rows = np.zeros((1, yolox_rows(64, 64), 7), np.float32)
    rows[0, 1] = [0.5, 0.5, np.log(2), np.log(4), 0.5, 0.8, 0.2]
    boxes, scores = yolox({"output": rows}, 64, 64)
    assert boxes[0, 1] == pytest.approx([12 - 8, 4 - 16, 12 + 8, 4 + 16], abs=1e-4)
    assert scores[0, 1] == pytest.approx([0.4, 0.1])


def test_yolox_has_the_cells_of_three_strides():
    assert yolox_rows(416, 416) == 52 * 52 + 26 * 26 + 13 * 13 == 3549


@pytest.mark.parametrize("shape", [(1, 83, 85), (1, 84, 5), (84, 85)])
def test_yolox_refuses_other_shapes(shape):
    with pytest.raises(Refused, match="detector gives"):
        yolox({"output": np.zeros(shape, np.float32)}, 64, 64)


def test_our_own_format_is_taken_as_it_is():
    boxes = np.ones((2, 5, 4), np.float32)
    scores = np.ones((2, 5, 2), np.float32)
    assert grid({"boxes": boxes, "scores": scores}, 448, 256) == (boxes, scores)


@pytest.mark.parametrize(
    "outputs",
    [
        {},
        {"boxes": np.zeros((1, 5, 4))},
        {"boxes": np.zeros((1, 5, 4)), "scores": np.zeros((1, 6, 2))},
        {"boxes": np.zeros((1, 5, 3)), "scores": np.zeros((1, 5, 2))},
        {"boxes": np.zeros((5, 4)), "scores": np.zeros((5, 2))},
    ],
)
def test_our_own_format_refuses_other_shapes(outputs):
    with pytest.raises(Refused, match="detector gives"):
        grid(outputs, 448, 256)


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
