"""Permits by order: what they allow is recorded and not alarmed."""

from __future__ import annotations

from typing import Any

import pytest

from edge.domain.activity import ActivityKind
from edge.domain.mine import MineState, OrderKind
from edge.domain.permit import moment_text
from edge.rules.standing import MAX_PERMITS
from tests.rules.world import COVERED, HOIST, PERSON, VEHICLE, World

FIGURES = {
    "kw": 140.0,
    "baseline_kw": 100.0,
    "permitted_kw": 0.0,
    "unexplained_kw": 40.0,
    "limit_kw": 8.0,
}
OPENED, CLOSED = "opened person-at-shaft", "closed person-at-shaft"


def grant(world: World, begins_s: float = 0.0, lasts_s: float = 3600.0, **changes: Any) -> None:
    """Grant a permit relative to now."""
    now_us = world.clock.now().wall_us
    permit = {
        "id": "p-1",
        "begins": moment_text(now_us + round(begins_s * 1e6)),
        "ends": moment_text(now_us + round((begins_s + lasts_s) * 1e6)),
        "zones": ["mouth", "road"],
        "classes": ["person"],
        "heads": 2,
        "feeders": ["hoist"],
        "responsible": "李工",
        "plan": "吉安整改〔2026〕12号",
        **changes,
    }
    world.order(OrderKind.GRANT_PERMIT, permit=permit)


def test_inside_a_permit_the_same_thing_raises_no_alarm() -> None:
    world = World()
    grant(world)
    world.start(PERSON, count=2)
    world.start(HOIST)
    world.wait(30)
    world.end(PERSON, count=2)
    world.wait(300)
    assert world.told == []
    assert world.answers == ["done"]


@pytest.mark.parametrize(
    "kind",
    [ActivityKind.PUMP_UNLIKE, ActivityKind.RESIDUAL_LOAD, ActivityKind.UNEXPLAINED_LOAD],
)
def test_maintenance_that_names_a_meter_covers_whatever_load_it_shows(kind: ActivityKind) -> None:
    for feeder, told in (("incoming", []), ("hoist", [f"opened {kind.value}"])):
        world = World()
        grant(world, feeders=[feeder])
        thing = (kind, "incoming", "", "incoming")
        world.start(thing, **FIGURES)
        world.wait(600)
        world.goes_on(thing, **FIGURES)
        world.wait(600)
        assert world.told[:1] == told


def test_what_the_permit_does_not_name_is_forbidden_as_before() -> None:
    world = World()
    grant(world, classes=["person"], feeders=["pump"])
    world.start(VEHICLE)
    world.start(HOIST)
    world.start(COVERED)
    world.wait(5)
    assert sorted(world.told) == [
        "opened camera-covered",
        "opened production-load",
        "opened vehicle-at-gate",
    ]


def test_one_head_too_many_is_forbidden_from_then_on() -> None:
    world = World()
    grant(world)
    world.start(PERSON, count=2)
    world.wait(10)
    at = world.clock.now()
    world.goes_on(PERSON, count=3)
    world.wait(2)
    assert world.told == [OPENED]
    assert world.newest["opened"] == at.iso()
    world.goes_on(PERSON, count=2)
    assert world.told == [OPENED, CLOSED]
    assert world.newest["ending"] == "permitted"


def test_vehicles_have_no_head_count() -> None:
    world = World()
    grant(world, classes=["vehicle"], heads=0)
    world.start(VEHICLE, count=5)
    world.wait(10)
    assert world.told == []


def test_the_window_is_kept_on_both_sides() -> None:
    world = World()
    grant(world, begins_s=60, lasts_s=60)
    world.start(PERSON, count=1)
    world.wait(59.5)
    assert world.told == [OPENED]
    world.wait(1)
    assert world.told == [OPENED, CLOSED]
    world.wait(58)
    assert world.told == [OPENED, CLOSED]
    world.wait(3)
    assert world.told == [OPENED, CLOSED, OPENED]
    first, *_rest, last = [leaf["data"] for leaf in world.leaves if "incident" in leaf["data"]]
    assert last["incident"] != first["incident"]
    assert last["opened"] > first["opened"]


def test_a_permit_closes_what_is_open_and_its_revocation_opens_it_again() -> None:
    world = World()
    world.start(PERSON, count=1)
    world.wait(5)
    grant(world)
    assert world.told == [OPENED, CLOSED]
    world.wait(20)
    world.order(OrderKind.REVOKE_PERMIT, permit="p-1", by="李工")
    world.wait(1)
    assert world.told == [OPENED, CLOSED, OPENED]
    world.order(OrderKind.REVOKE_PERMIT, permit="p-1", by="李工")
    assert world.answers == ["done", "done", "no permit is called p-1"]


def test_a_permit_holds_after_a_restart_and_a_revoked_one_does_not_come_back() -> None:
    world = World()
    grant(world)
    grant(world, id="p-2", zones=["road"])
    world.order(OrderKind.REVOKE_PERMIT, permit="p-2", by="李工")
    world.restart()
    assert list(world.state.standing.permits) == ["p-1"]
    world.start(PERSON, count=1)
    world.wait(10)
    assert world.told == []


def test_a_grant_with_the_same_id_replaces_the_permit() -> None:
    world = World()
    grant(world)
    grant(world, heads=0, feeders=[])
    assert len(world.state.standing.permits) == 1
    world.start(PERSON, count=1)
    world.wait(1)
    assert world.told == [OPENED]


def test_permits_are_bounded_and_those_that_are_over_make_room() -> None:
    world = World()
    for number in range(MAX_PERMITS + 1):
        grant(world, id=f"p-{number}")
    assert world.answers[-1] == f"{MAX_PERMITS} permits are in force already"
    world.clock.advance(3601)
    grant(world, id="new")
    assert world.answers[-1] == "done"
    assert list(world.state.standing.permits) == ["new"]


def test_a_permit_whose_window_is_over_is_answered_with_a_failure() -> None:
    world = World()
    grant(world, begins_s=-7200)
    assert world.answers == ["the permit's window is over"]
    assert world.state.standing.permits == {}


@pytest.mark.parametrize("state", [MineState.CLOSED, MineState.RECTIFYING])
def test_a_permit_holds_in_every_state(state: MineState) -> None:
    world = World(state)
    grant(world)
    world.start(HOIST)
    world.wait(30)
    assert world.told == []
