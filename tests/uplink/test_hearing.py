from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge.uplink.hearing import Hearing


def test_without_a_key_for_receipts_nobody_is_waited_for() -> None:
    assert Hearing(0.0).over(0.0)


def test_before_a_connection_nothing_may_go_and_after_it_only_for_so_long_it_may_not() -> None:
    hearing = Hearing(5.0)
    assert not hearing.over(1e6)
    hearing.connected(100.0)
    assert not hearing.over(104.9)
    hearing.connected(104.9)  # a second connection does not begin the wait anew
    assert hearing.over(105.0)


def test_a_receipt_ends_the_wait_at_once() -> None:
    hearing = Hearing(5.0)
    hearing.connected(100.0)
    hearing.heard()
    assert hearing.over(100.0)


def test_a_broker_that_has_answered_and_sent_no_receipt_has_none() -> None:
    hearing = Hearing(5.0, 1.0)
    hearing.answered(50.0)  # of no connection: nothing
    hearing.connected(100.0)
    hearing.answered(100.5)
    hearing.answered(104.0)
    assert not hearing.over(101.4)
    assert hearing.over(101.5)


def test_before_a_stop_the_brokers_answer_is_enough() -> None:
    early = Hearing(5.0, 1.0)
    early.hurry()
    assert not early.over(0.0)
    early.connected(100.0)
    early.answered(100.2)
    assert early.over(100.2)
    late = Hearing(5.0, 1.0)
    late.connected(100.0)
    late.answered(100.2)
    late.hurry()
    assert late.over(100.2)


def test_whoever_cannot_stand_by_what_the_province_holds_is_silent_for_good() -> None:
    hearing = Hearing(0.0)
    hearing.mute()
    hearing.heard()
    assert not hearing.over(1e9)


@given(wait_s=st.floats(0.1, 60), quiet_s=st.floats(0, 60), at_s=st.floats(0, 1e6))
def test_a_silent_province_holds_nothing_back_for_longer_than_the_bound(
    wait_s: float, quiet_s: float, at_s: float
) -> None:
    hearing = Hearing(wait_s, quiet_s)
    hearing.connected(at_s)
    hearing.answered(at_s)
    assert hearing.over(at_s + wait_s)
