"""Phases that are lost, weak or out of balance are told, and what they hide is not hidden."""

from __future__ import annotations

import pytest

from edge.domain.activity import ActivityKind, Phase
from tests.sensors.faults.world import DAY, HOURS, LEARNED, Mine, scaled, spec, without

NO_PHASES = without("power_l")


@pytest.mark.parametrize("duty", ["pump", "incoming", "living"])
def test_a_shorted_transformer_is_a_lost_phase(duty):
    def shorted(values):
        values = {**values, "power_l3_kw": 0.0, "current_l3_a": 0.0}
        return {**values, "power_kw": values["power_l1_kw"] + values["power_l2_kw"]}

    mine = Mine(spec(duty=duty))
    mine.run(LEARNED)
    mine.run(1 * HOURS, change=shorted)
    told = next(item for item in mine.told if item.phase is Phase.STARTED)
    assert told.kind is ActivityKind.METER_PHASE_LOST
    assert told.detail["phase"] == "L3"
    assert told.detail["read"] == 0.0
    assert told.detail["quantity"] == "A"
    assert mine.used[-1] is not None


def test_a_voltage_lead_that_is_off_is_a_lost_phase_also_without_load():
    mine = Mine(spec(duty="hoist"))
    mine.run(1 * HOURS, kw=0.0)
    mine.run(1 * HOURS, kw=0.0, change=lambda values: {**values, "voltage_l1_v": 0.0})
    told = mine.one()
    assert told.kind is ActivityKind.METER_PHASE_LOST
    assert (told.detail["phase"], told.detail["quantity"]) == ("L1", "V")
    mine.run(1 * HOURS, kw=9.0)
    assert mine.kinds(Phase.ENDED) == [ActivityKind.METER_PHASE_LOST]


def test_a_meter_that_never_had_a_third_voltage_has_lost_none():
    mine = Mine(spec(duty="living"))
    mine.run(1 * DAY, change=scaled(0.0, "voltage_l3", "current_l3", "power_l3"))
    assert mine.told == []


@pytest.mark.parametrize("duty", ["fan", "incoming", "living"])
def test_a_bridge_across_a_transformer_unbalances_the_phases(duty):
    def bridged(values):
        part = scaled(0.5, "power_l2", "current_l2")(values)
        return {**part, "power_kw": sum(part[f"power_l{i}_kw"] for i in (1, 2, 3))}

    mine = Mine(spec(duty=duty))
    mine.run(LEARNED)
    mine.run(2 * HOURS, change=bridged)
    told = next(item for item in mine.told if item.phase is Phase.STARTED)
    assert told.kind is ActivityKind.METER_UNBALANCED
    assert told.detail["phase"] == "L2"
    assert told.detail["read"] == pytest.approx(told.detail["expected"] / 2, rel=0.1)


def test_a_phase_that_falls_at_the_moment_when_the_load_begins_is_not_called_unbalanced():
    mine = Mine(spec(duty="living"))
    mine.run(LEARNED, kw=4.0)
    mine.run(600, kw=0.0)
    mine.meter.shares = (0.4, 0.4, 0.2)
    mine.run(2 * HOURS, kw=4.0)
    assert mine.told == []


def test_phases_are_weighed_by_power_where_no_current_is_read():
    def bridged(values):
        part = scaled(0.5, "power_l2")(without("current")(values))
        return {**part, "power_kw": sum(part[f"power_l{i}_kw"] for i in (1, 2, 3))}

    mine = Mine()
    mine.run(LEARNED, change=without("current"))
    mine.run(2 * HOURS, change=bridged)
    told = next(item for item in mine.told if item.phase is Phase.STARTED)
    assert (told.kind, told.detail["quantity"]) == (ActivityKind.METER_UNBALANCED, "kW")


def weakened(phase, by, *also):
    """One phase tells so much of what it carries, and the sum with it."""

    def change(values):
        names = (f"power_l{phase}", *(f"{name}_l{phase}" for name in also))
        part = scaled(by, *names)(values)
        return {**part, "power_kw": sum(part[f"power_l{i}_kw"] for i in (1, 2, 3))}

    return change


@pytest.mark.parametrize("duty", ["fan", "incoming", "living"])
@pytest.mark.parametrize(
    "fault", [(1, -1.0), (2, 0.0, "voltage"), (3, 0.0, "current"), (1, 0.5, "current")]
)
@pytest.mark.parametrize("phases", [True, False])
def test_what_a_phase_hides_is_not_hidden_and_its_coming_back_is_no_load(duty, fault, phases):
    if not phases and fault[1] < 0:
        pytest.skip("one turned transformer shows in its phase's power alone")
    fewer = (lambda values: values) if phases else NO_PHASES
    wrong = weakened(*fault)
    mine = Mine(spec(duty=duty))
    mine.run(LEARNED, change=fewer)
    mine.used.clear()
    mine.run(2 * HOURS, change=lambda values: fewer(wrong(values)))
    mine.run(1 * HOURS, change=fewer)
    used = [one.values["power_kw"] for one in mine.used if one is not None]
    assert used == pytest.approx([40.0] * len(used), rel=0.06)
    assert len(used) >= len(mine.used) - 45
    assert len(mine.kinds()) == len(mine.kinds(Phase.ENDED)) == 1
