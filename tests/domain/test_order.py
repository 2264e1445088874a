"""What each kind of order may say; everything else is refused without repeating it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.domain.mine import OrderKind
from edge.domain.order import ARGS, MAX_RESENT, args_data, parse_args
from edge.errors import Refused
from tests.orders import GOOD_ORDERS, PERMIT, SPEAKS


def permit(**changes: Any) -> tuple[OrderKind, Any]:
    return OrderKind.GRANT_PERMIT, {"permit": {**PERMIT, **changes}}


BAD: list[tuple[OrderKind, Any]] = [
    (OrderKind.SET_STATE, {"state": "asleep"}),
    (OrderKind.SET_STATE, {"state": "closed", "why": "x"}),
    (OrderKind.SET_STATE, None),
    (OrderKind.SET_STATE, "closed"),
    permit(id="a b"),
    permit(id="x" * 65),
    permit(begins="2026-05-01"),
    permit(begins=5),
    permit(begins="2026-05-03T00:00:00Z"),
    permit(ends=PERMIT["begins"]),
    permit(ends="2027-06-01T00:00:00Z"),
    permit(zones=["Mouth!"]),
    permit(zones=["a"] * 33),
    permit(classes=["dog"]),
    permit(classes=["person"] * 3),
    permit(heads=-1),
    permit(heads=10_001),
    permit(heads="9"),
    permit(feeders=["hoist"] * 33),
    permit(zones=[], feeders=[]),
    permit(classes=[], feeders=[]),
    permit(responsible=""),
    permit(responsible="a\x00b"),
    permit(responsible=" a"),
    permit(plan="p" * 201),
    permit(more=1),
    (OrderKind.REVOKE_PERMIT, {"permit": "JL"}),
    (OrderKind.ACKNOWLEDGE, {"incident": "", "by": "x"}),
    (OrderKind.ACKNOWLEDGE, {"incident": "i" * 301, "by": "x"}),
    (OrderKind.ACKNOWLEDGE, {"incident": "i", "by": "x" * 201}),
    (OrderKind.DISPOSE, {**SPEAKS, "disposition": "whatever"}),
    (OrderKind.DISPOSE, {**SPEAKS, "disposition": "test", "site_check": "yesterday"}),
    (OrderKind.DISPOSE, {**SPEAKS, "disposition": "test", "note": "n" * 201}),
    (OrderKind.SNAPSHOT, {"camera": "../etc"}),
    (OrderKind.SNAPSHOT, {}),
    (OrderKind.RESEND, {}),
    (OrderKind.RESEND, {"start": 0}),
    (OrderKind.RESEND, {"end": 5}),
    (OrderKind.RESEND, {"start": 5, "end": 5}),
    (OrderKind.RESEND, {"start": 0, "end": MAX_RESENT + 1}),
    (OrderKind.RESEND, {"start": -1, "end": 1}),
    (OrderKind.RESEND, {"start": 0, "end": 1, "sha256": "ab" * 32}),
    (OrderKind.RESEND, {"start": 0, "sha256": "ab" * 32}),
    (OrderKind.RESEND, {"sha256": "AB" * 32}),
    (OrderKind.RESEND, {"start": 0.5, "end": 1}),
    (OrderKind.POLICY, {"levels": {"person-at-shaft": 5}}),
    (OrderKind.POLICY, {"levels": {"person-at-shaft": True}}),
    (OrderKind.POLICY, {"levels": {"no-such-alarm": 1}}),
    (OrderKind.POLICY, {"rules": {"person-at-shaft": {"min_s": 301}}}),
    (OrderKind.POLICY, {"rules": {"person-at-shaft": {"hold_s": -1}}}),
    (OrderKind.POLICY, {"rules": {"person-at-shaft": {"states": []}}}),
    (OrderKind.POLICY, {"rules": {"person-at-shaft": {"min_s": float("nan")}}}),
]


@pytest.mark.parametrize(("kind", "args"), GOOD_ORDERS)
def test_arguments_come_out_as_they_went_in(kind: OrderKind, args: dict[str, Any]) -> None:
    parsed = parse_args(kind, args)
    assert type(parsed) is ARGS[kind]
    assert args_data(parsed) == args
    assert parse_args(kind, args_data(parsed)) == parsed


@pytest.mark.parametrize(("kind", "args"), BAD)
def test_arguments_that_are_not_of_their_kind_are_refused(kind: OrderKind, args: Any) -> None:
    with pytest.raises(Refused, match="not those of its kind"):
        parse_args(kind, args)


def test_every_kind_of_order_has_its_arguments() -> None:
    assert set(ARGS) == set(OrderKind) == {kind for kind, _args in GOOD_ORDERS}


def test_a_refusal_names_the_argument_and_repeats_nothing() -> None:
    with pytest.raises(Refused) as told:
        parse_args(OrderKind.SNAPSHOT, {"camera": "SECRET", "evil<key>": 1})
    assert "camera" in str(told.value)
    assert "SECRET" not in str(told.value)
    assert "evil" not in str(told.value)


def test_what_is_not_json_is_refused() -> None:
    with pytest.raises(Refused, match="not JSON"):
        parse_args(OrderKind.SET_STATE, {"state": object()})


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner),
    max_leaves=12,
)


@given(kind=st.sampled_from(OrderKind), args=values)
def test_whatever_is_accepted_can_be_recorded_and_read_again(kind: OrderKind, args: Any) -> None:
    try:
        parsed = parse_args(kind, args)
    except Refused:
        return
    assert parse_args(kind, json.loads(json.dumps(args_data(parsed)))) == parsed
