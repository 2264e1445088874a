"""The uplink against brokers that refuse, vanish or are of another age."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from edge.domain.record import Lane, Record
from edge.errors import StorageFull
from edge.ledger.checkpoint import Signer
from edge.uplink import connection, courier, patience
from edge.uplink.spec import BrokerSpec
from tests.docs.contract import validate
from tests.support import our_threads
from tests.uplink.rig import PREFIX, Rig, until
from tests.uplink.scripted import PUBLISH, QUOTA_EXCEEDED, Published, Script, ScriptedBroker, packet


def records_in(broker: ScriptedBroker) -> list[int]:
    return [
        int(json.loads(item.payload)["id"])
        for item in broker.published
        if item.topic.endswith(("/alarm", "/record"))
    ]


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


async def test_what_was_under_way_when_the_line_broke_is_sent_again(tmp_path: Path) -> None:
    script = Script(puback=lambda item: None if item.topic.endswith("/record") else 0)
    async with ScriptedBroker(script) as broker, Rig(tmp_path, broker.spec()) as rig:
        await rig.routine(5)
        await until(lambda: len(records_in(broker)) == 5)
        script.puback = lambda _item: 0
        broker.hang_up()
        await until(lambda: rig.ledger.cursor("routine") == 5)
        assert not rig.ledger.cursor("alarm")
    assert records_in(broker) == [0, 1, 2, 3, 4] * 2


async def test_nothing_is_published_while_offline_and_nothing_twice_afterwards(
    tmp_path: Path,
) -> None:
    async with ScriptedBroker() as broker:
        spec = broker.spec()
    async with Rig(tmp_path, spec) as rig:
        for _ in range(3):
            await rig.routine(10)
            await asyncio.sleep(0.1)
        assert not rig.uplink.connected
        assert "nothing listens" in rig.uplink.fault
        assert rig.ledger.backlog(Lane.ROUTINE)[0] == 30
        assert rig.ledger.checkpoint() is None or rig.ledger.size == 30


async def test_a_broker_of_3_1_1_is_spoken_to_in_3_1_1(tmp_path: Path) -> None:
    script = Script(versions=frozenset({4}))
    async with ScriptedBroker(script) as broker, Rig(tmp_path, broker.spec()) as rig:
        await rig.routine(2)
        await until(lambda: rig.ledger.cursor("routine") == 2)
        broker.hang_up()
        await until(lambda: len(broker.connects) == 3)
    assert broker.connects[:2] == [5, 4]
    assert broker.connects[2] == 4  # it said so for certain, and is not asked again


async def test_a_broker_that_slams_the_door_at_5_is_tried_with_3_1_1(tmp_path: Path) -> None:
    script = Script(versions=frozenset({4}), slams=True)
    async with ScriptedBroker(script) as broker, Rig(tmp_path, broker.spec()) as rig:
        await rig.routine(1)
        await until(lambda: rig.ledger.cursor("routine") == 1)
    assert broker.connects == [5, 4]


async def test_a_configured_version_is_the_only_one_tried(tmp_path: Path) -> None:
    script = Script(versions=frozenset({4}))
    async with ScriptedBroker(script) as broker, Rig(tmp_path, broker.spec(protocol="5")) as rig:
        await until(lambda: len(broker.connects) >= 2)
        assert set(broker.connects) == {5}
        assert "version of MQTT" in rig.uplink.fault


async def test_the_next_broker_is_tried_when_the_first_is_gone(tmp_path: Path) -> None:
    async with ScriptedBroker() as gone:
        lost = gone.spec()
    async with ScriptedBroker() as broker, Rig(tmp_path, lost, broker.spec()) as rig:
        await rig.routine(1)
        await until(lambda: rig.ledger.cursor("routine") == 1)
        assert rig.uplink.broker == f"127.0.0.1:{broker.port}"


async def test_the_servers_window_holds_with_a_backlog(tmp_path: Path) -> None:
    script = Script(properties=b"\x21\x00\x04")
    async with ScriptedBroker(script) as broker, Rig(tmp_path, broker.spec(), run=False) as rig:
        await rig.routine(60)
        await rig.add(*(rig.opened(f"i/{n}") for n in range(5)))
        rig.start()
        await until(lambda: (rig.ledger.cursor("routine"), rig.ledger.cursor("alarm")) == (60, 65))
    assert broker.most_unacknowledged <= 4
    assert records_in(broker)[:5] == [60, 61, 62, 63, 64]


async def test_a_stop_without_a_broker_is_quick_and_says_what_waits(tmp_path: Path) -> None:
    async with ScriptedBroker() as broker:
        spec = broker.spec()
    async with Rig(tmp_path, spec) as rig:
        await rig.routine(7)
        await asyncio.sleep(0.1)
        began = time.monotonic()
        assert (await rig.stop()).startswith("7 records wait; 127.0.0.1")
        assert time.monotonic() - began < 1.0


async def test_a_stop_with_a_broker_that_acknowledges_nothing_keeps_to_its_time(
    tmp_path: Path,
) -> None:
    script = Script(puback=lambda _item: None)
    async with ScriptedBroker(script) as broker, Rig(tmp_path, broker.spec()) as rig:
        await rig.routine(3)
        await until(lambda: broker.unacknowledged > 0)
        began = time.monotonic()
        assert "3 records wait" in await rig.stop(1.0)
        assert time.monotonic() - began < 1.3
    assert not [thread for thread in threading.enumerate() if thread.name == "eseal-dial"]


async def test_a_stop_delivers_what_waits_and_says_goodbye_last(tmp_path: Path) -> None:
    async with ScriptedBroker() as broker, Rig(tmp_path, broker.spec()) as rig:
        await until(lambda: rig.uplink.connected)
        await rig.routine(300)
        picture = await rig.picture(b"p" * 100_000)
        await rig.add(rig.opened("a/b/-/1", [picture]))
        assert await rig.stop() == ""
        assert rig.task is not None
        await asyncio.wait_for(rig.task, 1.0)
        assert rig.ledger.cursor("evidence") == 301
    assert sorted(set(records_in(broker))) == list(range(301))
    last = broker.published[-1]
    assert last.topic == f"{PREFIX}/state"
    assert last.retain
    assert json.loads(last.payload)["reason"] == "stopped"
    checkpoints = [item for item in broker.published if item.topic.endswith("/checkpoint")]
    assert checkpoints[-1].payload == rig.ledger.checkpoint()
    assert broker.goodbyes == 1


async def test_the_state_message_is_as_the_document_says(tmp_path: Path) -> None:
    async with ScriptedBroker() as broker, Rig(tmp_path, broker.spec(), run=False) as rig:
        await rig.add(rig.opened("a/b/-/1"), rig.health(1))
        rig.start()
        await until(lambda: any(item.topic == f"{PREFIX}/state" for item in broker.published))
        await rig.stop()
    states = [json.loads(i.payload) for i in broker.published if i.topic == f"{PREFIX}/state"]
    for state in states:
        validate("state", state)
    assert [state["online"] for state in states] == [True, False]
    assert states[0]["size"] == 2


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


async def test_a_dead_line_is_left_and_a_new_one_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "ACK_TIMEOUT_S", 0.4)
    script = Script(puback=lambda _item: None)
    async with ScriptedBroker(script) as broker, Rig(tmp_path, broker.spec()) as rig:
        await rig.routine(2)
        await until(lambda: broker.unacknowledged == 4)  # two records, checkpoint, state
        script.puback = lambda _item: 0
        await until(lambda: rig.ledger.cursor("routine") == 2)
        assert len(broker.connects) == 2


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


async def test_an_order_that_is_too_large_for_us_does_not_stop_the_delivery(
    tmp_path: Path,
) -> None:
    """A broker of 3.1.1 sends it again at each connection: so the next one does not listen."""
    order = packet(PUBLISH, b"\x00\x05order\x00\x01" + bytes(100_000), flags=2)
    script = Script(versions=frozenset({4}), greeting=order)
    async with ScriptedBroker(script) as broker, Rig(tmp_path, broker.spec()) as rig:
        await rig.routine(3)
        await until(lambda: rig.ledger.cursor("routine") == 3)
    assert broker.clean[-1] is True
    assert broker.clean[0] is False


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


async def test_a_cancelled_uplink_leaves_no_thread_and_no_open_socket(tmp_path: Path) -> None:
    spec = BrokerSpec(host="127.0.0.1", port=1)
    before = our_threads()
    async with Rig(tmp_path, spec):
        await asyncio.sleep(0.05)
    async with ScriptedBroker() as broker, Rig(tmp_path, broker.spec()) as rig:
        await until(lambda: rig.uplink.connected)
    assert our_threads() <= before
