"""What follows the ten seconds of a clock is found and learned; what cannot be told is left."""

from __future__ import annotations

import numpy as np
import pytest

from edge.vision.tamper.liveness.digits import EACH, TEN, Finder, Learner

LOOKS = np.arange(0.4, EACH * TEN + 10)


def glowing(second: int, *boxes: tuple[int, int, int, int]) -> np.ndarray:
    """A strip on which each box has another tone in each of ten seconds; grainy elsewhere."""
    strip = np.random.default_rng(second).integers(98, 103, (100, 200)).astype(np.uint8)
    for left, top, right, bottom in boxes:
        strip[top:bottom, left:right] = 20 + 23 * (second * 3 % TEN)
    return strip


def find(*boxes: tuple[int, int, int, int]):
    finder = Finder((100, 200))
    for t in LOOKS:
        finder.take(glowing(int(t), *boxes), float(t))
    assert finder.ready
    return finder.find()


UNITS, LARGE, SMALL = (20, 10, 40, 40), (60, 5, 160, 95), (180, 10, 188, 20)


def test_of_two_that_follow_the_plainer_one_is_the_units():
    for boxes in ((UNITS, SMALL), (SMALL, UNITS)):
        found = find(*boxes)
        assert found is not None
        assert found[0] == pytest.approx(UNITS, abs=1)


def test_what_is_too_large_for_a_digit_is_none():
    found = find(LARGE, UNITS)
    assert found is not None
    assert found[0] == pytest.approx(UNITS, abs=1)
    assert find(LARGE) is None


def learned(units: tuple[int, int], seconds: np.ndarray) -> Learner:
    """Units whose tone tells the second, and to their left a digit that changes each ten."""
    learner = Learner(units, (20, units[1]), 0.0)
    for t in seconds:
        line = np.zeros((20, units[1]), np.float32)
        line[:, units[0] : units[1]] = 10.0 * (int(t) % TEN)
        line[5:15, max(0, units[0] - 14) : max(0, units[0] - 4)] = 90.0 * (int(t) // TEN % 2)
        learner.take(line, float(t))
    return learner


def test_the_zero_is_where_the_digit_to_the_left_changes():
    learner = learned((20, 30), np.arange(0.4, 60.0))
    assert learner.ready
    glyphs = learner.glyphs()
    assert glyphs is not None
    assert glyphs.mean(axis=(1, 2)) == pytest.approx([10.0 * digit for digit in range(TEN)])


def test_looks_that_are_not_neighbours_tell_no_change():
    assert not learned((20, 30), np.arange(0.4, 200.0, 3.0)).ready


def test_without_room_for_a_digit_to_the_left_there_is_no_zero():
    learner = learned((0, 10), np.arange(0.4, 60.0))
    assert learner.ready
    assert learner.glyphs() is None
