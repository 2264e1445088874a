"""One connection against a broker that follows a script."""

from __future__ import annotations

import asyncio
import re
import ssl
import struct
import threading
from pathlib import Path
from typing import Any

import pytest

from edge.errors import UplinkUnavailable
from edge.uplink import connection as module
from edge.uplink.connection import Connection, VersionRefused
from edge.uplink.entrance import connect
from edge.uplink.mqtt import reason_name
from edge.uplink.spec import BrokerSpec
from edge.uplink.wire import Login, Version
from tests.uplink.scripted import PUBLISH, QUOTA_EXCEEDED, Published, Script, ScriptedBroker, packet

LOGIN = Login("gateway", "state", b"gone", ("order", "receipt"))
TOPIC = "eseal/v1/220182000001/gw1/alarm"


def nothing(_topic: str, _payload: bytes) -> None:
    pass


async def joined(broker: ScriptedBroker, version: Version = "5", **spec: Any) -> Connection:
    return await connect(broker.spec(**spec), version, LOGIN, nothing)


async def chatter(connection: Connection) -> None:
    while True:
        await connection.send(TOPIC, b"1")
        await asyncio.sleep(0.1)


async def turned_away(script: Script, version: Version = "5") -> UplinkUnavailable:
    async with ScriptedBroker(script) as broker:
        with pytest.raises(UplinkUnavailable) as caught:
            await joined(broker, version)
    return caught.value


@pytest.mark.parametrize("version", ["5", "3.1.1"])
async def test_a_publish_is_answered_once(version: Version) -> None:
    async with ScriptedBroker() as broker:
        connection = await joined(broker, version)
        await connection.send(TOPIC, b"leaf", retain=True)
        assert [(p.topic, p.payload, p.retain) for p in broker.published] == [
            (TOPIC, b"leaf", True)
        ]
        assert broker.connects == [5 if version == "5" else 4]
        assert broker.clean == [False]
        await connection.close(1.0)
        await asyncio.sleep(0)
    assert broker.goodbyes == 1
    assert await connection.ended == "closed"


async def test_a_puback_with_a_failing_reason_is_no_delivery() -> None:
    async with ScriptedBroker(Script(puback=lambda _p: QUOTA_EXCEEDED)) as broker:
        connection = await joined(broker)
        with pytest.raises(UplinkUnavailable, match=r"Quota exceeded \(0x97\)"):
            await connection.send(TOPIC, b"leaf")
        connection.drop("done")


async def test_no_subscriber_is_a_success() -> None:
    async with ScriptedBroker(Script(puback=lambda _p: 0x10)) as broker:
        connection = await joined(broker)
        await connection.send(TOPIC, b"leaf")
        connection.drop("done")


async def test_the_servers_receive_maximum_bounds_what_is_under_way() -> None:
    script = Script(properties=b"\x21" + struct.pack("!H", 3))
    async with ScriptedBroker(script) as broker:
        connection = await joined(broker)
        assert (connection.window, connection.free) == (3, 3)
        script.puback = lambda _p: None
        sends = [asyncio.create_task(connection.send(TOPIC, bytes([i]))) for i in range(8)]
        await asyncio.sleep(0.1)
        assert (len(broker.published), connection.free, connection.under_way) == (3, 0, 3)
        connection.drop("done")
        results = await asyncio.gather(*sends, return_exceptions=True)
        assert all(isinstance(result, UplinkUnavailable) for result in results)
        assert broker.most_unacknowledged == 3


async def test_waiting_sends_go_as_the_window_opens() -> None:
    script = Script(properties=b"\x21" + struct.pack("!H", 2))
    async with ScriptedBroker(script) as broker:
        connection = await joined(broker)
        await asyncio.gather(*(connection.send(TOPIC, bytes([i])) for i in range(20)))
        assert [p.payload for p in broker.published] == [bytes([i]) for i in range(20)]
        assert broker.most_unacknowledged <= 2
        connection.drop("done")


async def test_a_packet_that_the_server_does_not_take_is_not_sent() -> None:
    script = Script(properties=b"\x27" + struct.pack("!I", 200))
    async with ScriptedBroker(script) as broker:
        connection = await joined(broker)
        with pytest.raises(UplinkUnavailable, match="too large"):
            await connection.send(TOPIC, bytes(200))
        await connection.send(TOPIC, bytes(100))
        assert len(broker.published) == 1
        connection.drop("done")


async def test_a_lost_connection_answers_everything_that_was_under_way_with_nothing() -> None:
    async with ScriptedBroker(Script(puback=lambda _p: None)) as broker:
        connection = await joined(broker)
        answers: list[int | None] = []
        for i in range(5):
            connection.publish(TOPIC, bytes([i]), answers.append)
        await asyncio.sleep(0.05)
        broker.hang_up()
        reason = await asyncio.wait_for(connection.ended, 2.0)
        assert answers == [None] * 5
        assert "reset" in reason or "hung up" in reason
        connection.publish(TOPIC, b"late", answers.append)
        await asyncio.sleep(0)
        assert answers == [None] * 6
        with pytest.raises(UplinkUnavailable, match="ended before"):
            await connection.send(TOPIC, b"late")
    assert len(broker.published) == 5


@pytest.mark.parametrize(
    ("script", "version", "words"),
    [
        (Script(connack=0x86), "5", "username or password"),
        (Script(connack=5), "3.1.1", "does not authorise us"),
        (Script(connack=0x97), "5", "0x97"),
        (Script(nonsense=b"HTTP/1.1 400 Bad Request\r\n" * 9), "5", "it (sent|hung up)"),
        (Script(nonsense=b"\x20\xff\xff\xff\x7f"), "5", "it sent a packet of more than 65536"),
        (Script(nonsense=b"\x20\xff\xff\xff\xff\xff"), "5", "hung up"),
        (Script(properties=b"\x24\x00"), "5", "takes no QoS 1"),
    ],
)
async def test_a_broker_that_does_not_let_us_in_is_told_in_words(
    script: Script, version: Version, words: str
) -> None:
    assert re.search(words, str(await turned_away(script, version)))


@pytest.mark.parametrize("version", ["5", "3.1.1"])
async def test_a_broker_of_another_version_says_so_for_certain(version: Version) -> None:
    fault = await turned_away(Script(versions=frozenset()), version)
    if version == "5":
        assert isinstance(fault, VersionRefused)
        assert fault.certain


async def test_a_broker_that_hangs_up_may_or_may_not_speak_the_version() -> None:
    fault = await turned_away(Script(versions=frozenset({4}), slams=True))
    assert isinstance(fault, VersionRefused)
    assert not fault.certain


async def test_a_broker_that_never_answers_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.uplink.entrance.ANSWER_TIMEOUT_S", 0.2)
    fault = await turned_away(Script(mute=True))
    assert isinstance(fault, VersionRefused)
    assert "no answer to CONNECT" in str(fault)


async def test_a_line_that_looks_open_and_acknowledges_nothing_is_dead(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "ACK_TIMEOUT_S", 0.5)
    async with ScriptedBroker(Script(puback=lambda _p: None)) as broker:
        connection = await joined(broker)
        with pytest.raises(UplinkUnavailable):
            await connection.send(TOPIC, b"leaf")
        assert "acknowledged nothing" in connection.ended.result()


async def test_a_line_on_which_one_publish_was_forgotten_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "SKIPPED_TIMEOUT_S", 0.5)
    script = Script(puback=lambda item: None if item.payload == b"0" else 0)
    async with ScriptedBroker(script) as broker:
        connection = await joined(broker)
        forgotten = asyncio.create_task(connection.send(TOPIC, b"0"))
        busy = asyncio.create_task(chatter(connection))
        await asyncio.wait_for(asyncio.shield(connection.ended), 5.0)
        assert "one of our messages" in connection.ended.result()
        for task in (forgotten, busy):
            with pytest.raises(UplinkUnavailable):
                await task


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\xf0\x00",
        packet(PUBLISH, b"\x00\xff", flags=2),
        packet(PUBLISH, b"", flags=2),
        packet(PUBLISH, b"\x00\x01\xff\x00\x01\x00{}", flags=2),
        packet(4, b"\x00"),
        packet(2, b"\x00\x00"),
        b"\x40\x80\x80\x80\x80\x01",
        bytes(range(256)),
    ],
)
async def test_nonsense_after_the_welcome_ends_the_connection_and_nothing_else(
    nonsense: bytes,
) -> None:
    async with ScriptedBroker(Script(greeting=nonsense)) as broker:
        connection = await joined(broker)
        await asyncio.wait([connection.ended], timeout=0.3)
        connection.drop("done")
        assert connection.ended.done()


async def test_messages_arrive_with_topic_and_payload() -> None:
    greeting = packet(PUBLISH, b"\x00\x05order\x00\x01\x00" + b"{}", flags=2)
    got: list[tuple[str, bytes]] = []
    async with ScriptedBroker(Script(greeting=greeting)) as broker:
        connection = await connect(
            broker.spec(), "5", LOGIN, lambda topic, payload: got.append((topic, payload))
        )
        await asyncio.sleep(0.05)
        connection.drop("done")
    assert got == [("order", b"{}")]


async def test_a_refused_subscription_does_not_keep_us_from_delivering() -> None:
    async with ScriptedBroker(Script(suback=0x87)) as broker:
        connection = await joined(broker)
        await connection.send(TOPIC, b"leaf")
        connection.drop("done")
    assert len(broker.published) == 1


async def test_a_missing_password_file_is_named(tmp_path: Path) -> None:
    spec = BrokerSpec(
        host="127.0.0.1", port=1, username="gw", password_file=tmp_path / "no.password"
    )
    with pytest.raises(UplinkUnavailable, match=r"no\.password: No such file"):
        await connect(spec, "5", LOGIN, nothing)


async def test_the_password_is_the_first_line_of_its_file(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("geheim\r\nsecond line\n")
    async with ScriptedBroker() as broker:
        connection = await joined(broker, username="gw", password_file=file)
        connection.drop("done")


async def test_nothing_listening_and_no_such_name_are_told_apart() -> None:
    async with ScriptedBroker() as broker:
        port = broker.port
    with pytest.raises(UplinkUnavailable, match="nothing listens"):
        await connect(BrokerSpec(host="127.0.0.1", port=port), "5", LOGIN, nothing)
    with pytest.raises(UplinkUnavailable, match="DNS"):
        await connect(BrokerSpec(host="no-such-host.invalid"), "5", LOGIN, nothing)


async def test_a_dialling_that_is_given_up_leaves_no_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A TLS server that accepts and says nothing holds the handshake until it is given up."""
    held: list[asyncio.StreamWriter] = []
    silent = await asyncio.start_server(lambda _r, w: held.append(w), "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    spec = BrokerSpec.model_validate(
        {"host": "127.0.0.1", "port": port, "tls": {"ca": "/etc/ssl/certs/ca-certificates.crt"}}
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    monkeypatch.setattr("edge.uplink.mqtt.client_context", lambda _spec: context)
    task = asyncio.create_task(connect(spec, "5", LOGIN, nothing))
    await asyncio.sleep(0.1)
    assert any(thread.name == "eseal-dial" for thread in threading.enumerate())
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    for _ in range(50):
        await asyncio.sleep(0.02)
        if not any(thread.name == "eseal-dial" for thread in threading.enumerate()):
            break
    else:
        pytest.fail("the dialling thread is still there")
    for writer in held:
        writer.transport.abort()
    silent.close()
    await silent.wait_closed()


def test_reason_codes_are_told_in_words_or_at_least_in_figures() -> None:
    assert reason_name(QUOTA_EXCEEDED) == "Quota exceeded (0x97)"
    assert reason_name(0xEE) == "0xee"


def test_a_published_item_is_what_the_script_sees() -> None:
    assert Published("a", b"b", retain=False).topic == "a"
