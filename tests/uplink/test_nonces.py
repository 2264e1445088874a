"""No order is obeyed twice, whatever was forgotten and whatever the clock says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import Refused
from edge.uplink.nonces import Nonces, Repeated


def test_a_nonce_is_used_once() -> None:
    nonces = Nonces([("a", 5)])
    with pytest.raises(Repeated) as told:
        nonces.check("a", 9)
    assert told.value.nonce == "a"
    nonces.check("b", 1)


def test_those_that_end_first_are_forgotten_and_whatever_ends_no_later_is_refused() -> None:
    nonces = Nonces([("late", 30), ("early", 10), ("middle", 20)], kept=2)
    with pytest.raises(Refused, match="send it with a later end"):
        nonces.check("early", 10)
    with pytest.raises(Refused, match="send it with a later end"):
        nonces.check("another", 9)
    nonces.check("another", 11)
    with pytest.raises(Repeated):
        nonces.check("late", 30)


@given(
    orders=st.lists(st.tuples(st.integers(0, 30), st.integers(0, 50)), max_size=80),
    kept=st.integers(1, 6),
)
def test_no_order_is_ever_accepted_twice_and_the_memory_is_bounded(
    orders: list[tuple[int, int]], kept: int
) -> None:
    nonces, seen = Nonces(kept=kept), set()
    for number, expires_us in orders:
        order = (str(number), expires_us)
        try:
            nonces.check(*order)
        except Refused:
            continue
        nonces.add(*order)
        nonces.add(*order)  # a restart reads the ledger again
        assert order not in seen
        seen.add(order)
        assert len(nonces._used) == len(nonces._ends) <= kept
