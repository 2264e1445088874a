"""The simulated province on real sockets, and what stands in front of its broker."""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from pathlib import Path
from typing import Any

import pytest
from typer import Typer
from typer.testing import CliRunner

from edge.clock import ManualClock
from edge.domain.record import Draft, RecordType
from edge.errors import Refused, UplinkUnavailable
from edge.ledger.checkpoint import Checkpoint, Signer
from edge.ledger.leaf import encode_leaf
from edge.ledger.merkle import Frontier
from edge.uplink.topics import Topics
from simulators.province import service
from simulators.province.broker import Broker, BrokerError, find_mosquitto
from simulators.province.cable import Cable
from simulators.province.certificates import Authority
from simulators.province.cli import province as command
from simulators.province.service import Province
from tests.support import require_program

MINE, GATEWAY = "220182000001", "gw1"
ORIGIN = f"eseal/{MINE}/{GATEWAY}"
SIGNER = Signer.generate(ORIGIN)
TOPICS = Topics(MINE, GATEWAY)


@pytest.fixture
def mosquitto() -> None:
    require_program("mosquitto")


def leaves(count: int) -> list[bytes]:
    now = ManualClock().now()
    return [
        encode_leaf(Draft(RecordType.GATEWAY_HEALTH, now, {"n": n}), ORIGIN, n)
        for n in range(count)
    ]


def note(log: list[bytes]) -> bytes:
    frontier = Frontier()
    for leaf in log:
        frontier.add(leaf)
    return SIGNER.checkpoint(Checkpoint(ORIGIN, len(log), frontier.root()))


@pytest.mark.usefixtures("mosquitto")
async def test_what_a_gateway_publishes_is_verified_and_cosigned() -> None:
    log = leaves(5)
    async with (
        Broker() as broker,
        Province(
            broker.host,
            broker.province_port,
            gateway_keys={(MINE, GATEWAY): str(SIGNER.verifier)},
        ) as province,
    ):
        for index in (0, 1, 4, 3, 1, 2):
            await province.send_raw(f"{TOPICS.prefix}/record", log[index])
        await province.send_raw(TOPICS.checkpoint, note(log))
        view = province.view(MINE, GATEWAY)
        assert await province.wait_until(lambda _p: view.receipts == 1, 5.0)
        assert (view.received, view.duplicates, view.missing) == (5, 1, 0)
        assert view.verified
        assert view.key_source == "given"


@pytest.mark.usefixtures("mosquitto")
async def test_a_forged_record_is_a_fault_and_gets_no_receipt() -> None:
    log = leaves(3)
    async with Broker() as broker, Province(broker.host, broker.province_port) as province:
        province.enrol(MINE, GATEWAY, str(SIGNER.verifier))
        forged = log[1].replace(b'"n":1', b'"n":7')
        for leaf in (log[0], forged, log[2]):
            await province.send_raw(f"{TOPICS.prefix}/record", leaf)
        await province.send_raw(TOPICS.checkpoint, note(log))
        await province.send_raw(f"{TOPICS.prefix}/record", b"nonsense")
        await province.send_raw("eseal/v1/nobody/x/record", b"{}")
        assert await province.wait_until(lambda p: len(p.refused) == 2, 5.0)
        view = province.view(MINE, GATEWAY)
        assert not view.verified
        assert any("does not fit" in fault for fault in view.faults)
        assert view.receipts == 0


@pytest.mark.usefixtures("mosquitto")
async def test_a_province_that_was_away_misses_nothing() -> None:
    log = leaves(4)
    async with Broker() as broker:
        async with Province(broker.host, broker.province_port) as first:
            await first.send_raw(f"{TOPICS.prefix}/record", log[0])
            assert await first.wait_until(lambda p: bool(p.ledgers), 5.0)
        async with Province(broker.host, broker.province_port, session="other") as other:
            for leaf in log[1:]:
                await other.send_raw(f"{TOPICS.prefix}/record", leaf)
        async with Province(broker.host, broker.province_port) as second:
            view = second.view(MINE, GATEWAY)
            assert await second.wait_until(lambda _p: view.received == 3, 5.0)


async def test_without_a_broker_the_province_says_what_is_wrong(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(service, "CONNECT_S", 0.5)
    province = Province("127.0.0.1", 1)
    with pytest.raises(UplinkUnavailable, match="nothing listens"):
        await province.__aenter__()
    assert not province.connected
    with pytest.raises(UplinkUnavailable, match="not connected"):
        await province.send_order(MINE, GATEWAY, "set-state", {"state": "closed"})


async def test_waiting_ends_when_time_is_up() -> None:
    assert not await Province("127.0.0.1", 1).wait_until(lambda _p: False, 0.05)


async def test_the_number_of_gateways_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "MAX_GATEWAYS", 1)
    province = Province("127.0.0.1", 1)
    province.view(MINE, "gw1")
    with pytest.raises(Refused, match="too many"):
        province.view(MINE, "gw2")


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(100):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.transport.abort()


async def reads_an_end(reader: asyncio.StreamReader) -> bool:
    try:
        return await reader.read(1) == b""
    except ConnectionError:
        return True


async def test_a_cable_carries_is_cut_hangs_delays_and_is_mended() -> None:
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with Cable(server.sockets[0].getsockname()[1]) as cable:

        async def ask(timeout_s: float = 2.0) -> bytes:
            reader, writer = await asyncio.open_connection("127.0.0.1", cable.port)
            try:
                writer.write(b"hello")
                return await asyncio.wait_for(reader.read(100), timeout_s)
            finally:
                writer.transport.abort()

        assert await ask() == b"hello"
        cable.delay_s = 0.1
        began = time.monotonic()
        assert await ask() == b"hello"
        assert time.monotonic() - began >= 0.2
        cable.delay_s = 0.0
        cable.hung = True
        with pytest.raises(TimeoutError):
            await ask(0.2)
        assert cable.hung
        cable.hung = False
        reader, writer = await asyncio.open_connection("127.0.0.1", cable.port)
        port = cable.port
        await cable.cut()
        await cable.cut()
        assert not cable.whole
        assert await reads_an_end(reader)
        writer.transport.abort()
        with pytest.raises(ConnectionRefusedError):
            await ask()
        await cable.restore()
        assert cable.port == port
        assert await ask() == b"hello"
        assert cable.opened == 5
    server.close()
    await server.wait_closed()


async def test_a_cable_to_nowhere_closes_what_comes_in() -> None:
    async with Cable(1) as cable:
        reader, writer = await asyncio.open_connection("127.0.0.1", cable.port)
        assert await reads_an_end(reader)
        writer.transport.abort()


def test_the_authoritys_certificates_are_trusted_by_openssl(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    pair = authority.issue("broker", server=True)
    assert pair.key.stat().st_mode & 0o077 == 0
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pair.certificate, pair.key)
    client = ssl.create_default_context(cafile=str(authority.certificate))
    client.verify_flags |= ssl.VerifyFlags.VERIFY_X509_STRICT
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    near = client.wrap_bio(to_client, to_server, server_hostname="localhost")
    far = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(3):
        for side in (near, far):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    assert near.version() == "TLSv1.3"


@pytest.mark.usefixtures("mosquitto")
async def test_a_broker_that_does_not_come_up_shows_its_log() -> None:
    broker = Broker(options=("no_such_option true",))
    with pytest.raises(BrokerError, match="no_such_option"):
        await broker.__aenter__()


@pytest.mark.usefixtures("mosquitto")
async def test_a_broker_is_gone_when_it_is_left_and_cleans_up() -> None:
    async with Broker() as broker:
        assert broker.kind == "mosquitto"
        assert broker.mqtt == "5"
        folder = broker._folder
        await broker.stop()
        await broker.start()
    assert not folder.exists()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(broker.host, broker.province_port)


def test_mosquitto_is_found_where_debian_keeps_it() -> None:
    require_program("mosquitto")
    assert find_mosquitto() is not None


def run(*arguments: str) -> Any:
    app = Typer()
    app.command()(command)
    return CliRunner().invoke(app, list(arguments))


@pytest.mark.usefixtures("mosquitto")
def test_the_command_shows_the_table_and_the_keys_for_seal_toml(tmp_path: Path) -> None:
    key = tmp_path / "province.key"
    result = run("--broker", "--port", "0", "--key", str(key), "--seconds", "0.6")
    assert result.exit_code == 0, result.output
    assert "省级平台 Province" in result.output
    assert '[province]\nkeys = ["province.simulated+' in result.output
    assert key.with_suffix(".vkey").exists()


@pytest.mark.usefixtures("mosquitto")
async def test_the_command_verifies_once_with_tls_and_orders_a_state(tmp_path: Path) -> None:
    log = leaves(3)
    async with Broker(tls=True) as broker:
        assert broker.ca is not None
        assert broker.province is not None
        pair = broker.province
        tls = (broker.ca, pair.certificate, pair.key)
        async with Province(broker.host, broker.province_port, tls=tls, session="x") as other:
            arguments = [
                *("--port", str(broker.province_port), "--key", str(tmp_path / "key"), "--once"),
                *("--tls-ca", str(tls[0]), "--tls-cert", str(tls[1]), "--tls-key", str(tls[2])),
                *("--gateway-key", str(SIGNER.verifier), "--seconds", "8"),
                *("--set-state", f"{MINE}/{GATEWAY}=closed"),
            ]
            running = asyncio.create_task(asyncio.to_thread(run, *arguments))
            await asyncio.sleep(1.0)
            for leaf in log:
                await other.send_raw(f"{TOPICS.prefix}/record", leaf)
            await other.send_raw(TOPICS.checkpoint, note(log))
            result = await running
    assert result.exit_code == 0, result.output
    assert "✓ 3/3" in result.output


@pytest.mark.usefixtures("mosquitto")
def test_the_command_once_fails_when_nothing_is_verified_in_time(tmp_path: Path) -> None:
    result = run(
        "--broker", "--port", "0", "--key", str(tmp_path / "k"), "--once", "--seconds", "0.3"
    )
    assert result.exit_code == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["--tls-ca", "a.crt"],
        ["--gateway-key", "somebody+00000000+AAAA"],
        ["--set-state", "220182000001/gw1=asleep"],
        ["--set-state", "closed"],
        ["--order", "220182000001/gw1 self-destruct"],
        ["--order", "220182000001/gw1 snapshot {}"],
        ["--order", '220182000001/gw1 snapshot {"camera": '],
    ],
)
def test_the_command_says_what_is_wrong_with_its_options(arguments: list[str]) -> None:
    result = run(*arguments)
    assert result.exit_code != 0
    assert arguments[0] in str(result.exception)


async def test_an_orders_nonce_is_what_the_gateway_will_repeat() -> None:
    sent: list[tuple[str, bytes]] = []
    province = Province("127.0.0.1", 1)

    async def keep(topic: str, payload: bytes, *, retain: bool = False) -> None:
        assert not retain
        sent.append((topic, payload))

    province.send_raw = keep  # type: ignore[method-assign]
    nonce = await province.send_order(MINE, GATEWAY, "acknowledge", {"incident": "a", "by": "b"})
    ((topic, payload),) = sent
    assert topic == TOPICS.order
    assert json.loads(payload)["order"]["nonce"] == nonce
