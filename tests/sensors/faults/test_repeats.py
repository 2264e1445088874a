"""A recording is told by its lag; what is remembered is bounded."""

from __future__ import annotations

import random

from edge.clock import ManualClock
from edge.sensors.faults.look import Layout, Look
from edge.sensors.faults.repeats import _KEPT, Repeats

LAYOUT = Layout(("power_kw", "voltage_l1_v", "voltage_l2_v", "voltage_l3_v"))


def test_it_remembers_no_more_than_it_needs():
    clock, chance, repeats = ManualClock(), random.Random(1), Repeats()
    for _ in range(2 * _KEPT // 500 + 3):
        rows: list[tuple[float, ...]] = [
            tuple(chance.random() for _ in range(4)) for _ in range(500)
        ]
        repeats.step(Look(LAYOUT, rows, clock.now(), clock.advance(60)))
        assert len(repeats._seen) <= 2 * _KEPT + 500
    assert len(repeats._seen) < 2 * _KEPT
    assert repeats.streak.count == 0


def test_rows_of_few_columns_say_nothing():
    clock, repeats = ManualClock(), Repeats()
    for _ in range(100):
        rows: list[tuple[float, ...]] = [(1.0, 2.0), (3.0, 4.0)]
        repeats.step(Look(Layout(("power_kw", "power_factor")), rows, clock.now(), clock.now()))
    assert repeats.streak.count == 0
