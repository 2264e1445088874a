"""A whole site: what feeders, pumps and the incoming meter show of each other."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.clock import ManualClock
from edge.domain.activity import ActivityKind, Duty, Phase
from edge.domain.observation import Quality, Reading
from edge.sensors.power import PowerAnalyser
from edge.sensors.spec import MeterSpec, PermittedSpec

DAY = 1_440  # minutes
START = 1_750_032_000_000_000  # midnight UTC


def _meter(duty, unit=1, *permitted, **more):
    return MeterSpec(
        code=duty.value,
        profile="eastron_sdm630",
        unit=unit,
        duty=duty,
        learning_days=2.0,
        permitted=permitted,
        **more,
    )


class Site:
    """Meters that are read one after the other, twice a minute."""

    def __init__(self, *meters, clock=None, analyser=None):
        self.clock = clock or ManualClock(START)
        self.analyser = analyser or PowerAnalyser(meters)
        self.chance = random.Random(3)
        self.told, self.records = [], []

    def run(self, minutes, loads):
        """`loads`: duty → kW, or a function of the minute; a duty left out is silent."""
        for at in range(minutes):
            for half in (0, 1):
                stamp = self.clock.advance(30)
                self.told += self.analyser.tick(stamp)
                for place, (duty, load) in enumerate(loads.items()):
                    kw = load(at) if callable(load) else load
                    kw += self.chance.uniform(-0.2, 0.2)
                    values = {"power_kw": kw}
                    moment = stamp.moved(0.08 * place + 0.01 * half)
                    reading = Reading(duty.value, moment, Quality.GOOD, values)
                    self.told += self.analyser.step(reading)
                    self.records += self.analyser.learned(duty.value)
        return self

    def started(self, kind):
        return [a for a in self.told if a.kind is kind and a.phase is Phase.STARTED]


def _pumping(at):
    return 110.0 if at % 90 < 30 else 0.3


LOADS = {
    Duty.INCOMING: lambda at: 79.0 + 1.01 * _pumping(at),
    Duty.FAN: 75.0,
    Duty.PUMP: _pumping,
}
METERS = (_meter(Duty.INCOMING, 1), _meter(Duty.FAN, 2), _meter(Duty.PUMP, 3))


def _with(extra, **where):
    def more(load):
        return (lambda at: load(at) + extra) if callable(load) else load + extra

    return {d: more(load) if d.value in where else load for d, load in LOADS.items()}


def test_what_is_metered_twice_is_nothing():
    site = Site(*METERS).run(5 * DAY, LOADS)
    assert {a.kind for a in site.told} == {ActivityKind.LOAD_RUNNING}
    assert {a.aspect for a in site.told} == {"pump"}


def test_an_unmetered_branch_shows_in_what_is_left_over():
    site = Site(*METERS).run(3 * DAY, LOADS).run(90, _with(30.0, incoming=True))
    [found] = site.started(ActivityKind.RESIDUAL_LOAD)
    assert found.source == "incoming"
    assert found.detail["unexplained_kw"] == pytest.approx(30, abs=2)
    assert found.detail["incoming_kw"] - found.detail["feeders_kw"] == pytest.approx(
        found.detail["kw"], abs=0.01
    )
    site.run(60, LOADS)
    assert site.told[-1].phase is Phase.ENDED or site.told[-1].aspect == "pump"


def test_while_a_feeder_is_silent_nothing_is_known_of_what_is_left_over():
    site = Site(*METERS).run(3 * DAY, LOADS)
    without = {duty: load for duty, load in LOADS.items() if duty is not Duty.FAN}
    site.run(120, without)
    assert site.started(ActivityKind.RESIDUAL_LOAD) == []


def test_a_machine_on_the_pumps_feeder_is_unlike_a_pump():
    site = Site(*METERS).run(3 * DAY, LOADS)
    site.run(60, _with(25.0, incoming=True, pump=True))
    [found] = site.started(ActivityKind.PUMP_UNLIKE)
    assert (found.source, found.aspect) == ("pump", "pump")
    assert site.started(ActivityKind.RESIDUAL_LOAD) == []


def test_cycles_of_a_hoist_on_the_pumps_feeder_are_unlike_a_pump():
    site = Site(_meter(Duty.PUMP)).run(2 * DAY + 60, {Duty.PUMP: _pumping})
    for _ in range(20):
        site.run(1, {Duty.PUMP: 60.0}).run(1, {Duty.PUMP: 0.3})
    assert len(site.started(ActivityKind.PUMP_UNLIKE)) == 1
    assert "period_s" in site.started(ActivityKind.PUMP_UNLIKE)[0].detail


def test_more_than_a_guard_house_has_is_unexplained():
    house = PermittedSpec(duty=Duty.LIVING, rated_kw=25.0)
    site = Site(_meter(Duty.LIVING, 1, house)).run(3 * DAY, {Duty.LIVING: 5.0})
    assert not site.run(60, {Duty.LIVING: 25.0}).started(ActivityKind.UNEXPLAINED_LOAD)
    assert site.run(60, {Duty.LIVING: 60.0}).started(ActivityKind.UNEXPLAINED_LOAD)


def test_two_incoming_lines_are_one():
    second = _meter(Duty.INCOMING, 2).model_copy(update={"code": "second"})
    analyser = PowerAnalyser([_meter(Duty.INCOMING), second])
    clock, told = ManualClock(START), []
    for at in range(3 * DAY + 60):
        stamp = clock.advance(60)
        swap = 30.0 if at % 120 < 60 else 0.0  # what one loses the other takes
        extra = 25.0 if at >= 3 * DAY else 0.0
        for code, kw in (("second", 50.0 + swap + extra), ("incoming", 80.0 - swap)):
            told += analyser.step(Reading(code, stamp, Quality.GOOD, {"power_kw": kw}))
    [found] = [a for a in told if a.phase is Phase.STARTED]
    assert (found.kind, found.source) == (ActivityKind.UNEXPLAINED_LOAD, "incoming")


def test_a_hoist_that_takes_more_of_all_energy_than_it_used_to_is_told():
    meters = (_meter(Duty.INCOMING, 1), _meter(Duty.HOIST, 2, running_kw=1_000.0))
    usual = {Duty.INCOMING: 420.0, Duty.HOIST: 40.0}
    secret = {Duty.INCOMING: 436.0, Duty.HOIST: 56.0}
    site = Site(*meters).run(5 * DAY, usual).run(3 * DAY + 10, secret)
    [found] = site.started(ActivityKind.SHARE_RISEN)
    assert found.source == "hoist"
    assert found.detail["baseline_percent"] == pytest.approx(9.5, abs=0.1)
    assert found.detail["share_percent"] == pytest.approx(12.8, abs=0.1)
    site.run(2 * DAY, usual)
    assert [a.phase for a in site.told if a.kind is ActivityKind.SHARE_RISEN][-1] is Phase.ENDED


def test_a_day_without_one_of_the_meters_has_no_shares():
    meters = (_meter(Duty.INCOMING, 1), _meter(Duty.HOIST, 2))
    site = Site(*meters).run(6 * DAY, {Duty.HOIST: 0.3}).run(2 * DAY, {Duty.INCOMING: 50.0})
    assert site.started(ActivityKind.SHARE_RISEN) == []


def test_a_day_with_a_shift_in_it_is_told_once_it_is_over():
    site = Site(_meter(Duty.INCOMING)).run(7 * DAY, {Duty.INCOMING: 20.0})
    site.run(480, {Duty.INCOMING: 60.0}).run(1100, {Duty.INCOMING: 20.0})
    [found] = site.started(ActivityKind.DAY_LIKE_PRODUCTION)
    assert found.detail["ratio"] > 1.5
    assert found.started.wall_us == START + 7 * 86_400_000_000
    site.run(DAY, {Duty.INCOMING: 20.0})
    assert site.told[-1].phase is Phase.ENDED


def test_what_is_not_confirmed_by_readings_ends_with_the_last_one():
    site = Site(*METERS).run(3 * DAY, LOADS).run(60, _with(30.0, incoming=True))
    last = site.clock.now().moved(0.01)
    assert site.analyser.due_us == last.mono_us + 900_000_000
    ended = site.analyser.tick(site.clock.advance(901))
    residual = [a for a in ended if a.kind is ActivityKind.RESIDUAL_LOAD]
    assert [(a.phase, a.stamp) for a in residual] == [(Phase.ENDED, last)]
    assert site.analyser.tick(site.clock.advance(901)) == []
    assert site.analyser.due_us > 2**60


def test_meters_read_every_quarter_of_an_hour_are_waited_for():
    clock, analyser, told = ManualClock(START), PowerAnalyser([_meter(Duty.INCOMING)]), []
    for at in range(4 * 96):
        kw = 60.0 if at > 350 else 20.0
        stamp = clock.advance(900)
        told += analyser.tick(stamp)
        told += analyser.step(Reading("incoming", stamp, Quality.GOOD, {"power_kw": kw}))
    assert [a.phase for a in told if a.phase is not Phase.GOES_ON] == [Phase.STARTED]


def test_all_that_was_learned_survives_a_restart():
    first = Site(*METERS, _meter(Duty.HOIST, 4)).run(3 * DAY, {**LOADS, Duty.HOIST: 0.3})
    again = Site(*METERS, _meter(Duty.HOIST, 4), clock=ManualClock(first.clock.now().wall_us))
    for record in first.records:
        again.analyser.recall(json.loads(json.dumps(record.data)))
    again.analyser.recall({"source": "gone"})
    again.analyser.recall({"source": "pump", "share": {"usual": [], "recent": []}})
    assert max(len(json.dumps(record.data)) for record in first.records) < 20_000
    again.run(60, {**_with(30.0, incoming=True), Duty.HOIST: 0.3})
    assert again.started(ActivityKind.RESIDUAL_LOAD)


def test_a_site_without_meters_says_nothing():
    assert PowerAnalyser([]).tick(ManualClock().now()) == []


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([Duty.INCOMING, Duty.PUMP, Duty.HOIST, Duty.LIVING]),
            st.one_of(st.floats(-500, 500), st.sampled_from([0.0, 80.0, float("nan")])),
            st.floats(0.2, 90_000),
        ),
        max_size=150,
    )
)
def test_whatever_is_read_each_thing_starts_and_ends_in_turn(readings):
    duties = (Duty.INCOMING, Duty.PUMP, Duty.HOIST, Duty.LIVING)
    analyser = PowerAnalyser([_meter(duty, unit) for unit, duty in enumerate(duties, 1)])
    clock, told, open_ones = ManualClock(START), [], set()
    for duty, kw, seconds in readings:
        stamp = clock.advance(seconds)
        told += analyser.step(Reading(duty.value, stamp, Quality.GOOD, {"power_kw": kw}))
        for record in analyser.learned(duty.value):
            json.dumps(record.data, allow_nan=False)
    for item in told:
        json.dumps(dict(item.detail), allow_nan=False)
        if item.phase is Phase.STARTED:
            assert item.key not in open_ones
            open_ones.add(item.key)
        else:
            assert item.key in open_ones
            if item.phase is Phase.ENDED:
                open_ones.discard(item.key)
