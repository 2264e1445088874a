"""So many times an hour."""

from __future__ import annotations

from edge.allowance import HOUR_S, Hourly
from edge.clock import ManualClock


def test_each_key_has_its_own_allowance_that_comes_back_after_an_hour():
    clock, hourly = ManualClock(), Hourly(2)
    assert not hourly.spent("a", clock.now())
    hourly.count("a", clock.now())
    hourly.count("a", clock.advance(10))
    assert hourly.spent("a", clock.now())
    assert not hourly.spent("b", clock.now())
    assert hourly.spent("a", clock.advance(HOUR_S - 11))
    assert not hourly.spent("a", clock.advance(1))
