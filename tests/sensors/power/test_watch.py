"""Only the incoming meter: what is left beside what may run."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from edge.clock import ManualClock
from edge.domain.activity import Duty
from edge.sensors.power.minutes import Minute
from edge.sensors.power.watch import Watch
from edge.sensors.spec import PermittedSpec

PUMP = PermittedSpec(duty=Duty.PUMP, rated_kw=130.0, count=2)
MINUTE = 60_000_000


class Load:
    """A load seen minute by minute."""

    def __init__(self, *permitted, watch=None, start=1_750_000_000_000_000 // MINUTE, days=2.0):
        self.watch = watch or Watch(days, permitted, curve=True)
        self.clock = ManualClock(start * MINUTE)
        self.chance = random.Random(7)

    def show(self, minutes, kw, span=0.5, through=0.0):
        """Whether anything was found in these minutes; `kw` may be a function of the minute."""
        found = False
        for at in range(minutes):
            number = self.clock.now().wall_us // MINUTE
            load = kw(at) if callable(kw) else kw
            load += self.chance.uniform(-0.5, 0.5)
            self.watch.reading(load, self.clock.now())
            minute = Minute(number, load, load - span / 2, load + span / 2)
            self.watch.minute(minute, self.clock.advance(60), 60.0, through)
            found |= self.watch.found is not None
        return found

    def learn(self, days=2, pump=110.0):
        assert not self.show(days * 1440 + 10, lambda at: _site(at, pump))
        return self


def _site(at, pump=110.0):
    return 80.0 + (pump if at % 180 < 50 else 0.0)


def test_pumps_alone_are_nothing():
    assert not Load(PUMP).learn().show(3 * 1440, _site)


@pytest.mark.parametrize("declared", [(PUMP,), ()], ids=["declared", "learned"])
def test_a_motor_beside_the_pumps_is_found_with_its_figures(declared):
    load = Load(*declared).learn()
    assert load.show(60, lambda at: _site(at) + 40.0)
    detail = load.watch.found.detail()
    assert detail["unexplained_kw"] == pytest.approx(40.0, abs=3)
    assert detail["baseline_kw"] == pytest.approx(80.0, abs=2)
    assert set(detail) >= {"kw", "permitted_kw", "limit_kw"}
    assert "period_s" not in detail
    load.show(30, 80.0)
    assert load.watch.found is None


def test_a_second_pump_is_permitted_and_a_third_is_not():
    load = Load(PUMP).learn()
    assert not load.show(60, 80.0 + 2 * 110.0)
    assert load.show(60, 80.0 + 3 * 110.0)


def test_a_weak_motor_that_begins_under_a_running_pump_is_found():
    load = Load(PUMP).learn()
    load.show(20, 190.0)
    assert load.show(40, 190.0 + 18.0)


def test_a_weak_motor_goes_on_when_a_pump_starts_and_stops():
    load = Load(PUMP).learn()
    assert load.show(40, 100.0)
    for kw in (210.0, 100.0, 210.0):
        load.show(30, kw)
        assert load.watch.found is not None
    assert load.watch.found.unexplained_kw == pytest.approx(20.0, abs=4)


def test_a_load_as_restless_as_a_belt_is_judged_all_the_same():
    load = Load(PUMP).learn()
    assert load.show(40, 140.0, span=60.0)


def test_a_pump_seen_while_it_starts_is_not_judged():
    load = Load(PUMP).learn()
    for _ in range(20):
        assert not load.show(1, 130.0, span=110.0)
        assert not load.show(30, 190.0)
        assert not load.show(30, 80.0)


def test_a_hoist_is_found_by_its_cycles_also_while_nothing_is_learned():
    watch, clock = Watch(4.0, ()), ManualClock()
    minute = Minute(0, 80.0, 79.0, 81.0)
    for kw in [80.0, 160.0, 80.0, 160.0, 80.0]:
        assert not watch.reading(kw, clock.advance(49))
    watch.minute(minute, clock.now(), 60)
    assert not watch.found
    assert watch.reading(160.0, clock.advance(49))
    watch.minute(minute, clock.now(), 60)
    found = watch.found
    assert found is not None
    assert found.detail()["period_s"] == 98.0
    watch.silent()
    assert watch.found is None


def test_the_base_follows_the_season_but_not_without_end():
    load = Load(PUMP).learn()
    assert not load.show(20 * 1440, lambda at: 80.0 + 1.0 * at / 1440)
    assert load.watch._usual.at(0) > 90
    crept = Load(PUMP).learn()
    assert crept.show(40 * 1440, lambda at: 80.0 + 1.2 * at / 1440)


def test_the_base_falls_fast_but_a_fan_that_is_off_for_hours_does_not_pull_it_down():
    load = Load(PUMP).learn()
    load.show(5 * 60, 20.0)
    assert load.watch._usual.at(0) > 75
    assert not load.show(600, 80.0)
    load.show(10 * 1440, 20.0)
    assert load.watch._usual.at(0) < 40


def test_losses_of_what_passes_elsewhere_are_no_load():
    through = [50.0, 450.0]
    load: Any = Load()
    for at in range(200):
        load.show(30, 3.0 + 0.02 * through[at % 2], through=through[at % 2])
    assert load.watch._usual.loss_share == pytest.approx(0.02, abs=0.004)
    assert not load.show(60, 3.0 + 0.02 * 450, through=450.0)
    assert load.show(60, 23.0 + 0.02 * 450, through=450.0)


@pytest.mark.parametrize("days", [1, 3, 4])
def test_all_that_was_learned_goes_on_after_a_restart(days):
    before = Load(PUMP).learn(days)
    told = json.loads(json.dumps(before.watch.data()))
    assert not before.watch.fresh
    watch = Watch(2.0, (PUMP,), curve=True)
    watch.recall(told)
    assert json.loads(json.dumps(watch.data())) == told
    again = Load(watch=watch, start=before.clock.now().wall_us // MINUTE)
    again.show((3 - days) * 1440 if days < 3 else 60, _site)
    assert again.show(60, lambda at: _site(at) + 40.0)


def test_a_day_like_production_shows_in_its_curve():
    load = Load(PUMP).learn(6)
    load.show(8 * 60, 80.0 + 60.0)
    load.show(2 * 1440, _site)
    assert load.watch.curve.usual is not None
