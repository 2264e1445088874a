"""The shipped file on rendered yards that it was not trained on."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pytest

from edge.domain.observation import Label
from edge.vision.detector import load_detector
from models.train.assign import iou
from models.train.readers import Reader, reader
from models.train.rendered import held_out_scenes
from simulators.cameras.scene.actors import Actor, Kind
from simulators.cameras.scene.scene import Scene

MODELS = Path(__file__).resolve().parents[2] / "models"
ENTRY = next(
    entry
    for entry in tomllib.loads((MODELS / "manifest.toml").read_text(encoding="utf-8"))["model"]
    if entry["default"]
)
THRESHOLD = ENTRY["threshold"]
SEED = 2_000_003


@pytest.fixture(scope="module")
def read() -> Reader:
    return reader(MODELS / ENTRY["file"])


@pytest.fixture(scope="module")
def scene() -> Scene:
    return Scene((896, 512), seed=SEED, place="shaft")


def yard(scene: Scene, kind: Kind | None, condition: str) -> tuple[np.ndarray, np.ndarray]:
    """A shaft head with one actor or nobody: picture, true boxes [G,4]."""
    scene.condition, scene.actors = condition, []
    if kind is not None:
        scene.add(Actor.still(kind, 0, 10, scene.ground(0.45, 0.8), seed=5, facing=1.2))
    boxes = np.array([box[1:5] for box in scene.boxes(5)], np.float32).reshape(-1, 4)
    return scene.render(5), boxes


@pytest.mark.parametrize("condition", ["day", "dusk", "night", "rain", "snow", "fog"])
@pytest.mark.parametrize(("kind", "column"), [(Kind.PERSON, 0), (Kind.TRUCK, 1)])
def test_one_in_the_yard_is_found_where_it_stands(
    read: Reader,
    scene: Scene,
    kind: Kind,
    column: int,
    condition: str,
) -> None:
    picture, truth = yard(scene, kind, condition)
    rows = read(picture)[column]
    sure = rows[rows[:, 4] >= THRESHOLD]
    assert len(sure) >= 1
    assert iou(truth, sure[:, :4]).max() >= 0.5


@pytest.mark.parametrize("condition", ["day", "dusk", "night", "rain", "snow", "fog"])
def test_an_empty_yard_is_empty(read: Reader, scene: Scene, condition: str) -> None:
    picture, _ = yard(scene, None, condition)
    assert all((rows[:, 4] < THRESHOLD).all() for rows in read(picture))


def test_held_out_scenes_come_with_their_truth_and_never_change() -> None:
    first, again = list(held_out_scenes(3)), list(held_out_scenes(3))
    for (picture, boxes, tags), (other, _, _) in zip(first, again, strict=True):
        assert np.array_equal(picture, other)
        assert boxes.shape[1] == 6
        assert tags[1] in {"shaft", "gate"}
        assert (boxes[:, 2:4] >= boxes[:, :2]).all()


def test_the_product_reads_the_file_as_the_comparison_does(read: Reader, scene: Scene) -> None:
    picture, _ = yard(scene, Kind.TRUCK, "night")
    mine = {
        (label, round(float(row[4]), 2)): row[:4]
        for label, rows in zip((Label.PERSON, Label.VEHICLE), read(picture), strict=True)
        for row in rows[rows[:, 4] >= THRESHOLD]
    }
    found = [one for one in load_detector("", threads=1).detect([picture])[0] if one.sure]
    assert {(d.label, round(d.score, 2)) for d in found} == set(mine)
    for detection in found:
        wanted = mine[detection.label, round(detection.score, 2)]
        np.testing.assert_allclose(detection.box, wanted, atol=1.0)
