from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.clock import ManualClock
from edge.domain.mine import MineState
from edge.domain.record import INCIDENT_TYPES, Draft, RecordType
from edge.ledger.checkpoint import Checkpoint
from edge.ledger.leaf import encode_leaf
from edge.ledger.origin import Origin
from edge.ledger.succession import (
    HANDED_ON,
    MOST_HANDED_ON,
    Break,
    Heritage,
    Left,
    Reason,
    epoch_data,
    first_leaves,
    lost,
    next_origin,
)
from edge.rules.engine import initial, restore
from tests.docs.contract import validate_leaf
from tests.ledger.support import ORIGIN
from tests.rules.world import CAMERA_LOST, COVERED, HOIST, World

LATER = f"{ORIGIN}/4-0badcafe"
ROOT = bytes(range(32))


def head(size: int, origin: str = ORIGIN) -> Checkpoint:
    return Checkpoint(origin, size, ROOT)


@pytest.mark.parametrize(
    ("left", "broken", "expected"),
    [
        # An image of 40 leaves was put back; 3 came since, which the province knows as others.
        (Left(ORIGIN, 43, ROOT, 38), Break(Reason.ROLLED_BACK, "", head(70), 0, 40), (30, 32)),
        (Left(ORIGIN, 0, ROOT), Break(Reason.ROLLED_BACK, "", head(70), 0, 0), (70, 70)),
        (Left(ORIGIN, 40, ROOT), Break(Reason.ROLLED_BACK, "", head(70)), (30, 70)),
        # The silent province spoke late: as many leaves here as there, but others.
        (Left(ORIGIN, 80, ROOT, 38), Break(Reason.REPLACED, "", head(70), 0, 75), (1, 32)),
        (Left(ORIGIN, 80, ROOT, 38), Break(Reason.ROLLED_BACK, "", head(70, LATER)), (70, None)),
        (Left(ORIGIN, 80, ROOT, 38), Break(Reason.DAMAGED), (0, None)),
        (Left(ORIGIN, None, None), Break(Reason.DAMAGED, "", head(70)), (70, 70)),
        (Left(), Break(Reason.DAMAGED, "", head(70)), (70, None)),
    ],
)
def test_what_was_lost_is_told_by_bounds(
    left: Left, broken: Break, expected: tuple[int, int | None]
) -> None:
    assert lost(left, broken) == expected


@pytest.mark.parametrize(
    ("left", "receipt", "number"),
    [
        (ORIGIN, None, 1),
        (LATER, None, 5),
        (ORIGIN, head(7, LATER), 5),
        (LATER, head(7), 5),
        ("", None, 1),
        ("eseal/220000000009/gw/8-0badcafe", None, 1),
    ],
)
def test_the_next_epoch_is_later_than_those_that_are_known(
    left: str, receipt: Checkpoint | None, number: int
) -> None:
    origin = next_origin(ORIGIN, Left(left), Break(Reason.FOREIGN, "", receipt))
    assert (origin.gateway, origin.number) == (ORIGIN, number)


def leaves(drafts: list[Draft], start: int = 0) -> list[dict[str, Any]]:
    return [json.loads(encode_leaf(one, ORIGIN, i)) for i, one in enumerate(drafts, start)]


def begun(heritage: list[Draft], state: MineState = MineState.SUSPENDED) -> list[Draft]:
    now = ManualClock().now()
    origin = Origin(ORIGIN, 1, "0badcafe")
    broken = Break(Reason.ROLLED_BACK, "why", head(70), 1_767_225_600, 40)
    data = epoch_data(origin, Left(ORIGIN, 43, ROOT, 38), broken)
    return first_leaves(data, str(origin), heritage, state, now)


def test_an_epoch_begins_with_what_it_follows_and_the_incident() -> None:
    first, opened, closed = begun([])
    assert first.type is RecordType.EPOCH_BEGUN
    assert (first.data["lost_at_least"], first.data["handed_on"]) == (30, 0)
    assert [opened.type, closed.type] == [RecordType.INCIDENT_OPENED, RecordType.INCIDENT_CLOSED]
    assert opened.data["code"] == "ledger-rolled-back"
    assert opened.data["level"] == 1
    assert "30" in opened.data["text"]["zh"]
    assert "30 records" in opened.data["text"]["en"]
    for index, draft in enumerate((first, opened, closed)):
        validate_leaf(encode_leaf(draft, f"{ORIGIN}/1-0badcafe", index))


def test_without_a_receipt_and_without_a_readable_log_it_says_so() -> None:
    data = epoch_data(Origin(ORIGIN, 1, "0badcafe"), Left(), Break(Reason.DAMAGED, "x" * 900))
    assert data["receipt"] is None
    assert data["previous"] == {"origin": "", "size": None, "root": None}
    assert len(data["detail"]) == 500
    first, *_ = first_leaves(data, LATER, [], MineState.CLOSED, ManualClock().now())
    validate_leaf(encode_leaf(first, LATER, 0))


def fact(kind: RecordType, **data: Any) -> Draft:
    return Draft(kind, ManualClock().now(), data)


def incident(name: str, kind: RecordType) -> Draft:
    data = {"incident": name, "evidence": []}
    return fact(kind, **data, **({"closed": "…"} if kind is RecordType.INCIDENT_CLOSED else {}))


def handed_on(drafts: list[Draft], agreed: int) -> list[tuple[str, Any]]:
    heritage = Heritage(agreed)
    for leaf in leaves(drafts):
        heritage.take(leaf)
    return [
        (one.type.value.removeprefix("eseal."), one.data.get("incident") or one.data.get("n"))
        for one in heritage.drafts()
    ]


OPENED, UPDATED, CLOSED = (
    RecordType.INCIDENT_OPENED,
    RecordType.INCIDENT_UPDATED,
    RecordType.INCIDENT_CLOSED,
)


def test_of_an_incident_the_newest_record_is_handed_on_as_the_news_that_it_is() -> None:
    drafts = [
        incident("over", OPENED),  # 0
        incident("over", CLOSED),
        incident("known", OPENED),
        incident("known", UPDATED),  # 3
        incident("over-later", OPENED),
        incident("new", OPENED),  # 5: from here on the province may know nothing
        incident("over-later", CLOSED),
        incident("new", UPDATED),
        incident("new-and-over", OPENED),
        incident("new-and-over", CLOSED),
    ]
    assert handed_on(drafts, agreed=5) == [
        ("incident.updated", "known"),
        ("incident.closed", "over-later"),
        ("incident.opened", "new"),
        ("incident.closed", "new-and-over"),
    ]


def test_orders_are_all_handed_on_and_of_what_was_learned_the_newest() -> None:
    drafts = [
        fact(RecordType.ORDER_ACCEPTED, nonce="a", n=1),
        fact(RecordType.POWER_BASELINE, source="hoist", n=2),
        fact(RecordType.POWER_BASELINE, source="pump", n=3),
        fact(RecordType.ORDER_ACCEPTED, nonce="b", n=4),
        fact(RecordType.POWER_BASELINE, source="hoist", n=5),
    ]
    assert handed_on(drafts, agreed=0) == [
        ("order.accepted", 1),
        ("power.baseline", 3),
        ("order.accepted", 4),
        ("power.baseline", 5),
    ]


def test_what_is_handed_on_is_bounded_and_keeps_its_stamps() -> None:
    heritage = Heritage(0)
    clock = ManualClock()
    for index in range(MOST_HANDED_ON + 3):
        draft = Draft(RecordType.ORDER_ACCEPTED, clock.advance(1), {"nonce": str(index)})
        heritage.take(leaves([draft], index)[0])
    drafts = heritage.drafts()
    assert len(drafts) == MOST_HANDED_ON
    assert drafts[0].data["nonce"] == "3"
    assert drafts[-1].stamp == clock.now()


STEPS = st.lists(
    st.one_of(
        st.sampled_from([HOIST, CAMERA_LOST, COVERED]),
        st.sampled_from(list(MineState)),
        st.floats(0.25, 90),
    ),
    max_size=12,
)


@given(steps=STEPS, agreed=st.integers(0, 40))
def test_open_incidents_and_the_ordered_state_live_on(steps: list[Any], agreed: int) -> None:
    world = World()
    for step in steps:
        if isinstance(step, MineState):
            world.set_state(step)
        elif isinstance(step, float):
            world.wait(step, tick_s=step)
        elif step in world.started:
            world.end(step)
        else:
            world.start(step)
    heritage = Heritage(agreed)
    for leaf in world.leaves:
        if leaf["type"] in INCIDENT_TYPES | HANDED_ON:
            heritage.take(leaf)
    before = restore(initial(MineState.SUSPENDED), world.leaves)
    after = restore(initial(MineState.SUSPENDED), leaves(begun(heritage.drafts())))
    assert after.mine == before.mine
    assert {one.id: one for one in after.open} == {one.id: one for one in before.open}
