"""Leaves: canonical, whole, and foreign ones are believed nothing."""

import json
import math

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from edge.clock import Stamp
from edge.domain.record import Draft, RecordType
from edge.errors import Refused
from edge.ledger.leaf import MAX_LEAF_BYTES, decode_leaf, encode_leaf, evidence_of, parse_leaf
from tests.ledger.support import ORIGIN, alarm, draft

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text("abé井", max_size=4), inner)
    ),
    max_leaves=12,
)
A, B = "a" * 64, "b" * 64


def test_a_leaf_is_a_cloudevent_in_canonical_spelling():
    leaf = encode_leaf(alarm(7), ORIGIN, 3)
    assert leaf == rfc8785.dumps(json.loads(leaf))
    assert decode_leaf(leaf) == {
        "specversion": "1.0",
        "id": "3",
        "source": ORIGIN,
        "type": "eseal.incident.opened",
        "time": "2025-06-15T15:06:40.000007Z",
        "datacontenttype": "application/json",
        "lane": "alarm",
        "bootid": "boot",
        "monous": 7,
        "data": {"number": 7},
    }


@given(st.dictionaries(st.text("abc井", max_size=3), JSON, max_size=4))
def test_whatever_json_a_draft_carries_its_leaf_reads_back_as_canonical(data):
    stamp = Stamp(1_750_000_000_000_000, 0, "b")
    leaf = encode_leaf(Draft(RecordType.GATEWAY_HEALTH, stamp, data), ORIGIN, 9)
    assert parse_leaf(leaf, ORIGIN, 9)["data"] == data
    assert b"\n" not in leaf


@given(
    st.dictionaries(st.text(max_size=3) | st.sampled_from(["\ue000", "\U00010000"]), JSON),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=5),
)
def test_a_leaf_is_spelled_as_rfc_8785_has_it_whichever_way_it_was_encoded(data, origin):
    stamp = Stamp(1_750_000_000_000_000, 0, "b")
    leaf = encode_leaf(Draft(RecordType.GATEWAY_HEALTH, stamp, data), origin, 9)
    assert leaf == rfc8785.dumps(json.loads(leaf) | {"data": data, "source": origin})


@pytest.mark.parametrize(
    "value", [1.0, -0.0, 1e-4, 9.9e-5, 1e16, 9.9e15, 0.1, 1e300, (1, 2.0), RecordType.SOURCE_LOST]
)
def test_numbers_are_spelled_as_ecmascript_does(value):
    leaf = encode_leaf(draft(value=value), ORIGIN, 0)
    assert b'"value":' + rfc8785.dumps(value) + b"}" in leaf


@pytest.mark.parametrize("value", [math.nan, math.inf, 2**53, object(), {1: 2}, "\ud800"])
def test_what_is_not_plain_json_is_no_leaf(value):
    with pytest.raises(ValueError):
        encode_leaf(draft(value=value), ORIGIN, 0)


def test_a_leaf_has_a_largest_size():
    with pytest.raises(ValueError, match="too large"):
        encode_leaf(draft(text="x" * MAX_LEAF_BYTES), ORIGIN, 0)


@pytest.mark.parametrize(
    "leaf",
    [
        b"",
        b"null",
        b"[]",
        b"\xff",
        b'{"id":"0","source":"other"}',
        b'{"id":"1","source":"eseal/220000000001/gw-1"}',
        b'{"source":"eseal/220000000001/gw-1","id":"0"}',
        b'{"id":"0","source":"eseal/220000000001/gw-1"} ',
        b'{"id":"0","id":"0","source":"eseal/220000000001/gw-1"}',
        b'{"id":"0","source":"eseal/220000000001/gw-1","v":1.0}',
        b'{"id":"0","source":"eseal/220000000001/gw-1","v":NaN}',
        b'{"id":"0","source":"eseal/220000000001/gw-1","v":1' + b"0" * 400 + b"}",
        b'{"id":"0","source":"eseal/220000000001/gw-1","v":1' + b"0" * 5000 + b"}",
        b'{"id":"0","source":"eseal/220000000001/gw-1","v":' + b"[" * 90_000 + b"]" * 90_000 + b"}",
        b"x" * (MAX_LEAF_BYTES + 1),
    ],
)
def test_a_foreign_leaf_that_is_not_as_it_should_be_is_refused(leaf):
    with pytest.raises(Refused):
        parse_leaf(leaf, ORIGIN, 0)


@given(st.binary(max_size=200))
def test_garbage_is_refused_and_nothing_else_is_raised(data):
    with pytest.raises(Refused):
        parse_leaf(data, ORIGIN, 0)


def test_evidence_is_found_wherever_a_record_names_it():
    envelope = {
        "data": {
            "evidence": [{"sha256": A}],
            "reasons": [{"evidence": [{"sha256": B}, {"sha256": "short"}, {}, "text"]}],
            "sha256": "c" * 64,
            "other": {"evidence": "text"},
        }
    }
    assert sorted(evidence_of(envelope)) == [A, B]
