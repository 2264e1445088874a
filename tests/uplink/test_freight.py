"""What an order asks for again, beside the lanes."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.domain.record import Lane
from edge.ledger.spare import Spare
from edge.uplink import freight
from edge.uplink.spec import UplinkSpec
from simulators.province.broker import Broker
from simulators.province.service import Province
from tests.support import require_program
from tests.uplink.rig import GATEWAY, MINE, Rig, until, via
from tests.uplink.scripted import Published, Script, ScriptedBroker


@pytest.fixture
def mosquitto() -> None:
    require_program("mosquitto")


async def test_a_range_goes_again_over_both_lanes_and_nothing_else(tmp_path: Path) -> None:
    async with ScriptedBroker() as broker, Rig(tmp_path, broker.spec()) as rig:
        await rig.routine(3)
        await rig.add(rig.opened("a/b/-/1"))
        await rig.routine(3)
        await until(lambda: rig.ledger.cursor("routine") == 7)
        broker.published.clear()
        assert await rig.uplink.resend(2, 6) == 4
        names = [item.topic.rpartition("/")[2] for item in broker.published]
        topics = [name for name in names if name in {"alarm", "record"}]
        assert topics == ["alarm", "record", "record", "record"]


async def test_a_repetition_waits_for_a_connection_and_goes_on_where_it_was_after_a_loss(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(freight, "RETRY_S", 0.05)
    script = Script()
    async with ScriptedBroker(script) as broker, Rig(tmp_path, broker.spec(), run=False) as rig:
        await rig.routine(5)
        work = asyncio.create_task(rig.uplink.resend(0, 5))
        await asyncio.sleep(0.1)
        assert not work.done()
        rig.start()
        assert await asyncio.wait_for(work, 5) == 5
        await until(lambda: rig.ledger.cursor("routine") == 5)
        broker.published.clear()
        script.puback = lambda _item: 0 if len(records_of(broker)) < 4 else None
        work = asyncio.create_task(rig.uplink.resend(0, 5))
        await until(lambda: len(records_of(broker)) == 4)
        script.puback = lambda _item: 0
        broker.hang_up()
        assert await asyncio.wait_for(work, 5) == 5
        indices = [json.loads(item.payload)["id"] for item in records_of(broker)]
        assert indices == ["0", "1", "2", "3", "3", "4"]


def records_of(broker: ScriptedBroker) -> list[Published]:
    return [item for item in broker.published if item.topic.endswith("/record")]


async def test_a_repetition_keeps_to_the_pace_of_the_uplink(tmp_path: Path) -> None:
    spec = UplinkSpec(replay_jitter_s=0.0, replay_records_s=50)
    async with ScriptedBroker() as broker, Rig(tmp_path, broker.spec(), spec=spec) as rig:
        await rig.routine(30)
        await until(lambda: rig.ledger.cursor("routine") == 30)
        began = time.monotonic()
        assert await rig.uplink.resend(0, 30) == 30
        assert 0.3 < time.monotonic() - began < 3.0


async def test_a_file_is_fetched_on_order(tmp_path: Path) -> None:
    async with ScriptedBroker() as broker, Rig(tmp_path, broker.spec()) as rig:
        ref = await rig.picture(b"\xff\xd8\xff" + b"x" * 100_000)
        assert await asyncio.wait_for(rig.uplink.fetch(ref["sha256"]), 5) == ""
        assert await asyncio.wait_for(rig.uplink.fetch("0" * 64), 5) == "missing"
    parts = [item.topic for item in broker.published if "/evidence/" in item.topic]
    assert [topic.rpartition("/")[2] for topic in parts] == ["0", "1"]


@pytest.mark.usefixtures("mosquitto")
async def test_an_upload_of_megabytes_goes_on_over_cuts_while_alarms_stay_fast(
    tmp_path: Path,
) -> None:
    data = hashlib.sha512(b"film").digest() * 25_000  # 1.6 MB
    async with (
        Broker() as broker,
        Province(broker.host, broker.province_port) as province,
        Rig(
            tmp_path,
            via(broker),
            spec=UplinkSpec(replay_jitter_s=0.0, evidence_kb_s=1500),
            progress=Spare(tmp_path / "upload.json"),
        ) as rig,
    ):
        view = province.view(MINE, GATEWAY)
        ref = await rig.picture(data)
        await rig.add(rig.opened("a/b/-/1", [{**ref, "media_type": "video/mp4"}]))
        for cut in range(2):
            await province.wait_until(has_parts(4 * (cut + 1)), 10)
            await broker.cut()
            await broker.restore()
            await until(lambda: rig.uplink.connected)
            began = time.monotonic()
            [record] = await rig.add(rig.opened(f"a/b/-/{cut + 2}"))
            assert await province.wait_until(arrived(record.index), 5)
            assert view.arrivals[record.index] - began < 1.0
        assert await province.wait_until(lambda _p: ref["sha256"] in view.shelf.files, 15)
        assert view.shelf.files[ref["sha256"]] == data
        await until(lambda: rig.uplink.evidence == {"sent": 1})


def has_parts(count: int) -> Callable[[Province], bool]:
    def ready(province: Province) -> bool:
        shelf = province.view(MINE, GATEWAY).shelf
        return sum(len(parts) for parts in shelf._parts.values()) >= count

    return ready


def arrived(index: int) -> Callable[[Province], bool]:
    return lambda province: index in province.view(MINE, GATEWAY).arrivals


@pytest.mark.usefixtures("mosquitto")
async def test_replay_waits_for_its_jitter_and_keeps_to_its_rate_and_alarms_do_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.uplink.delivery._chance", lambda: 0.5)
    spec = UplinkSpec(replay_jitter_s=2.0, replay_records_s=200)
    async with (
        Broker() as broker,
        Province(broker.host, broker.province_port) as province,
        Rig(tmp_path, via(broker), spec=spec, run=False) as rig,
    ):
        await rig.routine(300)
        [alarm] = await rig.add(rig.opened("a/b/-/1"))
        rig.start()
        view = province.view(MINE, GATEWAY)
        assert await province.wait_until(lambda _p: alarm.index in view.arrivals, 5)
        began = view.arrivals[alarm.index]
        assert await province.wait_until(lambda _p: view.received == 301, 10)
        routine = sorted(at - began for index, at in view.arrivals.items() if index != alarm.index)
        assert 0.8 < routine[0] < 1.5
        assert 1.0 < routine[-1] - routine[0] < 3.0
        await until(lambda: rig.ledger.backlog(Lane.ROUTINE)[0] == 0)


async def test_a_stop_does_not_wait_for_the_pace(tmp_path: Path) -> None:
    spec = UplinkSpec(replay_jitter_s=3600.0, replay_records_s=1)
    async with ScriptedBroker() as broker, Rig(tmp_path, broker.spec(), spec=spec) as rig:
        await until(lambda: rig.uplink.connected)
        await rig.routine(200)
        assert await rig.stop() == ""
