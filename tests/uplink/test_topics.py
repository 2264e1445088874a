from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.domain.record import Lane
from edge.errors import Refused
from edge.uplink.topics import Address, Topics, parse_topic

MINE = "220182000001"
DIGEST = "0f" * 32
TOPICS = Topics(MINE, "gw1")


@pytest.mark.parametrize(
    ("topic", "kind"),
    [
        (TOPICS.lane(Lane.ALARM), "alarm"),
        (TOPICS.lane(Lane.ROUTINE), "record"),
        (TOPICS.checkpoint, "checkpoint"),
        (TOPICS.state, "state"),
        (TOPICS.order, "order"),
        (TOPICS.receipt, "receipt"),
    ],
)
def test_a_topic_that_we_made_is_taken_apart_again(topic: str, kind: str) -> None:
    assert parse_topic(topic) == Address(MINE, "gw1", kind)


@given(part=st.integers(0, 999_999))
def test_an_evidence_topic_carries_hash_and_part(part: int) -> None:
    found = parse_topic(TOPICS.evidence(DIGEST, part))
    assert found == Address(MINE, "gw1", "evidence", DIGEST, part)


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "eseal/v1",
        "eseal/v2/220182000001/gw1/alarm",
        "eseal/v1/22018200000/gw1/alarm",
        "eseal/v1/220182000001/GW1/alarm",
        "eseal/v1/220182000001/gw1/alarms",
        "eseal/v1/220182000001/gw1/alarm/",
        "eseal/v1/220182000001/gw1/alarm\n",
        f"eseal/v1/220182000001/gw1/alarm/{DIGEST}/0",
        "eseal/v1/220182000001/gw1/evidence",
        f"eseal/v1/220182000001/gw1/evidence/{DIGEST}/01",
        f"eseal/v1/220182000001/gw1/evidence/{DIGEST.upper()}/1",
        f"eseal/v1/220182000001/gw1/evidence/{DIGEST}/1234567",
        "eseal/v1/٢٢٠١٨٢٠٠٠٠٠١/gw1/alarm",
        "eseal/v1/220182000001/" + "g" * 33 + "/alarm",
        "x" * 70_000,
    ],
)
def test_any_other_topic_is_refused(topic: str) -> None:
    with pytest.raises(Refused):
        parse_topic(topic)


@given(st.text(max_size=120))
def test_a_foreign_topic_is_refused_and_nothing_else_happens(topic: str) -> None:
    try:
        address = parse_topic(topic)
    except Refused:
        return
    assert topic.startswith(f"eseal/v1/{address.mine_code}/{address.gateway}/{address.kind}")
