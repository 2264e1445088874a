"""Sizes of pictures that leave a camera's process, and what of them is measured."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.vision.picture import BORDER, MAX_EDGE, fitted, inner

sides = st.integers(1, 16384)


@given(sides, sides)
def test_a_picture_is_made_smaller_but_never_larger_and_keeps_its_shape(width, height):
    small = fitted(width, height)
    assert 1 <= max(small) <= MAX_EDGE
    assert all(new <= old for new, old in zip(small, (width, height), strict=True))
    scale = min(1.0, MAX_EDGE / max(width, height))
    assert small == pytest.approx((max(1, width * scale), max(1, height * scale)), abs=0.5)


@given(st.integers(1, 400), st.floats(0, 0.49))
def test_strips_of_the_clock_are_left_out_above_and_below_and_never_everything(height, share):
    picture = np.arange(height, dtype=np.uint16).astype(np.uint8).reshape(height, 1)
    part = inner(picture, share)
    assert np.shares_memory(part, picture)
    left_out = height - part.shape[0]
    assert left_out == 2 * int(height * share) < height
    assert part[0] == picture[left_out // 2]


def test_the_usual_strips_are_left_out_unless_told_otherwise():
    assert inner(np.zeros((100, 4), np.uint8)).shape == (100 - 2 * round(100 * BORDER), 4)
