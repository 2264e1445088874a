"""What lasts is told; kettles, thermostats and blips are not."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge.clock import ManualClock
from edge.sensors.power.excess import Excess

LIMIT, STRONG = 8.0, 20.0


def _fed(minutes, wait_s=0.0, step_s=60.0, excess=None):
    excess, clock = excess or Excess(), ManualClock()
    told = []
    for kw in minutes:
        excess.step(kw, LIMIT, STRONG, wait_s, clock.advance(step_s))
        told.append(excess.since is not None)
    return told


def test_a_large_load_is_told_after_three_minutes_and_from_its_first():
    excess, clock = Excess(), ManualClock()
    first = clock.advance(60)
    excess.step(40.0, LIMIT, STRONG, 0.0, first)
    for _ in range(2):
        excess.step(40.0, LIMIT, STRONG, 0.0, clock.advance(60))
        assert excess.since is None
    excess.step(40.0, LIMIT, STRONG, 0.0, clock.advance(60))
    assert excess.since == first


def test_two_minutes_are_no_incident_however_large():
    assert not any(_fed([0, 500.0, 500.0, 0, 0, 0] * 20))


def test_a_small_load_must_stand_for_25_minutes_on_end():
    assert _fed([12.0] * 40).index(True) == 25
    assert not any(_fed(([12.0] * 15 + [0.0] * 10) * 20))


def test_what_stands_may_sag_a_little():
    assert any(_fed([9.0, 6.0] * 20))
    assert not any(_fed([9.0, 4.0] * 20))


def test_what_is_told_goes_on_until_it_was_calm_for_ten_minutes():
    told = _fed([40.0] * 5 + [0.0] * 9 + [40.0] + [0.0] * 11 + [1.0])
    assert told[3:25] == [True] * 22
    assert told[26:] == [False]


def test_two_readings_a_quarter_of_an_hour_apart_confirm_each_other():
    assert _fed([40.0, 40.0], step_s=900.0) == [False, True]


def test_a_pump_that_is_started_by_and_by_is_waited_for():
    assert _fed([40.0] * 40, wait_s=1800.0).index(True) == 30


def test_one_that_is_stopped_by_and_by_is_waited_for_twice_as_long():
    told = _fed([80.0] * 20 + [40.0] * 20 + [0.0] * 5, wait_s=1800.0)
    assert not any(told)
    assert any(_fed([80.0] * 20 + [40.0] * 60, wait_s=1800.0))


def test_nothing_is_doubtful_at_first():
    excess, clock = Excess(), ManualClock()
    assert not excess.doubtful
    excess.step(9.0, LIMIT, STRONG, 0.0, clock.now())
    assert excess.doubtful


@given(st.lists(st.floats(-100, 7.9), max_size=100), st.floats(0, 5000))
def test_what_stays_below_the_limit_is_never_told(minutes, wait_s):
    assert not any(_fed(minutes, wait_s))


@given(st.lists(st.floats(-100, 100), max_size=50))
def test_whatever_came_before_a_large_load_that_lasts_is_told_and_ends(minutes):
    told = _fed([*minutes, *[50.0] * 10, *[0.0] * 12])
    assert told[len(minutes) + 9]
    assert not told[-1]
