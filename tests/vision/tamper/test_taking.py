"""A reference rests on enough good looks of one size, and on nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.domain.observation import Measures
from edge.vision.tamper.sketch import (
    BLOCK_COLS,
    BLOCK_ROWS,
    COLS,
    ROWS,
    SKETCH_BYTES,
    Sketch,
)
from edge.vision.tamper.taking import Taking, good

LOOK = Measures(brightness=100, contrast=50, sharpness=500, still_s=0, width=1280, height=720)
OTHER_SIZE = replace(LOOK, width=640, height=360)


def sketch(level: float, edges: float = 0.5) -> Sketch:
    blocks = np.full((BLOCK_ROWS, BLOCK_COLS), level, np.float32)
    return Sketch(np.full((ROWS, COLS), edges, np.complex64), blocks, blocks, blocks)


@pytest.mark.parametrize(
    ("changes", "edges", "is_good"),
    [
        ({}, 0.5, True),
        ({"dark": 0.8, "bright": 0.3}, 0.5, True),
        ({"dark": 0.85}, 0.5, False),
        ({"bright": 0.35}, 0.5, False),
        ({}, 0.05, False),  # a wall, a cloth, fog: nothing to compare with
    ],
)
def test_a_good_look_is_lit_and_has_edges(changes, edges, is_good):
    assert good(replace(LOOK, **changes), sketch(100, edges)) is is_good


def test_nothing_is_there_before_the_first_look():
    taking = Taking(20.0)
    assert (taking.view, taking.looks, taking.done) == (None, 0, False)


@given(st.lists(st.floats(0, 255), min_size=1, max_size=40))
def test_the_view_is_the_mean_of_all_looks(levels):
    taking = Taking(1000.0)
    for level in levels:
        taking.take(LOOK, sketch(level), 1.0)
    assert taking.view is not None
    assert (taking.looks, taking.view.width, taking.view.height) == (len(levels), 1280, 720)
    assert np.allclose(taking.view.sketch.brightness, np.mean(levels), atol=0.01)
    assert len(taking.view.sketch.pack()) == SKETCH_BYTES


@given(st.floats(1, 200), st.lists(st.floats(0, 1e6), max_size=60))
def test_it_is_done_when_the_looks_have_lasted_long_enough_and_silences_count_little(lasts, gaps):
    taking = Taking(lasts)
    for gap in gaps:
        taking.take(LOOK, sketch(100), gap)
    assert taking.done is (sum(min(gap, 5.0) for gap in gaps) >= lasts)


def test_another_size_begins_anew():
    taking = Taking(10.0)
    for _ in range(9):
        taking.take(LOOK, sketch(50), 1.0)
    taking.take(OTHER_SIZE, sketch(90), 1.0)
    assert (taking.looks, taking.done) == (1, False)
    assert taking.view is not None
    assert (taking.view.width, float(taking.view.sketch.brightness[0, 0])) == (640, 90.0)
    for _ in range(9):
        taking.take(OTHER_SIZE, sketch(90), 1.0)
    assert taking.done
