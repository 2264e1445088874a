"""Quarter hours, days and weeks of power."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.clock import Stamp
from edge.domain.record import Draft, RecordType
from edge.sensors.reports import Reports
from tests.docs.contract import validate

OFFSET_H = 8.0
MINUTE_US, DAY_MINUTES = 60_000_000, 1440
# A Monday, 0:00 at the site.
START = int(datetime(2026, 3, 1, 16, tzinfo=UTC).timestamp()) * 1_000_000


def _stamp(minute: float) -> Stamp:
    wall_us = START + round(minute * MINUTE_US)
    return Stamp(wall_us, wall_us, "boot")


def _minute(minute: int, kw: float | None, source="fan", duty="fan", counter=None) -> Draft:
    data: dict[str, object] = {"source": source, "duty": duty}
    if kw is not None:
        data["power_kw"] = {"min": kw, "mean": kw, "max": kw + 1}
    if counter is not None:
        data["energy_import_kwh"] = counter
    return Draft(RecordType.POWER_SUMMARY, _stamp(minute + 0.9), data)


def _run(reports: Reports, kw, minutes: range, source="fan", duty="fan") -> list[Draft]:
    told = []
    for minute in minutes:
        told += reports.step([_minute(minute, kw(minute), source, duty)])
        told += reports.tick(_stamp(minute + 1))
    return told


def _of(told: list[Draft], kind: RecordType) -> list[Any]:
    return [draft.data for draft in told if draft.type is kind]


def test_a_quarter_hour_tells_its_energy_beside_what_the_counter_counted():
    reports, told = Reports(OFFSET_H), []
    for minute in range(31):
        told += reports.step([_minute(minute, 60.0, counter=1000.0 + minute)])
    first, second = _of(told, RecordType.POWER_ENERGY)
    assert first == {
        "source": "fan",
        "duty": "fan",
        "from": "2026-03-01T16:00:00.000000Z",
        "to": "2026-03-01T16:15:00.000000Z",
        "energy_kwh": 15.0,
        "minutes": 15,
        "mean_kw": 60.0,
        "max_kw": 61.0,
    }
    assert second["counter_kwh"] == 15.0
    for quarter in (first, second):
        validate("power.energy", quarter)


def test_a_counter_that_was_set_back_or_not_read_counts_nothing():
    reports, told = Reports(OFFSET_H), []
    for minute in range(61):
        counter = {0: 1000.0, 15: 900.0, 30: None}.get(15 * (minute // 15))
        told += reports.step([_minute(minute, 60.0, counter=counter)])
    assert [quarter.get("counter_kwh") for quarter in _of(told, RecordType.POWER_ENERGY)] == [
        None
    ] * 4


def test_a_counter_is_not_compared_over_a_gap():
    reports = Reports(OFFSET_H)
    told = reports.step([_minute(0, 1.0, counter=5.0)])
    told += reports.step([_minute(40, 1.0, counter=99.0)])
    told += reports.tick(_stamp(60))
    assert [q.get("counter_kwh") for q in _of(told, RecordType.POWER_ENERGY)] == [None, None]


def test_a_meter_that_falls_silent_has_its_quarter_closed_by_time():
    reports = Reports(OFFSET_H)
    reports.step([_minute(3, 30.0)])
    assert reports.tick(_stamp(16)) == []
    [quarter] = _of(reports.tick(_stamp(17)), RecordType.POWER_ENERGY)
    assert (quarter["minutes"], quarter["energy_kwh"]) == (1, 0.5)


def test_minutes_without_a_figure_make_no_quarter():
    reports = Reports(OFFSET_H)
    reports.step([_minute(3, None)])
    assert reports.tick(_stamp(60)) == []


def test_other_facts_are_passed_over():
    assert Reports(OFFSET_H).step([Draft(RecordType.CLOCK_STEPPED, _stamp(0), {})]) == []


def test_a_day_is_told_by_the_sites_own_time_with_its_night_and_its_peak():
    reports = Reports(OFFSET_H)
    told = _run(reports, lambda m: 120.0 if 60 <= m < 120 else 60.0, range(DAY_MINUTES + 25))
    [day] = _of(told, RecordType.POWER_DAY)
    validate("power.day", day)
    assert day == {
        "day": "2026-03-02",
        "meters": [
            {
                "source": "fan",
                "duty": "fan",
                "energy_kwh": 1500.0,
                "night_kwh": 8 * 60.0 + 60.0,
                "max_kw": 121.0,
                "max_from": "2026-03-01T17:00:00.000000Z",
                "minutes": DAY_MINUTES,
            }
        ],
    }


def test_a_day_with_an_incoming_meter_tells_what_went_through_no_other():
    reports, told = Reports(OFFSET_H), []
    for minute in range(DAY_MINUTES + 16):
        told += reports.step(
            [_minute(minute, 100.0, "main", "incoming"), _minute(minute, 60.0, "fan", "fan")]
        )
    [day] = _of(told, RecordType.POWER_DAY)
    assert day["rest_kwh"] == pytest.approx(40 * 24)
    validate("power.day", day)


def test_a_restart_tears_no_day_and_tells_none_twice():
    before = Reports(OFFSET_H)
    told = _run(before, lambda _: 60.0, range(601))  # the quarter under way is lost
    again = Reports(OFFSET_H)
    for quarter in _of(told, RecordType.POWER_ENERGY):
        again.recall("eseal.power.energy", quarter)
    late = _run(again, lambda _: 60.0, range(600, DAY_MINUTES + 25))
    [day] = _of(late, RecordType.POWER_DAY)
    assert day["meters"][0]["minutes"] == DAY_MINUTES
    once_more = Reports(OFFSET_H)
    for quarter in _of(told + late, RecordType.POWER_ENERGY)[:-1]:
        once_more.recall("eseal.power.energy", quarter)
    once_more.recall("eseal.power.day", day)
    assert once_more.tick(_stamp(3 * DAY_MINUTES)) == []


def test_a_day_that_ended_while_the_gateway_was_off_is_told_afterwards():
    told = _run(Reports(OFFSET_H), lambda _: 60.0, range(601))
    again = Reports(OFFSET_H)
    for quarter in _of(told, RecordType.POWER_ENERGY):
        again.recall("eseal.power.energy", quarter)
    again.recall("eseal.power.day", {"day": "2026-03-01", "meters": []})
    [day] = _of(again.tick(_stamp(2 * DAY_MINUTES)), RecordType.POWER_DAY)
    assert day["meters"][0]["minutes"] == 600


def _weeks(per_day_kwh, days: int, minutes: int = DAY_MINUTES, night: float = 0.25) -> list[Any]:
    reports = Reports(OFFSET_H)
    for number in range(days):
        kwh = per_day_kwh(number)
        date = datetime.fromtimestamp(START / 1e6 + (number + 1) * 86400, UTC).date()
        meter = {"source": "hoist", "duty": "hoist", "energy_kwh": kwh, "minutes": minutes}
        meter |= {"night_kwh": night * kwh, "max_kw": 1.0, "max_from": "2026-03-01T17:00:00Z"}
        reports.recall("eseal.power.day", {"day": date.isoformat(), "meters": [meter]})
    told = _run(reports, lambda _: 0.0, range(days * DAY_MINUTES, (days + 1) * DAY_MINUTES + 25))
    weeks = _of(told, RecordType.POWER_WEEK)
    for week in weeks:
        validate("power.week", week)
    return weeks


def test_a_week_says_that_a_feeder_uses_more_than_in_the_four_weeks_before():
    [week] = _weeks(lambda number: 100.0 if number < 28 else 150.0, 35)
    assert week["week"] == "2026-W14"
    [hoist] = week["meters"]
    assert (hoist["days"], hoist["per_day_kwh"], hoist["change"]) == (7, 150.0, 0.5)
    assert (hoist["night_share"], hoist["usual_night_share"]) == (0.25, 0.25)
    assert week["said"] == {
        "zh": "提升机 hoist 日用电 150 kWh，上升 50%",
        "en": "hoist hoist 150 kWh a day, up 50%",
    }


@pytest.mark.parametrize(
    ("kwh", "said"),
    [
        (lambda number: 100.0 if number < 28 else 50.0, "down 50%"),
        (lambda _: 100.0, "steady"),
        (lambda number: 50.0 if number < 28 else 0.0, "down 100%"),
        (lambda number: 0.0 if number < 28 else 50.0, "0 in the four weeks before"),
    ],
)
def test_a_week_has_a_word_for_each_tendency(kwh, said):
    [week] = _weeks(kwh, 35)
    assert week["said"]["en"].endswith(said)


def test_a_first_week_has_nothing_to_be_compared_with():
    [week] = _weeks(lambda _: 100.0, 7)
    assert week["said"]["en"].endswith("nothing to compare with yet")


def test_days_with_few_figures_do_not_count_in_a_week():
    [week] = _weeks(lambda _: 100.0, 7, minutes=600)
    assert week["meters"] == []


@given(st.lists(st.tuples(st.integers(-3, 90), st.floats(-500, 500)), max_size=40))
def test_energy_of_quarters_is_that_of_their_minutes_whatever_the_clock_does(steps):
    reports, minute, told, wanted = Reports(OFFSET_H), 0, [], 0.0
    for step, kw in steps:
        minute = max(0, minute + step)
        told += reports.step([_minute(minute, kw)])
        wanted += kw / 60
    told += reports.tick(_stamp(minute + 10_000))
    energy = sum(quarter["energy_kwh"] for quarter in _of(told, RecordType.POWER_ENERGY))
    assert energy == pytest.approx(wanted, abs=1e-4 * (len(steps) + 1))
    in_days = sum(
        meter["energy_kwh"] for day in _of(told, RecordType.POWER_DAY) for meter in day["meters"]
    )
    assert in_days == pytest.approx(wanted, abs=2e-3 * (len(steps) + 1))
