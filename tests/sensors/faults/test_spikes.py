"""Readings that no feeder can draw are told, and not used."""

from __future__ import annotations

import pytest

from edge.domain.activity import ActivityKind, Phase
from tests.sensors.faults.world import HOURS, Mine, scaled, spec, without


def spiked(by, every=40):
    count = 0

    def change(values):
        nonlocal count
        count += 1
        return {**values, "power_kw": values["power_kw"] * by} if count % every == 0 else values

    return change


@pytest.mark.parametrize("by", [50.0, -30.0, 9000.0])
@pytest.mark.parametrize("fewer", [lambda values: values, without("current")])
def test_readings_that_no_feeder_can_draw_are_told_and_not_used(by, fewer):
    mine = Mine()
    mine.run(2 * HOURS, change=fewer)
    spikes = spiked(by, every=20)
    mine.run(1 * HOURS, change=lambda values: spikes(fewer(values)))
    assert mine.kinds() == [ActivityKind.METER_SPIKE]
    assert mine.used.count(None) == 6
    assert all(abs(one.values["power_kw"]) < 50 for one in mine.used if one is not None)
    assert [item.detail["count"] for item in mine.told][-1] >= 5
    mine.run(1 * HOURS, change=fewer)
    assert mine.kinds(Phase.ENDED) == [ActivityKind.METER_SPIKE]


def test_a_large_machine_never_seen_before_is_no_spike_also_where_power_alone_is_read():
    mine = Mine(spec(duty="hoist"))
    alone = without("power_l", "current")
    mine.run(1 * HOURS, kw=0.5, change=alone)
    mine.run(600, kw=2000.0, change=alone)
    mine.run(600, kw=0.5, change=alone)
    assert mine.told == []
    assert mine.used.count(None) == 1


def test_currents_that_never_fit_the_power_are_not_asked_any_more():
    wrong = scaled(0.01, "current")
    mine = Mine(spec(duty="pump"))
    mine.run(1 * HOURS, kw=0.2, change=wrong)
    mine.run(1 * HOURS, kw=90.0, change=wrong)
    assert mine.used[-1] is not None
    assert mine.used.count(None) <= 20
    assert ActivityKind.METER_SPIKE not in mine.kinds()
