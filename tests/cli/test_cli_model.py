"""`eseal model …` as a technician types it."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from edge.cli_model import app
from edge.errors import ConfigError, Refused
from tests.vision.detect.formats.test_foreign import GRAPHS
from tests.vision.onnx_file import constant_model

PERSON = (16.0, 8.0, 32.0, 40.0)


def _run(*words: str) -> str:
    result = CliRunner().invoke(app, list(words), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture
def foreign(tmp_path) -> Path:
    path = tmp_path / "yard.onnx"
    path.write_bytes(GRAPHS["YOLOv8 of COCO"][1])
    return Path(path)


def test_a_foreign_file_is_explained_added_listed_and_measured(foreign, tmp_path):
    own = ["--models", str(tmp_path / "own")]
    said = _run("add", str(foreign), *own)
    for word in ("yolov8", "96x64", "person: [0]", "vehicle: [2, 3, 5, 7]", "2 found", "'yard'"):
        assert word in said
    (row,) = [
        row for row in json.loads(_run("list", "--json", *own))["models"] if row["name"] == "yard"
    ]
    assert row["here"].endswith("own/yard.onnx")
    listed = _run("list", *own)
    assert "eseal-shaft-1 *" in listed
    assert "eseal-shaft-1-int8 " in listed  # names are to be typed: never cut short
    assert "无 no" in listed
    timings = json.loads(_run("bench", "--model", "yard", "--json", *own))["timings"]
    assert timings[0]["threads"] == 1
    assert all(0 < row["session_ms"] <= row["ms"] for row in timings)


def test_a_dry_run_keeps_nothing_and_classes_may_be_told(tmp_path):
    path = tmp_path / "m.onnx"
    rows = np.zeros((1, 6, 126), np.float32)
    rows[0, :4, 3], rows[0, 5, 3] = (24, 24, 16, 32), 0.9
    path.write_bytes(constant_model({"out": rows}))
    own = tmp_path / "own"
    with pytest.raises(Refused, match="say so with --class"):
        _run("add", str(path), "--models", str(own))
    photo = tmp_path / "photo.png"
    cv2.imwrite(str(photo), np.zeros((64, 96, 3), np.uint8))
    words = ["--class", "person=1", "--picture", str(photo), "--dry-run"]
    said = _run("add", str(path), *words, "--models", str(own))
    assert "person 0.90 (16, 8, 32, 40)" in said
    assert not own.exists()
    with pytest.raises(ConfigError, match="class"):
        _run("add", str(path), "--class", "dog=1")
    with pytest.raises(ConfigError, match="picture"):
        _run("add", str(path), "--class", "person=1", "--picture", str(path))


def _coco(tmp_path: Path, boxes: list[list[float]]) -> list[str]:
    images = tmp_path / "images"
    images.mkdir()
    cv2.imwrite(str(images / "a.png"), np.zeros((64, 96, 3), np.uint8))
    told = {
        "images": [
            {"id": 1, "file_name": "a.png", "height": 64, "width": 96},
            {"id": 2, "file_name": "gone.png", "height": 64, "width": 96},
        ],
        "categories": [{"id": 7, "name": "worker"}, {"id": 9, "name": "helmet"}],
        "annotations": [{"image_id": 1, "category_id": 7, "bbox": box} for box in boxes]
        + [{"image_id": 1, "category_id": 9, "bbox": [0, 0, 5, 5]}],
    }
    path = tmp_path / "coco.json"
    path.write_text(json.dumps(told))
    return ["eval", "--images", str(images), "--annotations", str(path)]


def test_a_detector_is_measured_on_pictures_of_ones_own(foreign, tmp_path):
    words = _coco(tmp_path, [[16, 8, 16, 32], [60, 0, 10, 20]])
    told = json.loads(_run(*words, "--model", str(foreign), "--json"))
    assert (told["pictures"], told["unreadable"]) == (1, 1)
    assert told["person"]["objects"] == 2
    assert told["person"]["ap50"] == pytest.approx(51 / 101)
    assert told["person"]["recall"][2] == [2, 0.5]
    assert "AP50" in _run(*words, "--model", str(foreign))


NO_CATEGORY = {"categories": [{"id": 1, "name": "cat"}], "annotations": [], "images": []}
OUTSIDE = {
    "categories": [{"id": 1, "name": "car"}],
    "annotations": [],
    "images": [{"id": 1, "height": 9, "file_name": "../../etc/passwd"}],
}


@pytest.mark.parametrize("text", ["", "[]", "{}", json.dumps(NO_CATEGORY), json.dumps(OUTSIDE)])
def test_what_are_no_annotations_is_refused(text, foreign, tmp_path):
    path = tmp_path / "coco.json"
    path.write_text(text)
    with pytest.raises(Refused, match=r"coco\.json"):
        _run("eval", "--images", str(tmp_path), "--annotations", str(path), "--model", str(foreign))
