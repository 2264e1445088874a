"""How much may go in a second, whoever asks and however often."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.uplink.limits import Pace


def test_without_a_bound_nothing_waits_unless_it_is_held() -> None:
    pace = Pace(0, 0)
    pace.spend(1e9)
    assert pace.wait_s(0.0) == 0.0
    pace.hold(5.0)
    assert pace.wait_s(2.0) == 3.0
    assert pace.wait_s(6.0) == 0.0


def test_what_is_spent_beyond_the_burst_is_waited_for() -> None:
    pace = Pace(per_s=10, burst=5)
    assert pace.wait_s(0.0) == 0.0
    pace.spend(15)
    assert pace.wait_s(0.0) == pytest.approx(1.0)
    assert pace.wait_s(0.5) == pytest.approx(0.5)
    assert pace.wait_s(0.4) == pytest.approx(0.5)  # a clock that went back gives nothing
    assert pace.wait_s(1.5) == 0.0


def test_a_pace_that_is_lifted_binds_no_more() -> None:
    pace = Pace(per_s=1, burst=1)
    pace.hold(100.0)
    pace.spend(50)
    pace.lift()
    assert pace.wait_s(0.0) == 0.0


@given(
    amounts=st.lists(st.floats(0.1, 20.0), min_size=1, max_size=50),
    per_s=st.floats(1.0, 100.0),
    burst=st.floats(0.0, 50.0),
)
def test_who_waits_as_told_never_exceeds_the_rate_by_more_than_burst_and_one_amount(
    amounts: list[float], per_s: float, burst: float
) -> None:
    pace, now_s, spent = Pace(per_s, burst), 0.0, 0.0
    for amount in amounts:
        now_s += pace.wait_s(now_s)
        pace.spend(amount)
        spent += amount
        assert spent <= burst + per_s * now_s + amount + 1e-6
