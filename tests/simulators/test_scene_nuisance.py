"""What changes the picture and is nobody: it shows while it acts, and leaves no truth behind."""

from __future__ import annotations

import numpy as np
import pytest

from simulators.cameras.scene import Condition, Scene
from simulators.cameras.scene.clutter import Insects, Vegetation
from simulators.cameras.scene.nuisance import (
    Cloud,
    ExposureHunting,
    Flicker,
    Headlights,
    IrSwitchover,
    Lamp,
)
from simulators.cameras.scene.weather import SETTINGS

SIZE = (320, 180)


@pytest.fixture(scope="module")
def built():
    return Scene(SIZE, 3, "shaft")


@pytest.fixture
def scene(built):
    built.nuisances, built.noise, built.clock = [], 0.0, False
    built.set("day")
    return built


def change(scene, nuisance, t):
    """What it adds to each pixel, mean over the colours, [H, W]."""
    scene.nuisances = []
    plain = scene.render(t).astype(float)
    scene.nuisances = [nuisance]
    return (scene.render(t) - plain).mean(axis=2)


@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_has_the_noise_that_it_says(scene, name):
    scene.set(name)
    condition, sigma = SETTINGS[name]
    assert scene.condition is condition
    if sigma is None:
        return
    plain = scene.render(1.0).astype(float)
    scene.noise = 1.0
    middle = (plain > 40) & (plain < 215)  # what no noise takes out of the range
    assert (scene.render(1.0) - plain)[middle].std() == pytest.approx(sigma, rel=0.03)


@pytest.mark.parametrize(
    ("nuisance", "before", "after"),
    [
        (Cloud(10), 9.0, 90.0),
        (Lamp(10, 20), 9.0, 21.0),
        (Headlights(10), 9.0, 15.0),
        (ExposureHunting(10), 9.0, 60.0),
        (Flicker(10, 20), 9.0, 21.0),
        (IrSwitchover(10, 20), 9.0, 23.0),
    ],
)
def test_nothing_changes_before_and_after(scene, nuisance, before, after):
    for t in (before, after):
        assert not change(scene, nuisance, t).any()
    assert max(np.abs(change(scene, nuisance, 10 + s)).max() for s in (0.5, 1.0, 2.0)) > 5


def test_a_cloud_s_shadow_crosses_the_picture(scene):
    dark = change(scene, Cloud(0, travel_s=8, rise_s=2), 4.0)
    assert dark[:, :80].mean() < 3 * dark[:, 240:].mean() <= 0
    other = change(scene, Cloud(0, travel_s=-8, rise_s=2), 4.0)
    assert other[:, 240:].mean() < 3 * other[:, :80].mean() <= 0
    full = change(scene, Cloud(0, depth=0.3, hold_s=20), 15.0)
    scene.nuisances = []
    assert full.mean() == pytest.approx(-0.3 * scene.render(0).mean(), rel=0.05)


def test_a_lamp_lights_its_surroundings_only_and_warms_up(scene):
    scene.set("dusk")
    lit = change(scene, Lamp(0, 99, (0.25, 0.7), 0.15), 5.0)
    assert lit[100:150, 60:100].mean() > 10
    assert not lit[:, 260:].any()
    slow = Lamp(0, 999, (0.25, 0.7), 0.15, warm_s=60)
    assert change(scene, slow, 6.0).sum() < 0.3 * change(scene, slow, 61.0).sum()


def test_a_lamp_outside_the_picture_does_nothing(scene):
    assert not change(scene, Lamp(0, 9, (-3.0, 0.5)), 1.0).any()


def test_headlights_sweep_to_the_side_that_they_turn_to(scene):
    scene.set("ir-night-4")
    places = [
        [change(scene, Headlights(0, way), t).sum(axis=0).argmax() for t in (1.2, 2.0, 2.8)]
        for way in (4.0, -4.0)
    ]
    assert places[0] == sorted(places[0])
    assert places[1] == sorted(places[1], reverse=True)
    assert len(set(places[0])) == 3


def test_exposure_swings_both_ways_and_settles(scene):
    swings = [change(scene, ExposureHunting(0), t).mean() for t in np.arange(0.2, 9.5, 0.2)]
    assert max(swings) > 5
    assert min(swings) < -5
    assert abs(swings[-1]) < 2


def test_flicker_is_bands_that_wander(scene):
    one = change(scene, Flicker(0, 99), 1.0).mean(axis=1)
    other = change(scene, Flicker(0, 99), 2.0).mean(axis=1)
    assert one.argmin() != other.argmin()
    assert one.max() <= 0


def test_a_switchover_turns_grey_at_once_pumps_and_goes_back(scene):
    scene.set("dusk")
    scene.nuisances = [IrSwitchover(10, 20)]
    night = scene.render(15.0)
    assert np.ptp(night.astype(int), axis=2).max() == 0
    levels = [scene.render(t).mean() for t in (10.05, 10.5, 11.0, 15.0)]
    assert levels[0] < 0.6 * levels[3]
    assert scene.render(20.05).mean() > 1.3 * scene.render(22.0).mean()
    assert np.ptp(scene.render(20.05).astype(int), axis=2).max() > 0
    assert scene.condition is Condition.DUSK


def test_insects_are_bright_streaks_at_night_and_repeat_for_the_same_moment(scene):
    scene.set("ir-night-4")
    swarm = Insects(0, 600, scene.lens, per_minute=60, seed=4)
    added = [change(scene, swarm, t) for t in np.arange(58, 66, 0.25)]
    assert all(step.min() >= 0 for step in added)
    assert max(step.max() for step in added) > 40
    assert sum(step.any() for step in added) > 4
    assert np.array_equal(change(scene, swarm, 60.5), change(scene, swarm, 60.5))


def test_a_bush_sways_where_it_stands(scene):
    bush = Vegetation(scene.lens, (0.0, 8.0), height=1.6, wind=8, seed=2)
    scene.nuisances = [bush]
    still, moved = (scene.render(t).astype(int) for t in (3.0, 3.4))
    rows, cols = np.nonzero(np.abs(moved - still).max(axis=2) > 3)
    assert len(rows) > 50
    px, _ = scene.lens.project(np.array([[0.0, 0.8, 8.0]], np.float32))
    assert abs(cols.mean() - px[0, 0]) < 15
    assert rows.mean() < px[0, 1] + 10
    assert 0 <= bush.gust(3.0) <= 1


@pytest.mark.parametrize("place", [(0.0, 1.0), (60.0, 8.0)])
def test_a_bush_out_of_the_picture_is_not_drawn(scene, place):
    assert not change(scene, Vegetation(scene.lens, place), 1.0).any()


def test_a_wider_view_makes_everything_smaller():
    heights = []
    for fov in (None, 88.0):
        scene = Scene(SIZE, 3, fov=fov)
        scene.walk(0)
        box = scene.boxes(9.0)[0]
        heights.append(box.y2 - box.y1)
    assert heights[1] < 0.7 * heights[0]
