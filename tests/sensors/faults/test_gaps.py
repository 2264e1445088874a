"""Gaps are told, with what was counted in them."""

from __future__ import annotations

import pytest

from edge.domain.activity import ActivityKind, Phase
from tests.sensors.faults.world import HOURS, Mine, without


def test_a_gap_is_told_while_it_lasts_and_what_was_counted_in_it_afterwards():
    mine = Mine()
    mine.run(2 * HOURS)
    since = mine.now
    mine.run(1 * HOURS, change=lambda _values: None)
    told = mine.one()
    assert told.kind is ActivityKind.METER_GAP
    assert told.stamp.since(since) < 400
    mine.run(1 * HOURS)
    ended = mine.one(Phase.ENDED)
    assert ended.detail["minutes"] == pytest.approx(60, abs=1)
    assert ended.detail["kwh"] == pytest.approx(40, abs=1)
    assert ended.detail["kw"] == pytest.approx(40, abs=1)


def test_a_gap_without_a_counter_ends_all_the_same():
    mine = Mine()
    mine.run(2 * HOURS, change=without("energy"))
    mine.clock.advance(1 * HOURS)
    mine.run(1 * HOURS, change=without("energy"))
    assert "kwh" not in mine.one(Phase.ENDED).detail


@pytest.mark.parametrize(("flowed", "told"), [(0.0, 0), (40.0, 1)])
def test_of_a_source_told_as_lost_a_gap_is_told_only_if_energy_flowed(flowed, told):
    mine = Mine()
    mine.run(2 * HOURS)
    mine.faults.lost("m")
    mine.faults.lost("door")
    mine.run(1 * HOURS, kw=flowed, change=lambda _values: None)
    assert mine.told == []
    mine.run(1 * HOURS)
    assert mine.kinds() == mine.kinds(Phase.ENDED) == told * [ActivityKind.METER_GAP]
