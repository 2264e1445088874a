from __future__ import annotations

import json
from contextlib import suppress
from hashlib import sha256
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from edge.clock import ManualClock
from edge.domain.activity import EvidenceRef
from edge.domain.record import ALARM_TYPES, Draft, Lane, RecordType
from edge.errors import Refused
from edge.ledger.checkpoint import Checkpoint, Signer
from edge.ledger.leaf import encode_leaf
from edge.ledger.merkle import EMPTY_ROOT
from edge.uplink.codec import EvidencePart, encode_part
from edge.uplink.topics import KINDS, Address, Topics, parse_topic
from simulators.province import evidence
from simulators.province.evidence import EvidenceShelf
from simulators.province.table import render
from simulators.province.view import GatewayView
from tests.evidence import split_evidence

MINE, GATEWAY = "220182000001", "gw1"
ORIGIN = f"eseal/{MINE}/{GATEWAY}"
SIGNER = Signer.generate(ORIGIN)
TOPICS = Topics(MINE, GATEWAY)
CLOCK = ManualClock()
ALARM, RECORD = (parse_topic(TOPICS.lane(lane)) for lane in (Lane.ALARM, Lane.ROUTINE))
STATE, CHECKPOINT = parse_topic(TOPICS.state), parse_topic(TOPICS.checkpoint)


def view() -> GatewayView:
    return GatewayView(MINE, GATEWAY)


def incident(kind: RecordType, index: int, **changes: Any) -> bytes:
    data = {
        "incident": "person/cam/-/1",
        "code": "person-at-shaft",
        "name": {"zh": "井口有人", "en": "Person at the shaft mouth"},
        "level": 1,
        "source": "cam",
        "place": "mouth",
        "opened": CLOCK.now().iso(),
        "evidence": [],
        **changes,
    }
    return encode_leaf(Draft(kind, CLOCK.now(), data), ORIGIN, index)


def health(index: int, **changes: Any) -> bytes:
    leaf = encode_leaf(Draft(RecordType.GATEWAY_HEALTH, CLOCK.now(), {"n": 1}), ORIGIN, index)
    if not changes:
        return leaf
    return rfc8785.dumps({**json.loads(leaf), **changes})


def test_an_incident_is_folded_from_its_records() -> None:
    seen = view()
    ref = {"sha256": "ab" * 32}
    seen.take(ALARM, incident(RecordType.INCIDENT_OPENED, 0), 10.0)
    seen.take(ALARM, incident(RecordType.INCIDENT_UPDATED, 1, evidence=[ref, ref]), 11.0)
    seen.take(ALARM, incident(RecordType.INCIDENT_CLOSED, 2, closed="later"), 12.0)
    (row,) = seen.incidents
    assert (row.zh, row.en, row.level) == ("井口有人", "Person at the shaft mouth", 1)
    assert (row.arrived, row.updates, row.closed) == (10.0, 1, "later")
    assert row.evidence == ["ab" * 32]
    assert seen.opened == {"person/cam/-/1": 1}
    assert seen.arrivals == {0: 10.0, 1: 11.0, 2: 12.0}
    assert seen.last_seen == 12.0


def test_a_record_that_comes_again_is_not_folded_again() -> None:
    seen = view()
    leaf = incident(RecordType.INCIDENT_OPENED, 0)
    assert seen.take(ALARM, leaf, 1.0) is not None
    assert seen.take(ALARM, leaf, 2.0) is None
    assert seen.opened == {"person/cam/-/1": 1}
    assert (seen.duplicates, seen.arrivals) == (1, {0: 1.0})


@pytest.mark.parametrize(
    ("address", "payload", "reason"),
    [
        (RECORD, b"{}", "not an index"),
        (RECORD, b"not json", "not JSON"),
        (RECORD, health(0, id="01"), "not an index"),
        (RECORD, health(0, id="9" * 16), "not an index"),
        (RECORD, health(0, id="٣"), "not an index"),
        (RECORD, health(0, id=0), "not an index"),
        (RECORD, health(0, source="eseal/220182000001/gw2"), "another gateway"),
        (RECORD, health(0, type="eseal.surprise"), "unknown type"),
        (RECORD, health(0, specversion="2.0"), "not a CloudEvent"),
        (RECORD, health(0, data=[]), "not a CloudEvent"),
        (ALARM, health(0), "other lane"),
        (ALARM, incident(RecordType.INCIDENT_OPENED, 0, level=None), "lacks something"),
        (ALARM, incident(RecordType.INCIDENT_OPENED, 0, name="x"), "lacks something"),
        (STATE, b"[]", "state"),
        (CHECKPOINT, b"no note", "not a checkpoint"),
        (parse_topic(TOPICS.evidence("ab" * 32, 0)), b"?", "no header"),
    ],
)
def test_what_is_not_as_its_topic_promises_is_refused(
    address: Address, payload: bytes, reason: str
) -> None:
    with pytest.raises(Refused, match=reason):
        view().take(address, payload, 0.0)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@given(
    data=st.fixed_dictionaries(
        dict.fromkeys(("incident", "code", "name", "level", "source", "place", "opened"), JSON)
        | {"evidence": JSON, "closed": JSON}
    ),
    kind=st.sampled_from(sorted(ALARM_TYPES)),
)
def test_an_incident_of_any_shape_is_folded_or_refused(data: Any, kind: RecordType) -> None:
    leaf = encode_leaf(Draft(kind, CLOCK.now(), data), ORIGIN, 0)
    with suppress(Refused):
        view().take(ALARM, leaf, 0.0)


@given(kind=st.sampled_from(sorted(KINDS - {"evidence"})), payload=st.binary(max_size=100))
def test_foreign_bytes_are_refused_and_nothing_else_happens(kind: str, payload: bytes) -> None:
    with suppress(Refused):
        view().take(Address(MINE, GATEWAY, kind), payload, 0.0)


def test_an_evidence_part_under_another_name_is_refused() -> None:
    ref = EvidenceRef(sha256(b"x").hexdigest(), "image/jpeg", 1)
    (part,) = split_evidence(ref, b"x")
    with pytest.raises(Refused, match="another's name"):
        view().take(parse_topic(TOPICS.evidence("ab" * 32, 0)), encode_part(part), 0.0)


def test_a_key_is_taken_from_the_state_message_once_and_marked_so() -> None:
    seen = view()
    seen.take(STATE, rfc8785.dumps({"online": True, "vkey": str(SIGNER.verifier)}), 0.0)
    assert (seen.key_source, seen.online) == ("first use", True)
    other = Signer.generate(ORIGIN)
    seen.take(STATE, rfc8785.dumps({"online": True, "vkey": str(other.verifier)}), 0.0)
    seen.take(CHECKPOINT, SIGNER.checkpoint(Checkpoint(ORIGIN, 0, EMPTY_ROOT)), 0.0)
    with pytest.raises(Refused):
        seen.take(CHECKPOINT, other.checkpoint(Checkpoint(ORIGIN, 0, EMPTY_ROOT)), 0.0)


def test_a_key_that_was_given_is_not_replaced_by_the_state_message() -> None:
    seen = view()
    seen.enrol(str(SIGNER.verifier))
    seen.take(STATE, rfc8785.dumps({"vkey": str(Signer.generate(ORIGIN).verifier)}), 0.0)
    assert seen.key_source == "given"


def test_a_key_of_another_gateway_is_refused() -> None:
    with pytest.raises(Refused, match="named somebody"):
        view().enrol(str(Signer.generate("somebody").verifier))


def test_evidence_is_whole_in_whatever_order_its_parts_come() -> None:
    data = bytes(range(200))
    ref = EvidenceRef(sha256(data).hexdigest(), "image/jpeg", len(data))
    shelf = EvidenceShelf()
    parts = split_evidence(ref, data, 64)
    for part in reversed(parts[1:]):
        assert shelf.add(part) is None
    assert shelf.incomplete == 1
    shelf.add(parts[1])
    assert shelf.add(parts[0]) == data
    assert shelf.add(parts[0]) is None
    assert (shelf.files, shelf.incomplete) == ({ref.sha256: data}, 0)


def test_evidence_with_another_hash_is_refused_and_may_come_again() -> None:
    data = b"real"
    digest = sha256(data).hexdigest()
    shelf = EvidenceShelf()
    with pytest.raises(Refused, match="the hash"):
        shelf.add(EvidencePart(digest, "image/jpeg", 4, 0, 1, b"fake"))
    assert shelf.refused == 1
    assert shelf.add(EvidencePart(digest, "image/jpeg", 4, 0, 1, data)) == data


def test_parts_that_disagree_are_refused() -> None:
    shelf = EvidenceShelf()
    shelf.add(EvidencePart("ab" * 32, "image/jpeg", 9, 0, 2, b"12345"))
    with pytest.raises(Refused, match="disagree"):
        shelf.add(EvidencePart("ab" * 32, "image/jpeg", 9, 1, 3, b"6789"))
    assert shelf.incomplete == 0


def test_the_shelf_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "MAX_BYTES", 10)
    shelf = EvidenceShelf()
    shelf.add(EvidencePart("ab" * 32, "image/jpeg", 16, 0, 2, b"12345678"))
    with pytest.raises(Refused, match="no room"):
        shelf.add(EvidencePart("cd" * 32, "image/jpeg", 16, 0, 2, b"12345678"))
    assert shelf._bytes == 8


def test_the_table_shows_gateways_and_incidents_in_both_languages() -> None:
    seen = view()
    ref = {"sha256": "ab" * 32}
    seen.take(ALARM, incident(RecordType.INCIDENT_OPENED, 0, evidence=[ref]), 1.0)
    seen.take(STATE, rfc8785.dumps({"online": True, "vkey": str(SIGNER.verifier)}), 2.0)
    faulty = GatewayView(MINE, "gw2")
    faulty.log.fault("record 3 came twice with different bytes")
    console = Console(record=True, width=140)
    console.print(render([seen, faulty], 5.0))
    text = console.export_text()
    for words in (
        f"{MINE} / gw1",
        "井口有人",
        "Person at the shaft mouth",
        "进行中 open",
        "0/1",
        "0/0*",
        "key trusted on first use",
        "✗ record 3 came twice with different bytes",
    ):
        assert words in text
