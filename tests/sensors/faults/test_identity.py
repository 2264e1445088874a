"""Ratios and serial numbers that change are told."""

from __future__ import annotations

import pytest

from edge.domain.activity import ActivityKind, Phase
from edge.domain.observation import Quality
from tests.sensors.faults.world import HOURS, Mine, scaled, spec, without


def known(mine):
    mine.run(1 * HOURS)
    return mine


def test_a_lowered_ratio_is_told_and_the_values_are_scaled_back():
    mine = known(Mine())
    mine.meter.ratios["ct_ratio"] = 2.0
    mine.run(1 * HOURS, change=scaled(0.1, "power_kw", "power_l", "current"))
    told = mine.one()
    assert told.kind is ActivityKind.METER_RATIO_CHANGED
    assert (told.detail["ct_ratio"], told.detail["expected_ct_ratio"]) == (2.0, 20.0)
    assert told.detail["factor"] == 10.0
    used = mine.used[-1]
    assert used.quality is Quality.UNCERTAIN
    assert used.values["power_kw"] == pytest.approx(40, abs=1)
    assert used.values["power_factor"] == pytest.approx(0.85, abs=0.05)
    assert used.values["voltage_l1_v"] == pytest.approx(230, abs=5)
    mine.meter.ratios["ct_ratio"] = 20.0
    mine.run(1 * HOURS)
    assert mine.kinds(Phase.ENDED) == [ActivityKind.METER_RATIO_CHANGED]
    assert mine.used[-1].quality is Quality.GOOD


def test_a_ratio_of_zero_scales_nothing():
    mine = known(Mine())
    mine.meter.ratios["pt_ratio"] = 0.0
    mine.run(1 * HOURS)
    assert mine.one().detail["factor"] == 1.0


def test_another_meter_in_its_place_is_told_until_the_old_one_is_back():
    mine = known(Mine())
    serial, mine.meter.serial, mine.meter.kwh = mine.meter.serial, "99999", 12.0
    mine.run(1 * HOURS)
    told = mine.one()
    assert told.kind is ActivityKind.METER_CHANGED
    assert told.detail == {"serial": "99999", "expected_serial": serial}
    assert mine.used[-1] is not None
    mine.meter.serial, mine.meter.kwh = serial, 6000.0
    mine.run(1 * HOURS)
    assert mine.kinds() == mine.kinds(Phase.ENDED) == [ActivityKind.METER_CHANGED]


def pair():
    mine = Mine(spec("hoist", "hoist"), spec("pump", "pump"))
    mine.run(1 * HOURS, kw={"hoist": 0.3, "pump": 90.0})
    return mine


def test_two_meters_that_change_addresses_are_told_and_readings_go_by_the_serial_number():
    mine = pair()
    mine.used.clear()
    swap = {"hoist": "pump", "pump": "hoist"}
    mine.run(1 * HOURS, kw={"hoist": 0.3, "pump": 90.0}, at={})
    mine.meters = {"hoist": mine.meters["pump"], "pump": mine.meters["hoist"]}
    assert swap
    mine.run(1 * HOURS, kw={"hoist": 90.0, "pump": 0.3})
    assert mine.kinds() == 2 * [ActivityKind.METERS_SWAPPED]
    by_source = {item.source: item.detail for item in mine.told}
    assert by_source["hoist"]["belongs_to"] == "pump"
    assert by_source["pump"]["belongs_to"] == "hoist"
    hoist = [one.values["power_kw"] for one in mine.used if one and one.source == "hoist"]
    assert max(hoist[3:]) < 1.0
    mine.meters = {"hoist": mine.meters["pump"], "pump": mine.meters["hoist"]}
    mine.run(1 * HOURS, kw={"hoist": 0.3, "pump": 90.0})
    assert mine.kinds(Phase.ENDED) == 2 * [ActivityKind.METERS_SWAPPED]
    assert mine.used[-1].source == "pump"


def test_a_copy_of_another_meters_serial_number_is_no_swap():
    mine = pair()
    mine.meters["hoist"].serial = mine.meters["pump"].serial
    mine.run(1 * HOURS, kw={"hoist": 0.3, "pump": 90.0})
    told = mine.one()
    assert (told.kind, told.source) == (ActivityKind.METER_CHANGED, "hoist")
    assert told.detail["belongs_to"] == "pump"


def test_the_serial_of_a_meter_that_fell_silent_is_a_changed_one_after_a_while():
    mine = pair()
    serial = mine.meters["pump"].serial
    del mine.meters["pump"]
    mine.meters["hoist"].serial = serial
    mine.run(1 * HOURS, kw=0.3)
    kinds = set(mine.kinds())
    assert ActivityKind.METER_CHANGED in kinds
    assert ActivityKind.METERS_SWAPPED not in kinds


def test_what_is_declared_stands_above_what_was_read_first():
    mine = Mine(spec(serial="123", ct_ratio=60.0, pt_ratio=1.0))
    mine.run(10 * 60)
    assert set(mine.kinds()) == {ActivityKind.METER_CHANGED, ActivityKind.METER_RATIO_CHANGED}


def test_what_changed_while_the_gateway_was_off_shows():
    mine = known(Mine())
    records = mine.faults.learned(mine.now)
    assert [record.data["source"] for record in records] == ["m"]
    assert records[0].data == {
        "source": "m",
        "serial": mine.meter.serial,
        "ct_ratio": 20.0,
        "pt_ratio": 1.0,
        "energy_import_kwh": pytest.approx(mine.meter.kwh, abs=1),
    }
    again = Mine()
    again.meter.serial, again.meter.kwh = "5", 100.0
    again.meter.ratios["ct_ratio"] = 1.0
    for record in records:
        again.faults.recall(record.data)
    again.run(600)
    assert {ActivityKind.METER_CHANGED, ActivityKind.METER_RATIO_CHANGED} == set(again.kinds())
    again = Mine()
    again.meter.kwh = 100.0
    for record in records:
        again.faults.recall(record.data)
    again.run(600)
    assert again.kinds() == [ActivityKind.METER_ENERGY_SET_BACK]


def test_what_was_declared_outlasts_the_record():
    mine = Mine(spec(serial="701", ct_ratio=20.0))
    mine.meter.serial = "701"
    mine.faults.recall({"source": "m", "serial": "700", "ct_ratio": 5.0, "pt_ratio": 1.0})
    mine.faults.recall({"source": "gone", "serial": "7"})
    mine.run(600)
    assert mine.told == []


def test_identity_is_recorded_once_known_and_every_six_hours():
    mine = Mine()
    assert mine.faults.learned(mine.now) == []
    count = 0
    for _ in range(13):
        mine.run(1 * HOURS)
        count += len(mine.faults.learned(mine.now))
        assert mine.faults.learned(mine.now) == []
    assert count == 3


def test_what_is_not_known_of_a_meter_is_not_in_its_record():
    for fewer, known in (
        (without("energy", "pt"), {"ct_ratio": 20.0}),
        (without("energy", "ct", "pt"), {}),
    ):
        mine = Mine()
        mine.meter.serial = ""
        mine.run(600, change=fewer)
        records = [record.data for record in mine.faults.learned(mine.now)]
        assert records == ([{"source": "m", **known}] if known else [])


def test_it_tells_when_time_has_something_to_do():
    mine = known(Mine())
    mine.faults.learned(mine.now)
    assert mine.now.mono_us < mine.faults.due_us <= mine.now.mono_us + 60_000_000


def test_a_serial_of_zeros_says_nothing():
    mine = Mine(spec("a"), spec("b"))
    for meter in mine.meters.values():
        meter.serial = "0000"
    mine.run(1 * HOURS)
    mine.meters["a"].serial = "000000"
    mine.run(1 * HOURS)
    assert mine.told == []
