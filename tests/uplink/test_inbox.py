from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from edge.clock import ManualClock
from edge.domain.mine import MineState, Order
from edge.domain.order import SetState
from edge.domain.record import Draft, RecordType
from edge.ledger.checkpoint import Signer
from edge.ledger.store import Ledger
from edge.rules.orders import accepted
from edge.uplink.inbox import REPORT_MOST, VERIFY_MOST, Inbox
from edge.uplink.orders import UnsignedOrder, write_order
from edge.uplink.topics import Topics
from tests.uplink.rig import GATEWAY, MINE, ORIGIN, PREFIX, SIGNER

PROVINCE = Signer.generate("province.example")


class Desk:
    """An inbox over a real ledger, and what came out of it."""

    def __init__(self, directory: Path) -> None:
        self.clock = ManualClock()
        self.ledger = Ledger.open(directory, origin=ORIGIN, signer=SIGNER, clock=self.clock)
        self.orders: list[Order] = []
        self.refused: list[tuple[str, str]] = []
        self.inbox = self.new_inbox()

    def new_inbox(self) -> Inbox:
        return Inbox(
            Topics(MINE, GATEWAY),
            (PROVINCE.verifier, PROVINCE.cosigner),
            self.ledger,
            self.clock,
            on_order=self.orders.append,
            on_refused=lambda reason, digest: self.refused.append((reason, digest)),
        )

    def order(self, nonce: str = "a-nonce-of-sixteen", **changes: Any) -> None:
        now_us = self.clock.now().wall_us
        fields: dict[str, Any] = {
            "audience": f"{MINE}/{GATEWAY}",
            "kind": "set-state",
            "args": {"state": "closed"},
            "nonce": nonce,
            "issued_us": now_us,
            "expires_us": now_us + 60_000_000,
        }
        payload = write_order(UnsignedOrder(**{**fields, **changes}), PROVINCE)
        self.inbox.take(f"{PREFIX}/order", payload)

    def append(self, count: int) -> None:
        now = self.clock.now()
        drafts = [Draft(RecordType.GATEWAY_HEALTH, now, {"n": n}) for n in range(count)]
        self.ledger.submit(drafts).result(5)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.ledger.close()


async def test_an_order_is_passed_on(desk: Desk) -> None:
    desk.order()
    assert [order.args for order in desk.orders] == [SetState(state=MineState.CLOSED)]
    assert desk.refused == []


async def test_a_refused_order_is_reported_with_reason_and_digest(desk: Desk) -> None:
    desk.order(audience="220182000001/other")
    ((reason, digest),) = desk.refused
    assert reason == "the order is for another gateway"
    assert len(digest) == 64
    assert desk.inbox.refused == {"order": 1}


async def test_an_order_that_was_recorded_is_refused_after_a_restart(desk: Desk) -> None:
    desk.order()
    desk.ledger.submit([accepted(desk.orders[0], desk.clock.now())]).result(5)
    desk.inbox = desk.new_inbox()
    desk.order()
    assert [reason for reason, _digest in desk.refused] == ["the order was received before"]
    assert len(desk.orders) == 1


async def test_a_flood_of_forgeries_is_reported_ten_times_and_then_once_a_minute(
    desk: Desk,
) -> None:
    for number in range(50):
        desk.inbox.take(f"{PREFIX}/order", b"forged %d" % number)
    assert len(desk.refused) == REPORT_MOST
    assert desk.inbox.refused["order"] == 50
    desk.clock.advance(61.0)
    desk.inbox.take(f"{PREFIX}/order", b"forged")
    assert len(desk.refused) == REPORT_MOST + 1
    assert desk.refused[-1][0].endswith("(and 40 more orders were refused before it)")
    desk.order()
    assert len(desk.orders) == 1


async def test_a_flood_that_is_too_fast_is_not_even_looked_at(desk: Desk) -> None:
    for number in range(VERIFY_MOST):
        desk.inbox.take(f"{PREFIX}/order", b"forged %d" % number)
    desk.order()
    assert desk.orders == []
    desk.clock.advance(1.0)
    desk.order()
    assert len(desk.orders) == 1


async def test_a_message_on_another_topic_is_counted(desk: Desk) -> None:
    desk.inbox.take(f"{PREFIX}/alarm", b"")
    assert desk.inbox.refused == {"topic": 1}
