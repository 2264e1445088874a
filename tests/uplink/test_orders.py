from __future__ import annotations

import base64
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from edge.clock import Stamp
from edge.domain.mine import MineState, OrderKind
from edge.domain.order import SetState, args_data
from edge.errors import Refused
from edge.ledger.checkpoint import Signer
from edge.uplink.nonces import Nonces
from edge.uplink.orders import MAX_LIFE_S, OrderDesk, write_order
from tests.orders import unsigned_order

AUDIENCE = "220182000001/gw1"
PROVINCE = Signer.generate("province.example")
STRANGER = Signer.generate("province.example")
NOW = Stamp(1_767_225_600_000_000, 5_000_000, "boot")
SECOND = 1_000_000


def order(signer: Signer = PROVINCE, **changes: Any) -> bytes:
    return write_order(unsigned_order(NOW.wall_us, **changes), signer)


def desk(**changes: Any) -> OrderDesk:
    return OrderDesk(AUDIENCE, [PROVINCE.verifier], **changes)


def resigned(change: Callable[[dict[str, Any]], Any]) -> bytes:
    """An order whose inner object was changed before the province signed it."""
    inner = json.loads(order())["order"]
    inner = change(inner) or inner
    signature = PROVINCE.sign(b"eseal-order/1\n" + rfc8785.dumps(inner))
    return rfc8785.dumps(
        {
            "key": f"{PROVINCE.name}+{PROVINCE.verifier.key_id.hex()}",
            "order": inner,
            "signature": base64.b64encode(signature).decode(),
        }
    )


def test_a_signed_order_is_read_as_it_was_meant() -> None:
    found = desk().read(order(), NOW)
    assert found.kind is OrderKind.SET_STATE
    assert found.args == SetState(state=MineState.CLOSED)
    assert (found.nonce, found.received) == ("abcdefgh-1234_ABCD", NOW)
    assert found.expires_us == NOW.wall_us + 60 * SECOND
    assert found.key == f"{PROVINCE.name}+{PROVINCE.verifier.key_id.hex()}"


def test_an_acknowledgement_names_the_incident_and_who_saw_it() -> None:
    args = {"incident": "person-at-shaft/cam/mouth/1", "by": "李工"}
    found = desk().read(order(kind="acknowledge", args=args), NOW)
    assert args_data(found.args) == args


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (order(STRANGER), "not enrolled"),
        (order(Signer("other.example", PROVINCE._private)), "not enrolled"),
        (order(audience="220182000001/gw2"), "another gateway"),
        (order(expires_us=NOW.wall_us - 1), "expired"),
        (order(issued_us=NOW.wall_us + 301 * SECOND, expires_us=NOW.wall_us + 999 * SECOND),
         "in the future"),
        (order(expires_us=NOW.wall_us + (MAX_LIFE_S + 5) * SECOND), "longer than seven days"),
        (order(nonce="short"), "nonce"),
        (order(nonce="with spaces in it, long"), "nonce"),
        (order(kind="self-destruct"), "kind that is not known"),
        (order(args={"state": "asleep"}), "not those of its kind"),
        (order(args={}), "not those of its kind"),
        (order(args={"state": "closed", "why": "x"}), "not those of its kind"),
        (order(kind="acknowledge", args={"incident": "", "by": "x"}), "not those of its kind"),
        (order(kind="acknowledge", args={"incident": "i" * 301, "by": "x"}),
         "not those of its kind"),
        (order(args={"state": 5}), "not those of its kind"),
        (resigned(lambda o: o.update(args=["state"])), "not those of its kind"),
        (resigned(lambda o: o.update(kind=["set-state"])), "kind that is not known"),
        (resigned(lambda o: o.update(nonce=7)), "nonce"),
        (resigned(lambda o: o.update(expires="tomorrow")), "RFC 3339"),
        (resigned(lambda o: o.update(expires="2026-13-01T00:00:00Z")), "RFC 3339"),
        (resigned(lambda o: o.update(issued=5)), "RFC 3339"),
        (resigned(lambda o: o.update(audience=None)), "another gateway"),
        (resigned(lambda o: o.update(more=1)), "other keys"),
        (resigned(lambda _o: [1]), "other keys"),
        (rfc8785.dumps({"key": "a", "order": {}}), "other keys"),
        (rfc8785.dumps({"key": ["a"], "order": {}, "signature": ""}), "not enrolled"),
        (order().replace(b"closed", b"ordere"), "signature is wrong"),
        (order().replace(b'"signature":"', b'"signature":"*'), "not base64"),
        (b'{"signature":5,' + order()[1:].replace(b',"signature"', b',"signaturf"'),
         "canonical"),
        (order() + b" ", "canonical"),
        (b"", "not JSON"),
        (b"\x00\xff garbage", "not JSON"),
        (b"[" * 16_000, "not JSON"),
        (order(args={"state": "x" * 20_000}), "larger than 16384 bytes"),
    ],
)  # fmt: skip
def test_an_order_that_is_not_as_it_should_be_is_refused(payload: bytes, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        desk().read(payload, NOW)


def test_an_order_without_a_signature_text_is_refused() -> None:
    envelope = {**json.loads(order()), "signature": 5}
    with pytest.raises(Refused, match="not base64"):
        desk().read(rfc8785.dumps(envelope), NOW)


def test_an_order_is_obeyed_once() -> None:
    counter = desk()
    counter.read(order(), NOW)
    with pytest.raises(Refused, match="received before"):
        counter.read(order(), NOW)


def test_an_order_that_the_ledger_remembers_is_not_obeyed_after_a_restart() -> None:
    with pytest.raises(Refused, match="received before"):
        desk(nonces=Nonces([("abcdefgh-1234_ABCD", NOW.wall_us)])).read(order(), NOW)


def test_a_refused_order_does_not_use_up_its_nonce() -> None:
    counter = desk()
    with pytest.raises(Refused):
        counter.read(order(args={"state": "asleep"}), NOW)
    assert counter.read(order(), NOW).kind is OrderKind.SET_STATE


def test_an_order_from_before_this_ledger_is_refused_as_it_may_be_a_repetition() -> None:
    with pytest.raises(Refused, match="before this ledger began"):
        desk(begun_us=NOW.wall_us).read(order(issued_us=NOW.wall_us - 1), NOW)
    later = order(issued_us=NOW.wall_us)
    assert desk(begun_us=NOW.wall_us).read(later, NOW).kind is OrderKind.SET_STATE


def test_a_signature_has_one_spelling_only() -> None:
    envelope = json.loads(order())
    text = envelope["signature"]
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    other = digits[digits.index(text[-3]) ^ 1]  # a bit that base64 ignores
    envelope["signature"] = text[:-3] + other + "=="
    assert base64.b64decode(envelope["signature"]) == base64.b64decode(text)
    with pytest.raises(Refused, match="not base64"):
        desk().read(rfc8785.dumps(envelope), NOW)


def test_a_checkpoint_signature_is_no_order_signature() -> None:
    inner = rfc8785.dumps({"anything": 1})
    assert not PROVINCE.verifier.accepts(b"eseal-order/1\n" + inner, PROVINCE.sign(inner))


@given(st.binary(max_size=300))
def test_foreign_bytes_are_refused_and_nothing_else_happens(payload: bytes) -> None:
    with pytest.raises(Refused):
        desk().read(payload, NOW)


@given(position=st.integers(0, len(order()) - 1), value=st.integers(0, 255))
def test_an_order_with_one_byte_changed_is_refused(position: int, value: int) -> None:
    payload = bytearray(order())
    if payload[position] == value:
        return
    payload[position] = value
    with suppress(Refused):
        found = desk().read(bytes(payload), NOW)
        pytest.fail(f"taken for {found}")
