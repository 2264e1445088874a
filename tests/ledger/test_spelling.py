"""Spelling: the same bytes as rfc8785's, whatever a record is made of."""

import math
import sys

import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from edge.domain.record import Lane
from edge.ledger import spelling
from edge.ledger.spelling import SAFE_INTEGER, canonical

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
KEYS = TEXT | st.sampled_from(["\ue000", "\U00010000", "%", "%s", '"', "\\", "\x7f", "\u2028"])
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-SAFE_INTEGER, SAFE_INTEGER)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([-0.0, 1e-4, 9.9e-5, 1e-6, 1e-7, 9.9e15, 1e16, 1e21, 2.0**53, -(2.0**53)])
    | TEXT
    | st.sampled_from(Lane)
)
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(KEYS, inner, max_size=4)
    ),
    max_leaves=15,
)


@given(st.dictionaries(KEYS, JSON, max_size=6))
@example({"\ue000": 1, "\U00010000": 2})
@example({"%d": {"%": "%s"}})
def test_every_mapping_is_spelled_as_rfc8785_spells_it(mapping):
    assert canonical(mapping).encode() == rfc8785.dumps(mapping)


@given(JSON)
def test_every_value_is_spelled_as_rfc8785_spells_it_alone_and_in_a_list(value):
    expected = rfc8785.dumps(value).decode()
    assert canonical({"a": value, "b": [value]}) == f'{{"a":{expected},"b":[{expected}]}}'


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_number_is_spelled_as_ecmascript_spells_it(value):
    assert canonical({"v": value}) == f'{{"v":{rfc8785.dumps(value).decode()}}}'


@pytest.mark.parametrize(
    "value",
    [math.nan, math.inf, -math.inf, 2**53, -(2**53), {1: 2}, {None: 1}, {1, 2}, b"x", object()],
)
def test_what_is_not_json_is_no_spelling_wherever_it_stands(value):
    for mapping in ({"v": value}, {"v": [value]}, {"v": {"w": (value,)}}):
        with pytest.raises(ValueError):
            canonical(mapping)


def test_half_a_surrogate_is_no_text_wherever_it_stands():
    for mapping in ({"v": "\ud800"}, {"\ud800": 1}, {"v": ["\ud800"]}):
        with pytest.raises(ValueError):
            canonical(mapping).encode()


def test_what_is_too_deep_is_no_spelling():
    deep: list[object] = []
    for _ in range(sys.getrecursionlimit()):
        deep = [deep]
    with pytest.raises(RecursionError):
        canonical({"v": deep})


def test_keys_that_never_come_back_are_not_remembered_without_bound():
    for number in range(3 * spelling._MAX_SHAPES):
        assert canonical({f"k{number}": 1}) == f'{{"k{number}":1}}'
    assert len(spelling._shapes) <= spelling._MAX_SHAPES
    before = len(spelling._shapes)
    assert canonical({"x" * 5_000: 1}).endswith('x":1}')
    assert len(spelling._shapes) == before
