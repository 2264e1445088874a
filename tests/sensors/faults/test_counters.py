"""Counters that do not go with the power, and those that go back, are told."""

from __future__ import annotations

import pytest

from edge.domain.activity import ActivityKind, Phase
from tests.sensors.faults.world import HOURS, Mine, scaled


@pytest.mark.parametrize("share", [0.3, 2.0])
def test_a_counter_that_counts_something_else_than_the_power_is_told(share):
    mine = Mine()
    mine.run(3 * HOURS)
    mine.run(3 * HOURS, change=scaled(share, "power", "current"))
    told = mine.one()
    assert told.kind is ActivityKind.METER_ENERGY_MISMATCH
    assert told.detail["expected_kwh"] == pytest.approx(told.detail["read_kwh"] * share, rel=0.2)
    mine.run(3 * HOURS)
    assert mine.kinds(Phase.ENDED) == [ActivityKind.METER_ENERGY_MISMATCH]


@pytest.mark.parametrize("kwh", [0.0, 4000.0])
def test_a_counter_that_is_set_back_is_told_for_an_hour(kwh):
    mine = Mine()
    mine.run(3 * HOURS)
    before = mine.meter.kwh
    mine.meter.kwh = kwh
    mine.run(3 * HOURS)
    told = mine.one()
    assert told.kind is ActivityKind.METER_ENERGY_SET_BACK
    assert told.detail["expected_kwh"] == pytest.approx(before, abs=9)
    assert told.detail["read_kwh"] == pytest.approx(kwh, abs=9)
    assert mine.kinds(Phase.ENDED) == [ActivityKind.METER_ENERGY_SET_BACK]


def test_a_counter_that_leaps_forward_is_told():
    mine = Mine()
    mine.run(3 * HOURS)
    mine.meter.kwh += 9000.0
    mine.run(3 * HOURS)
    assert mine.one().kind is ActivityKind.METER_ENERGY_MISMATCH
    assert mine.kinds(Phase.ENDED) == [ActivityKind.METER_ENERGY_MISMATCH]


@pytest.mark.parametrize("end", [1e5, 1e6, 2**32 / 100, 20 * 1e6])
def test_a_counter_that_rolls_over_is_recognised(end):
    mine = Mine()
    mine.meter.kwh = end - 30.0
    mine.run(3 * HOURS, change=lambda values: rolled(values, end))
    assert mine.told == []


def rolled(values, end):
    if "energy_import_kwh" in values:
        values["energy_import_kwh"] %= end
    return values
