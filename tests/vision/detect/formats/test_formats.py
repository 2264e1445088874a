"""Each decoder by hand, and what none of them may be made to do."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from edge.domain.observation import Label
from edge.errors import Refused
from edge.vision.detect.formats import FORMATS, recognise
from edge.vision.detect.formats.base import Graph, Shape, Tensor, by_class, sigmoid, softmax
from edge.vision.detect.formats.cells import cells, count
from edge.vision.detect.formats.classes import COCO, COCO_IDS, by_name, classes_of, names_in

SMALL = Shape(64, 64, 2)


def decode(name: str, outputs: dict[str, Any], shape: Shape = SMALL):
    return FORMATS[name].decode(outputs, shape)


def test_a_yolox_row_becomes_a_box_around_its_cell() -> None:
    """The cell in column 1, row 0 of the finest grid; offset (.5, .5), 2 x 4 cells."""
    rows = np.zeros((1, count(64, 64), 7), np.float32)
    rows[0, 1] = [0.5, 0.5, np.log(2), np.log(4), 0.5, 0.8, 0.2]
    boxes, scores = decode("yolox", {"output": rows})
    assert boxes[0, 1] == pytest.approx([12 - 8, 4 - 16, 12 + 8, 4 + 16], abs=1e-4)
    assert scores[0, 1] == pytest.approx([0.4, 0.1])


def test_a_nanodet_edge_lies_at_the_mean_of_its_distribution() -> None:
    """Cell (1, 0) of stride 8, whose middle pixel is (11.5, 3.5); all mass on 0, 1, 2, 3."""
    outputs = {}
    for stride in (8, 16, 32):
        cells_here = (64 // stride) ** 2
        outputs[f"cls_pred_stride_{stride}"] = np.zeros((1, cells_here, 2), np.float32)
        outputs[f"dis_pred_stride_{stride}"] = np.zeros((1, cells_here, 16), np.float32)
    outputs["cls_pred_stride_8"][0, 1] = [0.7, 0.1]
    for edge in range(4):
        outputs["dis_pred_stride_8"][0, 1, 4 * edge + edge] = 80
    boxes, scores = decode("nanodet", outputs)
    assert boxes[0, 1] == pytest.approx([11.5, 3.5 - 8, 11.5 + 16, 3.5 + 24], abs=1e-3)
    assert scores[0, 1] == pytest.approx([0.7, 0.1])


def test_a_fastestdet_map_becomes_boxes_in_pixels() -> None:
    """Column 1, row 2 of a map of 4 x 4; no offset; half the picture wide, a quarter high."""
    maps = np.full((1, 7, 4, 4), -50.0, np.float32)
    maps[0, :, 2, 1] = [0.5, 0, 0, 0, -math.log(3), 0.8, 0.0]
    boxes, scores = decode("fastestdet", {"out": maps})
    row = 2 * 4 + 1
    assert boxes[0, row] == pytest.approx([16 - 16, 32 - 8, 16 + 16, 32 + 8], abs=1e-3)
    assert scores[0, row] == pytest.approx([0.5**0.6 * 0.8**0.4, 0])


def test_cells_are_counted_as_they_are_listed() -> None:
    places, strides = cells(416, 256)
    assert len(places) == len(strides) == count(416, 256)
    assert count(416, 416) == 52 * 52 + 26 * 26 + 13 * 13


def test_labels_that_are_no_class_get_no_score() -> None:
    labels = np.array([[0, 1, 2, -1, 0.5, math.nan]], np.float32)
    scores = by_class(labels, np.ones((1, 6), np.float32), 2)
    assert scores[0].tolist() == [[1, 0], [0, 1], [0, 0], [0, 0], [0, 0], [0, 0]]


@given(st.lists(st.floats(-1e4, 1e4, width=32), min_size=2, max_size=9))
def test_sigmoid_and_softmax_stay_between_nothing_and_one(logits: list[float]) -> None:
    values = np.array(logits, np.float32)
    for given_back in (sigmoid(values), softmax(values)):
        assert given_back.dtype == np.float32
        assert ((given_back >= 0) & (given_back <= 1)).all()
    assert softmax(values).sum() == pytest.approx(1, abs=1e-4)


NAMES = ["boxes", "scores", "labels", "bboxes", "logits", "pred_boxes", "dets", "out", "count"]
NAMES += [f"{kind}_pred_stride_{stride}" for kind in ("cls", "dis") for stride in (8, 16, 32)]
any_outputs = st.dictionaries(
    st.sampled_from(NAMES),
    hnp.arrays(
        np.float32,
        hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=9),
        elements=st.floats(width=32, allow_nan=True, allow_infinity=True),
    ),
    max_size=6,
)


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=30, deadline=None)
@given(outputs=any_outputs)
def test_whatever_a_model_gives_is_decoded_or_refused(name: str, outputs: dict[str, Any]) -> None:
    with np.errstate(all="ignore"):
        try:
            boxes, scores = decode(name, outputs)
        except Refused:
            return
    assert boxes.ndim == scores.ndim == 3
    assert boxes.shape == (*scores.shape[:2], 4)


any_shape = st.lists(st.none() | st.integers(0, 100), max_size=4).map(tuple)
any_tensors = st.lists(st.builds(Tensor, st.sampled_from(NAMES), any_shape), max_size=6)


@given(any_tensors, any_tensors, st.dictionaries(st.sampled_from(["names", "imgsz"]), st.text()))
def test_whatever_a_graph_says_recognition_answers(inputs, outputs, metadata) -> None:
    graph = Graph(tuple(inputs), tuple(outputs), metadata)
    found = recognise(graph, 64, 64)
    assert found is None or found[0].name in FORMATS


@pytest.mark.parametrize("objects", [1, 3, 80])
@pytest.mark.parametrize("size", [(96, 64), (416, 256), (640, 640)])
def test_yolo_families_are_told_apart_by_their_rows(objects: int, size: tuple[int, int]) -> None:
    cell = count(*size)
    told = {
        "yolox": (1, cell, 5 + objects),
        "yolov5": (1, 3 * cell, 5 + objects),
        "yolov8": (1, 4 + objects, cell),
        "end-to-end": (1, 300, 6),
    }
    for name, shape in told.items():
        found = recognise(Graph((), (Tensor("out", shape),), {}), *size)
        assert found is not None
        assert found[0].name == name, shape


def test_names_in_a_graph_are_read_as_lists_and_as_numbered_ones() -> None:
    assert names_in({"names": "{0: 'person', 1: 'car'}"}) == ["person", "car"]
    assert names_in({"names": "['truck']"}) == ["truck"]
    for broken in ("", "{1: 'person'}", "3", "[1, 2]", "(", "{}", "'person'[9]", "x" * 200_000):
        assert names_in({"names": broken}) is None
    assert by_name(["Worker", "dump", " TRUCK "]) == {Label.PERSON: (0,), Label.VEHICLE: (2,)}
    assert by_name(["cat"]) is None


def test_classes_come_from_names_before_they_come_from_their_number() -> None:
    assert classes_of({}, 80) is COCO
    assert classes_of({}, 91) is COCO_IDS
    assert classes_of({}, 3) is None
    assert classes_of({}, None) is None
    assert classes_of({"names": "['person']"}, 80) == {Label.PERSON: (0,)}
