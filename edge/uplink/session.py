"""Keeps one connection: brokers in order, versions in order, back-off with bounds."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace

import structlog

from edge.clock import Clock
from edge.errors import UplinkUnavailable
from edge.uplink.connection import TAKEN_OVER, Connection, OnMessage, Oversized, VersionRefused
from edge.uplink.duel import HELD_S, Duel
from edge.uplink.entrance import connect
from edge.uplink.spec import BrokerSpec
from edge.uplink.wire import Login, Version

RETRY_FIRST_S = 0.5
RETRY_FACTOR = 1.6
RETRY_MOST_S = 30.0
STEADY_S = 10.0  # a connection that lived so long was a good one
HAND_OVER_S = 5.0  # for what is under way when we move to a better broker
DEAF_S = 600.0  # after a message that is too large, so long without subscriptions

OnTaken = Callable[[str, int], None]

log = structlog.get_logger(__name__)
_chance = random.SystemRandom().random


class Backoff:
    """Growing pauses with a fifth of chance, so that many gateways don't return at once."""

    def __init__(self, chance: Callable[[], float] = _chance) -> None:
        self._chance = chance
        self._pause = RETRY_FIRST_S

    def next(self) -> float:
        """Seconds to wait before the next round."""
        pause = self._pause
        self._pause = min(pause * RETRY_FACTOR, RETRY_MOST_S)
        return pause * (0.8 + 0.4 * self._chance())

    def reset(self) -> None:
        """All is well again."""
        self._pause = RETRY_FIRST_S


class Session:
    """Stays connected to the first broker that takes us.

    A message that is too large ends a connection, and a broker without MQTT 5 would send it
    again at once, for ever. So the next connection is deaf (no subscriptions, nothing kept for
    us) for a while: delivering matters more than listening.

    On a later broker the ones before it are tried again after `return_s`; the new connection
    stands before the old one is left.

    Args:
        brokers: tried in this order, at each loss from the first again.
        login: made anew for every attempt (the last will carries a time).
        clock: for the pauses.
        on_message: topic and payload of what comes in.
        on_up: called with each new connection.
        on_down: called when it is over.
        on_leave: awaited with a connection that is left for a better one, before that is up.
        on_taken: called with the broker and how often another client has taken our session
            over; with 0 when that is over.
        return_s: seconds on a later broker; 0 to stay there.
    """

    def __init__(
        self,
        brokers: Sequence[BrokerSpec],
        login: Callable[[], Login],
        clock: Clock,
        *,
        on_message: OnMessage,
        on_up: Callable[[Connection], None],
        on_down: Callable[[], None],
        on_leave: Callable[[Connection], Awaitable[None]] | None = None,
        on_taken: OnTaken = lambda _broker, _times: None,
        return_s: float = 0.0,
    ) -> None:
        self._brokers = tuple(brokers)
        self._login = login
        self._clock = clock
        self._on_message = on_message
        self._on_up = on_up
        self._on_down = on_down
        self._on_leave = on_leave
        self._on_taken = on_taken
        self._return_s = return_s
        self._duel = Duel()
        self._better: tuple[Connection, int] | None = None
        self._versions: dict[str, Version] = {}
        self._told: dict[str, str] = {}
        self._closing = False
        self._deaf = False
        self.connection: Connection | None = None
        self.broker = ""
        self.fault = ""

    async def run(self) -> None:
        """Connect, and connect again, until `close` is called or the task is cancelled."""
        backoff = Backoff()
        try:
            while not self._closing:
                if await self._round():
                    backoff.reset()
                if not self._closing:
                    taken = self._duel.times > 0
                    await self._clock.sleep(self._duel.pause_s() if taken else backoff.next())
        finally:
            if self.connection is not None:
                self.connection.drop("stopped")
            self._drop_better()

    async def close(self, timeout_s: float) -> None:
        """Disconnect in order and stay disconnected."""
        self._closing = True
        if self.connection is not None:
            await self.connection.close(timeout_s)

    async def _round(self) -> bool:
        """Try each broker once; stay with one that takes us. True if it was a steady one."""
        for place, broker in enumerate(self._brokers):
            connection = await self._try(broker)
            if connection is None:
                continue
            steady = await self._stay(connection, place)
            while self._better is not None:
                better, self._better = self._better, None
                steady = await self._stay(*better)
            return steady
        return False

    async def _try(self, broker: BrokerSpec) -> Connection | None:
        try:
            return await self._connect(broker, _name(broker))
        except UplinkUnavailable as error:
            self._deaf = isinstance(error, Oversized)
            self._tell(_name(broker), str(error))
            return None

    async def _stay(self, connection: Connection, place: int) -> bool:
        began, name = self._clock.now(), _name(self._brokers[place])
        self._told.clear()
        self.connection, self.broker, self.fault = connection, name, ""
        log.info("uplink connected", broker=name, mqtt=connection.version)
        self._on_up(connection)
        companions = [asyncio.create_task(self._prove(name))]
        if place and self._return_s:
            companions.append(asyncio.create_task(self._return(connection, place)))
        try:
            # A cancelled wait must not cancel the connection's own future.
            async with asyncio.timeout(DEAF_S if self._deaf else None):
                await asyncio.shield(connection.ended)
        except TimeoutError:
            log.info("listening to the broker again", broker=name)
        finally:
            for companion in companions:
                companion.cancel()
            await asyncio.wait(companions)
            connection.drop("stopped")
            self.connection = None
            self._on_down()
            if self._closing:
                self._drop_better()
        self._deaf = connection.oversized
        lived_s = self._clock.now().since(began)
        if not self._closing and self._better is None:
            self._tell(name, connection.ended.result())
            self._judge(connection, name, lived_s)
        return lived_s >= STEADY_S

    def _drop_better(self) -> None:
        if self._better is not None:
            self._better[0].drop("stopped")
            self._better = None

    def _judge(self, connection: Connection, name: str, lived_s: float) -> None:
        """Whether the connection was lost to another client with our id."""
        said = connection.code == TAKEN_OVER
        if self._duel.lost(lived_s, said=said, closed=connection.closed_in_order):
            log.error("another client uses our client id", broker=name, times=self._duel.times)
            self._on_taken(name, self._duel.times)

    async def _prove(self, name: str) -> None:
        """A connection that lives long enough ends a duel."""
        await self._clock.sleep(HELD_S)
        if self._duel.held():
            self._on_taken(name, 0)

    async def _return(self, connection: Connection, place: int) -> None:
        """Look for a broker that comes before ours; move there once it has let us in."""
        while True:
            await self._clock.sleep(self._return_s)
            for better, broker in enumerate(self._brokers[:place]):
                with suppress(UplinkUnavailable):
                    found = await self._connect(broker, _name(broker))
                    self._better = (found, better)
                    await self._leave(connection)
                    return

    async def _leave(self, connection: Connection) -> None:
        """Let what is under way come to its PUBACK, and say goodbye."""
        with suppress(TimeoutError, UplinkUnavailable):
            async with asyncio.timeout(HAND_OVER_S):
                if self._on_leave is not None:
                    await self._on_leave(connection)
        await connection.close(1.0)

    async def _connect(self, broker: BrokerSpec, name: str) -> Connection:
        login = self._login()
        if self._deaf:
            login = replace(login, subscriptions=(), keep_session=False)
            log.error("no orders and no receipts for a while", broker=name, fault=self.fault)
        if broker.protocol != "auto":
            return await connect(broker, broker.protocol, login, self._on_message)
        version = self._versions.get(name, "5")
        try:
            connection = await connect(broker, version, login, self._on_message)
        except VersionRefused as refused:
            version = "3.1.1" if version == "5" else "5"
            connection = await connect(broker, version, login, self._on_message)
            if refused.certain:
                self._versions[name] = version
        return connection

    def _tell(self, name: str, fault: str) -> None:
        """Log a fault once, not at every attempt."""
        self.fault = f"{name}: {fault}"
        if self._told.get(name) != fault:
            self._told[name] = fault
            log.warning("broker unavailable; records are held", broker=name, fault=fault)


def _name(broker: BrokerSpec) -> str:
    return f"{broker.host}:{broker.port}"
