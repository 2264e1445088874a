from __future__ import annotations

import pytest

from edge.domain.observation import Label
from edge.errors import ConfigError
from edge.model.own import adopt
from edge.vision.detect.detector import Detector
from edge.vision.detect.loading import known_models, load_detector, place_of
from tests.vision.detect.formats.test_foreign import GRAPHS
from tests.vision.detect.test_detector import ONE
from tests.vision.onnx_file import grid_model


def _named(data: bytes, name: str):
    return Detector(data, None, 1, "x").spec.model_copy(update={"name": name})


def test_an_adopted_model_is_found_by_its_name_and_fed_as_was_concluded(tmp_path):
    own = tmp_path / "models"
    first, second = GRAPHS["YOLOv8 of COCO"][1], GRAPHS["torchvision"][1]
    one = adopt(first, _named(first, "yard"), own)
    two = adopt(second, _named(second, "shaft"), own)
    assert [model for model in known_models(own) if model.name in {"yard", "shaft"}] == [one, two]
    assert (own / "yard.onnx").read_bytes() == first
    assert place_of(two, own) == own / "shaft.onnx"
    detector = load_detector("yard", 1, own)
    assert detector.spec.decoder == "yolov8"
    assert detector.spec.classes[Label.VEHICLE] == (2, 3, 5, 7)


def test_a_name_that_is_taken_is_refused_and_nothing_changes(tmp_path):
    data = grid_model(ONE)
    adopt(data, _named(data, "yard"), tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    for name in ("yard", "eseal-shaft-1"):
        with pytest.raises(ConfigError, match="is taken"):
            adopt(data, _named(data, name), tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("name", ["../etc", "a b", "", ".hidden", "x/y"])
def test_a_name_that_is_no_file_name_is_refused(name, tmp_path):
    data = grid_model(ONE)
    with pytest.raises(ConfigError, match="name"):
        adopt(data, _named(data, name), tmp_path)
    assert list(tmp_path.iterdir()) == []
