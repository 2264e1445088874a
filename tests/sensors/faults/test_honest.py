"""Honest meters, however odd they look, are not called faulty, and their readings are used."""

from __future__ import annotations

import random

import pytest

from edge.domain.activity import ActivityKind, Duty, Phase
from tests.sensors.faults.world import (
    DAY,
    HOURS,
    LEARNED,
    POWER_ALONE,
    Mine,
    counter,
    scaled,
    spec,
    without,
)


def used_as_read(mine: Mine) -> bool:
    return None not in mine.used


@pytest.mark.parametrize("duty", list(Duty))
def test_a_running_meter_of_any_duty_is_quiet(duty):
    mine = Mine(spec(duty=duty.value))
    mine.run(8 * HOURS)
    assert mine.told == []
    assert used_as_read(mine)


def test_a_feeder_that_stands_at_zero_for_days_is_honest_while_the_voltage_breathes():
    mine = Mine(spec(duty="hoist"), period_s=60)
    mine.run(4 * DAY, kw=0.0)
    assert mine.told == []
    assert used_as_read(mine)


@pytest.mark.parametrize("kw", [0.0, 0.3])
def test_of_a_profile_that_reads_power_alone_nothing_is_said_of_a_feeder_that_stands(kw):
    mine = Mine(spec(duty="hoist"), period_s=60)
    mine.run(4 * DAY, change=lambda _values: {"power_kw": kw})
    assert mine.told == []


def test_a_coarse_meter_that_often_repeats_itself_is_known_for_it():
    def coarse(values):
        return {name: round(value / 2.0) * 2.0 for name, value in values.items()} | {
            "frequency_hz": 50.0
        }

    mine = Mine(spec(duty="living"), period_s=30)
    mine.run(3 * DAY, kw=4.0, change=coarse)
    assert mine.told == []


def test_a_heater_on_a_coarse_meter_stands_still_for_hours_and_is_no_fault():
    mine = Mine(spec(duty="living"))
    mine.run(2 * DAY, kw=2.0, change=lambda values: {**values, "power_kw": 2.0})
    assert mine.told == []


def test_power_may_be_the_product_of_the_rest_where_it_was_so_from_the_first_day():
    def computed(values):
        total = sum(values[f"voltage_l{i}_v"] * values[f"current_l{i}_a"] for i in (1, 2, 3))
        return {**values, "power_kw": total * values["power_factor"] / 1000}

    mine = Mine()
    mine.run(3 * DAY, change=computed)
    assert mine.told == []


def test_a_float_counter_moves_in_steps_of_its_own():
    mine = Mine()
    mine.meter.kwh, mine.meter.step_kwh = 8_000_000.0, 0.5
    mine.run(2 * DAY, kw=3.0)
    assert mine.told == []


def test_a_load_under_the_starting_current_is_counted_and_not_shown():
    def unseen(values):
        lost = scaled(0.0, "power", "current")(values)
        return {**lost, "power_factor": 1.0}

    mine = Mine(spec(duty="hoist"))
    mine.meter.ratios["ct_ratio"] = 400.0
    mine.run(2 * DAY, kw=1.5, change=unseen)
    assert mine.told == []


def test_a_single_misread_ratio_is_nothing_and_its_minute_is_not_used():
    mine = Mine()
    mine.run(1 * HOURS)
    seen = 0

    def misread(values):
        nonlocal seen
        seen += "ct_ratio" in values
        return {**values, "ct_ratio": 1.0} if "ct_ratio" in values and seen == 1 else values

    mine.run(300, change=misread)
    assert mine.told == []
    assert mine.used.count(None) == 2


def test_a_single_misread_counter_is_nothing():
    mine = Mine()
    mine.run(1 * HOURS)
    for wrong in (0.0, 9e7):
        mine.run(60, change=counter(wrong))
        mine.run(600)
    assert mine.told == []


def test_a_machine_that_stops_and_starts_is_no_fault():
    mine = Mine(spec(duty="pump"))
    mine.run(2 * DAY, kw=lambda second: 110.0 if second % 3600 < 1200 else 0.2)
    assert mine.told == []
    assert used_as_read(mine)


def test_a_hoist_at_work_is_no_fault_and_all_its_readings_are_used():
    mine = Mine(spec(duty="hoist"), period_s=5)
    mine.run(1 * HOURS, kw=0.3)
    mine.run(3 * HOURS, kw=lambda second: 160.0 if second % 98 < 50 else 1.0)
    assert mine.told == []
    assert used_as_read(mine)


def test_a_hoist_that_lets_loads_down_feeds_back_and_is_not_reversed():
    mine = Mine(spec(duty="hoist"), period_s=5)
    mine.run(6 * HOURS, kw=lambda second: 100.0 if second % 120 < 50 else -60.0)
    assert ActivityKind.METER_REVERSED not in mine.kinds()


def test_single_phase_welding_is_no_fault():
    chance = random.Random(5)

    def welding(values):
        mine.meter.kwh += 0.6 * 18.0 * 30 / 3600
        if chance.random() < 0.4:
            return values
        for phase in (1, 2):
            values[f"power_l{phase}_kw"] += 9.0
            values[f"current_l{phase}_a"] += 45.0
        values["power_kw"] += 18.0
        return values

    for duty in ("other", "incoming"):
        mine = Mine(spec(duty=duty))
        mine.run(LEARNED, kw=12.0)
        mine.run(5 * HOURS, kw=12.0, change=welding)
        assert mine.told == []


def test_a_living_feeder_that_loads_its_phases_as_it_likes_is_no_fault():
    chance = random.Random(3)
    mine = Mine(spec(duty="living"), period_s=60)
    for _ in range(60):
        parts = [chance.random() ** 2 + 0.001 for _ in range(3)]
        mine.meter.shares = tuple(part / sum(parts) for part in parts)
        mine.run(1 * HOURS, kw=chance.uniform(1, 9))
    assert mine.told == []


def test_a_heater_that_comes_on_one_phase_for_good_is_no_fault():
    mine = Mine(spec(duty="living"))
    mine.run(LEARNED, kw=6.0)
    mine.meter.shares = (0.7, 0.15, 0.15)
    mine.run(2 * DAY, kw=13.0)
    assert mine.told == []


def test_phases_of_a_few_steps_of_resolution_have_no_balance():
    def coarse(values):
        for i in (1, 2, 3):
            values[f"power_l{i}_kw"] = round(values[f"power_l{i}_kw"] / 0.3) * 0.3
            values[f"current_l{i}_a"] = round(values[f"power_l{i}_kw"] * 1000 / 230 / 0.85, 2)
        values["power_kw"] = sum(values[f"power_l{i}_kw"] for i in (1, 2, 3))
        return values

    mine = Mine(spec(duty="hoist"))
    mine.meter.shares = (0.36, 0.36, 0.28)
    mine.run(LEARNED, kw=3.0, change=coarse)
    mine.run(5 * HOURS, kw=1.4, change=coarse)
    mine.run(5 * HOURS, kw=3.0, change=coarse)
    assert mine.told == []


def test_solar_panels_export_by_day_and_are_no_fault():
    def sun(second):
        hour = (12 + second / 3600) % 24
        return 6.0 - max(0.0, 30.0 - 6.0 * abs(hour - 12.5))

    for duty in ("incoming", "living"):
        mine = Mine(spec(duty=duty), period_s=60)
        mine.run(4 * DAY, kw=sun)
        assert mine.told == []
        assert used_as_read(mine)


def test_a_panel_that_a_cloud_uncovers_is_not_taken_for_a_turned_transformer():
    mine = Mine(spec(duty="living"))
    mine.run(3 * HOURS, kw=lambda second: 5.0 - second / 1000)
    mine.run(2 * HOURS, kw=lambda second: 5.0 if second % 1800 < 900 else -5.0)
    assert mine.told == []


def test_a_power_cut_is_a_gap_and_no_more():
    mine = Mine()
    mine.run(4 * HOURS)
    mine.clock.advance(1 * HOURS)
    mine.run(4 * HOURS)
    assert mine.kinds() == mine.kinds(Phase.ENDED) == [ActivityKind.METER_GAP]


def test_a_cut_may_take_the_last_minutes_from_a_counter_that_is_saved_rarely():
    mine = Mine()
    mine.run(4 * HOURS)
    mine.clock.advance(1 * HOURS)
    mine.meter.kwh -= 40.0 * 4 / 60
    mine.run(2 * HOURS)
    assert mine.kinds() == [ActivityKind.METER_GAP]


@pytest.mark.parametrize("period_s", [1.0, 900.0])
def test_meters_may_be_read_often_or_rarely(period_s):
    mine = Mine(period_s=period_s)
    mine.run(max(200 * period_s, 600), kw=40.0)
    assert mine.told == []


def test_a_gateway_that_starts_anew_says_nothing():
    mine = Mine()
    mine.run(1 * HOURS)
    records = mine.faults.learned(mine.now)
    again = Mine()
    again.meter.kwh = mine.meter.kwh + 700.0
    for record in records:
        again.faults.recall(record.data)
    again.run(1 * HOURS)
    assert again.told == []


def test_a_profile_without_voltage_is_judged_by_what_it_has():
    mine = Mine(spec(duty="pump"))
    mine.run(1 * DAY, change=without("voltage", "current", "frequency", "power_l"))
    mine.run(1 * DAY, change=POWER_ALONE)
    assert mine.told == []
