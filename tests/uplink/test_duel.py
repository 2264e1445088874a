"""Two clients with one id: noticed, and not fought for ever."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge.uplink.duel import PAUSE_FIRST_S, PAUSE_MOST_S, SUSPECT_TIMES, Duel


def test_a_broker_that_says_so_is_believed_at_once() -> None:
    duel = Duel()
    assert duel.lost(3600.0, said=True, closed=False)
    assert duel.times == 1
    assert duel.held()
    assert duel.times == 0
    assert not duel.held()


def test_where_nobody_says_so_several_short_lives_in_a_row_are_the_sign() -> None:
    duel = Duel()
    lost = [duel.lost(0.5, said=False, closed=True) for _ in range(SUSPECT_TIMES + 1)]
    assert lost == [False] * (SUSPECT_TIMES - 1) + [True, True]
    assert duel.times == 2


def test_a_long_life_or_a_fault_of_the_line_begins_the_count_anew() -> None:
    duel = Duel()
    for _ in range(3):
        for _ in range(SUSPECT_TIMES - 1):
            assert not duel.lost(0.5, said=False, closed=True)
        assert not duel.lost(60.0, said=False, closed=True)
        assert not duel.lost(0.5, said=False, closed=False)


@given(count=st.integers(1, 50))
def test_pauses_grow_to_a_bound_until_a_connection_holds(count: int) -> None:
    duel = Duel()
    pauses = [duel.pause_s() for _ in range(count)]
    assert pauses == sorted(pauses)
    assert pauses[0] == PAUSE_FIRST_S
    assert pauses[-1] <= PAUSE_MOST_S
    duel.held()
    assert duel.pause_s() == PAUSE_FIRST_S
