"""When a unit is asked, lost and back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge.clock import ManualClock
from edge.sensors.health import FIRST_BACKOFF_S, LOST_AFTER, MAX_BACKOFF_S, Health, answered, failed


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
