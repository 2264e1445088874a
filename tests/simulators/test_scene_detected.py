"""What is drawn looks real enough for a detector that never saw it: YOLOX-nano, trained on COCO."""

from __future__ import annotations

import time

import numpy as np
import pytest

from simulators.cameras.scene import Actor, Scene
from tests.simulators.yolox import YoloxNano, overlap

SIZE = (480, 270)
SEEDS = (0, 1, 2)


@pytest.fixture(scope="module")
def detector(shared_data):
    path = shared_data / "models" / "yolox_nano_416x416.onnx"
    if not path.is_file():
        pytest.skip("the foreign detector is not there")
    return YoloxNano(path)


@pytest.fixture(scope="module")
def scenes():
    return [Scene(SIZE, seed, place) for place in ("shaft", "gate") for seed in SEEDS]


def people(scene):
    rng = np.random.default_rng(scene.seed)
    for route in ("in", "across"):
        actor = Actor.along("person", 0, scene.layout.routes[route], seed=int(rng.integers(999)))
        for part in (0.3, 0.4, 0.5, 0.6, 0.7):
            yield actor, part * actor.end
    for rest in ("stand", "stand", "stand", "crouch"):
        spot = scene.ground(rng.uniform(0.3, 0.7), rng.uniform(0.6, 0.85))
        facing = rng.uniform(-np.pi, np.pi)
        seed = int(rng.integers(999))
        yield Actor.still("person", 0, 9, spot, rest=rest, seed=seed, facing=facing), 1.0


def vehicles(scene):
    rng = np.random.default_rng(scene.seed)
    for name, route in scene.layout.routes.items():
        if name.startswith("drive"):
            for kind in ("truck", "car"):
                actor = Actor.along(kind, 0, route, seed=int(rng.integers(999)))
                for part in np.linspace(0.25, 0.75, 9):
                    yield actor, part * actor.end


def found(detector, scene, actor, t):
    """None when the actor is not fully in view and large enough, else whether it is detected."""
    scene.actors = [actor]
    boxes = [box for box in scene.boxes(t) if box.visible > 0.85]
    if not boxes or boxes[0].y2 - boxes[0].y1 < 0.15 * SIZE[1]:
        return None
    return any(
        label == boxes[0].label and overlap(boxes[0][1:5], box) >= 0.4
        for label, _, box in detector.detect(scene.render(t), 0.35)
    )


@pytest.mark.parametrize(("cast", "share", "least"), [(people, 0.85, 60), (vehicles, 0.6, 60)])
def test_a_foreign_detector_sees_what_is_drawn(detector, scenes, cast, share, least):
    answers = [found(detector, scene, actor, t) for scene in scenes for actor, t in cast(scene)]
    counted = [answer for answer in answers if answer is not None]
    assert len(counted) >= least
    assert sum(counted) / len(counted) >= share, f"{sum(counted)} of {len(counted)}"


def test_an_empty_scene_shows_nobody(detector, scenes):
    for scene in scenes:
        scene.actors = []
        assert not [one for one in detector.detect(scene.render(0), 0.35) if one[0] == "person"]


def test_a_live_camera_leaves_time_for_everything_else():
    scene = Scene((1280, 720), 3)  # the size that the commands use
    scene.walk(0)
    scene.drive(0)
    scene.render(0)
    spent = []
    for t in np.arange(2, 6, 0.25):
        start = time.thread_time()
        scene.render(t)
        spent.append(time.thread_time() - start)
    assert np.median(spent) < 0.05  # 0.025 on an idle core; twice that for a busy machine
