"""When a unit is asked, lost and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.clock import ManualClock
from edge.sensors.health import (
    FIRST_BACKOFF_S,
    LISTEN_S,
    LOST_AFTER,
    MAX_BACKOFF_S,
    MIN_PATIENCE_S,
    Health,
    answered,
    doubted,
    failed,
    overheard,
    thought,
)


def test_a_new_unit_is_asked_at_every_sweep():
    assert Health().due(ManualClock().now())


def test_a_unit_is_lost_after_three_failures_in_a_row_and_it_is_said_once():
    clock, health, said = ManualClock(), Health(), []
    for _ in range(8):
        health, lost = failed(health, clock.advance(1), patient=False)
        said.append(lost)
    assert said == [False, False, True] + 5 * [False]


def test_one_good_answer_between_failures_starts_the_count_anew():
    clock, health = ManualClock(), Health()
    for _ in range(10):
        health, lost = failed(health, clock.advance(1), patient=True)
        assert not lost
        health, _ = failed(health, clock.advance(1), patient=True)
        health, lost_s = answered(health, clock.advance(1))
        assert lost_s is None
        assert health == Health()


def test_a_unit_that_is_back_says_how_long_it_was_away_from_its_first_failure_on():
    clock, health = ManualClock(), Health()
    for _ in range(LOST_AFTER):
        health, _ = failed(health, clock.advance(10), patient=True)
    health, lost_s = answered(health, clock.advance(100))
    assert lost_s == 10 * (LOST_AFTER - 1) + 100
    assert health == Health()


def test_after_a_failure_the_unit_is_suspect_until_it_answers():
    clock = ManualClock()
    health, _ = failed(Health(), clock.now(), patient=True)
    assert health.suspect
    assert not answered(health, clock.now())[0].suspect


def test_a_lost_unit_is_left_alone_for_a_growing_bounded_time():
    clock, health, waits = ManualClock(), Health(), []
    for _ in range(40):
        health, _ = failed(health, clock.now(), patient=True)
        if health.due_us is None:
            continue
        assert not health.due(clock.now())
        waits.append((health.due_us - clock.now().mono_us) / 1e6)
        clock.advance(waits[-1])
        assert health.due(clock.now())
    assert waits[0] == FIRST_BACKOFF_S
    assert waits == sorted(waits)
    assert waits[-1] == MAX_BACKOFF_S


def test_units_of_a_bus_that_is_down_are_asked_as_soon_as_it_is_up():
    health, clock = Health(), ManualClock()
    for _ in range(LOST_AFTER + 3):
        health, _ = failed(health, clock.advance(1), patient=False)
    assert health.lost
    assert health.due(clock.now())


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.floats(0, 100))))
def test_loss_and_return_alternate_whatever_happens(events):
    clock, health, said = ManualClock(), Health(), []
    for good, patient, seconds in events:
        now = clock.advance(seconds)
        if good:
            health, lost_s = answered(health, now)
            if lost_s is not None:
                assert lost_s >= 0
                said.append("back")
        else:
            health, lost = failed(health, now, patient=patient)
            if lost:
                said.append("lost")
    assert said == (["lost", "back"] * len(said))[: len(said)]


def test_an_unknown_unit_is_waited_for_as_long_as_allowed_and_a_quick_one_less():
    assert Health().patience_s(0.5) == 0.5
    assert thought(Health(), 0.02).patience_s(0.5) == MIN_PATIENCE_S
    assert thought(Health(), 0.1).patience_s(0.5) == pytest.approx(0.3)
    assert thought(Health(), 9.0).patience_s(0.5) == 0.5


def test_after_a_failure_a_quick_unit_is_waited_for_as_long_as_allowed():
    health, _ = failed(thought(Health(), 0.02), ManualClock().now(), patient=True)
    assert health.patience_s(0.5) == 0.5
    assert answered(health, ManualClock().now())[0].patience_s(0.5) == MIN_PATIENCE_S


def test_a_unit_that_grows_slow_is_known_at_once_and_one_that_grows_quick_after_a_while():
    health = thought(thought(Health(), 0.02), 0.42)
    assert health.thinks_s == pytest.approx(0.22)
    for _ in range(30):
        health = thought(health, 0.02)
    assert health.thinks_s == pytest.approx(0.02, abs=0.01)
    assert health.patience_s(0.5) == MIN_PATIENCE_S


def test_a_lost_unit_is_listened_to_once_and_a_late_one_always():
    clock, health = ManualClock(), Health()
    for _ in range(LOST_AFTER):
        assert health.listen_s == 0
        health, _ = failed(health, clock.now(), patient=True)
    assert (health.listen_s, health.overdue_s) == (LISTEN_S, 0)
    assert overheard(health, None, listened=False).listen_s == LISTEN_S
    assert overheard(health, None, listened=True).listen_s == 0
    late = overheard(overheard(health, 2.0, listened=True), None, listened=True)
    assert (late.listen_s, late.overdue_s) == (2.5, 2.5)
    assert thought(late, 0.1).late_s is None
    assert not answered(late, clock.now())[0].listened


def test_a_unit_that_answers_what_is_no_use_is_in_step():
    health, _ = failed(Health(), ManualClock().now(), patient=False, answers=True)
    assert not health.suspect
    assert doubted(health).suspect


def test_failures_while_something_else_was_heard_tell_of_the_line_until_it_is_lost():
    health = overheard(Health(), None, listened=False, disturbed=True)
    told = []
    for _ in range(3):
        health, _lost = failed(health, ManualClock().now(), patient=True)
        told.append(health.likely_well)
    assert told == [True, True, False]
