"""Back to a better broker, and out of the way of another client with our id."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from edge.clock import SystemClock
from edge.uplink import session as module
from edge.uplink.connection import Connection
from edge.uplink.duel import HELD_S, SUSPECT_TIMES, Duel
from edge.uplink.session import Session
from edge.uplink.spec import BrokerSpec
from edge.uplink.wire import Login
from tests.uplink.rig import until
from tests.uplink.scripted import DISCONNECT, ScriptedBroker, packet


class Events:
    """A session, and what it told."""

    def __init__(self, *brokers: BrokerSpec, **options: Any) -> None:
        self.ups: list[Connection] = []
        self.downs = 0
        self.left: list[Connection] = []
        self.taken: list[int] = []
        self.session = Session(
            brokers,
            lambda: Login("gateway"),
            SystemClock(),
            on_message=lambda _topic, _payload: None,
            on_up=self.ups.append,
            on_down=self._down,
            on_leave=self._leave,
            on_taken=lambda _broker, times: self.taken.append(times),
            **options,
        )

    def _down(self) -> None:
        self.downs += 1

    async def _leave(self, connection: Connection) -> None:
        assert not connection.ended.done()  # the new one stands, the old one still works
        self.left.append(connection)


@asynccontextmanager
async def running(events: Events) -> AsyncIterator[Events]:
    task = asyncio.create_task(events.session.run())
    try:
        yield events
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_the_first_broker_is_gone_back_to_and_the_old_connection_left_in_order() -> None:
    async with ScriptedBroker() as first, ScriptedBroker() as second:
        first.script.connack = 0x88
        async with running(Events(first.spec(), second.spec(), return_s=0.1)) as events:
            await until(lambda: len(events.ups) == 1)
            await until(lambda: len(first.connects) >= 3)  # looked at again and again
            assert events.downs == 0
            first.script.connack = 0
            await until(lambda: len(events.ups) == 2)
            assert events.session.broker.endswith(str(first.port))
            assert (events.downs, len(events.left)) == (1, 1)
            await until(lambda: second.goodbyes == 1)
            await asyncio.sleep(0.3)  # nothing comes before the first one
            assert len(events.ups) == 2


async def test_without_a_time_to_return_it_stays() -> None:
    async with ScriptedBroker() as first, ScriptedBroker() as second:
        first.script.connack = 0x88
        async with running(Events(first.spec(), second.spec())) as events:
            await until(lambda: len(events.ups) == 1)
            first.script.connack = 0
            await asyncio.sleep(0.3)
            assert len(events.ups) == 1


async def test_a_hand_over_that_takes_too_long_is_cut_short(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "HAND_OVER_S", 0.1)
    async with ScriptedBroker() as first, ScriptedBroker() as second:
        first.script.connack = 0x88
        events = Events(first.spec(), second.spec(), return_s=0.1)

        async def hang(_connection: Connection) -> None:
            await asyncio.Event().wait()

        events.session._on_leave = hang
        async with running(events):
            await until(lambda: len(events.ups) == 1)
            first.script.connack = 0
            await until(lambda: len(events.ups) == 2)


async def test_a_session_closed_while_it_moves_leaves_no_connection() -> None:
    async with ScriptedBroker() as first, ScriptedBroker() as second:
        first.script.connack = 0x88
        events = Events(first.spec(), second.spec(), return_s=0.1)
        moving = asyncio.Event()

        async def hang(_connection: Connection) -> None:
            moving.set()
            await asyncio.Event().wait()

        events.session._on_leave = hang
        task = asyncio.create_task(events.session.run())
        await until(lambda: len(events.ups) == 1)
        first.script.connack = 0
        await asyncio.wait_for(moving.wait(), 5)
        await events.session.close(1.0)
        await asyncio.wait_for(task, 5)
        assert events.session._better is None
        assert len(events.ups) == 1


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.uplink.duel.PAUSE_FIRST_S", 0.05)
    monkeypatch.setattr("edge.uplink.duel.PAUSE_MOST_S", 0.1)
    monkeypatch.setattr(module, "RETRY_FIRST_S", 0.01)
    monkeypatch.setattr(module, "RETRY_MOST_S", 0.01)
    monkeypatch.setattr(module, "HELD_S", 0.4)


@pytest.mark.usefixtures("quick")
async def test_a_session_that_is_taken_over_is_told_each_time_and_when_it_is_over() -> None:
    async with ScriptedBroker() as broker, running(Events(broker.spec(protocol="5"))) as events:
        for times in (1, 2):
            await until(lambda n=times: len(events.ups) == n)
            broker.say(packet(DISCONNECT, b"\x8e\x00"))
            await until(lambda n=times: len(events.taken) == n)
        await until(lambda: events.taken == [1, 2, 0])


@pytest.mark.usefixtures("quick")
async def test_with_3_1_1_several_short_lives_are_the_sign() -> None:
    async with ScriptedBroker() as broker, running(Events(broker.spec(protocol="3.1.1"))) as events:
        for number in range(1, SUSPECT_TIMES + 1):
            assert events.taken == []
            await until(lambda n=number: len(events.ups) == n)
            broker.writers[-1].close()
            await until(lambda n=number: events.downs == n)
        await until(lambda: events.taken == [1])


async def test_a_duel_is_fought_slower_and_slower(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []

    class Clock(SystemClock):
        async def sleep(self, seconds: float) -> None:
            if seconds < HELD_S:
                pauses.append(seconds)
                await asyncio.sleep(0.01)
            else:
                await asyncio.Event().wait()

    async with ScriptedBroker() as broker:
        events = Events(broker.spec(protocol="5"))
        events.session._clock = Clock()
        async with running(events):
            for number in range(1, 5):
                await until(lambda n=number: len(events.ups) == n)
                broker.say(packet(DISCONNECT, b"\x8e\x00"))
                await until(lambda n=number: events.downs == n)
    duel = Duel()
    assert pauses[:4] == [duel.pause_s() for _ in range(4)][: len(pauses[:4])]
    assert pauses[2] == 20.0
