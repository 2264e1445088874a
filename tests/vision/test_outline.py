"""Polygons that a zone can be, and those that it cannot."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.vision.outline import area, crossing

SQUARE = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]


@pytest.mark.parametrize(
    "polygon",
    [
        SQUARE,
        SQUARE[::-1],
        [(0.0, 0.0), (1.0, 0.0), (0.5, 1.0)],
        # an L, and one with a corner that lies on a straight side
        [(0.0, 0.0), (1.0, 0.0), (1.0, 0.3), (0.3, 0.3), (0.3, 1.0), (0.0, 1.0)],
        [(0.0, 0.0), (0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)],
    ],
)
def test_simple_polygons_do_not_cross_themselves(polygon):
    assert crossing(polygon) is None
    assert area(polygon) > 0


@pytest.mark.parametrize(
    ("polygon", "sides"),
    [
        ([(0.0, 0.0), (1.0, 1.0), (1.0, 0.0), (0.0, 1.0)], (0, 2)),  # a bow tie
        ([(0.0, 0.0), (0.0, 0.0), (1.0, 0.0), (0.0, 1.0)], (0, 1)),  # a corner twice
        ([(0.0, 0.0), (1.0, 0.0), (0.5, 0.0)], (0, 1)),  # goes back over itself
        ([(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (0.0, 0.0)], (0, 2)),  # closed by hand
        # a corner touches another side, each way round
        ([(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 0.0), (0.0, 1.0)], (0, 2)),
        ([(0.5, 0.0), (0.0, 1.0), (0.0, 0.0), (1.0, 0.0), (1.0, 1.0)], (0, 2)),
        ([(1.0, 1.0), (0.5, 0.0), (0.0, 1.0), (0.0, 0.0), (1.0, 0.0)], (0, 3)),
        ([(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.2, 1.0), (0.5, 0.0)], (0, 3)),
    ],
)
def test_the_sides_that_meet_are_named(polygon, sides):
    assert crossing(polygon) == sides


def test_too_few_corners_have_no_area():
    assert area([]) == 0
    assert area([(0.2, 0.3)]) == 0
    assert area([(0.0, 0.0), (1.0, 1.0)]) == 0


@given(
    st.lists(st.floats(0, 6.28, exclude_max=True), min_size=3, max_size=32, unique=True),
    st.integers(0, 31),
)
def test_corners_in_order_around_a_circle_never_cross(angles, shift):
    turned = sorted(round(angle, 2) for angle in set(angles))
    corners = [(math.cos(angle), math.sin(angle)) for angle in dict.fromkeys(turned)]
    first = shift % len(corners)
    rotated = corners[first:] + corners[:first]
    if len(rotated) >= 3:
        assert crossing(rotated) is None
        assert area(rotated) == pytest.approx(area(corners))


@given(st.integers(4, 12), st.data())
def test_swapping_two_corners_of_a_convex_polygon_makes_it_cross(count, data):
    corners = [(math.cos(6.28 * i / count), math.sin(6.28 * i / count)) for i in range(count)]
    i = data.draw(st.integers(0, count - 2))
    corners[i], corners[i + 1] = corners[i + 1], corners[i]
    assert crossing(corners) is not None
