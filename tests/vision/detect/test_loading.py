from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from edge.errors import ConfigError, Refused
from edge.vision.detect import loading as module
from edge.vision.detect.loading import load_detector
from edge.vision.picture import Pixels
from tests.vision.detect.test_detector import ONE
from tests.vision.onnx_file import grid_model

NOWHERE = Path("/nonexistent/models")


def _picture(width: int = 128, height: int = 64) -> Pixels:
    return np.zeros((height, width, 3), np.uint8)


def test_a_giant_file_is_refused_unread(tmp_path):
    path = tmp_path / "giant.onnx"
    with path.open("wb") as file:
        file.truncate(module.MAX_MODEL_BYTES + 1)
    with pytest.raises(Refused, match="larger than 200 MB"):
        load_detector(str(path), threads=1)


def test_a_missing_file_is_a_fault_of_the_configuration(tmp_path):
    with pytest.raises(ConfigError, match="No such file"):
        load_detector(str(tmp_path / "none.onnx"), threads=1)


MANIFEST = """
[[model]]
name = "ours"
default = true
file = "m.onnx"
sha256 = "{digest}"
decoder = "{decoder}"
width = 64
height = 64
resize = "{resize}"
colour = "rgb"
mean = [1.0, 2.0, 3.0]
std = [2.0, 2.0, 2.0]
figures = {{ ap50 = 0.6 }}
[model.classes]
person = [0]
vehicle = [{vehicle}]

[[model]]
name = "elsewhere"
file = "absent.onnx"
url = "https://models.example/absent.onnx"
sha256 = "{digest}"
decoder = "grid"
width = 64
height = 64
[model.classes]
person = [0]
"""


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Puts a manifest and a model where `load_detector` looks."""

    def put(
        data: bytes = grid_model(ONE),
        digest: str = "",
        decoder: str = "grid",
        resize: str = "stretch",
        vehicle: int = 1,
    ) -> None:
        (tmp_path / "m.onnx").write_bytes(data)
        digest = digest or hashlib.sha256(data).hexdigest()
        text = MANIFEST.format(digest=digest, decoder=decoder, resize=resize, vehicle=vehicle)
        (tmp_path / "manifest.toml").write_text(text)

    monkeypatch.setattr(module, "manifest_directory", lambda: tmp_path)
    return put


@pytest.mark.parametrize("name", ["", "ours"])
def test_the_default_and_a_named_model_come_from_the_manifest(name, installed):
    installed()
    detector = load_detector(name, 1, NOWHERE)
    assert detector.spec.name == "ours"
    assert len(detector.detect([_picture()])[0]) == 1


def test_a_letterboxed_picture_keeps_its_shape(installed):
    installed(resize="letterbox")
    (found,) = load_detector("", 1, NOWHERE).detect([_picture(128, 64)])[0]
    assert found.box == pytest.approx((32, 16, 64, 64))  # both by 2, clipped below


def test_a_file_that_is_not_the_one_of_the_manifest_is_not_run(installed):
    installed(digest="0" * 64)
    with pytest.raises(ConfigError, match="SHA-256"):
        load_detector("", 1, NOWHERE)


def test_an_unknown_name_lists_the_known_ones(installed):
    installed()
    with pytest.raises(ConfigError, match="ours, elsewhere"):
        load_detector("theirs", 1, NOWHERE)


def test_a_model_to_be_fetched_says_how(installed):
    installed()
    with pytest.raises(ConfigError, match="eseal model pull elsewhere"):
        load_detector("elsewhere", 1, NOWHERE)


def test_a_manifest_that_names_an_unknown_decoder_or_class_is_refused(installed):
    installed(decoder="nonsense")
    with pytest.raises(Refused, match="decoder 'nonsense' is not known"):
        load_detector("", 1, NOWHERE)
    installed(vehicle=5)
    with pytest.raises(Refused, match="scores"):
        load_detector("", 1, NOWHERE)
    installed(grid_model(ONE, size=(32, 32)))
    with pytest.raises(Refused, match="its input is"):
        load_detector("", 1, NOWHERE)
