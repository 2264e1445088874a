"""A meter that stands still is told, and not used."""

from __future__ import annotations

import pytest

from edge.domain.activity import ActivityKind, Phase
from tests.sensors.faults.world import DAY, HOURS, Mine, spec


def holds(values):
    """Freezes at the values that it is first given; counters go on."""
    kept = {}

    def change(fresh):
        kept.update({name: fresh[name] for name in fresh if name not in kept})
        return {name: kept[name] for name in fresh}

    return change


def test_a_frozen_meter_is_told_within_half_an_hour_and_used_no_more():
    mine = Mine()
    mine.run(1 * DAY)
    since = mine.now
    mine.run(40 * 60, change=holds({}))
    told = mine.one()
    assert told.kind is ActivityKind.METER_FROZEN
    assert told.aspect == "fan"
    assert told.started.since(since) < 600
    assert told.stamp.since(since) <= 1800
    assert told.detail["kw"] == pytest.approx(40, abs=1)
    assert told.detail["readings"] >= 40
    assert mine.used[-1] is None


def test_a_frozen_feeder_at_zero_shows_by_its_voltage():
    mine = Mine(spec(duty="hoist"))
    mine.run(1 * DAY, kw=0.0)
    mine.run(1 * HOURS, kw=0.0, change=holds({}))
    assert mine.one().kind is ActivityKind.METER_FROZEN


def test_a_thawed_meter_ends_it_and_is_used_again_though_its_counter_has_leapt():
    mine = Mine()
    mine.run(1 * DAY)
    mine.run(6 * HOURS, change=holds({}))
    mine.run(3 * HOURS)
    assert mine.kinds() == mine.kinds(Phase.ENDED) == [ActivityKind.METER_FROZEN]
    assert mine.used[-1] is not None


def test_power_that_stands_still_while_the_rest_moves_is_frozen_too():
    mine = Mine()
    mine.run(1 * DAY)
    mine.run(3 * HOURS, change=lambda values: {**values, "power_kw": 40.123})
    assert mine.one().kind is ActivityKind.METER_FROZEN
