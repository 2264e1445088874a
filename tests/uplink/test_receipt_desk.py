from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import Future
from pathlib import Path

import pytest

from edge.clock import ManualClock, Stamp
from edge.domain.observation import ClockCompared
from edge.domain.record import Draft, RecordType
from edge.errors import StorageFull
from edge.ledger.checkpoint import Checkpoint, Signer
from edge.ledger.store import Ledger
from edge.ledger.succession import Break, Reason
from edge.uplink.receipt_desk import VERIFY_MOST, Hooks, ReceiptDesk
from tests.uplink.rig import ORIGIN, SIGNER, until

PROVINCE = Signer.generate("province.example")


class Desk:
    """A desk over a real ledger, and what it told."""

    def __init__(self, directory: Path, *, keys: bool = True) -> None:
        self.clock = ManualClock()
        self.ledger = Ledger.open(directory, origin=ORIGIN, signer=SIGNER, clock=self.clock)
        self.said: dict[int, Stamp] = {}
        self.heard = 0
        self.breaks: list[Break] = []
        self.ends = True
        self.compared: list[ClockCompared] = []
        hooks = Hooks(self.said.get, self._heard, self._broke, self.compared.append)
        given = (PROVINCE.verifier, PROVINCE.cosigner) if keys else (PROVINCE.verifier,)
        self.desk = ReceiptDesk(given, self.ledger, self.clock, hooks)

    def _heard(self) -> None:
        self.heard += 1

    def _broke(self, broken: Break) -> bool:
        self.breaks.append(broken)
        return self.ends

    def receipt(self, note: bytes | None = None, signer: Signer = PROVINCE) -> None:
        if note is None:
            note = self.ledger.seal_head().result(5)
        self.desk.take(signer.cosign(note, 1_767_225_600))

    def append(self, count: int) -> None:
        now = self.clock.now()
        drafts = [Draft(RecordType.GATEWAY_HEALTH, now, {"n": n}) for n in range(count)]
        self.ledger.submit(drafts).result(5)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    desk = Desk(tmp_path)
    task = asyncio.create_task(desk.desk.keep())
    yield desk
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    desk.ledger.close()


async def test_a_receipt_is_kept_by_the_ledger(desk: Desk) -> None:
    desk.append(3)
    desk.receipt()
    await until(lambda: desk.desk.newest is not None)
    assert desk.desk.newest == (3, desk.clock.now())
    kept = desk.ledger.receipt()
    assert kept is not None
    assert kept[0] == 3
    assert desk.heard == 1


async def test_a_receipt_that_covers_nothing_more_is_not_kept_again(desk: Desk) -> None:
    desk.append(3)
    note = desk.ledger.seal_head().result(5)
    desk.receipt(note)
    await until(lambda: desk.desk.newest is not None)
    first = desk.ledger.receipt()
    desk.desk.take(PROVINCE.cosign(note, 1_767_300_000))
    await asyncio.sleep(0.05)
    assert desk.ledger.receipt() == first
    assert desk.desk.refused == {}


async def test_of_several_receipts_the_furthest_is_kept(desk: Desk) -> None:
    notes = []
    for _ in range(3):
        desk.append(2)
        notes.append(desk.ledger.seal_head().result(5))
    for note in (notes[1], notes[2], notes[0]):
        desk.receipt(note)
    await until(lambda: desk.desk.newest is not None)
    kept = desk.ledger.receipt()
    assert kept is not None
    assert kept[0] == 6


async def test_a_receipt_by_a_stranger_is_counted_and_dropped(desk: Desk) -> None:
    desk.append(1)
    desk.receipt(signer=Signer.generate("province.example"))
    assert desk.desk.refused == {"receipt": 1}
    assert desk.heard == 0
    assert desk.compared == []


async def test_a_receipt_for_a_head_that_we_never_had_ends_this_log(desk: Desk) -> None:
    desk.append(2)
    desk.receipt(SIGNER.checkpoint(Checkpoint(ORIGIN, 2, bytes(32))))
    assert [broken.reason for broken in desk.breaks] == [Reason.REPLACED]
    assert desk.heard == 0
    desk.receipt()  # what comes now is for the next epoch to judge
    assert desk.heard == 0
    assert desk.ledger.receipt() is None


async def test_a_receipt_for_more_than_we_hold_ends_this_log(desk: Desk) -> None:
    desk.append(2)
    desk.receipt(SIGNER.checkpoint(Checkpoint(ORIGIN, 9, bytes(32))))
    (broken,) = desk.breaks
    assert broken.reason is Reason.ROLLED_BACK
    assert broken.started_with == 0


async def test_where_no_epoch_may_begin_such_a_receipt_is_refused_each_time(desk: Desk) -> None:
    desk.ends = False
    for _ in range(2):
        desk.receipt(SIGNER.checkpoint(Checkpoint(ORIGIN, 9, bytes(32))))
    assert len(desk.breaks) == 2
    assert desk.desk.refused == {"receipt": 2}


async def test_a_receipt_for_an_epoch_that_ended_is_heard_and_not_kept(tmp_path: Path) -> None:
    later = f"{ORIGIN}/1-0badcafe"
    ledger = Ledger.open(tmp_path, origin=later, signer=SIGNER, clock=ManualClock())
    heard: list[bool] = []
    hooks = Hooks(lambda _size: None, lambda: heard.append(True), lambda _b: True, lambda _c: None)
    desk = ReceiptDesk([PROVINCE.cosigner], ledger, ManualClock(), hooks)
    desk.take(PROVINCE.cosign(SIGNER.checkpoint(Checkpoint(ORIGIN, 500, bytes(32))), 5))
    assert heard == [True]
    assert desk._waiting is None
    ledger.close()


async def test_what_a_receipt_tells_about_the_clock_is_passed_on(desk: Desk) -> None:
    desk.append(1)
    desk.said[1] = desk.clock.now()
    desk.clock.advance(2)
    desk.receipt()
    (told,) = desk.compared
    assert told.least_s is not None
    assert told.most_s - told.least_s == pytest.approx(3)


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
    await until(lambda: desk.desk.newest is not None)
    kept = desk.ledger.receipt()
    assert kept is not None
    assert kept[0] == 2


async def test_a_flood_of_receipts_is_not_even_looked_at(desk: Desk) -> None:
    for _ in range(VERIFY_MOST + 5):
        desk.desk.take(b"forged")
    assert desk.desk.refused == {"receipt": VERIFY_MOST + 5}
    desk.append(1)
    desk.receipt()
    await asyncio.sleep(0.05)
    assert desk.desk.newest is None


async def test_without_a_key_receipts_are_counted_and_nothing_is_said(tmp_path, capsys) -> None:
    desk = Desk(tmp_path, keys=False)
    desk.append(1)
    for _ in range(3):
        desk.receipt()
    assert not desk.desk.open
    assert desk.desk.refused == {"receipt": 3}
    assert "receipt" not in capsys.readouterr().out
    desk.ledger.close()
