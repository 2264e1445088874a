"""A simulator on the bus is told by what no meter does."""

from __future__ import annotations

import math
import random

import pytest

from edge.domain.activity import ActivityKind, Phase
from tests.sensors.faults.world import DAY, HOURS, Mine, Values, spec


def simulated(values, **more):
    kw = 40.0
    flat = {"power_kw": kw, "power_factor": 0.9, "frequency_hz": 50.0}
    for i in (1, 2, 3):
        flat |= {f"power_l{i}_kw": kw / 3, f"voltage_l{i}_v": 230.0, f"current_l{i}_a": 64.4}
    return {**values, **flat, **more}


def test_equal_phases_are_a_simulator_whether_they_move_or_not():
    for change in (
        simulated,
        lambda values: simulated(
            values, power_kw=round(40 + random.Random(str(values)).random(), 2)
        ),
    ):
        mine = Mine()
        mine.run(1 * DAY)
        mine.run(1 * HOURS, change=change)
        told = mine.one()
        assert told.kind is ActivityKind.METER_TOO_PERFECT
        assert told.detail["sign"] in {"equal-phases", "no-noise"}
        assert mine.used[-1] is None
        mine.run(1 * HOURS)
        assert mine.kinds(Phase.ENDED) == [ActivityKind.METER_TOO_PERFECT]


def test_voltage_without_noise_is_a_simulator():
    mine = Mine()

    def smooth(values):
        for i in (1, 2, 3):
            values[f"voltage_l{i}_v"] = 230 + i + math.sin(mine.seconds / 9000)
        return values

    mine.run(1 * DAY)
    mine.run(2 * HOURS, change=smooth)
    assert mine.one().detail["sign"] == "no-noise"


def test_power_that_becomes_the_product_of_the_rest_is_a_simulator():
    def computed(values):
        total = sum(values[f"voltage_l{i}_v"] * values[f"current_l{i}_a"] for i in (1, 2, 3))
        return {**values, "power_kw": total * values["power_factor"] / 1000}

    mine = Mine()
    mine.run(1 * DAY)
    mine.run(2 * HOURS, change=computed)
    assert mine.one().detail["sign"] == "exact-product"


@pytest.mark.parametrize("kw", [40.0, 0.0])
def test_a_recording_is_told_whatever_its_length(kw):
    for length in (23, 60):
        mine, count = Mine(spec(duty="hoist")), 0
        tape: list[Values] = []

        def record(values, tape=tape):
            tape.append(
                {k: v for k, v in values.items() if not k.startswith(("energy", "ct", "pt"))}
            )
            return values

        mine.run(1 * DAY, kw=kw, change=record)
        loop = tape[-length:]

        def replay(values, loop=loop):
            nonlocal count
            count += 1
            return {**values, **loop[count % len(loop)]}

        mine.run(2 * HOURS + length * 30, kw=kw, change=replay)
        told = mine.one()
        assert told.kind is ActivityKind.METER_TOO_PERFECT
        assert told.detail["sign"] == "repeats"
        assert told.detail["lag_s"] == pytest.approx(length * 30, abs=300)
