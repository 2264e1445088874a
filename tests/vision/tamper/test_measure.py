from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.domain.observation import RANGES, Measures
from edge.vision.picture import MAX_EDGE, Pixels, fitted
from edge.vision.tamper.liveness.clock import LOOKING
from edge.vision.tamper.measure import KEYS_KEPT, Measurer, Stillness, shrunk
from edge.vision.tamper.sketch import SKETCH_BYTES


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


def _measured(picture: Pixels, still_s: float = 0.0) -> Measures:
    return Measurer().measure(picture, (1920, 1080), still_s)


def test_measures_of_a_plain_and_of_a_rich_picture():
    plain = _measured(np.full((180, 320), 40, np.uint8), 2.5)
    assert (plain.brightness, plain.contrast, plain.sharpness) == (40, 0, 0)
    assert (plain.still_s, plain.width, plain.height) == (2.5, 1920, 1080)
    rich = _measured(_scene(1))
    assert rich.contrast > 15
    assert rich.sharpness > 100
    assert len(rich.sketch) == SKETCH_BYTES


def test_what_is_nearly_black_or_white_is_counted_without_the_strips_of_the_clock():
    picture = np.full((180, 320), 120, np.uint8)
    picture[:21] = 255
    picture[21:, :80] = 16
    picture[21:, 240:] = 240
    assert _measured(picture).dark == pytest.approx(0.25, abs=0.01)
    assert _measured(picture).bright == pytest.approx(0.25, abs=0.01)


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
        picture[::4, ::8] += 40 * (i // 7)  # equal, then not, then equal again
        pictures.append(picture)
    assert _keys(pictures) == 28


def test_a_quantiser_that_wanders_up_and_down_comes_back_to_pictures_of_before():
    variants = [_noisy(_scene(1), 4, i) for i in range(KEYS_KEPT)]
    assert _keys([variants[i % KEYS_KEPT] for i in range(40)]) == 31


def test_what_an_encoder_alone_changes_is_less_than_a_sensor_does():
    pictures = []
    for i in range(30):
        picture = _scene(1)
        picture[i::40, ::3] += 1
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
    measurer = Measurer()
    for turned in (grey, grey[::-1]):
        measures = measurer.measure(shrunk(turned, 320), grey.shape, 0)
        for name, (low, high) in RANGES.items():
            assert low <= getattr(measures, name) <= high


def test_what_was_watched_is_in_the_measures():
    measurer = Measurer()
    loop = [_noisy(_scene(1), 3.0, seed) for seed in range(50)]
    for t, picture in enumerate(loop + loop[:10]):
        still_s = measurer.watch(picture, float(t), 0)
    measures = measurer.measure(loop[9], (320, 180), still_s)
    assert (measures.repeats, measures.repeat_lag_s) == (10.0, 50.0)
    assert (measures.still_s, measures.clock_s, measures.clock_date) == (0.0, LOOKING, 0.0)
