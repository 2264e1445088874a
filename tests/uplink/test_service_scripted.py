"""The uplink against brokers that refuse, vanish or are of another age."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from pathlib import Path

import pytest

from edge.domain.record import Lane
from edge.uplink import connection
from edge.uplink.spec import BrokerSpec
from tests.docs.contract import validate
from tests.support import our_threads
from tests.uplink.rig import PREFIX, Rig, until
from tests.uplink.scripted import (
    PUBLISH,
    Script,
    ScriptedBroker,
    packet,
    records_in,
)


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


async def test_a_cancelled_uplink_leaves_no_thread_and_no_open_socket(tmp_path: Path) -> None:
    spec = BrokerSpec(host="127.0.0.1", port=1)
    before = our_threads()
    async with Rig(tmp_path, spec):
        await asyncio.sleep(0.05)
    async with ScriptedBroker() as broker, Rig(tmp_path, broker.spec()) as rig:
        await until(lambda: rig.uplink.connected)
    assert our_threads() <= before
