"""Orders that need the outside world: each gets exactly one answer, whatever happens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from edge import errands as module
from edge.clock import ManualClock
from edge.domain.activity import EvidenceRef
from edge.domain.mine import OrderKind
from edge.domain.observation import ChallengeRun
from edge.domain.record import Draft
from edge.errands import Errands
from edge.errors import SourceError, StorageFull
from edge.ledger.keys import gateway_signer
from edge.ledger.store import Ledger
from edge.vision import glimpse
from edge.vision.glimpse import Glimpses
from edge.vision.picture import Picture
from tests.orders import an_order
from tests.recording import Bench, FakeLedger

SHA = "ab" * 32


class Sender:
    def __init__(self) -> None:
        self.done: list[Any] = []
        self.why = ""

    async def fetch(self, sha256: str) -> str:
        self.done.append(sha256)
        return self.why

    async def resend(self, start: int, end: int) -> int:
        self.done.append((start, end))
        return end - start


class Challenger:
    codes = frozenset({"mouth-lamp"})

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.fault: SourceError | None = None

    async def once(self, code: str) -> list[ChallengeRun]:
        if self.fault is not None:
            raise self.fault
        now, ref = self.clock.now(), EvidenceRef(SHA, "image/jpeg", 3, "lamp on")
        return [
            ChallengeRun("gate-cam", now, code, True, "01", (1.0, 2.0), 9.0, 1),
            ChallengeRun("shaft-cam", now, code, False, "01", (1.0, 1.0), 0.0, 2, (ref,)),
        ]


class Desk:
    """Errands, and the answers that they gave."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.ledger = FakeLedger()
        self.ledger.size = 10  # type: ignore[attr-defined]
        self.sender = Sender()
        self.glimpses = Glimpses()
        self.answers: asyncio.Queue[Draft] = asyncio.Queue()
        self.errands = Errands(
            frozenset({"shaft-cam"}),
            self.glimpses,
            cast("Ledger", self.ledger),
            Path("/nowhere"),
            Bench(),
            self.clock,
            self.answers.put_nowait,
        )
        self.errands.sender = self.sender

    async def do(self, kind: OrderKind, **args: Any) -> dict[str, Any]:
        self.errands.take(an_order(kind, args, self.clock.now()))
        answer = await asyncio.wait_for(self.answers.get(), 5)
        return dict(answer.data)

    def picture(self) -> Picture:
        return Picture(np.full((90, 160, 3), 99, np.uint8), self.clock.now())


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    desk = Desk()
    task = asyncio.create_task(desk.errands.run())
    yield desk
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_snapshot_is_the_next_picture_kept_as_evidence(desk: Desk) -> None:
    def wake() -> None:
        desk.glimpses.seen("shaft-cam", desk.picture())

    with desk.glimpses.offered("shaft-cam", wake):
        answer = await desk.do(OrderKind.SNAPSHOT, camera="shaft-cam")
    assert answer["result"] == "done"
    assert answer["detail"] == {"camera": "shaft-cam", "taken": desk.clock.now().iso()}
    assert [ref["sha256"] for ref in answer["evidence"]] == list(desk.ledger.evidence)


async def test_a_challenge_is_run_and_the_answer_says_who_saw_the_lamp(desk: Desk) -> None:
    answer = await desk.do(OrderKind.CHALLENGE, lamp="mouth-lamp")
    assert answer["reason"]["en"] == "no lamp is called mouth-lamp"
    desk.errands.challenger = challenger = Challenger(desk.clock)
    answer = await desk.do(OrderKind.CHALLENGE, lamp="mouth-lamp")
    assert answer["result"] == "done"
    assert answer["detail"] == {"lamp": "mouth-lamp", "gate-cam": "seen", "shaft-cam": "not seen"}
    assert [ref["caption"] for ref in answer["evidence"]] == ["lamp on"]
    challenger.fault = SourceError("the coil does not answer")
    answer = await desk.do(OrderKind.CHALLENGE, lamp="mouth-lamp")
    assert answer["reason"]["en"] == "the coil does not answer"


async def test_a_camera_that_is_lost_or_unknown_is_the_reason_of_a_failure(desk: Desk) -> None:
    answer = await desk.do(OrderKind.SNAPSHOT, camera="shaft-cam")
    assert answer["reason"]["en"] == "the camera gives no picture"
    answer = await desk.do(OrderKind.SNAPSHOT, camera="gate-cam")
    assert answer["reason"]["en"] == "no camera is called gate-cam"


async def test_a_camera_that_stays_silent_or_is_lost_meanwhile_does_not_block(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(glimpse, "WAIT_S", 0.05)
    with desk.glimpses.offered("shaft-cam", lambda: None):
        answer = await desk.do(OrderKind.SNAPSHOT, camera="shaft-cam")
        assert answer["reason"]["en"].startswith("no picture within")
        assert desk.glimpses.wanted("shaft-cam")
        desk.glimpses.seen("shaft-cam", desk.picture())  # too late for whoever asked
        assert not desk.glimpses.wanted("shaft-cam")
    monkeypatch.setattr(glimpse, "WAIT_S", 5)
    with desk.glimpses.offered("shaft-cam", lambda: None):
        asked = asyncio.create_task(desk.glimpses.ask("shaft-cam"))
        gone = asyncio.create_task(desk.glimpses.ask("shaft-cam"))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.sleep(0)
    with pytest.raises(SourceError, match="lost meanwhile"):
        await asked


async def test_a_disk_that_takes_no_picture_is_the_reason_of_a_failure(desk: Desk) -> None:
    desk.ledger.evidence_fault = StorageFull("disk full")
    with desk.glimpses.offered(
        "shaft-cam", lambda: desk.glimpses.seen("shaft-cam", desk.picture())
    ):
        answer = await desk.do(OrderKind.SNAPSHOT, camera="shaft-cam")
    assert answer["reason"]["en"] == "disk full"


async def test_records_and_files_go_again(desk: Desk) -> None:
    answer = await desk.do(OrderKind.RESEND, start=2, end=500)
    assert answer["detail"] == {"records": 8}
    assert (await desk.do(OrderKind.RESEND, sha256=SHA))["detail"] == {"sha256": SHA}
    assert desk.sender.done == [(2, 10), SHA]
    desk.sender.why = "missing"
    answer = await desk.do(OrderKind.RESEND, sha256=SHA)
    assert answer["reason"]["en"] == "the evidence cannot be sent: missing"
    answer = await desk.do(OrderKind.RESEND, start=10, end=11)
    assert answer["reason"]["en"] == "the ledger does not reach so far"


async def test_too_many_orders_at_once_are_answered_with_a_failure() -> None:
    desk = Desk()
    for _ in range(module.QUEUE_LIMIT):
        desk.errands.take(an_order(OrderKind.RESEND, {"sha256": SHA}, desk.clock.now()))
    answer = await desk.do(OrderKind.RESEND, sha256=SHA)
    assert answer["reason"]["en"] == "too many orders of this kind wait"


class TestKey:
    """A new key on order, with a real ledger."""

    @pytest.fixture
    def ledger(self, tmp_path: Path) -> Iterator[Ledger]:
        name = "eseal/220182000001/gw1"
        signer = gateway_signer(tmp_path, name)
        ledger = Ledger.open(tmp_path, origin=name, signer=signer, clock=ManualClock())
        yield ledger
        ledger.close()

    async def order(self, ledger: Ledger, directory: Path, clock: ManualClock) -> dict[str, Any]:
        desk = Desk()
        desk.errands._ledger, desk.errands._directory = ledger, directory
        task = asyncio.create_task(desk.errands.run())
        desk.clock = clock
        try:
            return await desk.do(OrderKind.ROTATE_KEY, by="王主任")
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def test_the_ledger_goes_on_under_the_new_key(
        self, ledger: Ledger, tmp_path: Path
    ) -> None:
        old = ledger.vkey
        clock = ManualClock()
        clock.advance(10)
        answer = await self.order(ledger, tmp_path, clock)
        assert answer["result"] == "done"
        assert answer["detail"] == {"key": ledger.vkey, "record": 0}
        assert ledger.vkey != old
        assert str(gateway_signer(tmp_path, "eseal/220182000001/gw1").verifier) == ledger.vkey

    async def test_an_order_that_was_obeyed_before_a_restart_is_only_answered(
        self, ledger: Ledger, tmp_path: Path
    ) -> None:
        clock = ManualClock()  # the order came no later than the change that it led to
        first = await self.order(ledger, tmp_path, clock)
        again = await self.order(ledger, tmp_path, clock)
        assert again["detail"] == first["detail"]
        assert ledger.size == 1

    async def test_a_key_that_systemd_hands_us_cannot_be_changed(
        self, ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
        clock = ManualClock()
        clock.advance(10)
        answer = await self.order(ledger, tmp_path, clock)
        assert answer["result"] == "failed"
        assert "cannot be changed here" in answer["reason"]["en"]
