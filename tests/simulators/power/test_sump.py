"""Drainage: water that runs in is lifted out, stays, or runs over the brim; none is lost."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.power.moments import DAY_S, HOUR_S, STEP_S, Span, rng
from simulators.power.sump import Station, drain, draw_station, runs

SPAN = Span(1_767_196_800_000_000, 4 * DAY_S)
DRY = np.ones(SPAN.size)


@settings(max_examples=15)
@given(st.integers(0, 10_000))
def test_water_in_is_water_out_and_what_is_left(seed):
    station = draw_station(rng(seed))
    done = drain(rng(seed, "run"), SPAN, station, DRY)
    lifted = sum(on.sum() for on in done.on) * STEP_S / HOUR_S * station.lift_m3h
    came = station.inflow_m3h * SPAN.length_s / HOUR_S
    left = (done.level[-1] - done.level[0]) * station.sump_m3
    one_step = (station.lift_m3h * len(done.on) + station.inflow_m3h) * 60 / HOUR_S
    dry = station.sump_m3 * 0.02  # a sump that is empty cannot be emptied further
    assert came - lifted - done.spilled_m3 == pytest.approx(left, abs=one_step + dry)


@settings(max_examples=15)
@given(st.integers(0, 10_000))
def test_a_pump_draws_its_load_when_it_runs_and_nothing_else(seed):
    station = draw_station(rng(seed))
    done = drain(rng(seed, "run"), SPAN, station, DRY)
    for kw, on, load in zip(done.kw, done.on, station.load_kw, strict=True):
        assert np.all(kw[~on] == 0)
        if on.sum() > 200:
            assert np.median(kw[on]) == pytest.approx(load, rel=0.08)
            assert kw.max() <= 2.4 * load


def test_the_pumps_take_turns():
    station = Station(90, (80.0, 82.0), 100.0, 20.0, 40.0, "level")
    done = drain(rng(1), SPAN, station, DRY)
    starts = [len(runs(on)) for on in done.on]
    assert abs(starts[0] - starts[1]) <= 1
    assert min(starts) > 3


def test_cheap_hours_are_used_where_it_is_pumped_by_tariff():
    station = Station(90, (80.0,), 100.0, 12.0, 330.0, "tariff")
    done = drain(rng(2), SPAN, station, DRY)
    hours = SPAN.hour[done.on[0]]
    assert ((hours < 8) | (hours >= 23)).mean() > 0.9


def test_more_water_is_more_pumping():
    station = replace(draw_station(rng(3)), way="level")
    dry, wet = (drain(rng(4), SPAN, station, DRY * factor) for factor in (0.6, 1.5))
    assert sum(kw.sum() for kw in wet.kw) > 1.5 * sum(kw.sum() for kw in dry.kw)


def test_without_power_no_pump_runs():
    dark = np.zeros(SPAN.size, dtype=bool)
    dark[5000:8000] = True
    done = drain(rng(5), SPAN, Station(90, (80.0,), 100.0, 60.0, 40.0, "level"), DRY, dark)
    assert not done.on[0][5008:7996].any()
    assert done.on[0].any()


def test_a_man_who_comes_by_shift_pumps_when_he_comes():
    done = drain(rng(6), SPAN, Station(90, (80.0,), 100.0, 20.0, 400.0, "shift"), DRY)
    assert done.on[0].any()
    assert done.level.max() < 1
