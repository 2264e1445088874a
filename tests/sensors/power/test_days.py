"""Whole days: shares and curves."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.sensors.power.days import BLOCKS, Curve, Share, days_of


def test_what_is_usual_rests_on_four_days_at_least():
    assert [days_of(days) for days in (0.5, 4, 4.1, 30)] == [4, 4, 5, 30]


def _share(*days):
    share = Share(4)
    return share, [share.day(kwh, total) for kwh, total in days]


def test_a_hoist_that_takes_13_per_cent_instead_of_9_7_is_told_after_three_days():
    usual, secret = [(970.0, 10_000.0)] * 4, [(1360.0, 10_400.0)] * 3
    share, found = _share(*usual, *secret)
    assert found[:6] == [None] * 6
    assert found[6] == {
        "share_percent": 13.08,
        "baseline_percent": 9.7,
        "kwh": 1360.0,
        "baseline_kwh": 970.0,
    }
    assert share.day(300.0, 10_000.0) is None


def test_a_share_that_rises_because_the_others_fell_is_nothing():
    _, found = _share(*[(970.0, 10_000.0)] * 4, *[(980.0, 5_000.0)] * 9)
    assert found == [None] * 13


def test_two_days_of_work_within_the_usual_ones_do_not_lift_them():
    _, found = _share((97, 1000), (900, 1900), (97, 1000), (97, 1000), *[(300, 1200)] * 3)
    assert found[-1] is not None


def test_a_day_without_any_energy_says_nothing():
    share, found = _share((0.0, 0.0))
    assert found == [None]
    assert not share.usual


def test_a_share_goes_on_after_a_restart():
    share, _ = _share(*[(970.0, 10_000.0)] * 4, *[(1360.0, 10_400.0)] * 2)
    again = Share(4)
    again.recall(json.loads(json.dumps(share.data())))
    assert again.day(1360.0, 10_400.0) == share.day(1360.0, 10_400.0) is not None


def _curve(*days, curve=None):
    curve, found = curve or Curve(4), []
    for number, day in enumerate((*days, [0.0])):
        for at, kw in enumerate(day):
            curve.block(number * BLOCKS + at, kw)
            if curve.over:
                found.append(curve.found)
    return curve, found


QUIET = [10.0] * BLOCKS
NIGHT_SHIFT = [60.0] * 48 + [10.0] * 96
COLD = [25.0] * BLOCKS


def test_a_day_with_a_shift_in_it_is_like_production():
    curve, found = _curve(*[QUIET] * 5, NIGHT_SHIFT)
    assert found[:5] == [None] * 5
    assert found[5] == {
        "ratio": pytest.approx(4.33, abs=0.01),
        "baseline_ratio": 1.0,
        "kwh": pytest.approx(640.0),
        "baseline_kwh": 240.0,
    }
    assert curve.usual == (1.0, 240.0)


def test_a_cold_day_and_a_day_with_holes_are_not():
    assert _curve(*[QUIET] * 4, COLD)[1] == [None] * 5
    assert len(_curve(*[QUIET] * 4, NIGHT_SHIFT[:100])[1]) == 4


def test_what_is_usual_follows_the_season_by_three_per_cent_a_day():
    curve, _ = _curve(*[QUIET] * 4, *[COLD] * 10)
    assert curve.usual[1] == pytest.approx(240 * 1.03**10)


def test_a_curve_goes_on_after_a_restart():
    for days in (2, 4, 6):
        curve, _ = _curve(*[QUIET] * days)
        again = Curve(4)
        again.recall(json.loads(json.dumps(curve.data())))
        for one in (curve, again):
            _curve(*[QUIET] * 4, NIGHT_SHIFT, curve=one)
        assert (again.usual, again.found) == (curve.usual, curve.found)


@given(st.lists(st.floats(-50, 500), min_size=BLOCKS, max_size=BLOCKS))
def test_whatever_a_day_looks_like_it_has_a_ratio(day):
    curve, _ = _curve(day)
    assert curve.ratios[0] >= 0
