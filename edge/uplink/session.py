"""Keeps one connection: brokers in order, versions in order, back-off with bounds."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import replace

import structlog

from edge.clock import Clock
from edge.errors import UplinkUnavailable
from edge.uplink.connection import Connection, Oversized, VersionRefused, connect
from edge.uplink.mqtt import Login, Version
from edge.uplink.spec import BrokerSpec

RETRY_FIRST_S = 0.5
RETRY_FACTOR = 1.6
RETRY_MOST_S = 30.0
STEADY_S = 10.0  # a connection that lived so long was a good one
DEAF_S = 600.0  # after a message that is too large, so long without subscriptions

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

    Args:
        brokers: tried in this order, at each loss from the first again.
        login: made anew for every attempt (the last will carries a time).
        clock: for the pauses.
        on_message: topic and payload of what comes in.
        on_up: called with each new connection.
        on_down: called when it is over.
    """

    def __init__(
        self,
        brokers: Sequence[BrokerSpec],
        login: Callable[[], Login],
        clock: Clock,
        *,
        on_message: Callable[[str, bytes], None],
        on_up: Callable[[Connection], None],
        on_down: Callable[[], None],
    ) -> None:
        self._brokers = tuple(brokers)
        self._login = login
        self._clock = clock
        self._on_message = on_message
        self._on_up = on_up
        self._on_down = on_down
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
                    await self._clock.sleep(backoff.next())
        finally:
            if self.connection is not None:
                self.connection.drop("stopped")

    async def close(self, timeout_s: float) -> None:
        """Disconnect in order and stay disconnected."""
        self._closing = True
        if self.connection is not None:
            await self.connection.close(timeout_s)

    async def _round(self) -> bool:
        """Try each broker once; stay with one that takes us. True if it was a steady one."""
        for broker in self._brokers:
            name = f"{broker.host}:{broker.port}"
            try:
                connection = await self._connect(broker, name)
            except UplinkUnavailable as error:
                self._deaf = isinstance(error, Oversized)
                self._tell(name, str(error))
                continue
            return await self._stay(connection, name)
        return False

    async def _stay(self, connection: Connection, name: str) -> bool:
        began = self._clock.now()
        self._told.clear()
        self.connection, self.broker, self.fault = connection, name, ""
        log.info("uplink connected", broker=name, mqtt=connection.version)
        self._on_up(connection)
        try:
            # A cancelled wait must not cancel the connection's own future.
            async with asyncio.timeout(DEAF_S if self._deaf else None):
                await asyncio.shield(connection.ended)
        except TimeoutError:
            log.info("listening to the broker again", broker=name)
        finally:
            connection.drop("stopped")
            self.connection = None
            self._on_down()
        self._deaf = connection.oversized
        if not self._closing:
            self._tell(name, connection.ended.result())
        return self._clock.now().since(began) >= STEADY_S

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
