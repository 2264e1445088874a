from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.clock import ManualClock
from edge.uplink.connection import Connection
from edge.uplink.session import RETRY_FIRST_S, RETRY_MOST_S, Backoff, Session
from edge.uplink.spec import BrokerSpec
from edge.uplink.wire import Login
from tests.uplink.rig import until
from tests.uplink.scripted import ScriptedBroker


@given(chances=st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=40))
def test_pauses_grow_within_bounds(chances: list[float]) -> None:
    given_out: Iterator[float] = iter(chances)
    backoff = Backoff(lambda: next(given_out))
    pauses = [backoff.next() for _ in chances]
    assert all(0.8 * RETRY_FIRST_S <= pause <= 1.2 * RETRY_MOST_S for pause in pauses)
    assert pauses[0] <= 1.2 * RETRY_FIRST_S


def test_a_steady_connection_makes_the_pauses_short_again() -> None:
    backoff = Backoff(lambda: 0.5)
    assert [round(backoff.next(), 2) for _ in range(4)] == [0.5, 0.8, 1.28, 2.05]
    backoff.reset()
    assert backoff.next() == RETRY_FIRST_S


def test_gateways_do_not_return_all_at_once() -> None:
    assert Backoff(lambda: 0.0).next() < Backoff(lambda: 0.9).next()


class Events:
    """A session with a clock that does not wait, and what it told."""

    def __init__(self, *brokers: BrokerSpec) -> None:
        self.clock = ManualClock()
        self.ups: list[Connection] = []
        self.downs = 0
        self.session = Session(
            brokers,
            lambda: Login("gateway"),
            self.clock,
            on_message=lambda _topic, _payload: None,
            on_up=self.ups.append,
            on_down=self.down,
        )

    def down(self) -> None:
        self.downs += 1


async def test_after_a_loss_the_first_broker_is_tried_first_again() -> None:
    async with ScriptedBroker() as first, ScriptedBroker() as second:
        events = Events(first.spec(), second.spec())
        first.script.connack = 0x88
        task = asyncio.create_task(events.session.run())
        await until(lambda: len(events.ups) == 1)
        assert events.session.broker.endswith(str(second.port))
        first.script.connack = 0
        second.hang_up()
        await until(lambda: len(events.ups) == 2)
        assert events.session.broker.endswith(str(first.port))
        assert events.downs == 1
        await events.session.close(1.0)
        await asyncio.wait_for(task, 2.0)
    assert events.downs == 2
    assert events.session.connection is None
    assert len(events.ups) == 2


async def test_a_fault_is_told_once_while_it_stays_the_same(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with ScriptedBroker() as broker:
        spec = broker.spec()
        broker.script.connack = 0x87
        events = Events(spec)
        task = asyncio.create_task(events.session.run())
        await until(lambda: len(broker.connects) >= 4)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert "does not authorise us" in events.session.fault
    assert capsys.readouterr().out.count("does not authorise us") == 1


async def test_a_closed_session_does_not_connect_again() -> None:
    async with ScriptedBroker() as broker:
        events = Events(broker.spec())
        await events.session.close(1.0)
        await asyncio.wait_for(events.session.run(), 1.0)
    assert broker.connects == []


async def test_pauses_use_the_clock_that_is_given() -> None:
    async with ScriptedBroker() as broker:
        gone = broker.spec()
    events = Events(gone)
    began = events.clock.now()
    task = asyncio.create_task(events.session.run())
    await until(lambda: events.clock.now().since(began) > 60.0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert events.ups == []
