from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from edge.clock import ManualClock
from edge.domain.mine import Order
from edge.domain.record import Draft, RecordType
from edge.errors import StorageFull
from edge.ledger.checkpoint import Checkpoint, Signer
from edge.ledger.store import Ledger
from edge.uplink.inbox import REPORT_MOST, VERIFY_MOST, Inbox
from edge.uplink.orders import UnsignedOrder, write_order
from edge.uplink.topics import Topics
from tests.uplink.rig import GATEWAY, MINE, ORIGIN, PREFIX, SIGNER, until

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

    def receipt(self, note: bytes | None = None, signer: Signer = PROVINCE) -> None:
        if note is None:
            note = self.ledger.seal_head().result(5)
        self.inbox.take(f"{PREFIX}/receipt", signer.cosign(note, 1_767_225_600))

    def append(self, count: int) -> None:
        now = self.clock.now()
        drafts = [Draft(RecordType.GATEWAY_HEALTH, now, {"n": n}) for n in range(count)]
        self.ledger.submit(drafts).result(5)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    desk = Desk(tmp_path)
    task = asyncio.create_task(desk.inbox.keep_receipts())
    yield desk
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    desk.ledger.close()


async def test_an_order_is_passed_on(desk: Desk) -> None:
    desk.order()
    assert [order.args for order in desk.orders] == [{"state": "closed"}]
    assert desk.refused == []


async def test_a_refused_order_is_reported_with_reason_and_digest(desk: Desk) -> None:
    desk.order(audience="220182000001/other")
    ((reason, digest),) = desk.refused
    assert reason == "the order is for another gateway"
    assert len(digest) == 64
    assert desk.inbox.refused == {"order": 1}


async def test_an_order_that_was_recorded_is_refused_after_a_restart(desk: Desk) -> None:
    desk.order()
    data = {"nonce": "a-nonce-of-sixteen", "kind": "set-state", "args": {"state": "closed"}}
    draft = Draft(RecordType.ORDER_ACCEPTED, desk.clock.now(), data)
    desk.ledger.submit([draft]).result(5)
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


async def test_a_receipt_is_kept_by_the_ledger(desk: Desk) -> None:
    desk.append(3)
    desk.receipt()
    await until(lambda: desk.inbox.newest_receipt is not None)
    assert desk.inbox.newest_receipt == (3, desk.clock.now())
    kept = desk.ledger.receipt()
    assert kept is not None
    assert kept[0] == 3


async def test_a_receipt_that_covers_nothing_more_is_not_kept_again(desk: Desk) -> None:
    desk.append(3)
    note = desk.ledger.seal_head().result(5)
    desk.receipt(note)
    await until(lambda: desk.inbox.newest_receipt is not None)
    first = desk.ledger.receipt()
    desk.inbox.take(f"{PREFIX}/receipt", PROVINCE.cosign(note, 1_767_300_000))
    await asyncio.sleep(0.05)
    assert desk.ledger.receipt() == first
    assert desk.inbox.refused == {}


async def test_of_several_receipts_the_furthest_is_kept(desk: Desk) -> None:
    notes = []
    for _ in range(3):
        desk.append(2)
        notes.append(desk.ledger.seal_head().result(5))
    for note in (notes[1], notes[2], notes[0]):
        desk.receipt(note)
    await until(lambda: desk.inbox.newest_receipt is not None)
    kept = desk.ledger.receipt()
    assert kept is not None
    assert kept[0] == 6


async def test_a_receipt_by_a_stranger_is_counted_and_dropped(desk: Desk) -> None:
    desk.append(1)
    desk.receipt(signer=Signer.generate("province.example"))
    assert desk.inbox.refused == {"receipt": 1}


async def test_a_receipt_for_a_head_that_we_never_had_is_counted_and_dropped(
    desk: Desk,
) -> None:
    desk.append(2)
    desk.receipt(SIGNER.checkpoint(Checkpoint(ORIGIN, 2, bytes(32))))
    await until(lambda: desk.inbox.refused["receipt"] == 1)
    assert desk.ledger.receipt() is None


async def test_a_receipt_for_more_than_we_hold_is_counted_and_dropped(desk: Desk) -> None:
    desk.receipt(SIGNER.checkpoint(Checkpoint(ORIGIN, 9, bytes(32))))
    assert desk.inbox.refused == {"receipt": 1}


async def test_a_receipt_that_the_disk_does_not_take_is_dropped_and_the_next_is_kept(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    add, faults = desk.ledger.add_receipt, [StorageFull("full")]

    def failing(note: bytes, size: int) -> Future[None]:
        if not faults:
            return add(note, size)
        future: Future[None] = Future()
        future.set_exception(faults.pop())
        return future

    monkeypatch.setattr(desk.ledger, "add_receipt", failing)
    desk.append(1)
    desk.receipt()
    await until(lambda: not faults)
    desk.append(1)
    desk.receipt()
    await until(lambda: desk.inbox.newest_receipt is not None)
    kept = desk.ledger.receipt()
    assert kept is not None
    assert kept[0] == 2


async def test_a_flood_of_receipts_is_not_even_looked_at(desk: Desk) -> None:
    for _ in range(VERIFY_MOST + 5):
        desk.inbox.take(f"{PREFIX}/receipt", b"forged")
    assert desk.inbox.refused == {"receipt": VERIFY_MOST + 5}
    desk.append(1)
    desk.receipt()
    await asyncio.sleep(0.05)
    assert desk.inbox.newest_receipt is None
