from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge.clock import ManualClock
from edge.domain.activity import ActivityKind, Phase
from edge.domain.observation import ClockCompared
from edge.sensors.timekeeping import MOST_OFF_S, Timekeeper

CLOCK = ManualClock()


def seen(least_s: float | None, most_s: float) -> ClockCompared:
    return ClockCompared("host", CLOCK.advance(10), least_s, most_s)


def test_a_clock_that_is_ahead_is_an_activity_until_it_agrees_again() -> None:
    keeper = Timekeeper()
    assert keeper.step(seen(-0.5, 0.7)) == []
    (started,) = keeper.step(seen(3599.5, 3600.6))
    (on,) = keeper.step(seen(3599.5, 3600.6))
    (ended,) = keeper.step(seen(-0.5, 0.7))
    assert {one.kind for one in (started, on, ended)} == {ActivityKind.CLOCK_WRONG}
    assert [one.phase for one in (started, on, ended)] == list(Phase)
    assert started.detail == {"offset_s": 3599.5}
    assert ended.started == started.stamp
    assert keeper.step(seen(-0.5, 0.7)) == []


def test_a_clock_that_is_behind_shows_even_by_a_receipt_of_unknown_age() -> None:
    (started,) = Timekeeper().step(seen(None, -86_400.0))
    assert started.detail == {"offset_s": -86_400.0}


def test_an_old_receipt_is_no_proof_that_the_clock_is_right_again() -> None:
    keeper = Timekeeper()
    keeper.step(seen(None, -500.0))
    assert keeper.step(seen(None, 3.0)) == []
    assert keeper.step(seen(-900.0, 3.0)) == []
    assert keeper.step(seen(-3.0, 900.0)) == []
    assert [one.phase for one in keeper.step(seen(-3.0, 3.0))] == [Phase.ENDED]


def test_an_incident_from_before_a_restart_ends_when_the_clock_agrees() -> None:
    assert Timekeeper().step(seen(-0.5, 0.5)) == []
    (ended,) = Timekeeper().step(seen(-0.5, 0.5), reported=True)
    assert ended.phase is Phase.ENDED


@given(offset_s=st.floats(-1e6, 1e6), before_s=st.floats(0, 1e4), after_s=st.floats(0, 1e4))
def test_however_long_receipts_travel_a_right_clock_is_never_called_wrong(
    offset_s: float, before_s: float, after_s: float
) -> None:
    activities = Timekeeper().step(seen(offset_s - before_s, offset_s + after_s))
    if abs(offset_s) <= MOST_OFF_S:
        assert activities == []
    if offset_s - before_s > MOST_OFF_S or offset_s + after_s < -MOST_OFF_S:
        assert len(activities) == 1
