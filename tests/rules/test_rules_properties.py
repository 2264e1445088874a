"""Whatever happens on a site, in whatever order: what always holds of incidents."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from edge.domain.mine import MineState, OrderKind
from edge.rules.engine import forbids
from edge.rules.incidents import fold
from edge.rules.policy import rule_for
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

THINGS = (PERSON, VEHICLE, HOIST, PUMP, CAMERA_LOST, COVERED, STEPPED, CROSSED)

things = st.sampled_from(THINGS)
events = st.lists(
    st.tuples(
        st.sampled_from((0.001, 0.25, 1.0, 4.0, 70.0)),
        st.one_of(
            st.tuples(st.just("start"), things),
            st.tuples(st.just("goes_on"), things),
            st.tuples(st.just("end"), things),
            st.tuples(st.just("wait"), st.sampled_from((0.25, 3.0, 90.0))),
            st.tuples(st.just("set_state"), st.sampled_from(MineState)),
            st.tuples(st.just("acknowledge"), st.integers(0, 3)),
            st.tuples(st.just("restart"), st.none()),
        ),
    ),
    max_size=40,
)


def play(world: World, event: tuple[float, tuple[str, object]]) -> None:
    gap_s, (what, subject) = event
    world.clock.advance(gap_s)
    match what, subject:
        case "wait", float() as seconds:
            world.wait(seconds, tick_s=min(seconds, 10.0))
        case "acknowledge", int() as number:
            known = list(fold(world.leaves))
            incident = known[number % len(known)] if known else "none"
            world.order(OrderKind.ACKNOWLEDGE, incident=incident, by="Li Wei")
        case "restart", _:
            world.restart()
        case _:
            getattr(world, what)(subject)


def history(given_events) -> World:
    world = World()
    for event in given_events:
        play(world, event)
    return world


@given(events)
@settings(max_examples=150, deadline=None)
def test_each_incident_is_opened_once_and_closed_at_most_once_and_then_silent(happened) -> None:
    seen: dict[str, list[str]] = {}
    for leaf in history(happened).leaves:
        if "incident" in leaf["type"]:
            seen.setdefault(leaf["data"]["incident"], []).append(leaf["type"])
    for types in seen.values():
        counts = Counter(types)
        assert types[0] == "eseal.incident.opened"
        assert counts["eseal.incident.opened"] == 1
        assert "eseal.incident.closed" not in types[:-1]


@given(events)
@settings(max_examples=100, deadline=None)
def test_after_every_step_the_fold_over_the_records_is_the_state(happened) -> None:
    world = World()
    for event in happened:
        play(world, event)
        folded = {
            incident.id: incident
            for incident in fold(world.leaves).values()
            if incident.closed is None
        }
        live = {entry.incident.id: entry for entry in world.state.live.values()}
        assert folded.keys() == live.keys()
        for identity, entry in live.items():
            if not entry.news:
                assert folded[identity] == entry.incident


@given(events)
@settings(max_examples=100, deadline=None)
def test_restoring_from_the_records_gives_the_state_back(happened) -> None:
    world = history(happened)
    before = world.state
    world.restart()
    assert world.state.mine == before.mine
    assert world.state.since is None
    assert world.state.live.keys() == before.live.keys()
    known = {entry.incident.id for entry in world.state.live.values()}
    assert known == {entry.incident.id for entry in before.live.values()}


@given(events)
@settings(max_examples=100, deadline=None)
def test_after_every_step_what_is_open_is_forbidden_and_what_is_forbidden_is_open(happened) -> None:
    world = World()
    for event in happened:
        play(world, event)
        world.wait(0.25)
        state, now = world.state, world.clock.now()
        for entry in state.live.values():
            assert state.mine in state.standing.policy.rules[entry.incident.code].states
        for key, activity in state.activities.items():
            rule = rule_for(activity)
            assert rule is not None
            since = max(activity.started.mono_us, state.since.mono_us if state.since else 0)
            long_enough = now.mono_us - since >= rule.min_s * 1e6
            assert not (forbids(state, activity, now) and long_enough) or key in state.live


@given(events)
@settings(max_examples=60, deadline=None)
def test_the_same_history_gives_the_same_records(happened) -> None:
    assert history(happened).leaves == history(happened).leaves


@given(events)
@settings(max_examples=60, deadline=None)
def test_when_everything_has_ended_every_incident_is_closed(happened) -> None:
    world = history(happened)
    for thing in THINGS:
        world.end(thing)
    world.wait(1300, tick_s=20)
    assert world.state == replace(world.state, activities={}, live={})
    assert all(incident.closed for incident in fold(world.leaves).values())


@given(events)
@settings(max_examples=60, deadline=None)
def test_reopening_times_and_durations_make_sense(happened) -> None:
    world = history(happened)
    for incident in fold(world.leaves).values():
        assert incident.duration_s >= 0
        assert incident.updated.since(incident.opened) >= 0
        assert 1 <= len(incident.reasons) <= incident.count or incident.count >= 1
