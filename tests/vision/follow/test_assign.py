from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.vision.follow.assign import MAX_OPTIMAL, assign

pairs = st.tuples(st.integers(0, 4), st.integers(0, 4))
costs = st.dictionaries(pairs, st.floats(0, 1), max_size=20)


def _total(costs: dict[tuple[int, int], float], paired: dict[int, int]) -> float:
    rows = {row for row, _ in costs}
    return sum(costs[pair] for pair in paired.items()) + len(rows) - len(paired)


def _best(costs: dict[tuple[int, int], float]) -> float:
    """By trying everything."""
    rows = sorted({row for row, _ in costs})
    choices = [[None, *(c for r, c in costs if r == row)] for row in rows]
    totals = []
    for choice in itertools.product(*choices):
        taken = [column for column in choice if column is not None]
        if len(set(taken)) == len(taken):
            chosen = {r: c for r, c in zip(rows, choice, strict=True) if c is not None}
            totals.append(_total(costs, chosen))
    return min(totals)


@given(costs)
def test_no_other_pairing_costs_less(costs):
    paired = assign(costs)
    assert len(set(paired.values())) == len(paired)
    assert set(paired.items()) <= set(costs)
    assert _total(costs, paired) == pytest.approx(_best(costs))


def test_two_who_cross_are_not_taken_for_each_other_by_the_nearest_pair():
    """The cheapest pair alone would leave a dear one for the other."""
    assert assign({(0, 0): 0.3, (0, 1): 0.2, (1, 0): 0.95, (1, 1): 0.35}) == {0: 0, 1: 1}


def test_nothing_to_pair_is_paired_with_nothing():
    assert assign({}) == {}


def test_a_dear_pair_is_left_alone_when_that_makes_another_cheap():
    assert assign({(0, 0): 0.9, (1, 0): 0.1, (1, 1): 0.95}) == {1: 0}


def test_a_flood_is_paired_greedily_each_thing_once():
    many = range(4 * MAX_OPTIMAL)
    paired = assign({(row, column): abs(row - column) / 50 for row in many for column in many})
    assert paired == {row: row for row in many}
