from __future__ import annotations

import cv2
import numpy as np
import pytest

from edge.clock import ManualClock
from edge.domain.observation import Label, Quality, SeenObject, Sighting
from edge.vision.evidence.snapshot import MAX_BYTES, encode
from edge.vision.picture import Picture

NOW = ManualClock().now()


def _decoded(data: bytes) -> np.ndarray:
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return picture


def test_the_clean_picture_stays_clean_and_the_drawn_one_shows_the_box():
    frame = np.full((360, 640, 3), 90, np.uint8)
    seen = SeenObject(7, Label.PERSON, 0.9, (0.25, 0.25, 0.5, 0.75))
    clean, drawn = encode(Picture(frame, NOW), Sighting("cam-1", NOW, Quality.GOOD, (seen,)))
    assert np.ptp(_decoded(clean)) <= 2
    blue, green, red = _decoded(drawn)[180, 160]
    assert red > 150
    assert max(blue, green) < 90
    assert (frame == 90).all()  # the picture given is not drawn into


def test_without_a_sighting_only_the_stamp_is_drawn():
    frame = np.full((360, 640, 3), 90, np.uint8)
    _clean, drawn = encode(Picture(frame, NOW), None)
    assert np.ptp(_decoded(drawn)[:300]) <= 2
    assert np.ptp(_decoded(drawn)[330:]) > 100


@pytest.mark.parametrize(("height", "width"), [(1080, 1920), (2000, 500), (1, 1), (1, 3000)])
def test_snapshots_are_at_most_1280_wide_and_high(height, width):
    frame = np.zeros((height, width, 3), np.uint8)
    for data in encode(Picture(frame, NOW), None):
        shape = _decoded(data).shape
        assert max(shape) <= 1280
        assert len(data) <= MAX_BYTES


def test_even_pure_noise_stays_within_the_bytes():
    frame = np.random.default_rng(1).integers(0, 256, (960, 1280, 3), np.uint8)
    for data in encode(Picture(frame, NOW), None):
        assert len(data) <= MAX_BYTES
