"""What the gateway observes of itself: room, session, clock."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge.clock import ManualClock
from edge.domain.activity import Activity, ActivityKind, Phase
from edge.domain.observation import ClockStepped, SessionTaken, StorageSpace
from edge.sensors.host import HostAnalyser

STARTED, GOES_ON, ENDED = Phase.STARTED, Phase.GOES_ON, Phase.ENDED


def phases(told: list[Activity]) -> list[Phase]:
    return [activity.phase for activity in told]


def test_little_room_starts_goes_on_and_ends_and_then_starts_anew() -> None:
    host, clock, told = HostAnalyser(), ManualClock(), []
    begun = clock.now()
    for low in (True, True, False, False, True):
        told += host.step(StorageSpace("host", clock.now(), 7900.4, 99.6, low))
        clock.advance(30)
    assert phases(told) == [STARTED, GOES_ON, ENDED, STARTED]
    assert [activity.started.since(begun) for activity in told] == [0, 0, 0, 120]
    assert told[0].detail == {"used_mb": 7900, "free_mb": 100}


def test_a_duel_that_is_over_says_how_often_the_session_was_taken() -> None:
    host, clock, told = HostAnalyser(), ManualClock(), []
    for times in (0, 1, 2, 0, 0):
        told += host.step(SessionTaken("host", clock.now(), "mqtt.example", times))
    assert phases(told) == [STARTED, GOES_ON, ENDED]
    assert [activity.detail["times"] for activity in told] == [1, 2, 2]


def test_a_step_of_the_clock_is_a_moment() -> None:
    now = ManualClock().now()
    told = HostAnalyser().step(ClockStepped("host", now, -3600.00049))
    assert phases(told) == [STARTED, ENDED]
    assert {activity.started for activity in told} == {activity.stamp for activity in told} == {now}
    assert told[0].detail == {"step_s": -3600.0}


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 3)), max_size=30))
def test_room_and_session_are_told_apart_and_each_begins_before_it_goes_on_or_ends(
    seen: list[tuple[bool, int]],
) -> None:
    host, clock = HostAnalyser(), ManualClock()
    under_way = {ActivityKind.STORAGE_LOW: False, ActivityKind.SESSION_TAKEN: False}
    for low, times in seen:
        now = clock.advance(20)
        told = host.step(StorageSpace("host", now, 1.0, 1.0, low))
        told += host.step(SessionTaken("host", now, "mqtt.example", times))
        for activity in told:
            assert (activity.phase is STARTED) is not under_way[activity.kind]
            under_way[activity.kind] = activity.phase is not ENDED
        assert list(under_way.values()) == [low, times > 0]
