"""Idle level and swings of a feeder."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge.clock import ManualClock
from edge.sensors.power.idle import Idle
from edge.sensors.power.swings import Swings

loads = st.lists(st.tuples(st.floats(0, 500), st.floats(0.1, 900)), min_size=1, max_size=200)


@given(loads)
def test_the_idle_level_is_a_load_that_was_seen_and_never_above_the_newest_blocks(readings):
    clock, idle = ManualClock(), Idle()
    assert idle.level == 0
    for kw, seconds in readings:
        idle.learn(kw, clock.advance(seconds))
    assert idle.level in {kw for kw, _ in readings}


def test_the_idle_level_is_usable_from_the_first_reading_and_follows_a_lower_load_at_once():
    clock, idle = ManualClock(), Idle()
    idle.learn(80.0, clock.now())
    assert idle.level == 80.0
    idle.learn(0.4, clock.advance(1))
    assert idle.level == 0.4


def test_a_load_that_pauses_within_ten_minutes_is_not_taken_for_idle():
    clock, idle = ManualClock(), Idle()
    for second in range(0, 7200, 10):
        idle.learn(160.0 if second % 100 < 60 else 0.3, clock.advance(10))
    assert idle.level == 0.3


def test_pumps_that_run_for_hours_do_not_lift_the_idle_level():
    clock, idle = ManualClock(), Idle()
    for minute in range(3 * 24 * 60):
        pumping = minute % (6 * 60) < 4 * 60  # four hours of six
        idle.learn(190.0 if pumping else 80.0, clock.advance(60))
    assert idle.level == 80.0


def test_short_cuts_of_the_supply_do_not_pull_the_idle_level_down():
    clock, idle = ManualClock(), Idle()
    for minute in range(3 * 24 * 60):
        cut = minute % (12 * 60) < 5  # five minutes twice a day
        idle.learn(0.0 if cut else 80.0, clock.advance(60))
    assert idle.level == 80.0


def test_the_idle_level_follows_the_season_within_days():
    clock, idle = ManualClock(), Idle()
    for day in range(10):
        for _ in range(24 * 60):
            idle.learn(10.0 if day < 5 else 18.0, clock.advance(60))
    assert idle.level == 18.0


def test_idle_remembers_a_bounded_number_of_blocks():
    clock, idle = ManualClock(), Idle()
    for _ in range(2000):
        idle.learn(1.0, clock.advance(600))
    assert len(idle._minima) == 576


def _swings(profile, delta=10.0, step_s=5.0):
    clock, swings = ManualClock(), Swings()
    return [swings.step(kw, delta, clock.advance(step_s)) for kw in profile].count(True)


def test_a_cycle_is_one_swing_however_it_is_sampled():
    for samples in (4, 10, 50):
        ramp = [40.0 * i / samples for i in range(samples)]
        cycle = [0.0, *ramp, 40.0, *reversed(ramp)]
        assert _swings(cycle * 5) == 5


def test_steps_upward_without_a_fall_between_are_one_swing():
    assert _swings([0, 20, 20, 40, 40, 60, 60, 60]) == 1


def test_noise_below_the_threshold_is_no_swing():
    assert _swings([50, 59, 50, 59.9, 51] * 50) == 0


@given(st.lists(st.floats(0, 100), max_size=100), st.floats(0.5, 50))
def test_swings_and_falls_alternate(profile, delta):
    clock, swings = ManualClock(), Swings()
    low, high, rising = float("inf"), float("-inf"), False
    for kw in profile:
        said = swings.step(kw, delta, clock.advance(1))
        if rising:
            high = max(high, kw)
            rising, low = high - kw < delta, kw
            assert not said
        else:
            low = min(low, kw)
            assert said == (kw - low >= delta)
            rising, high = said, kw


def test_the_last_swings_are_found_only_within_their_window():
    clock, swings = ManualClock(), Swings()
    assert swings.last(1, clock.now(), 600) is None
    moments = []
    for _ in range(3):
        swings.step(0, 10, clock.advance(50))
        moments.append(clock.advance(50))
        assert swings.step(40, 10, moments[-1])
        swings.step(0, 10, clock.advance(1))
    assert swings.last(3, clock.now(), 600) == moments[0]
    assert swings.last(1, clock.now(), 600) == moments[2]
    assert swings.last(3, clock.advance(400), 600) is None
    assert swings.last(4, clock.now(), 10_000) is None


def test_a_period_is_known_from_three_swings_on():
    clock, swings = ManualClock(), Swings()
    for swing in range(4):
        assert swings.period_s() == (None if swing < 3 else 98.0)
        swings.step(0, 10, clock.advance(49))
        swings.step(40, 10, clock.advance(49))
        swings.step(0, 10, clock.now())
