"""Paths over the ground in time."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.cameras.scene import Actor, Kind, Posture


def at(actor, t):
    """Its pose, which it must have."""
    pose = actor.at(t)
    assert pose is not None
    return pose


spots = st.tuples(st.floats(-30, 30), st.floats(2, 40))


@settings(deadline=None)
@given(
    st.sampled_from(Kind),
    st.lists(spots, min_size=2, max_size=5),
    st.floats(0.2, 10),
    st.floats(0, 5),
    st.floats(0, 1),
)
def test_nobody_jumps(kind, route, speed, pause, part):
    actor = Actor.along(kind, 7.0, route, speed=speed, pause=pause)
    length = sum(math.dist(a, b) for a, b in pairwise(route))
    assert actor.start == 7.0
    assert actor.end == pytest.approx(7 + length / speed + pause, abs=1e-6)
    first, last = at(actor, actor.start), at(actor, actor.end)
    assert first.place == pytest.approx(route[0], abs=1e-6)
    assert last.place == pytest.approx(route[-1], abs=1e-6)
    t = actor.start + part * (actor.end - actor.start)
    here, soon = at(actor, t), at(actor, min(t + 0.01, actor.end))
    assert math.dist(here.place, soon.place) <= speed * 0.011 + 1e-6


def test_outside_its_time_there_is_no_pose():
    actor = Actor.still("person", 1, 2, (0, 9))
    assert actor.at(0.999) is None
    assert actor.at(2.001) is None


def test_who_moves_looks_ahead_and_counts_his_metres():
    actor = Actor.along("person", 0, [(0, 5), (0, 15)], speed=1)
    pose = at(actor, 4)
    assert pose.place == pytest.approx((0, 9))
    assert pose.heading == pytest.approx(0)
    assert pose.walked == pytest.approx(4)
    sideways = at(Actor.along("car", 0, [(0, 9), (10, 9)], speed=1), 5)
    assert sideways.heading == pytest.approx(math.pi / 2)


def test_who_pauses_rests_where_he_was_going():
    actor = Actor.along("person", 0, [(0, 5), (0, 7), (0, 9)], speed=1, pause=3, rest="crouch")
    assert at(actor, 1).walked == pytest.approx(1)
    pose = at(actor, 3)
    assert pose.walked is None
    assert pose.place == pytest.approx((0, 7))
    assert pose.heading == pytest.approx(0)
    assert actor.rest is Posture.CROUCH
    assert at(actor, 6).place == pytest.approx((0, 8))


def test_who_stands_faces_where_told():
    assert at(Actor.still("person", 0, 9, (1, 9), facing=0.5), 4).heading == 0.5


@pytest.mark.parametrize(("route", "speed"), [([(0, 5)], 1), ([], 1), ([(0, 5), (0, 6)], 0)])
def test_a_route_needs_two_spots_and_a_speed(route, speed):
    with pytest.raises(ValueError, match="route"):
        Actor.along("person", 0, route, speed=speed)


def test_kinds_have_the_detector_s_labels():
    assert [kind.label for kind in Kind] == ["person", "vehicle", "vehicle", "animal", "animal"]
