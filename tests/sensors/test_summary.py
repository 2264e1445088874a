"""Minute summaries: what is kept of power in quiet times."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.clock import ManualClock
from edge.domain.activity import Duty
from edge.domain.observation import Quality, Reading
from edge.domain.record import RecordType
from edge.sensors.spec import MeterSpec
from edge.sensors.summary import PowerSummary

METERS = [
    MeterSpec(code=code, profile="eastron_sdm630", unit=unit, duty=duty)
    for code, unit, duty in (("fan", 1, Duty.FAN), ("pump", 2, Duty.PUMP))
]
START = 1_750_000_020 * 1_000_000  # a full minute


def _reading(stamp, source="fan", kw: float | None = 75.0, quality=Quality.GOOD, **more):
    values = more if kw is None else {"power_kw": kw, **more}
    return Reading(source, stamp, quality, values)


def test_a_minute_is_summed_up_when_the_next_one_begins():
    clock, summary = ManualClock(START), PowerSummary(METERS)
    for kw in (10.0, 30.0, 20.0):
        assert summary.step(_reading(clock.now(), kw=kw, energy_import_kwh=100 + kw)) == []
        last = clock.now()
        clock.advance(2)
    clock.advance(60)
    [draft] = summary.step(_reading(clock.now()))
    assert draft.type is RecordType.POWER_SUMMARY
    assert draft.stamp == last
    assert draft.data == {
        "source": "fan",
        "duty": "fan",
        "from": "2025-06-15T15:07:00.000000Z",
        "to": "2025-06-15T15:07:04.000000Z",
        "count": 3,
        "quality": "good",
        "power_kw": {"min": 10.0, "mean": 20.0, "max": 30.0},
        "energy_import_kwh": 120.0,
    }


def test_the_minute_of_a_meter_that_fell_silent_is_closed_by_time():
    clock, summary = ManualClock(START), PowerSummary(METERS)
    summary.step(_reading(clock.now()))
    summary.step(_reading(clock.now(), "pump"))
    assert summary.tick(clock.advance(59.9)) == []
    assert [draft.data["source"] for draft in summary.tick(clock.advance(0.1))] == ["fan", "pump"]
    assert summary.tick(clock.advance(600)) == []


def test_readings_without_a_figure_are_counted_but_not_summed():
    clock, summary = ManualClock(START), PowerSummary(METERS)
    summary.step(_reading(clock.now(), kw=2e5, quality=Quality.BAD, energy_import_kwh=7))
    summary.step(_reading(clock.advance(1), kw=None, quality=Quality.UNCERTAIN))
    [draft] = summary.tick(clock.advance(60))
    assert draft.data["count"] == 2
    assert draft.data["quality"] == "bad"
    assert "power_kw" not in draft.data
    assert "energy_import_kwh" not in draft.data


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["fan", "pump"]),
            st.floats(0, 50),
            st.floats(-1e5, 1e5),
            st.sampled_from(list(Quality)),
        )
    )
)
def test_every_reading_is_in_exactly_one_summary_of_its_minute(readings):
    clock, summary, drafts = ManualClock(START), PowerSummary(METERS), []
    for source, seconds, kw, quality in readings:
        stamp = clock.advance(seconds)
        drafts += summary.step(_reading(stamp, source, kw, quality))
    drafts += summary.tick(clock.advance(120))
    assert sum(draft.data["count"] for draft in drafts) == len(readings)
    minutes = [(draft.data["source"], draft.data["from"][:16]) for draft in drafts]
    assert len(set(minutes)) == len(minutes)
    for draft in drafts:
        assert draft.data["from"][:16] == draft.data["to"][:16]
        json.dumps(draft.data, allow_nan=False)
        if "power_kw" in draft.data:
            power = draft.data["power_kw"]
            assert power["min"] - 1e-3 <= power["mean"] <= power["max"] + 1e-3


def test_a_reading_of_an_unknown_meter_is_a_bug():
    clock, summary = ManualClock(START), PowerSummary(METERS)
    summary.step(_reading(clock.now(), "nobody"))
    with pytest.raises(KeyError):
        summary.tick(clock.advance(120))
