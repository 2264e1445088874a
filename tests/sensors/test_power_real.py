"""The power analyser on recorded loads: hoist nights are found, quiet fortnights stay quiet."""

from __future__ import annotations

import csv
import gzip
from datetime import datetime

import pytest

from edge.clock import Stamp
from edge.domain.activity import ActivityKind, Duty, Phase
from edge.domain.observation import Quality, Reading
from edge.sensors.power import PowerAnalyser
from edge.sensors.spec import MeterSpec


def _rows(path):
    with gzip.open(path, "rt") as lines:
        yield from csv.DictReader(lines)


def _stamp(row):
    wall_us = round(datetime.fromisoformat(row["ts"]).timestamp() * 1e6)
    return Stamp(wall_us, wall_us, "recorded")


def _activities(path, duty):
    meter = MeterSpec(code="m", profile="eastron_sdm630", unit=1, duty=duty)
    analyser, found, nights = PowerAnalyser([meter]), [], set()
    for row in _rows(path):
        values = {"power_kw": float(row["p_kw"])}
        found += analyser.step(Reading("m", _stamp(row), Quality.GOOD, values))
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


def test_the_incoming_meter_alone_shows_the_hoist_in_each_of_its_three_nights(shared_data):
    found, nights = _activities(shared_data / "power" / "C03_night_hoist.csv.gz", Duty.INCOMING)
    started = [item for item in found if item.phase is Phase.STARTED]
    unexplained = [item for item in started if item.kind is ActivityKind.UNEXPLAINED_LOAD]
    assert {item.started.iso()[:10] for item in unexplained} == nights
    assert len(unexplained) == 3


@pytest.mark.parametrize("name", ["C01_idle_mine_12d", "B01_guardroom_idle_12d"])
def test_twelve_days_of_permitted_load_raise_nothing_at_the_incoming_meter(shared_data, name):
    found, _ = _activities(shared_data / "power" / f"{name}.csv.gz", Duty.INCOMING)
    assert found == []


def test_a_year_of_a_steel_plant_by_the_same_settings(shared_data):
    path = shared_data / "power" / "A04_real_steel_plant_year.csv.gz"
    found, _ = _activities(path, Duty.INCOMING)
    rows = [(_stamp(row).wall_us, row["label"] == "1") for row in _rows(path)]
    told = _spans(found)
    learned_us = rows[0][0] + 5 * 86_400_000_000
    episodes = [span for span in _worked(rows) if span[0] > learned_us]
    hit = [one for one in episodes if any(a <= one[1] and one[0] <= b for a, b in told)]
    hour = 3_600_000_000
    false = [
        (a, b)
        for a, b in told
        if not any(a <= end + hour and begin - hour <= b for begin, end in _worked(rows))
    ]
    assert len(hit) >= 0.99 * len(episodes) > 500
    assert len(false) <= 24  # two a month


def _worked(rows):
    spans, begin = [], None
    for at, worked in [*rows, (rows[-1][0], False)]:
        if worked and begin is None:
            begin = at
        elif not worked and begin is not None:
            spans.append((begin, at))
            begin = None
    return spans


def _spans(found):
    spans = []
    for item in found:
        if item.kind is not ActivityKind.UNEXPLAINED_LOAD:
            continue
        if item.phase is Phase.STARTED:
            spans.append((item.started.wall_us, 2**62))
        elif item.phase is Phase.ENDED:
            spans[-1] = (spans[-1][0], item.stamp.wall_us)
    return spans
