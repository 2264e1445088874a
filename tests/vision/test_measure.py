from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.vision.measure import Reference, Stillness, measure, shrunk
from edge.vision.picture import MAX_EDGE, Pixels, fitted


def _scene(seed: int) -> Pixels:
    """Walls and posts with hard edges."""
    rng = np.random.default_rng(seed)
    scene = np.full((180, 320), 120, np.uint8)
    for _ in range(25):
        x, y = int(rng.integers(0, 300)), int(rng.integers(0, 160))
        cv2.rectangle(scene, (x, y), (x + 30, y + 20), int(rng.integers(40, 220)), -1)
    return scene


def _noisy(scene: Pixels, sigma: float, seed: int) -> Pixels:
    noise = np.random.default_rng(seed).normal(0, sigma, scene.shape)
    return np.clip(scene + noise, 0, 255).astype(np.uint8)


def test_measures_of_a_plain_and_of_a_rich_picture():
    plain = measure(np.full((180, 320), 40, np.uint8), 1.0, 2.5)
    assert (plain.brightness, plain.contrast, plain.sharpness) == (40, 0, 0)
    assert (plain.similarity, plain.still_s) == (1.0, 2.5)
    rich = measure(_scene(1), 1.0, 0.0)
    assert rich.contrast > 15
    assert rich.sharpness > 100


def test_the_same_scene_in_other_light_is_similar():
    reference = Reference()
    assert reference.compare(_scene(1), 0) == 1
    darker = (_scene(1) * 0.5).astype(np.uint8)
    assert reference.compare(_noisy(darker, 3, 1), 1) > 0.8


def test_fog_keeps_enough_of_the_edges():
    reference = Reference()
    reference.compare(_noisy(_scene(1), 2, 1), 0)
    fog = (170 + 0.15 * (_scene(1).astype(float) - 120)).astype(np.uint8)
    assert reference.compare(_noisy(fog, 1.0, 2), 1) > 0.4


def test_a_cover_has_none_of_the_edges():
    reference = Reference()
    reference.compare(_noisy(_scene(1), 2, 1), 0)
    assert abs(reference.compare(_noisy(np.full((180, 320), 20, np.uint8), 3, 2), 1)) < 0.2
    assert reference.compare(np.full((180, 320), 20, np.uint8), 2) == 0


def test_a_reference_without_edges_is_similar_to_anything():
    reference = Reference()
    reference.compare(np.full((180, 320), 20, np.uint8), 0)
    assert reference.compare(_scene(1), 1) == 1


def test_another_resolution_begins_a_new_reference():
    reference = Reference()
    reference.compare(_scene(1), 0)
    assert reference.compare(_scene(2)[:90], 1) == 1


def test_a_new_view_is_learned_in_minutes_not_in_seconds():
    reference = Reference()
    reference.compare(_scene(1), 0)
    early = reference.compare(_scene(2), 10)
    for t in range(20, 2000, 10):
        late = reference.compare(_scene(2), t)
    assert early < 0.5
    assert late > 0.9


def test_a_cover_is_never_learned_however_long_it_stays():
    reference = Reference()
    reference.compare(_scene(1), 0)
    for t in range(0, 40_000, 100):
        cover = _noisy(np.full((180, 320), 20, np.uint8), 2, t)
        assert abs(reference.compare(cover, t)) < 0.2
    assert reference.compare(_scene(1), 40_000) > 0.99


def _keys(pictures: list[Pixels]) -> float:
    """One key picture a second; what is said of the last."""
    stillness = Stillness()
    still_s = 0.0
    for second, picture in enumerate(pictures):
        still_s = stillness.step(picture, second, 0)
        stillness.step(pictures[0], second + 0.04, 1)  # others are not compared
    return still_s


def test_a_live_sensor_is_never_still():
    assert _keys([_noisy(_scene(1), 0.3, i) for i in range(30)]) == 0


def test_a_frozen_source_is_still():
    assert _keys([_scene(1)] * 30) == 28


def test_an_encoder_that_changes_its_quantiser_now_and_then_does_not_hide_a_frozen_source():
    pictures = []
    for i in range(30):
        picture = _scene(1)
        picture[::8, ::8] += i // 7  # equal, then not, then equal again
        pictures.append(picture)
    assert _keys(pictures) == 28


def test_two_pictures_that_are_equal_by_chance_are_soon_forgotten():
    live = [_noisy(_scene(1), 1, i) for i in range(10)]
    assert _keys([*live[:5], live[4], *live[5:]]) == 0


def test_a_running_clock_in_the_border_does_not_hide_a_frozen_picture():
    pictures = []
    for i in range(20):
        picture = _scene(1)
        picture[4:14, 10 + i : 20 + i] = 255
        pictures.append(picture)
    assert _keys(pictures) == 18


def test_a_change_of_resolution_is_a_difference():
    assert _keys([*[_scene(1)] * 5, _scene(1)[:90], _scene(2)[:90]]) == 0


@given(st.integers(1, 10_000), st.integers(1, 10_000), st.integers(8, MAX_EDGE))
def test_a_fitted_size_is_within_the_limit_and_never_larger(width, height, limit):
    fit_width, fit_height = fitted(width, height, limit)
    assert 1 <= fit_width <= min(limit, width)
    assert 1 <= fit_height <= min(limit, height)
    if min(fit_width, fit_height) >= 10:
        assert fit_width / fit_height == pytest.approx(width / height, rel=0.11)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32 - 1), st.sampled_from([(90, 160), (180, 320), (640, 100)]))
def test_measures_are_finite_and_in_range_for_any_picture(seed, shape):
    grey = np.random.default_rng(seed).integers(0, 256, shape, np.uint8)
    measures = measure(shrunk(grey, 320), Reference().compare(grey, 0), 0)
    assert 0 <= measures.brightness <= 255
    assert 0 <= measures.contrast <= 128
    assert measures.sharpness == pytest.approx(measures.sharpness)
