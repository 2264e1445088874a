"""What says nothing is not used, and nothing is made of it."""

from __future__ import annotations

import math
import random

import pytest

from edge.domain.observation import Quality
from tests.sensors.faults.world import HOURS, Mine, counter


@pytest.mark.parametrize(
    "values", [{}, {"power_kw": float("nan")}, {"power_kw": float("inf")}, {"frequency_hz": 50.0}]
)
def test_a_reading_without_a_figure_is_not_used(values):
    mine = Mine()
    mine.show(values)
    mine.run(600)
    mine.clock.advance(30)
    mine.show(values)
    mine.clock.advance(30)
    mine.show({"power_kw": 40.0}, quality=Quality.BAD)
    assert mine.used[-2:] == [None, None]
    assert mine.told == []


def test_two_readings_of_one_moment_are_both_used():
    mine = Mine()
    mine.run(600)
    mine.show({"power_kw": 41.0})
    mine.show({"power_kw": 42.0})
    assert [one.values["power_kw"] for one in mine.used[-2:]] == [41.0, 42.0]


def test_rows_with_holes_and_without_numbers_are_judged_by_what_is_left():
    mine = Mine()
    chance = random.Random(1)

    def holes(values):
        drop = chance.choice(sorted(values))
        if drop == "power_kw":
            return {**values, "voltage_l1_v": math.inf}
        return {name: value for name, value in values.items() if name != drop}

    mine.run(6 * HOURS, change=holes)
    mine.run(1 * HOURS, change=lambda values: {**values, "voltage_l1_v": math.nan})
    assert mine.told == []
    assert counter(1.0)({"a": 1.0}) == {"a": 1.0}
