from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from edge.clock import ManualClock
from edge.domain.activity import ActivityKind, EvidenceRef
from edge.domain.alarm import AlarmCode
from edge.domain.mine import MineState, OrderKind
from edge.domain.names import Name
from edge.domain.observation import (
    ChallengeRun,
    ClockStepped,
    ContactChange,
    Quality,
    SourceBack,
    SourceLost,
)
from edge.domain.record import ALARM_TYPES, Draft, Lane, RecordType
from edge.ledger.checkpoint import Checkpoint, Signer
from edge.ledger.leaf import encode_leaf
from edge.recorder import evidence_lost, order_refused
from edge.rules.engine import initial
from edge.rules.orders import accepted, answer
from edge.rules.standing import Policy
from edge.seal import Outcome, Seal
from edge.uplink.codec import MAX_PART_BYTES, encode_part, offline_state
from edge.uplink.orders import MAX_ORDER_BYTES, UnsignedOrder, write_order
from edge.uplink.topics import KINDS, Topics, parse_topic
from tests.docs.contract import SCHEMAS, document, resolve, schemas, validate, validate_leaf
from tests.evidence import split_evidence
from tests.orders import GOOD_ORDERS, an_order
from tests.seals import picture_quality, reading, sighting, site

MINE, GATEWAY = "220182000001", "gw1"
ORIGIN = f"eseal/{MINE}/{GATEWAY}"


def filled(address: str) -> str:
    return address.format(mine_code=MINE, gateway=GATEWAY, sha256="ab" * 32, part="3")


def references(value: Any) -> set[str]:
    if isinstance(value, dict):
        here = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return here.union(*(references(item) for item in value.values()))
    if isinstance(value, list):
        return set().union(*(references(item) for item in value))
    return set()


def test_every_channel_is_a_topic_that_the_code_knows_and_there_is_no_other() -> None:
    channels = document()["channels"]
    kinds = {parse_topic(filled(channel["address"])).kind for channel in channels.values()}
    assert kinds == KINDS == set(channels)


def test_the_codes_topics_are_the_documents_addresses() -> None:
    topics = Topics(MINE, GATEWAY)
    ours = {
        topics.lane(Lane.ALARM),
        topics.lane(Lane.ROUTINE),
        topics.checkpoint,
        topics.state,
        topics.order,
        topics.receipt,
        topics.evidence("ab" * 32, 3),
    }
    assert ours == {filled(channel["address"]) for channel in document()["channels"].values()}


def test_every_record_type_has_a_message_on_its_lanes_channel_and_a_schema() -> None:
    placed = {
        resolve(message["$ref"])["name"]: name
        for name in ("alarm", "record")
        for message in document()["channels"][name]["messages"].values()
    }
    assert placed == {
        kind.value: "alarm" if kind in ALARM_TYPES else "record" for kind in RecordType
    }
    assert {kind.value.removeprefix("eseal.") for kind in RecordType} <= set(schemas())


def test_every_records_payload_is_the_envelope_with_the_data_of_its_type() -> None:
    for message in document()["components"]["messages"].values():
        if not message["name"].startswith("eseal."):
            continue
        envelope, own = message["payload"]["allOf"]
        assert envelope["$ref"] == "./schemas/envelope.json"
        assert own["properties"]["type"]["const"] == message["name"]
        kind = message["name"].removeprefix("eseal.")
        assert own["properties"]["data"]["$ref"] == f"./schemas/{kind}.json"


def test_every_reference_leads_somewhere_and_every_schema_is_used() -> None:
    used = references(document())
    files = {SCHEMAS.parent / name for name in used if name.startswith("./")}
    assert all(path.is_file() for path in files)
    for name in used:
        if name.startswith("#/"):
            resolve(name)
    assert {path.name for path in files} | {"common.json"} == {
        path.name for path in SCHEMAS.iterdir()
    }


@pytest.mark.parametrize("name", sorted(schemas()))
def test_every_schema_is_valid_json_schema_and_named_by_its_id(name: str) -> None:
    schema = schemas()[name]
    Draft202012Validator.check_schema(schema)
    assert schema["$id"].rpartition("/")[2] == f"{name}.json"


def test_the_schemas_list_exactly_the_codes_words() -> None:
    parts = schemas()["common"]["$defs"]
    assert set(parts["mineState"]["enum"]) == set(MineState)
    assert set(parts["incident"]["properties"]["code"]["enum"]) == set(AlarmCode)
    assert set(parts["activity"]["properties"]["kind"]["enum"]) == set(ActivityKind)
    assert set(schemas()["envelope"]["properties"]["type"]["enum"]) == set(RecordType)
    order = schemas()["order"]["properties"]["order"]["properties"]
    assert set(order["kind"]["enum"]) == set(OrderKind)


def test_only_checkpoint_state_and_receipt_are_retained() -> None:
    retained = {
        operation["channel"]["$ref"].rpartition("/")[2]
        for operation in document()["operations"].values()
        if operation["bindings"]["mqtt"]["retain"]
    }
    assert retained == {"checkpoint", "state", "receipt"}


def eventful_night() -> list[Draft]:
    """What a real seal records in a night in which everything happens once."""
    clock = ManualClock(wall_us=1_767_225_600_000_000)
    seal = Seal(site(), initial(MineState.SUSPENDED))
    drafts: list[Draft] = []
    picture = EvidenceRef("cd" * 32, "image/jpeg", 41_000, "annotated")

    def settle(outcome: Outcome) -> None:
        drafts.extend(outcome.facts)
        for activity in outcome.activities:
            shown = replace(activity, evidence=(picture,))
            drafts.extend(seal.judge(shown, clock.now()))

    for second in range(240):
        now = clock.advance(1.0)
        walking = 20 < second < 60
        settle(seal.observe(reading("hoist", now, 90.0 if 10 < second < 150 else 0.0)))
        settle(
            seal.observe(sighting(now, (0.5, 0.3 + second % 40 / 60)) if walking else sighting(now))
        )
        covered = 70 < second < 120
        settle(seal.observe(picture_quality(now, covered=covered)))
        settle(seal.tick(now))
        if second == 30:
            opened = next(d for d in drafts if d.type is RecordType.INCIDENT_OPENED)
            args = {"incident": opened.data["incident"], "by": "值班员"}
            order = an_order(OrderKind.ACKNOWLEDGE, args, now)
            drafts.extend([accepted(order, now), *seal.obey(order, now)])
    now = clock.advance(1.0)
    settle(seal.observe(ContactChange("door", now, Quality.GOOD, closed=True)))
    settle(seal.observe(SourceLost("pump", now, "no answer")))
    settle(seal.observe(SourceBack("pump", clock.advance(90.0), 90.0)))
    levels = (1.0, 1.2, 0.9, 1.1, 1.0, 1.3)
    settle(seal.observe(ChallengeRun("shaft-cam", now, "lamp", False, "010110", levels, 0.1, 2)))
    settle(seal.observe(ClockStepped("host", clock.now(), -7.5)))
    drafts.extend(seal.obey(an_order(OrderKind.SET_STATE, {"state": "closed"}, now), clock.now()))
    return drafts


def test_records_of_a_real_seal_are_as_the_document_says() -> None:
    seen = {
        validate_leaf(encode_leaf(draft, ORIGIN, index))
        for index, draft in enumerate(eventful_night())
    }
    assert seen == {
        RecordType.INCIDENT_OPENED,
        RecordType.INCIDENT_UPDATED,
        RecordType.INCIDENT_CLOSED,
        RecordType.ACTIVITY_STARTED,
        RecordType.ACTIVITY_ENDED,
        RecordType.SOURCE_LOST,
        RecordType.SOURCE_BACK,
        RecordType.CONTACT_CHANGED,
        RecordType.CLOCK_STEPPED,
        RecordType.CHALLENGE_RUN,
        RecordType.POWER_SUMMARY,
        RecordType.POWER_BASELINE,
        RecordType.ORDER_ACCEPTED,
        RecordType.ORDER_DONE,
    }


def test_records_of_the_daemon_itself_are_as_the_document_says() -> None:
    clock, config = ManualClock(), site()
    now = clock.now()
    drafts = [
        Draft(
            RecordType.GATEWAY_STARTED,
            now,
            {"version": "0.1", "boot": now.boot, "python": "3.11", "host": "gw"},
        ),
        Draft(
            RecordType.CONFIG_IN_FORCE,
            now,
            {"sha256": config.sha256(), "config": config.redacted()},
        ),
        Draft(RecordType.GATEWAY_STOPPED, now, {"reason": "stopped on request"}),
        order_refused("the order has expired", "0" * 64, clock),
        evidence_lost(EvidenceRef("ab" * 32, "image/jpeg", 5), "damaged", clock),
        Draft(RecordType.POLICY_IN_FORCE, now, Policy().data()),
    ]
    for index, draft in enumerate(drafts):
        validate_leaf(encode_leaf(draft, ORIGIN, index))


def test_an_incident_without_its_level_does_not_pass() -> None:
    opened = next(d for d in eventful_night() if d.type is RecordType.INCIDENT_OPENED)
    data = {name: value for name, value in opened.data.items() if name != "level"}
    with pytest.raises(ValidationError, match="level"):
        validate("incident.opened", data)


@pytest.mark.parametrize(("kind", "args"), GOOD_ORDERS)
def test_signed_orders_and_what_answers_them_are_as_the_document_says(
    kind: OrderKind, args: dict[str, Any]
) -> None:
    draft = UnsignedOrder(f"{MINE}/{GATEWAY}", kind, args, "n" * 22, 10**15, 10**15 + 10**9)
    payload = write_order(draft, Signer.generate("province.example"))
    validate("order", json.loads(payload))
    assert f"at most {MAX_ORDER_BYTES} bytes" in schemas()["order"]["title"]
    now = ManualClock().now()
    order = an_order(kind, args, now)
    ref = EvidenceRef("ab" * 32, "image/jpeg", 5, "clean")
    for record in (
        accepted(order, now),
        answer(order, now, evidence=[ref], detail={"records": 3}),
        answer(order, now, failed=Name("没有", "none")),
    ):
        validate_leaf(encode_leaf(record, ORIGIN, 1))


def test_an_order_with_the_arguments_of_another_kind_does_not_pass() -> None:
    draft = UnsignedOrder(f"{MINE}/{GATEWAY}", "snapshot", {"state": "closed"}, "n" * 22, 1, 2)
    with pytest.raises(ValidationError):
        validate("order", json.loads(write_order(draft, Signer.generate("province.example"))))


def test_checkpoints_and_receipts_are_as_the_document_says() -> None:
    note = Signer.generate(ORIGIN).checkpoint(Checkpoint(ORIGIN, 12, bytes(32)))
    validate("checkpoint", note.decode())
    with pytest.raises(ValidationError):
        validate("receipt", note.decode())
    receipt = Signer.generate("province.example").cosign(note, 1_767_225_600)
    validate("receipt", receipt.decode())


def test_evidence_headers_and_the_farewell_are_as_the_document_says() -> None:
    ref = EvidenceRef("ab" * 32, "image/jpeg", 5, "clean")
    for part in split_evidence(ref, b"a\nb\nc", 2):
        header, _newline, data = encode_part(part).partition(b"\n")
        validate("evidence", json.loads(header))
        assert len(data) <= 2
    assert f"at most {MAX_PART_BYTES}" in schemas()["evidence"]["title"]
    now = ManualClock().now().iso()
    for reason in ("connection lost", "stopped", "moved to another broker"):
        validate("state", json.loads(offline_state(reason, now)))
