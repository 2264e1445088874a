"""What becomes an incident, when, and when not any more."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from edge.clock import ManualClock
from edge.domain.activity import EvidenceRef
from edge.domain.mine import MineState, OrderKind
from edge.rules.engine import UPDATE_MAX_S, UPDATE_MIN_S, initial
from edge.rules.standing import Standing
from tests.rules.world import (
    CAMERA_LOST,
    COVERED,
    CROSSED,
    HOIST,
    PERSON,
    PUMP,
    STEPPED,
    VEHICLE,
    World,
)

SNAPSHOT = EvidenceRef("ab" * 32, "image/jpeg", 1000, "annotated")


def test_a_person_at_the_shaft_is_one_incident_with_its_reason_and_evidence() -> None:
    world = World()
    world.start(PERSON, SNAPSHOT, count=1)
    began = world.clock.now()
    world.wait(1)
    world.end(PERSON, count=2)
    assert world.told == ["opened person-at-shaft", "closed person-at-shaft"]
    data = world.newest
    assert data["opened"] == began.iso()
    assert data["duration_s"] == 1.0
    assert data["ending"] == "ceased"
    assert [ref["sha256"] for ref in data["evidence"]] == [SNAPSHOT.sha256]
    assert [reason["detail"]["count"] for reason in data["reasons"]] == [2]
    assert world.state.open == ()


def test_six_visits_a_few_seconds_apart_are_six_incidents() -> None:
    world = World()
    for _ in range(6):
        world.start(PERSON)
        world.wait(5)
        world.end(PERSON)
        world.wait(2.25)
    assert world.told == ["opened person-at-shaft", "closed person-at-shaft"] * 6
    assert len({leaf["data"]["incident"] for leaf in world.leaves}) == 6


def test_a_minimum_duration_is_judged_with_time_passing() -> None:
    world = World()
    world.start(HOIST)
    world.wait(2.75)
    assert world.told == []
    world.wait(0.25)
    assert world.told == ["opened production-load"]


def test_what_ends_before_its_minimum_duration_is_no_incident() -> None:
    world = World()
    world.start(CAMERA_LOST)
    world.wait(2.75)
    world.end(CAMERA_LOST)
    world.wait(100)
    assert world.told == []


def test_an_activity_that_was_long_enough_counts_though_no_tick_came_in_between() -> None:
    world = World()
    world.start(PERSON)
    world.clock.advance(20)
    world.end(PERSON)
    assert world.told == ["opened person-at-shaft", "closed person-at-shaft"]
    assert world.newest["duration_s"] == 20.0


def test_the_end_of_something_that_never_began_is_nothing() -> None:
    world = World()
    world.end(PERSON)
    world.end(CAMERA_LOST)
    assert world.leaves == []


@pytest.mark.parametrize("thing", [PUMP, CROSSED])
def test_what_no_rule_is_about_is_not_even_remembered(thing) -> None:
    world = World()
    world.start(thing)
    world.wait(10)
    assert world.told == []
    assert not world.state.activities


def test_a_clock_step_is_opened_and_closed_at_once() -> None:
    world = World()
    world.start(STEPPED, step_s=-3600.0)
    world.end(STEPPED, step_s=-3600.0)
    assert world.told == ["opened clock-stepped", "closed clock-stepped"]
    assert "-3600.0 s" in world.newest["text"]["en"]


def test_a_flapping_camera_is_one_incident() -> None:
    world = World()
    for _ in range(20):
        world.start(CAMERA_LOST)
        world.wait(5)
        world.end(CAMERA_LOST)
        world.wait(30)
    world.wait(60)
    assert world.told[0] == "opened camera-lost"
    assert world.told[-1] == "closed camera-lost"
    assert set(world.told[1:-1]) == {"updated camera-lost"}
    assert len(world.told) < 7
    assert world.newest["count"] == 20
    assert len(world.newest["reasons"]) == 8
    assert "（共 20 次）" in world.newest["text"]["zh"]


def test_the_incident_ends_when_the_activity_did_and_is_closed_after_the_hold() -> None:
    world = World()
    world.start(CAMERA_LOST)
    world.wait(10)
    ended = world.clock.now()
    world.end(CAMERA_LOST)
    world.wait(59.75)
    assert world.told == ["opened camera-lost"]
    world.wait(0.25)
    assert world.told == ["opened camera-lost", "closed camera-lost"]
    assert world.newest["closed"] == ended.iso()


def test_news_is_told_ever_more_seldom() -> None:
    world = World()
    world.start(HOIST, kw=50.0)
    for _ in range(7 * 60):
        world.wait(60, tick_s=20)
        world.goes_on(HOIST, kw=60.0)
    moments = [leaf["monous"] / 1e6 for leaf in world.leaves]
    assert 10 <= len(moments) <= 15
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    assert min(gaps) >= UPDATE_MIN_S - 20
    assert max(gaps) <= UPDATE_MAX_S + 60


def test_without_news_an_open_incident_says_nothing() -> None:
    world = World()
    world.start(CAMERA_LOST)
    world.wait(7200, tick_s=10)
    assert world.told == ["opened camera-lost"]


def test_an_order_to_stop_makes_what_goes_on_forbidden_from_then_on() -> None:
    world = World(MineState.PRODUCING)
    world.start(HOIST)
    world.start(COVERED)
    world.wait(600, tick_s=10)
    assert world.told == ["opened camera-covered"]
    world.set_state(MineState.SUSPENDED)
    ordered = world.clock.now()
    world.wait(5)
    assert world.told[1:] == ["opened production-load"]
    assert world.newest["opened"] == ordered.iso()
    assert world.newest["state"] == "suspended"


def test_leave_to_work_closes_what_it_permits_and_leaves_tampering_open() -> None:
    world = World()
    for thing in (HOIST, PERSON, COVERED):
        world.start(thing)
    world.wait(10)
    world.set_state(MineState.PRODUCING)
    assert sorted(world.told[3:]) == ["closed person-at-shaft", "closed production-load"]
    assert world.newest["ending"] == "permitted"
    assert [incident.code for incident in world.state.open] == ["camera-covered"]
    world.goes_on(HOIST)
    world.end(HOIST)
    world.wait(100)
    assert len(world.told) == 5


def test_leave_during_the_hold_closes_with_the_moment_it_ceased() -> None:
    world = World()
    world.start(HOIST)
    world.wait(10)
    ceased = world.clock.now()
    world.end(HOIST)
    world.wait(20)
    world.set_state(MineState.PRODUCING)
    assert world.newest["closed"] == ceased.iso()


def test_reports_that_arrive_while_permitted_join_no_incident() -> None:
    """A restored incident must not take up what the new state allows."""
    world = World()
    world.start(HOIST)
    world.wait(10)
    world.restart()
    world.state = replace(world.state, standing=Standing(MineState.PRODUCING))
    world.start(HOIST)
    assert world.newest["ending"] == "permitted"
    assert world.newest["count"] == 1


def test_an_acknowledgement_is_told_at_once_and_stays() -> None:
    world = World()
    world.start(PERSON)
    world.start(VEHICLE)
    world.wait(1)
    incident = world.state.open[1].id
    world.order(OrderKind.ACKNOWLEDGE, incident=incident, by="Li Wei")
    at = world.clock.now()
    assert world.newest["acknowledged"] == [{"by": "Li Wei", "at": at.iso()}]
    world.wait(1)
    world.end(VEHICLE)
    assert world.newest["acknowledged"] == [{"by": "Li Wei", "at": at.iso()}]


def test_acknowledging_what_is_not_open_changes_nothing() -> None:
    world = World()
    world.start(PERSON)
    world.wait(1)
    world.order(OrderKind.ACKNOWLEDGE, incident="no/such/incident/1", by="Li Wei")
    assert world.told == ["opened person-at-shaft"]


class TestRestart:
    """The gateway starts again while an incident is open."""

    def test_the_same_thing_seen_again_goes_on_without_a_second_opening(self) -> None:
        world = World()
        world.start(PERSON)
        world.wait(1)
        world.restart()
        world.wait(5)
        world.start(PERSON)
        world.wait(5)
        world.end(PERSON)
        assert world.told == ["opened person-at-shaft", "closed person-at-shaft"]
        assert world.newest["count"] == 1
        assert world.newest["ending"] == "ceased"
        assert world.newest["duration_s"] == 11.0

    def test_what_is_not_seen_again_is_closed_after_a_bound_and_says_so(self) -> None:
        world = World()
        world.start(PERSON)
        world.wait(1)
        world.restart()
        world.wait(29)
        assert world.told == ["opened person-at-shaft"]
        world.wait(2)
        assert world.told == ["opened person-at-shaft", "closed person-at-shaft"]
        assert world.newest["ending"] == "not-seen-again"

    def test_its_end_alone_is_enough(self) -> None:
        world = World()
        world.start(CAMERA_LOST)
        world.wait(10)
        world.restart()
        world.wait(1)
        world.end(CAMERA_LOST)
        world.wait(61)
        assert world.newest["ending"] == "ceased"

    def test_the_state_that_was_ordered_is_in_force_again(self) -> None:
        world = World(MineState.PRODUCING)
        world.set_state(MineState.RECTIFYING)
        world.set_state(MineState.CLOSED)
        world.restart()
        assert world.state == initial(MineState.CLOSED)

    def test_a_closed_incident_stays_closed(self) -> None:
        world = World()
        world.start(PERSON)
        world.wait(1)
        world.end(PERSON)
        world.restart()
        assert world.state.open == ()

    def test_a_reboot_with_the_clock_set_back_hides_nothing(self) -> None:
        """Also a gateway without a battery clock starts in 1970."""
        world = World(MineState.PRODUCING)
        world.set_state(MineState.SUSPENDED)
        world.start(COVERED)
        world.wait(5)
        world.clock = ManualClock(wall_us=0, boot="next")
        world.restart()
        world.start(COVERED)
        world.start(PERSON)
        world.wait(1)
        assert world.told == [
            "opened camera-covered",
            "updated camera-covered",
            "opened person-at-shaft",
        ]
        world.end(COVERED)
        world.wait(11)
        assert world.told[-1] == "closed camera-covered"
        assert world.newest["duration_s"] == 0.0
