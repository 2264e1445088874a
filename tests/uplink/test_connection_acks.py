"""The broker is told PUBACK when a message is taken care of, in the order in which it came."""

from __future__ import annotations

import asyncio

import pytest

from edge.uplink import connection as module
from edge.uplink.connection import Connection
from edge.uplink.entrance import connect
from edge.uplink.wire import Login, Version
from tests.uplink.rig import until
from tests.uplink.scripted import DISCONNECT, PUBLISH, ScriptedBroker, packet, publish

LOGIN = Login("gateway", "state", b"gone", ("order", "receipt"), receive_maximum=100)


class Taken:
    """Takes messages; those whose payload is `later` are done when the test says so."""

    def __init__(self) -> None:
        self.payloads: list[bytes] = []
        self.later: list[asyncio.Future[None]] = []

    def __call__(self, _topic: str, payload: bytes) -> asyncio.Future[None] | None:
        self.payloads.append(payload)
        if payload != b"later":
            return None
        self.later.append(asyncio.get_running_loop().create_future())
        return self.later[-1]


async def joined(broker: ScriptedBroker, taken: Taken, version: Version) -> Connection:
    return await connect(broker.spec(), version, LOGIN, taken)


@pytest.mark.parametrize("version", ["5", "3.1.1"])
async def test_pubacks_wait_for_what_came_before_them(version: Version) -> None:
    modern, taken = version == "5", Taken()
    async with ScriptedBroker() as broker:
        connection = await joined(broker, taken, version)
        for mid, payload in enumerate((b"now", b"later", b"now", b"later", b"now"), 1):
            broker.say(publish(mid, payload, modern=modern))
        await until(lambda: len(taken.payloads) == 5)
        await until(lambda: broker.acks == [1])
        taken.later[1].set_result(None)
        await asyncio.sleep(0.05)
        assert broker.acks == [1]
        taken.later[0].set_result(None)
        await until(lambda: broker.acks == [1, 2, 3, 4, 5])
        await connection.close(1.0)


async def test_what_is_taken_care_of_after_the_end_is_not_answered() -> None:
    taken = Taken()
    async with ScriptedBroker() as broker:
        connection = await joined(broker, taken, "5")
        broker.say(publish(1, b"later"))
        await until(lambda: bool(taken.later))
        connection.drop("test")
        taken.later[0].set_result(None)
        await asyncio.sleep(0.05)
        assert broker.acks == []


async def test_a_message_of_qos_0_gets_no_puback() -> None:
    taken = Taken()
    async with ScriptedBroker() as broker:
        connection = await joined(broker, taken, "5")
        broker.say(packet(PUBLISH, b"\x00\x05order\x00now"))
        broker.say(publish(7, b"now"))
        await until(lambda: broker.acks == [7])
        assert taken.payloads == [b"now", b"now"]
        await connection.close(1.0)


async def test_a_broker_that_sends_on_without_waiting_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "UNANSWERED_MOST", 3)
    taken = Taken()
    async with ScriptedBroker() as broker:
        connection = await joined(broker, taken, "5")
        for mid in range(1, 9):
            broker.say(publish(mid, b"later"))
        reason = await asyncio.wait_for(asyncio.shield(connection.ended), 5)
    assert reason == "it sends on without waiting for our answers"
    assert not connection.closed_in_order


async def test_the_reason_of_a_disconnect_is_kept() -> None:
    async with ScriptedBroker() as broker:
        connection = await joined(broker, Taken(), "5")
        broker.say(packet(DISCONNECT, b"\x8e\x00"))
        reason = await asyncio.wait_for(asyncio.shield(connection.ended), 5)
        assert "taken over" in reason.lower()
        assert connection.code == module.TAKEN_OVER
        assert not connection.closed_in_order
        connection = await joined(broker, Taken(), "3.1.1")
        broker.writers[-1].close()
        await asyncio.wait_for(asyncio.shield(connection.ended), 5)
        assert connection.closed_in_order
        assert connection.code == 0
