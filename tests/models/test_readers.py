"""The comparison reads foreign files as independent decoders do (golden answers of 13 photos)."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.train.assign import iou
from models.train.readers import reader


@pytest.mark.parametrize(
    "name",
    [
        "yolox_nano_416x416.onnx",
        "nanodet_m_416.onnx",
        "picodet_xs_320_lcnet_postprocessed.onnx",
        "fastestdet_352.onnx",
    ],
)
def test_a_foreign_file_is_read_as_the_reference_reads_it(shared_data: Path, name: str) -> None:
    folder = shared_data / "reference"
    golden = json.loads((folder / "reference_detections.json").read_text())[name]
    read = reader(shared_data / "models" / name)
    for photo, wanted in golden.items():
        picture = np.asarray(cv2.imread(str(folder / photo)), np.uint8)
        for label, rows in zip(("person", "vehicle"), read(picture), strict=True):
            got = rows[rows[:, 4] >= 0.3]
            want = np.array(
                [[*w["xyxy"], w["score"]] for w in wanted if w["cls"] == label],
                np.float32,
            ).reshape(-1, 5)
            assert len(got) == len(want), (photo, label)
            if len(want):
                overlap = iou(want[:, :4], got[:, :4])
                assert overlap.max(1).min() > 0.95, (photo, label)
                score = got[overlap.argmax(1), 4]
                np.testing.assert_allclose(score, want[:, 4], atol=1e-3)
