"""Loads behave as the machines do that they stand for."""

from __future__ import annotations

import numpy as np
import pytest

from simulators.power import machines
from simulators.power.events import draw_events
from simulators.power.fan import Fan
from simulators.power.hoist import Hoist, draw_hoist
from simulators.power.living import Living
from simulators.power.moments import DAY_S, HOUR_S, STEP_S, Span, rng
from simulators.power.weather import Event, weather

WINTER = Span(1_768_000_000_000_000, 3 * DAY_S)


def test_a_hoist_repeats_itself_every_cycle():
    hoist = Hoist(160.0, 100.0, skips=True, auxiliaries_kw=2.0)
    power = hoist.work(rng(1), 6000 // STEP_S)
    power = power - power.mean()
    lags = np.arange(40 // STEP_S, 200 // STEP_S)
    likeness = [float((power[lag:] * power[:-lag]).mean()) for lag in lags]
    assert lags[int(np.argmax(likeness))] * STEP_S == pytest.approx(100, abs=15)


@pytest.mark.parametrize("seed", range(8))
def test_a_hoist_is_of_the_sizes_and_cycles_that_are_seen(seed):
    hoist = draw_hoist(rng(seed))
    assert 55 <= hoist.rated_kw <= 400
    assert 60 <= hoist.cycle_s <= 180
    power = hoist.work(rng(seed), 3600 // STEP_S)
    assert power.min() >= hoist.auxiliaries_kw
    assert power.max() <= 1.7 * hoist.rated_kw


@pytest.mark.parametrize("kind", [*machines.PRODUCTION])
def test_a_machine_draws_power_while_it_works_and_no_more_than_it_can(kind):
    machine = machines.PRODUCTION[kind](rng(2))
    power = machine.work(rng(3), 2 * HOUR_S // STEP_S)
    assert len(power) == 2 * HOUR_S // STEP_S
    assert power.min() >= 0
    assert 0.05 * machine.rated_kw < power.mean() < 1.2 * machine.rated_kw
    assert power.max() < 3 * machine.rated_kw


def test_a_belt_empties_at_its_end():
    power = machines.belt(rng(4)).work(rng(5), 3 * HOUR_S // STEP_S)
    assert power[-4:].mean() < power[len(power) // 3 : -len(power) // 3].mean()


def test_small_machines_of_a_repair_are_small():
    welder = machines.welding(rng(6))
    assert welder.work(rng(7), HOUR_S // STEP_S).max() < 60
    assert 10 < machines.winch(rng(8), 30.0).work(rng(9), HOUR_S // STEP_S).max() < 60
    steady = machines.steady(rng(8), 30.0).work(rng(9), HOUR_S // STEP_S)[20:]
    assert steady.std() < 0.15 * steady.mean()


def test_cold_costs_heat():
    living = Living(rng(11))
    living.heaters = [(2.0, 1500.0, 0.0)]
    cold, mild = (
        living.kw(rng(12), WINTER, np.full(WINTER.size, float(degrees)), [])
        for degrees in (-15, 15)
    )
    assert cold.mean() > mild.mean() + 1.0
    assert mild.min() > 0


def test_a_fan_never_stops_but_for_its_test():
    fan = Fan(rng(13))
    test = Event("fan-test", 3.0 * HOUR_S, 3.3 * HOUR_S)
    power = fan.kw(rng(14), WINTER, np.full(WINTER.size, -5.0), [test])
    off = np.flatnonzero(power == 0) * STEP_S
    assert off[0] == pytest.approx(test.begin_s, abs=STEP_S)
    assert off[-1] == pytest.approx(test.end_s, abs=2 * STEP_S)
    assert power[power > 0].min() > 0.1 * fan.rated_kw


def test_cold_air_is_dense_and_costs_the_fan_more():
    fan = Fan(rng(15))
    cold, warm = (
        fan.kw(rng(16), WINTER, np.full(WINTER.size, float(degrees)), []) for degrees in (-20, 30)
    )
    assert cold.mean() / warm.mean() == pytest.approx(303 / 253, rel=0.02)


def test_a_storm_brings_water_for_days_and_a_cold_snap_cold():
    storm, snap = Event("storm", HOUR_S, 9 * HOUR_S), Event("cold-snap", HOUR_S, 2 * DAY_S)
    plain, stormy, cold = (weather(rng(17), WINTER, events) for events in ([], [storm], [snap]))
    assert stormy.wetness.max() > 1.2 * plain.wetness.max()
    assert stormy.wetness[-1] > plain.wetness[-1]
    assert (plain.temperature - cold.temperature).max() > 5


def test_people_do_things_by_day():
    span = Span(1_775_000_000_000_000, 12 * DAY_S)
    for seed in range(20):
        for event in draw_events(rng(seed), span, 4.0 * DAY_S, 4):
            assert 4.0 * DAY_S - 9 * HOUR_S <= event.begin_s < event.end_s
            if event.kind in {"fan-test", "visit", "machine-test", "welding"}:
                assert 8 <= span.hour[span.step(event.begin_s)] <= 16.5
