"""Voltage that is gone where it must not be is told."""

from __future__ import annotations

import pytest

from edge.domain.activity import ActivityKind, Phase
from tests.sensors.faults.world import HOURS, Mine, scaled, spec, without


@pytest.mark.parametrize(("duty", "always"), [("fan", False), ("incoming", False), ("pump", True)])
def test_voltage_that_is_gone_where_it_must_not_be_is_told(duty, always):
    dead = scaled(0.0, "voltage", "current", "power_kw", "power_l")
    mine = Mine(spec(duty=duty, always_on=always))
    mine.run(1 * HOURS)
    mine.used.clear()
    mine.run(1 * HOURS, kw=0.0, change=dead)
    assert mine.used == [None] * len(mine.used)
    told = mine.one()
    assert told.kind is ActivityKind.METER_VOLTAGE_GONE
    assert told.detail["volts"] == 0.0
    assert told.detail["expected_v"] == pytest.approx(230, abs=5)
    mine.run(1 * HOURS)
    assert mine.kinds(Phase.ENDED) == [ActivityKind.METER_VOLTAGE_GONE]


def test_a_feeder_that_is_switched_off_may_be_dead_but_not_while_current_flows():
    mine = Mine(spec(duty="pump"))
    mine.run(1 * HOURS)
    mine.run(4 * HOURS, kw=0.0, change=scaled(0.0, "voltage", "current", "power"))
    assert mine.told == []
    mine.run(1200, change=scaled(0.0, "voltage", "power"))
    assert mine.one().kind is ActivityKind.METER_VOLTAGE_GONE


def test_without_currents_a_dead_feeder_is_judged_by_its_duty():
    mine = Mine(spec(duty="pump"))
    mine.run(1 * HOURS, change=without("current"))
    mine.run(1 * HOURS, kw=0.0, change=lambda v: scaled(0.0, "voltage")(without("current")(v)))
    assert mine.told == []
