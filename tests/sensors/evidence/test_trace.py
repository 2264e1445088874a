"""What is kept of the meters' past."""

from __future__ import annotations

import pytest

from edge.clock import ManualClock
from edge.domain.observation import Quality, Reading
from edge.sensors.evidence.trace import MINUTES, READINGS, Minute, Past


@pytest.mark.parametrize(
    ("meters", "readings", "minutes"), [(1, READINGS, MINUTES), (32, 450, 1440), (200, 72, 230)]
)
def test_memory_is_bounded_however_many_meters_there_are(meters, readings, minutes):
    codes = [f"m{number}" for number in range(meters)]
    past, clock = Past(codes), ManualClock()
    for number in range(MINUTES + 10):
        past.read(Reading("m0", clock.advance(60), Quality.GOOD, {"power_kw": float(number)}))
        power = {"min": 1.0, "mean": 2.0, "max": 3.0}
        past.minute({"source": "m0", "power_kw": power}, clock.now())
    kept = past.of("m0")
    assert (len(kept.readings), len(kept.minutes)) == (readings, minutes)
    assert kept.readings[-1].values == {"power_kw": float(MINUTES + 9)}
    assert kept.minutes[-1] == Minute(clock.now().wall_us, 1.0, 2.0, 3.0)


def test_a_minute_without_a_figure_leaves_a_gap():
    past = Past(["fan"])
    past.minute({"source": "fan"}, ManualClock().now())
    assert not past.of("fan").minutes
    assert "fan" in past
    assert "camera" not in past
