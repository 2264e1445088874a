"""What goes up, and goes again where it was refused or no receipt covers it."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from edge.domain.record import Lane, Record
from edge.errors import StorageFull
from edge.ledger.checkpoint import Signer
from edge.uplink import courier, patience
from tests.uplink.rig import PREFIX, Rig, until
from tests.uplink.scripted import (
    QUOTA_EXCEEDED,
    Published,
    Script,
    ScriptedBroker,
    records_in,
)


def refuse_records(item: Published) -> int:
    return QUOTA_EXCEEDED if item.topic.endswith("/record") else 0


async def test_a_failing_puback_does_not_move_the_cursor_and_the_record_goes_again(
    tmp_path: Path,
) -> None:
    script = Script(puback=refuse_records)
    async with ScriptedBroker(script) as broker, Rig(tmp_path, broker.spec()) as rig:
        await rig.routine(3)
        await until(lambda: len(records_in(broker)) >= 3)
        await rig.add(rig.opened("a/b/-/1"))
        await until(lambda: rig.ledger.cursor("alarm") == 4)
        assert rig.ledger.cursor("routine") == 0
        assert rig.ledger.backlog(Lane.ROUTINE)[0] == 3
        script.puback = lambda _item: 0
        await until(lambda: rig.ledger.cursor("routine") == 3)
    assert sorted(set(records_in(broker))) == [0, 1, 2, 3]
    assert len(records_in(broker)) > 4


async def test_one_record_that_is_refused_holds_the_cursor_but_not_the_others(
    tmp_path: Path,
) -> None:
    def refuse_first(item: Published) -> int:
        first = item.topic.endswith("/record") and json.loads(item.payload)["id"] == "0"
        return QUOTA_EXCEEDED if first else 0

    script = Script(puback=refuse_first)
    async with ScriptedBroker(script) as broker, Rig(tmp_path, broker.spec()) as rig:
        await rig.routine(5)
        await until(lambda: {1, 2, 3, 4} <= set(records_in(broker)))
        await asyncio.sleep(0.3)
        assert rig.ledger.cursor("routine") == 0


async def test_evidence_that_is_gone_is_skipped_and_counted(tmp_path: Path) -> None:
    async with ScriptedBroker() as broker, Rig(tmp_path, broker.spec()) as rig:
        there, gone = await rig.picture(b"a" * 10), await rig.picture(b"b" * 10)
        rig.ledger.evidence_path(gone["sha256"]).unlink()
        large = {**there, "sha256": "0" * 64, "size": 5_000_000}
        await rig.add(rig.opened("a/b/-/1", [gone, large, there]))
        await rig.add(rig.opened("a/b/-/2", [there]))
        await until(lambda: rig.ledger.cursor("evidence") == 2)
        assert rig.uplink.evidence == {"missing": 1, "kept_back": 1, "sent": 1}
    parts = [item for item in broker.published if "/evidence/" in item.topic]
    assert [item.topic for item in parts] == [f"{PREFIX}/evidence/{there['sha256']}/0"]


async def test_evidence_that_is_refused_goes_again_before_its_cursor_moves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.uplink.repeating.RETRY_S", 0.1)
    script = Script(puback=lambda item: QUOTA_EXCEEDED if "/evidence/" in item.topic else 0)
    async with ScriptedBroker(script) as broker, Rig(tmp_path, broker.spec()) as rig:
        await rig.add(rig.opened("a/b/-/1", [await rig.picture(b"a" * 10)]))
        await until(lambda: sum("/evidence/" in item.topic for item in broker.published) >= 2)
        assert rig.ledger.cursor("evidence") == 0
        script.puback = lambda _item: 0
        await until(lambda: rig.ledger.cursor("evidence") == 1)


async def test_the_memory_of_sent_files_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(courier, "_REMEMBERED", 2)
    async with ScriptedBroker() as broker, Rig(tmp_path, broker.spec()) as rig:
        pictures = [await rig.picture(b"%d" % n) for n in range(3)]
        await rig.add(rig.opened("a/b/-/1", pictures))
        await until(lambda: rig.ledger.cursor("evidence") == 1)
        assert list(rig.uplink._delivery.freight._courier._done) == [
            p["sha256"] for p in pictures[1:]
        ]


async def test_small_packets_make_small_parts(tmp_path: Path) -> None:
    script = Script(properties=b"\x27\x00\x00\x10\x00")  # 4096 bytes
    async with ScriptedBroker(script) as broker, Rig(tmp_path, broker.spec()) as rig:
        await rig.add(rig.opened("a/b/-/1", [await rig.picture(b"a" * 10_000)]))
        await until(lambda: rig.ledger.cursor("evidence") == 1)
    parts = [item.payload for item in broker.published if "/evidence/" in item.topic]
    assert len(parts) == 4
    assert max(map(len, parts)) < 4096


async def test_records_that_no_receipt_covers_go_again(tmp_path: Path) -> None:
    province = Signer.generate("province.example")
    async with (
        ScriptedBroker() as broker,
        Rig(tmp_path, broker.spec(), keys=(str(province.cosigner),), run=False) as rig,
    ):
        rig.uplink._herald.patience = patience.Patience(_wait_s=0.2)
        await rig.routine(3)
        await rig.add(rig.opened("a/b/-/1"))
        rig.start()
        await until(lambda: sorted(records_in(broker)) == [0, 0, 1, 1, 2, 2, 3, 3])
        assert rig.ledger.cursor("routine") <= 4
        await rig.routine(1)
        await until(lambda: 4 in records_in(broker))


async def test_without_a_key_for_receipts_nothing_goes_again(tmp_path: Path) -> None:
    async with ScriptedBroker() as broker, Rig(tmp_path, broker.spec(), run=False) as rig:
        rig.uplink._herald.patience = patience.Patience(_wait_s=0.1)
        await rig.routine(3)
        rig.start()
        await until(lambda: len(records_in(broker)) == 3)
        await asyncio.sleep(0.3)
        await rig.add(rig.opened("a/b/-/1"))
        await until(lambda: 3 in records_in(broker))
        assert len(records_in(broker)) == 4


async def test_a_full_disk_under_the_uplink_is_told_and_waited_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.uplink.repeating.RETRY_S", 0.05)
    async with ScriptedBroker() as broker, Rig(tmp_path, broker.spec(), run=False) as rig:
        await rig.routine(3)
        pending, faults = rig.ledger.pending, [StorageFull("no page"), StorageFull("no page")]

        def failing(*args: Any) -> list[Record]:
            if faults:
                raise faults.pop()
            return pending(*args)

        monkeypatch.setattr(rig.ledger, "pending", failing)
        rig.start()
        await until(lambda: rig.ledger.cursor("routine") == 3)
        assert not faults


async def test_cursors_that_cannot_be_stored_are_stored_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with ScriptedBroker() as broker, Rig(tmp_path, broker.spec(), run=False) as rig:
        await rig.routine(3)
        move, faults = rig.ledger.move_cursor, [StorageFull("full"), StorageFull("full")]

        def failing(name: str, index: int) -> Future[None]:
            if not faults:
                return move(name, index)
            future: Future[None] = Future()
            future.set_exception(faults.pop())
            return future

        monkeypatch.setattr(rig.ledger, "move_cursor", failing)
        rig.start()
        await until(lambda: rig.ledger.cursor("routine") == 3)
        assert rig.uplink.newest_puback is not None
        assert rig.uplink.refused == {}
