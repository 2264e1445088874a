from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import Refused
from edge.vision.picture import Pixels
from edge.vision.tamper.sketch import (
    BLOCK_COLS,
    BLOCK_ROWS,
    COLS,
    ROWS,
    SKETCH_BYTES,
    Sketch,
    Sketcher,
)


def _scene(seed: int) -> Pixels:
    rng = np.random.default_rng(seed)
    scene = np.full((138, 320), 120, np.uint8)
    for _ in range(25):
        x, y = int(rng.integers(0, 300)), int(rng.integers(0, 130))
        cv2.rectangle(scene, (x, y), (x + 30, y + 20), int(rng.integers(40, 220)), -1)
    return scene


def _live(scene: Pixels, sigma: float, seed: int) -> Pixels:
    noise = np.random.default_rng(seed).normal(0, sigma, scene.shape)
    return np.clip(scene + noise, 0, 255).astype(np.uint8)


def _sketch(*pictures: Pixels) -> Sketch:
    sketcher = Sketcher()
    return [sketcher.step(picture)[0] for picture in pictures][-1]


def _alike(a: Sketch, b: Sketch) -> float:
    size = np.sqrt((np.abs(a.edges) ** 2).sum() * (np.abs(b.edges) ** 2).sum())
    return float((a.edges * b.edges.conj()).real.sum() / size)


def test_light_gain_and_reversed_contrast_leave_the_edges_as_they_were():
    plain = _sketch(_scene(1))
    for changed in (_scene(1) // 2, 255 - _scene(1), _scene(1) // 3 + 150):
        assert _alike(plain, _sketch(changed)) > 0.85
    assert abs(_alike(plain, _sketch(_scene(2)))) < 0.2


def test_what_stays_is_structure_and_noise_is_not():
    scene = _scene(1)
    clean = _sketch(scene, scene)
    noisy = _sketch(_live(scene, 8, 1), _live(scene, 8, 2))
    bare = _sketch(_live(np.full_like(scene, 90), 8, 1), _live(np.full_like(scene, 90), 8, 2))
    assert noisy.fine.mean() == pytest.approx(clean.fine.mean(), rel=0.1)
    assert abs(bare.fine.mean()) < 0.05 * clean.fine.mean()


def test_blur_takes_more_of_the_fine_structure_than_of_the_coarse():
    scene = _scene(1)
    soft = np.asarray(cv2.GaussianBlur(scene, (0, 0), 2), np.uint8)
    sharp, blurred = _sketch(scene, scene), _sketch(soft, soft)
    fine = blurred.fine.mean() / sharp.fine.mean()
    coarse = blurred.coarse.mean() / sharp.coarse.mean()
    assert fine < 0.3 * coarse


@pytest.mark.parametrize(("dx", "dy"), [(0, 0), (3, 0), (-4, 2)])
def test_the_shift_between_two_looks_is_measured(dx, dy):
    scene = np.asarray(cv2.resize(_scene(3), (320, 128), interpolation=cv2.INTER_AREA), np.uint8)
    matrix = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
    moved = cv2.warpAffine(scene, matrix, (320, 128), borderMode=cv2.BORDER_REFLECT)
    sketcher = Sketcher()
    assert sketcher.step(scene)[1] == 0
    assert sketcher.step(np.asarray(moved, np.uint8))[1] == pytest.approx(np.hypot(dx, dy), abs=0.6)


def test_a_lorry_in_fog_that_is_the_clearest_thing_in_view_moves_no_camera():
    fog = np.asarray(160 + 0.3 * cv2.resize(_scene(3), (320, 128)).astype(np.float32), np.uint8)
    rng = np.random.default_rng(3)
    side = cv2.resize(rng.uniform(0, 255, (8, 12)).astype(np.float32), (64, 60))
    sketcher, moved = Sketcher(), 0.0
    for step in range(5):
        look = fog.copy()
        look[50:110, 60 + 6 * step : 124 + 6 * step] = side
        moved = max(moved, sketcher.step(look)[1])
    assert moved == 0.0
    shaken = [fog, np.roll(fog, 6, axis=1)]
    assert sketcher.step(shaken[0])[1] == 0.0
    assert sketcher.step(shaken[1])[1] > 4.0


def test_a_shift_that_cannot_be_told_is_none():
    sketcher = Sketcher()
    sketcher.step(_scene(1))
    assert sketcher.step(_scene(9))[1] == 0
    assert sketcher.step(np.full((90, 320), 128, np.uint8))[1] == 0


@given(st.integers(0, 2**32 - 1), st.binary(min_size=16, max_size=16))
def test_any_bytes_of_the_right_number_are_a_sketch_of_finite_figures(seed, some):
    rest = np.random.default_rng(seed).bytes(SKETCH_BYTES - 64)
    sketch = Sketch.unpack(some * 2 + rest + some * 2)
    assert sketch.edges.shape == (ROWS, COLS)
    assert sketch.fine.shape == sketch.coarse.shape == (BLOCK_ROWS, BLOCK_COLS)
    assert np.abs(sketch.edges).max() < 1.5
    assert all(np.isfinite(part).all() for part in (sketch.fine, sketch.coarse))


@given(st.binary(max_size=50))
def test_another_number_of_bytes_is_refused(data):
    with pytest.raises(Refused):
        Sketch.unpack(data)


def test_a_sketch_survives_its_packing():
    sketch = _sketch(_scene(1), _scene(1))
    again = Sketch.unpack(sketch.pack())
    assert np.abs(again.edges - sketch.edges).max() < 0.01
    assert np.allclose(again.brightness, sketch.brightness, atol=0.51)
    assert np.allclose(again.fine, sketch.fine, rtol=0.07, atol=0.5)
    assert again.pack() == sketch.pack()
