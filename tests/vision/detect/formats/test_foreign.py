"""Foreign files, chosen without being told their format, against answers known otherwise."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge.domain.observation import Label
from edge.errors import Refused
from edge.vision.detect.detector import Detection, Detector
from edge.vision.detect.formats import FORMATS
from edge.vision.follow.track import iou
from tests.vision.onnx_file import FLOAT16, INT64, constant_model, tensor_info

FILES = {
    "yolox_nano_416x416.onnx": "yolox",
    "nanodet_m_416.onnx": "nanodet",
    "picodet_xs_320_lcnet_postprocessed.onnx": "picodet",
    "fastestdet_352.onnx": "fastestdet",
}


@pytest.mark.parametrize("name", FILES)
def test_a_foreign_file_gives_what_independent_decoders_get_from_it(
    name: str, shared_data: Path
) -> None:
    """Every box that other people's code finds at score 0.4, on thirteen photos."""
    told = json.loads((shared_data / "reference/reference_detections.json").read_text())[name]
    detector = _load(shared_data / "models" / name)
    assert detector.spec.decoder == FILES[name]
    compared, invented = 0, []
    for photo, expected in told.items():
        picture = cv2.imread(str(shared_data / "reference" / photo))
        assert picture is not None
        found = [one for one in detector.detect([np.asarray(picture, np.uint8)])[0] if one.sure]
        for item in expected:
            if item["score"] >= 0.4:
                assert any(_same(one, item) for one in found), (photo, item)
                compared += 1
        invented += [
            (photo, one)
            for one in found
            if one.score >= 0.42 and not any(_same(one, item) for item in expected)
        ]
    assert compared >= 20
    assert len(invented) <= 2  # beyond the edge two boxes overlap less than inside the picture


def _load(path: Path) -> Detector:
    return Detector(path.read_bytes(), None, 1, str(path))


def _same(found: Detection, wanted: dict[str, Any]) -> bool:
    return bool(
        found.label.value == wanted["cls"]
        and abs(found.score - wanted["score"]) <= 0.02
        and iou(found.box, tuple(wanted["xyxy"])) >= 0.9
    )


# A person at (16, 8, 32, 40) and a car at (40, 40, 60, 56) of a picture of 96 x 64, as each
# format would say it.
PERSON, CAR = (16.0, 8.0, 32.0, 40.0), (40.0, 40.0, 60.0, 56.0)
CENTRED = {PERSON: (24.0, 24.0, 16.0, 32.0), CAR: (50.0, 48.0, 20.0, 16.0)}
NAMES = {"names": "{0: 'hat', 1: 'Person', 2: 'car'}", "stride": "32"}


def _rows(count: int, columns: int, *, objectness: bool) -> np.ndarray:
    rows = np.zeros((1, count, columns), np.float32)
    first = 5 if objectness else 4
    for row, box, number, score in ((5, PERSON, 0, 0.9), (9, CAR, 2, 0.8)):
        rows[0, row, :4] = CENTRED[box]
        rows[0, row, 4:first] = 1
        rows[0, row, first + number] = score
    return rows


def _queries(columns: int, person: int, car: int, quiet: float, loud: float) -> dict[str, Any]:
    logits = np.full((1, 10, columns), quiet, np.float32)
    boxes = np.full((1, 10, 4), 0.5, np.float32)
    for row, box, number in ((2, PERSON, person), (7, CAR, car)):
        logits[0, row, number] = loud
        boxes[0, row] = np.array(CENTRED[box]) / (96, 64, 96, 64)
    return {"logits": logits, "pred_boxes": boxes}


def _list(person: int, car: int) -> dict[str, np.ndarray]:
    return {
        "labels": np.array([[person, car, 77]]),
        "boxes": np.array([[PERSON, CAR, PERSON]], np.float32),
        "scores": np.array([[0.9, 0.8, 0.7]], np.float32),
    }


def _fractions() -> dict[str, np.ndarray]:
    listed = _list(1, 3)
    boxes = listed.pop("boxes") / np.array([96, 64, 96, 64], np.float32)
    return {"bboxes": boxes, **listed}


def _suppressed() -> dict[str, np.ndarray]:
    rows = np.zeros((20, 6), np.float32)
    rows[0], rows[1], rows[2] = (0, 0.9, *PERSON), (2, 0.8, *CAR), (0, 0.99, 0, 0, 64, 64)
    return {"rows": rows, "count": np.array([2])}


SIZES = tensor_info("orig_target_sizes", [1, 2], INT64)
SCALE = tensor_info("scale_factor", [1, 2])
CELLS = 12 * 8 + 6 * 4 + 3 * 2
GRAPHS: dict[str, tuple[str, bytes]] = {
    "YOLOv5 of COCO": (
        "yolov5",
        constant_model({"out": _rows(3 * CELLS, 85, objectness=True)}),
    ),
    "YOLOv8 of COCO": (
        "yolov8",
        constant_model({"out": _rows(CELLS, 84, objectness=False).transpose(0, 2, 1)}),
    ),
    "YOLO11 in half precision": (
        "yolov8",
        constant_model(
            {"out": _rows(CELLS, 84, objectness=False).transpose(0, 2, 1)}, kind=FLOAT16
        ),
    ),
    "RT-DETR": ("detr", constant_model(_queries(80, 0, 2, -9, 2.2))),
    "RF-DETR": (
        "detr",
        constant_model(
            {
                {"logits": "labels", "pred_boxes": "dets"}[name]: values
                for name, values in _queries(91, 1, 3, -9, 2.2).items()
            }
        ),
    ),
    "DETR": ("detr-softmax", constant_model(_queries(92, 1, 3, 0, 8))),
    "D-FINE": ("listed", constant_model(_list(0, 2), extras=[SIZES])),
    "torchvision": ("listed", constant_model(_list(1, 3))),
    "torchvision without a batch": (
        "listed",
        constant_model({name: values[0] for name, values in _list(1, 3).items()}),
    ),
    "SSD": ("ssd", constant_model(_fractions())),
    "PaddleDetection": ("picodet", constant_model(_suppressed(), extras=[SCALE])),
    "YOLOv10": (
        "end-to-end",
        constant_model({"out": np.array([[(*PERSON, 0.9, 0), (*CAR, 0.8, 2)]], np.float32)}),
    ),
    "YOLOv7": (
        "end-to-end",
        constant_model({"out": np.array([(0, *PERSON, 0, 0.9), (0, *CAR, 2, 0.8)], np.float32)}),
    ),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_a_graph_is_recognised_and_its_things_are_found(name: str, tmp_path: Path) -> None:
    decoder, data = GRAPHS[name]
    path = tmp_path / "foreign.onnx"
    path.write_bytes(data)
    detector = _load(path)
    assert detector.spec.decoder == decoder
    person, car = detector.detect([np.zeros((64, 96, 3), np.uint8)])[0]
    assert (person.label, car.label) == (Label.PERSON, Label.VEHICLE)
    assert person.box == pytest.approx(PERSON, abs=0.1)
    assert car.box == pytest.approx(CAR, abs=0.1)
    assert 0.75 < car.score <= person.score < 1


def test_every_format_is_covered() -> None:
    assert {decoder for decoder, _ in GRAPHS.values()} | set(FILES.values()) | {"grid"} == set(
        FORMATS
    )


def test_class_names_in_the_graph_decide_and_free_sizes_take_the_one_it_names(
    tmp_path: Path,
) -> None:
    rows = np.zeros((1, 7, CELLS), np.float32)
    rows[0, :4, 3], rows[0, 5, 3] = CENTRED[PERSON], 0.9
    path = tmp_path / "own.onnx"
    path.write_bytes(
        constant_model(
            {"out": rows},
            size=("w", "h"),
            batch="n",
            shapes={"out": ["n", 7, "a"]},
            metadata={**NAMES, "imgsz": "[64, 96]"},
        )
    )
    detector = _load(path)
    assert (detector.spec.width, detector.spec.height) == (96, 64)
    assert detector.spec.classes == {Label.PERSON: (1,), Label.VEHICLE: (2,)}
    (found,) = detector.detect([np.zeros((64, 96, 3), np.uint8)])[0]
    assert found.label is Label.PERSON
    assert found.box == pytest.approx(PERSON)


def test_a_letterbox_in_the_middle_is_undone(tmp_path: Path) -> None:
    path = tmp_path / "v8.onnx"
    path.write_bytes(GRAPHS["YOLOv8 of COCO"][1])
    person, car = _load(path).detect([np.zeros((64, 48, 3), np.uint8)])[0]
    assert person.box == pytest.approx((0, 8, 8, 40))  # 48 x 64 in the middle of 96 x 64
    assert car.box == pytest.approx((16, 40, 36, 56))


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        ("{0: 'cat', 1: 'dog'}", "does not tell which"),
        ("", "does not tell which"),
        ("__import__('os').system('true')", "does not tell which"),
        ("[" * 500, "does not tell which"),
    ],
)
def test_a_graph_that_knows_no_people_is_refused(names: str, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    rows = np.zeros((1, 6, CELLS), np.float32)
    path.write_bytes(constant_model({"out": rows}, metadata={"names": names}))
    with pytest.raises(Refused, match=reason):
        _load(path)
