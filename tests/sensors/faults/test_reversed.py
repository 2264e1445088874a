"""Signs that are turned are told, and what flows is used."""

from __future__ import annotations

import pytest

from edge.domain.activity import ActivityKind, Phase
from edge.domain.observation import Quality
from tests.sensors.faults.world import HOURS, Mine, scaled, spec, without

NO_PHASES = without("power_l")


@pytest.mark.parametrize("duty", ["fan", "pump", "incoming", "living", "hoist"])
def test_a_turned_transformer_is_told_and_the_magnitude_is_used(duty):
    mine = Mine(spec(duty=duty))
    mine.run(2 * HOURS)
    mine.run(2 * HOURS, change=scaled(-1.0, "power_kw", "power_l"))
    told = mine.one()
    assert told.kind is ActivityKind.METER_REVERSED
    assert told.detail["phases"] == "L1 L2 L3"
    assert told.detail["kw"] == pytest.approx(-40, abs=1)
    assert told.detail["used_kw"] == pytest.approx(40, abs=1)
    assert mine.used[-1].values["power_kw"] == pytest.approx(40, abs=1)
    assert mine.used[-1].quality is Quality.UNCERTAIN
    mine.run(1 * HOURS)
    assert mine.kinds(Phase.ENDED) == [ActivityKind.METER_REVERSED]


def test_a_transformer_turned_just_after_a_kettle_went_off_is_told_by_day():
    mine = Mine(spec(duty="living"))
    mine.run(1 * HOURS, kw=1.0)
    mine.run(60, kw=2.5)
    mine.run(30, kw=1.0)
    mine.run(1 * HOURS, kw=1.0, change=scaled(-1.0, "power_kw", "power_l"))
    assert mine.one().kind is ActivityKind.METER_REVERSED


@pytest.mark.parametrize("duty", ["fan", "incoming"])
def test_one_turned_transformer_is_told_and_what_flows_is_used(duty):
    def turned(values):
        values = {**values, "power_l2_kw": -values["power_l2_kw"]}
        return {**values, "power_kw": sum(values[f"power_l{i}_kw"] for i in (1, 2, 3))}

    mine = Mine(spec(duty=duty))
    mine.run(2 * HOURS)
    mine.run(2 * HOURS, change=turned)
    told = next(item for item in mine.told if item.kind is ActivityKind.METER_REVERSED)
    assert told.detail["phases"] == "L2"
    assert mine.used[-1].values["power_kw"] == pytest.approx(40, abs=1)


def test_a_meter_fitted_the_wrong_way_round_shows_by_night():
    mine = Mine(spec(duty="incoming"), period_s=60)
    mine.run(8 * HOURS, change=scaled(-1.0, "power_kw", "power_l"))
    assert mine.told == []
    mine.run(3 * HOURS, change=scaled(-1.0, "power_kw", "power_l"))
    assert mine.one().kind is ActivityKind.METER_REVERSED


def test_of_a_profile_without_phases_the_whole_sign_is_told():
    mine = Mine(spec(duty="pump"))
    mine.run(1 * HOURS, change=NO_PHASES)
    mine.run(1 * HOURS, change=lambda values: scaled(-1.0, "power_kw")(NO_PHASES(values)))
    assert mine.one().kind is ActivityKind.METER_REVERSED
    assert mine.used[-1].values["power_kw"] > 0


def test_a_turned_pump_stays_told_while_it_stands():
    mine = Mine(spec(duty="pump"))
    mine.run(1 * HOURS)
    mine.run(1 * HOURS, change=scaled(-1.0, "power_kw", "power_l"))
    mine.run(2 * HOURS, kw=0.0)
    assert mine.one().kind is ActivityKind.METER_REVERSED
    assert mine.kinds(Phase.ENDED) == []


def test_a_hoist_that_lets_down_now_and_then_is_told_only_if_power_never_turns_positive():
    mine = Mine(spec(duty="hoist"))
    mine.run(4 * HOURS, kw=lambda second: -50.0 if second % 1100 < 1000 else 60.0)
    assert ActivityKind.METER_REVERSED not in mine.kinds()
    mine.run(1 * HOURS, kw=-50.0)
    assert ActivityKind.METER_REVERSED in mine.kinds()


def test_night_falls_by_the_sites_own_time():
    mine = Mine(spec(duty="incoming"), utc_offset_h=-4.0)  # noon in Beijing is midnight there
    mine.run(1 * HOURS, change=scaled(-1.0, "power_kw", "power_l"))
    assert mine.one().kind is ActivityKind.METER_REVERSED
