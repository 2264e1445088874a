"""The rule table says what the domain says."""

from __future__ import annotations

import pytest

from edge.domain.activity import Activity, ActivityKind, Duty, Phase, ZoneKind
from edge.domain.alarm import AlarmCode
from edge.domain.catalogue import CATALOGUE
from edge.domain.mine import MineState
from edge.rules.engine import forbids, initial
from edge.rules.policy import RULES, rule_for
from tests.rules.world import World

NOW = World().clock.now()
IDLE_STATES = [state for state in MineState if state is not MineState.PRODUCING]


def activity(kind: ActivityKind, aspect: str = "") -> Activity:
    return World().activity((kind, "a", "", aspect), Phase.STARTED)


def test_every_alarm_of_the_catalogue_has_exactly_one_rule() -> None:
    assert sorted(rule.code for rule in RULES) == sorted(AlarmCode)
    assert set(CATALOGUE) == set(AlarmCode)


@pytest.mark.parametrize("state", IDLE_STATES)
@pytest.mark.parametrize(
    ("kind", "aspect"),
    [
        (ActivityKind.PERSON_IN_ZONE, ZoneKind.SHAFT_MOUTH),
        (ActivityKind.VEHICLE_IN_ZONE, ZoneKind.GATE),
        (ActivityKind.LOAD_RUNNING, Duty.HOIST),
        (ActivityKind.LOAD_RUNNING, Duty.BELT),
        (ActivityKind.LOAD_RUNNING, Duty.COMPRESSOR),
        (ActivityKind.LOAD_RUNNING, Duty.FACE),
        (ActivityKind.PUMP_UNLIKE, Duty.PUMP),
        (ActivityKind.RESIDUAL_LOAD, Duty.INCOMING),
        (ActivityKind.UNEXPLAINED_LOAD, Duty.INCOMING),
        (ActivityKind.UNEXPLAINED_LOAD, Duty.LIVING),
        (ActivityKind.SHARE_RISEN, Duty.HOIST),
        (ActivityKind.DAY_LIKE_PRODUCTION, Duty.INCOMING),
    ],
)
def test_work_is_forbidden_in_every_state_but_production(
    state: MineState, kind: ActivityKind, aspect: str
) -> None:
    assert forbids(initial(state), activity(kind, aspect), NOW)
    assert not forbids(initial(MineState.PRODUCING), activity(kind, aspect), NOW)


@pytest.mark.parametrize("state", list(MineState))
@pytest.mark.parametrize(
    "kind",
    [
        ActivityKind.CAMERA_LOST,
        ActivityKind.PICTURE_COVERED,
        ActivityKind.PICTURE_FROZEN,
        ActivityKind.METER_LOST,
        ActivityKind.CONTACT_LOST,
        ActivityKind.CONTACT_OPEN,
        ActivityKind.DETECTOR_LOST,
        ActivityKind.CLOCK_STEPPED,
        ActivityKind.STORAGE_LOW,
    ],
)
def test_tampering_is_forbidden_in_every_state(state: MineState, kind: ActivityKind) -> None:
    assert forbids(initial(state), activity(kind), NOW)


@pytest.mark.parametrize(
    ("kind", "aspect"),
    [
        (ActivityKind.LOAD_RUNNING, Duty.PUMP),
        (ActivityKind.LOAD_RUNNING, Duty.FAN),
        (ActivityKind.LOAD_RUNNING, Duty.LIVING),
        (ActivityKind.PERSON_IN_ZONE, ZoneKind.YARD),
        (ActivityKind.PERSON_IN_ZONE, ZoneKind.GATE),
        (ActivityKind.VEHICLE_IN_ZONE, ZoneKind.YARD),
        (ActivityKind.LINE_CROSSED, "in"),
    ],
)
def test_what_keeps_the_mine_alive_is_no_matter_of_a_rule(kind: ActivityKind, aspect: str) -> None:
    assert rule_for(activity(kind, aspect)) is None
    assert not forbids(initial(MineState.SUSPENDED), activity(kind, aspect), NOW)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_restored_incident_is_awaited_longer_than_a_new_one_would_need(rule) -> None:
    assert rule.recur_s > rule.min_s
