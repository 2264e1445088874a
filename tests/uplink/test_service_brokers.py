"""The uplink, a real broker and the simulated province: what arrives, and when."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import pytest

from edge.domain.record import Lane, RecordType
from edge.uplink.spec import UplinkSpec
from simulators.province.broker import Broker
from simulators.province.certificates import Authority
from simulators.province.service import Province
from tests.docs.contract import validate, validate_leaf
from tests.support import our_threads, require_program
from tests.uplink.rig import GATEWAY, MINE, PREFIX, Rig, until, via


@pytest.fixture
def mosquitto() -> None:
    require_program("mosquitto")


pytestmark = pytest.mark.usefixtures("mosquitto")


async def whole(province: Province, size: int, timeout_s: float = 15.0) -> None:
    """Wait until the province holds and has verified `size` records."""
    view = province.view(MINE, GATEWAY)
    done = await province.wait_until(
        lambda _p: view.received == size and view.verified and view.log.proven == size, timeout_s
    )
    assert done, (view.received, view.missing, view.faults, view.log.proven, view.log.claimed)


async def test_an_alarm_overtakes_a_backlog_of_two_thousand_records(tmp_path: Path) -> None:
    async with (
        Broker() as broker,
        Province(broker.host, broker.province_port) as province,
        Rig(tmp_path, via(broker), run=False) as rig,
    ):
        await rig.routine(2000)
        await rig.add(rig.opened("person/cam/-/1"))
        rig.start()
        view = province.view(MINE, GATEWAY)
        assert await province.wait_until(lambda _p: 2000 in view.arrivals, 10.0)
        assert view.received < 300
        await rig.add(rig.opened("person/cam/-/2"))
        began = time.monotonic()
        assert await province.wait_until(lambda _p: 2001 in view.arrivals, 10.0)
        assert view.arrivals[2001] - began < 1.0
        assert view.received < 2000
        await whole(province, 2002)
        assert view.duplicates == 0
        assert [row.zh for row in view.incidents] == ["井口有人"] * 2
        await until(lambda: all(rig.ledger.backlog(lane)[0] == 0 for lane in Lane))


async def test_records_made_in_an_outage_arrive_when_the_line_is_back(tmp_path: Path) -> None:
    async with (
        Broker() as broker,
        Province(broker.host, broker.province_port) as province,
        Rig(tmp_path, via(broker)) as rig,
    ):
        view = province.view(MINE, GATEWAY)
        await rig.routine(5)
        await whole(province, 5)
        assert view.online
        await broker.cut()
        assert await province.wait_until(lambda _p: not view.online, 5.0)
        assert view.state["reason"] == "connection lost"  # the last will
        validate("state", view.state)
        await rig.routine(50)
        await rig.add(rig.opened("person/cam/-/1"))
        await asyncio.sleep(0.2)
        assert view.received == 5
        assert not rig.uplink.connected
        await broker.restore()
        await whole(province, 56)
        assert view.online
        assert view.opened == {"person/cam/-/1": 1}


async def test_a_broker_that_restarts_loses_nothing_that_was_acknowledged(
    tmp_path: Path,
) -> None:
    async with (
        Broker(durable=True) as broker,
        Province(broker.host, broker.province_port) as province,
        Rig(tmp_path, via(broker)) as rig,
    ):
        await rig.routine(20)
        await whole(province, 20)
        await broker.kill()
        await rig.routine(20)
        await broker.start()
        await whole(province, 40)


async def test_receipts_orders_and_evidence_make_their_way(tmp_path: Path) -> None:
    picture = bytes(range(256)) * 700  # three parts
    async with (
        Broker() as broker,
        Province(broker.host, broker.province_port, evidence=tmp_path / "evidence") as province,
        Rig(tmp_path / "ledger", via(broker), keys=province.keys) as rig,
    ):
        view = province.view(MINE, GATEWAY)
        ref = await rig.picture(picture)
        await rig.add(rig.opened("person/cam/-/1", [ref]))
        await whole(province, 1)
        assert await province.wait_until(lambda _p: ref["sha256"] in view.shelf.files, 5.0)
        assert (tmp_path / "evidence" / ref["sha256"]).read_bytes() == picture
        await until(lambda: rig.uplink.newest_receipt is not None)
        kept = rig.ledger.receipt()
        assert kept is not None
        validate("receipt", kept[1].decode())
        nonce = await province.send_order(MINE, GATEWAY, "set-state", {"state": "closed"})
        await until(lambda: len(rig.orders) == 1)
        assert rig.orders[0].nonce == nonce
        await province.send_raw(f"{PREFIX}/order", b"forged")
        await until(lambda: len(rig.refused) == 1)
        await until(lambda: rig.ledger.cursor("evidence") == 1)


async def test_an_order_waits_at_the_broker_for_a_gateway_that_is_away(tmp_path: Path) -> None:
    async with (
        Broker() as broker,
        Province(broker.host, broker.province_port) as province,
        Rig(tmp_path, via(broker), keys=province.keys) as rig,
    ):
        await until(lambda: rig.uplink.connected)
        await broker.cut()
        await until(lambda: not rig.uplink.connected)
        await province.send_order(MINE, GATEWAY, "set-state", {"state": "closed"})
        await broker.restore()
        await until(lambda: len(rig.orders) == 1)


async def test_mutual_tls_carries_everything(tmp_path: Path) -> None:
    async with Broker(tls=True) as broker:
        assert broker.ca is not None
        assert broker.province is not None
        tls = (broker.ca, broker.province.certificate, broker.province.key)
        async with (
            Province(broker.host, broker.province_port, tls=tls) as province,
            Rig(tmp_path, via(broker)) as rig,
        ):
            await rig.routine(300)
            await rig.add(rig.opened("a/b/-/1", [await rig.picture(b"p" * 200_000)]))
            await whole(province, 301)
            view = province.view(MINE, GATEWAY)
            assert await province.wait_until(lambda _p: len(view.shelf.files) == 1, 5.0)


async def test_a_wrong_broker_certificate_is_named_and_the_records_are_held(
    tmp_path: Path,
) -> None:
    other = Authority(tmp_path / "other")
    async with Broker(tls=True) as broker:
        spec = via(broker)
        assert spec.tls is not None
        wrong = spec.model_copy(
            update={"tls": spec.tls.model_copy(update={"ca": other.certificate})}
        )
        async with Rig(tmp_path / "ledger", wrong) as rig:
            await rig.routine(3)
            await until(lambda: "certificate is not trusted" in rig.uplink.fault)
            assert "check tls.ca" in rig.uplink.fault
            assert rig.ledger.backlog(Lane.ROUTINE)[0] == 3


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"certificate": None, "key": None}, "certificate required"),
        ({"ca": Path("/no/such/ca.crt")}, r"tls.ca /no/such/ca.crt: No such file"),
        ({"key": Path("/no/such.key")}, "No such file"),
    ],
)
async def test_what_is_wrong_with_our_own_tls_files_is_named(
    tmp_path: Path, change: dict[str, Path | None], words: str
) -> None:
    async with Broker(tls=True) as broker:
        spec = via(broker)
        assert spec.tls is not None
        wrong = spec.model_copy(update={"tls": spec.tls.model_copy(update=change)})
        async with Rig(tmp_path, wrong) as rig:
            await until(lambda: words in rig.uplink.fault)


async def test_a_broker_reached_by_another_name_than_its_certificates_is_not_trusted(
    tmp_path: Path,
) -> None:
    async with Broker(tls=True) as broker:
        async with Rig(tmp_path, via(broker, host="127.0.0.2")) as rig:
            await until(lambda: bool(rig.uplink.fault))
            assert "nothing listens" in rig.uplink.fault
        broker.cable.host = "127.0.0.2"
        await broker.cut()
        await broker.restore()
        async with Rig(tmp_path, via(broker, host="127.0.0.2")) as rig:
            await until(lambda: "certificate is not trusted" in rig.uplink.fault)
            assert "mismatch" in rig.uplink.fault


async def test_a_daemon_that_died_sends_the_rest_after_its_restart(tmp_path: Path) -> None:
    async with (
        Broker() as broker,
        Province(broker.host, broker.province_port) as province,
    ):
        view = province.view(MINE, GATEWAY)
        async with Rig(tmp_path, via(broker), run=False) as rig:
            await rig.routine(1500)
            rig.start()
            await province.wait_until(lambda _p: view.received > 200, 5.0)
        before = view.received
        async with Rig(tmp_path, via(broker)) as rig:
            await rig.add(rig.opened("a/b/-/1"))
            await whole(province, 1501)
        assert before < 1500
        assert not view.faults


async def test_a_stop_is_quick_and_leaves_no_thread(tmp_path: Path) -> None:
    before = our_threads()
    async with (
        Broker() as broker,
        Province(broker.host, broker.province_port) as province,
        Rig(tmp_path, via(broker)) as rig,
    ):
        await until(lambda: rig.uplink.connected)
        await rig.routine(200)
        began = time.monotonic()
        assert await rig.stop() == ""
        assert time.monotonic() - began < 1.5
        await whole(province, 200)
        view = province.view(MINE, GATEWAY)
        assert await province.wait_until(lambda _p: not view.online, 2.0)
        assert view.state["reason"] == "stopped"
    assert our_threads() <= before


async def test_what_the_province_receives_is_as_the_document_says(tmp_path: Path) -> None:
    leaves: list[str] = []
    async with (
        Broker() as broker,
        Province(
            broker.host,
            broker.province_port,
            on_record=lambda _view, envelope, _at: leaves.append(json.dumps(envelope)),
        ) as province,
        Rig(tmp_path, via(broker)) as rig,
    ):
        await rig.add(rig.opened("a/b/-/1"), rig.health(1))
        await whole(province, 2)
        view = province.view(MINE, GATEWAY)
        await province.wait_until(lambda _p: bool(view.state), 2.0)
        validate("state", view.state)
        validate("checkpoint", view.log.proven_note.decode())
        assert view.key_source == "first use"
    assert {validate_leaf(leaf.encode()) for leaf in leaves} == {
        RecordType.INCIDENT_OPENED,
        RecordType.GATEWAY_HEALTH,
    }


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_a_second_gateway_of_our_name_is_noticed_and_not_fought_for_ever(
    tmp_path: Path, protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # mosquitto 2.0 closes the older connection without a word, also with MQTT 5.
    monkeypatch.setattr("edge.uplink.session.RETRY_FIRST_S", 0.1)
    monkeypatch.setattr("edge.uplink.session.RETRY_MOST_S", 0.2)
    taken: list[int] = []
    async with Broker() as broker:
        spec = via(broker, port=broker.province_port, protocol=protocol)

        def told(_broker: str, times: int) -> None:
            taken.append(times)

        async with Rig(tmp_path / "a", spec, on_taken=told) as first:
            await until(lambda: first.uplink.connected)
            async with Rig(tmp_path / "b", spec, on_taken=told) as second:
                await until(lambda: bool(taken), 20.0)
                # Whoever noticed it stays out of the way for a while.
                await asyncio.sleep(0.5)
                assert first.uplink.connected != second.uplink.connected
                await asyncio.sleep(0.7)
                assert first.uplink.connected != second.uplink.connected
                assert len(taken) <= 2


async def test_an_order_that_is_not_recorded_comes_again_after_kill_or_cut(
    tmp_path: Path,
) -> None:
    waiting: list[asyncio.Future[None]] = []

    def never(_order: object) -> asyncio.Future[None]:
        waiting.append(asyncio.get_running_loop().create_future())
        return waiting[-1]

    async with (
        Broker() as broker,
        Province(broker.host, broker.province_port) as province,
    ):
        async with Rig(tmp_path, via(broker), keys=province.keys, on_order=never) as rig:
            await until(lambda: rig.uplink.connected)
            nonce = await province.send_order(MINE, GATEWAY, "set-state", {"state": "closed"})
            await until(lambda: len(waiting) == 1)
            await broker.cut()
            await broker.restore()
            await until(lambda: rig.uplink.connected)
            await asyncio.sleep(0.3)
            assert len(waiting) == 1  # it came again, and waits for the same
            assert rig.refused == []
        async with Rig(tmp_path, via(broker), keys=province.keys) as rig:
            await until(lambda: [order.nonce for order in rig.orders] == [nonce])


async def test_the_first_broker_is_gone_back_to_without_losing_a_record(tmp_path: Path) -> None:
    async with (
        Broker() as first,
        Broker() as second,
        Province(first.host, first.province_port) as here,
        Province(second.host, second.province_port) as there,
    ):
        await first.cut()
        spec = UplinkSpec(replay_jitter_s=0.0, return_s=0.3)
        async with Rig(tmp_path, via(first), via(second), spec=spec) as rig:
            await rig.routine(50)
            await rig.add(rig.opened("a/b/-/1"))
            await whole(there, 51)
            await first.restore()
            for number in range(30):  # records and alarms while it moves
                await rig.add(rig.health(number), rig.opened(f"a/b/-/{number + 2}"))
                await asyncio.sleep(0.05)
            await until(lambda: rig.uplink.broker.endswith(f":{first.port}"))
            assert await there.wait_until(lambda p: not p.view(MINE, GATEWAY).online, 5.0)
            left = there.view(MINE, GATEWAY)
            assert left.state["reason"] == "moved to another broker"
            validate("state", left.state)
            await until(lambda: all(rig.ledger.backlog(lane)[0] == 0 for lane in Lane))
            got = {*left.arrivals, *here.view(MINE, GATEWAY).arrivals}
            assert got == set(range(rig.ledger.size))
            assert here.view(MINE, GATEWAY).online
