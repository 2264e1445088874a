"""Orders as they come from the broker: passed on once, PUBACKed when recorded, or refused."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge.clock import ManualClock
from edge.domain.mine import MineState, Order
from edge.domain.order import SetState
from edge.ledger.checkpoint import Signer
from edge.ledger.store import Ledger
from edge.rules.orders import accepted
from edge.uplink.inbox import REPORT_MOST, VERIFY_MOST, Inbox, Recorded
from edge.uplink.orders import MAX_ORDER_BYTES, write_order
from edge.uplink.topics import Topics
from tests.orders import unsigned_order
from tests.uplink.rig import GATEWAY, MINE, ORIGIN, PREFIX, SIGNER

PROVINCE = Signer.generate("province.example")
STRANGER = Signer.generate("province.example")
TOPIC = f"{PREFIX}/order"


class Desk:
    """An inbox over a real ledger, and what came out of it."""

    def __init__(self, directory: Path) -> None:
        self.clock = ManualClock()
        self.ledger = Ledger.open(directory, origin=ORIGIN, signer=SIGNER, clock=self.clock)
        self.orders: list[Order] = []
        self.recorded: Recorded = None
        self.refused: list[tuple[str, str]] = []
        self.inbox = self.new_inbox()

    def new_inbox(self) -> Inbox:
        return Inbox(
            Topics(MINE, GATEWAY),
            (PROVINCE.verifier, PROVINCE.cosigner),
            self.ledger,
            self.clock,
            on_order=self._take,
            on_refused=lambda reason, digest: self.refused.append((reason, digest)),
        )

    def _take(self, order: Order) -> Recorded:
        self.orders.append(order)
        return self.recorded

    def payload(self, signer: Signer = PROVINCE, **changes: Any) -> bytes:
        return write_order(unsigned_order(self.clock.now().wall_us, **changes), signer)

    def order(self, **changes: Any) -> Recorded:
        return self.inbox.take(TOPIC, self.payload(**changes))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.ledger.close()


def test_an_order_is_passed_on(desk: Desk) -> None:
    assert desk.order() is None
    assert [order.args for order in desk.orders] == [SetState(state=MineState.CLOSED)]
    assert desk.refused == []


async def test_the_brokers_puback_waits_until_the_order_is_recorded(desk: Desk) -> None:
    recorded = desk.recorded = asyncio.get_running_loop().create_future()
    assert desk.order() is recorded


async def test_an_order_that_comes_again_meanwhile_waits_for_the_same(desk: Desk) -> None:
    recorded = desk.recorded = asyncio.get_running_loop().create_future()
    desk.order()
    assert desk.order() is recorded
    assert desk.refused == []
    recorded.set_result(None)
    await asyncio.sleep(0)
    assert desk.order() is None
    assert [reason for reason, _digest in desk.refused] == ["the order was received before"]
    assert len(desk.orders) == 1


def test_an_order_that_was_recorded_is_refused_after_a_restart(desk: Desk) -> None:
    desk.order()
    desk.ledger.submit([accepted(desk.orders[0], desk.clock.now())]).result(5)
    desk.inbox = desk.new_inbox()
    desk.order()
    assert [reason for reason, _digest in desk.refused] == ["the order was received before"]
    assert len(desk.orders) == 1


REFUSED: list[tuple[str, dict[str, Any]]] = [
    ("another gateway", {"audience": "220182000001/other"}),
    ("has expired", {"issued_us": 0, "expires_us": 1}),
    ("in the future", {"issued_us": 1_760_000_000_000_000, "expires_us": 1_760_000_000_000_001}),
    ("longer than seven days", {"expires_us": 1_760_000_000_000_000}),
    ("nonce is not", {"nonce": "short"}),
    ("not known here", {"kind": "self-destruct"}),
    ("not those of its kind", {"args": {"state": "asleep"}}),
    ("not those of its kind", {"kind": "snapshot", "args": {"camera": "../.."}}),
    ("not enrolled", {"signer": STRANGER}),
    (f"larger than {MAX_ORDER_BYTES} bytes", {"args": {"state": "x" * MAX_ORDER_BYTES}}),
]


@pytest.mark.parametrize(("reason", "changes"), REFUSED)
def test_what_must_not_be_obeyed_is_refused_counted_and_reported(
    desk: Desk, reason: str, changes: dict[str, Any]
) -> None:
    assert desk.order(**changes) is None
    ((told, digest),) = desk.refused
    assert reason in told
    assert len(digest) == 64
    assert desk.inbox.refused == {"order": 1}
    assert desk.orders == []


@pytest.mark.parametrize("payload", [b"", b"{}", b"\xff" * 40, b"[" * 9_000, b"x" * 70_000])
def test_what_is_no_order_at_all_is_refused(desk: Desk, payload: bytes) -> None:
    desk.inbox.take(TOPIC, payload)
    assert len(desk.refused) == 1


def test_a_flood_of_forgeries_is_reported_ten_times_and_then_once_a_minute(desk: Desk) -> None:
    for number in range(50):
        desk.inbox.take(TOPIC, b"forged %d" % number)
    assert len(desk.refused) == REPORT_MOST
    assert desk.inbox.refused["order"] == 50
    desk.clock.advance(61.0)
    desk.inbox.take(TOPIC, b"forged")
    assert len(desk.refused) == REPORT_MOST + 1
    assert desk.refused[-1][0].endswith("(and 40 more orders were refused before it)")
    desk.order()
    assert len(desk.orders) == 1


def test_a_flood_that_is_too_fast_is_not_even_looked_at(desk: Desk) -> None:
    for number in range(VERIFY_MOST):
        desk.inbox.take(TOPIC, b"forged %d" % number)
    desk.order()
    assert desk.orders == []
    desk.clock.advance(1.0)
    desk.order()
    assert len(desk.orders) == 1


def test_a_message_on_another_topic_is_counted(desk: Desk) -> None:
    desk.inbox.take(f"{PREFIX}/alarm", b"")
    assert desk.inbox.refused == {"topic": 1}
