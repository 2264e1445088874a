"""The power analyser on recorded loads: hoist nights are found, quiet fortnights stay quiet."""

from __future__ import annotations

import csv
import gzip
from datetime import datetime

import pytest

from edge.clock import Stamp
from edge.domain.activity import Duty, Phase
from edge.domain.observation import Quality, Reading
from edge.sensors.power import PowerAnalyser
from edge.sensors.spec import MeterSpec


def _activities(path, duty):
    meter = MeterSpec(code="m", profile="eastron_sdm630", unit=1, duty=duty)
    analyser, found, nights = PowerAnalyser([meter]), [], set()
    with gzip.open(path, "rt") as lines:
        for row in csv.DictReader(lines):
            wall_us = round(datetime.fromisoformat(row["ts"]).timestamp() * 1e6)
            stamp = Stamp(wall_us, wall_us, "recorded")
            values = {"power_kw": float(row["p_kw"])}
            found += analyser.step(Reading("m", stamp, Quality.GOOD, values))
            if row["label"] == "1":
                nights.add(row["ts"][:10])
    return found, nights


def test_a_hoist_is_found_in_each_of_its_three_nights_and_at_no_other_time(shared_data):
    found, nights = _activities(shared_data / "power" / "C03_night_hoist.csv.gz", Duty.HOIST)
    assert len(nights) == 3
    started = [item for item in found if item.phase is Phase.STARTED]
    assert {item.started.iso()[:10] for item in started} == nights
    assert {item.aspect for item in found} == {"hoist"}


@pytest.mark.parametrize("name", ["C01_idle_mine_12d", "B01_guardroom_idle_12d"])
def test_twelve_days_of_permitted_load_on_a_hoists_feeder_raise_nothing(shared_data, name):
    found, _ = _activities(shared_data / "power" / f"{name}.csv.gz", Duty.HOIST)
    assert found == []
