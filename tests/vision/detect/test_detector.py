from __future__ import annotations

import math
import threading

import numpy as np
import psutil
import pytest

from edge.domain.observation import Label
from edge.errors import Refused
from edge.vision.detect import detector as module
from edge.vision.detect.detector import Detector
from edge.vision.picture import Pixels
from tests.vision.onnx_file import (
    block,
    grid_model,
    model,
    node,
    number,
    tensor,
    tensor_info,
)

BOX = (16.0, 8.0, 32.0, 40.0)
ONE = [(BOX, (0.9, 0.0))]
NAN, INF = math.nan, math.inf


WHERE = "m.onnx"


def _load(data: bytes) -> Detector:
    return Detector(data, None, 1, WHERE)


def _picture(width: int = 128, height: int = 64) -> Pixels:
    return np.zeros((height, width, 3), np.uint8)


def test_a_file_in_our_own_format_is_recognised_and_its_boxes_return_to_the_picture():
    detector = _load(grid_model(ONE))
    (found,) = detector.detect([_picture(128, 32)])[0]
    assert found.label is Label.PERSON
    assert found.score == pytest.approx(0.9)
    assert found.box == pytest.approx((32, 4, 64, 20))  # stretched: x by 2, y by 0.5


def test_pictures_are_detected_one_by_one_or_together_with_the_same_result():
    single = _load(grid_model(ONE))
    several = _load(grid_model(ONE, batch="n"))
    assert (single.batches, several.batches) == (False, True)
    pictures = [_picture(128, 64), _picture(640, 360), _picture(64, 64)]
    assert single.detect(pictures) == several.detect(pictures)
    assert single.detect([]) == []


def test_overlapping_boxes_of_one_label_become_one_and_labels_do_not_suppress_each_other():
    rows = [(BOX, (0.9, 0.1)), ((16, 8, 32, 39), (0.8, 0.1)), (BOX, (0.1, 0.7))]
    found = _load(grid_model(rows)).detect([_picture()])[0]
    assert [(item.label, round(item.score, 2)) for item in found] == [
        (Label.PERSON, 0.9),
        (Label.VEHICLE, 0.7),
    ]


def test_rows_that_are_no_numbers_are_dropped_and_boxes_are_clipped_to_the_picture():
    rows = [
        ((NAN, 0, 10, 10), (0.9, 0)),
        ((0, 0, INF, 10), (0.9, 0)),
        ((0, 0, 10, 10), (NAN, 0)),
        ((0, 0, 10, 10), (INF, 0)),
        ((30, 30, 20, 20), (0.9, 0)),
        ((-50, -50, 1e30, 1e30), (0.8, 0)),
    ]
    (found,) = _load(grid_model(rows)).detect([_picture()])[0]
    assert found.box == (0, 0, 128, 64)


def test_what_scores_between_floor_and_threshold_is_told_as_not_sure():
    rows = [((0, 0, 20, 20), (0.41, 0)), ((30, 0, 50, 20), (0.39, 0)), (BOX, (0.29, 0))]
    found = _load(grid_model(rows)).detect([_picture()])[0]
    assert [(round(item.score, 2), item.sure) for item in found] == [(0.41, True), (0.39, False)]


def test_a_flood_of_candidates_is_bounded():
    rows = [((x, y, x + 0.5, y + 0.5), (0.9, 0.9)) for x in range(60) for y in range(60)]
    found = _load(grid_model(rows)).detect([_picture()])[0]
    assert len(found) == module.MAX_DETECTIONS


def _image() -> bytes:
    return tensor_info("images", [1, 3, 64, 64])


def _identity(shape: list[int]) -> bytes:
    return model(
        [node("Identity", ["images"], ["out"])],
        [tensor_info("images", shape)],
        [tensor_info("out", shape)],
    )


OUTSIDE = block(13, block(1, "location") + block(2, "/etc/passwd")) + number(14, 1)
BROKEN = {
    "empty": (b"", "cannot load"),
    "not a model": (b"\x89PNG\r\n" + bytes(1000), "cannot load"),
    "cut off": (grid_model(ONE)[:-40], "cannot load"),
    "unknown operator": (
        model([node("Backdoor", ["images"], ["out"])], [_image()], [_image()]),
        "cannot load",
    ),
    "weights in another file": (
        model(
            [node("Add", ["images", "w"], ["out"])],
            [_image()],
            [tensor_info("out", [1, 3, 64, 64])],
            [tensor("w", [1], [], OUTSIDE)],
        ),
        "other files",
    ),
    "a name that is no text": (grid_model(ONE).replace(b"scores", b"\xffcores"), "cannot load"),
    "an unknown name that is no text": (
        grid_model(ONE).replace(b"ReduceMean", b"\xffeduceMean"),
        "cannot load",
    ),
    "a filter": (_identity([1, 3, 64, 64]), "no known format"),
    "no picture": (_identity([1, 10]), "no known format"),
    "a giant input": (_identity([1, 3, 8192, 8192]), "no known format"),
    "no fixed size": (
        model(
            [node("Identity", ["images"], ["out"])],
            [tensor_info("images", [1, 3, "h", "w"])],
            [tensor_info("out", [1, 3, "h", "w"])],
        ),
        "no known format",
    ),
    "four pictures at once": (
        grid_model(ONE, batch=4),
        "4 pictures at once",
    ),
    "another type": (
        model(
            [
                node(
                    "Cast",
                    ["images"],
                    ["f"],
                    block(5, block(1, "to") + number(3, 1) + number(20, 2)),
                ),
                node("Identity", ["b"], ["boxes"]),
                node("Identity", ["s"], ["scores"]),
            ],
            [tensor_info("images", [1, 3, 64, 64], kind=2)],
            [tensor_info("boxes", [1, 1, 4]), tensor_info("scores", [1, 1, 2])],
            [tensor("b", [1, 1, 4], BOX), tensor("s", [1, 1, 2], [0.5, 0.5])],
        ),
        "of floats",
    ),
    "boxes that are not": (
        model(
            [node("Identity", ["b"], ["boxes"]), node("Identity", ["s"], ["scores"])],
            [_image()],
            [tensor_info("boxes", [1, 1, 7]), tensor_info("scores", [1, 1, 2])],
            [tensor("b", [1, 1, 7], [0.0] * 7), tensor("s", [1, 1, 2], [0.5, 0.5])],
        ),
        "gives boxes",
    ),
    "fails when run": (
        model(
            [
                node("Reshape", ["images", "w"], ["r"]),
                node("Identity", ["b"], ["boxes"]),
                node("Mul", ["r", "s"], ["scores"]),
            ],
            [_image()],
            [tensor_info("boxes", [1, 1, 4]), tensor_info("scores", [1, 1, 2])],
            [
                number(1, 1) + number(2, 7) + block(8, "w") + block(9, (7).to_bytes(8, "little")),
                tensor("b", [1, 1, 4], BOX),
                tensor("s", [1, 1, 2], [0.5, 0.5]),
            ],
        ),
        "cannot load|fails when run",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_or_hostile_file_is_refused_and_the_message_names_it(case):
    data, reason = BROKEN[case]
    with pytest.raises(Refused, match=reason) as refused:
        _load(data)
    assert str(refused.value).startswith(WHERE)


def test_one_inference_thread_means_one_thread():
    before = psutil.Process().num_threads()
    detector = _load(grid_model(ONE))
    detector.detect([_picture()])
    assert psutil.Process().num_threads() <= before
    assert threading.active_count() >= 1
