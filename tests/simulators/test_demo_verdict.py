"""The demo's verdict is good only when every expected incident came once and nothing else did."""

import pytest

from edge.domain.alarm import AlarmCode
from simulators.demo.story import Expected
from simulators.demo.verdict import compare

EXPECTED = (
    Expected(AlarmCode.PRODUCTION_LOAD, "hoist"),
    Expected(AlarmCode.CAMERA_COVERED, "shaft-cam"),
)
ALL = [("production-load", "hoist"), ("camera-covered", "shaft-cam")]


def judge(received, records=(10, 10), *, verified=True):
    return compare(EXPECTED, received, records=records, verified=verified, repeats=3)


def test_all_once_and_verified_is_good():
    verdict = judge(ALL)
    assert verdict.good
    assert verdict.as_json()["repeats"] == 3


@pytest.mark.parametrize(
    ("received", "records", "verified"),
    [
        (ALL[:1], (10, 10), True),
        ([*ALL, ALL[0]], (10, 10), True),
        ([*ALL, ("meter-lost", "fan")], (10, 10), True),
        (ALL, (10, 9), True),
        (ALL, (0, 0), True),
        (ALL, (10, 10), False),
    ],
    ids=["one missing", "one twice", "one unasked", "a record missing", "no record", "unverified"],
)
def test_anything_else_is_not(received, records, verified):
    assert not judge(received, records, verified=verified).good


def test_each_row_names_the_incident_and_both_counts():
    verdict = judge([("meter-lost", "fan"), *ALL])
    assert ("meter-lost", "fan", 0, 1) in verdict.rows
    assert ("production-load", "hoist", 1, 1) in verdict.rows
