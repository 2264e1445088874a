"""Poll simulated units over a real socket or pseudo-terminal and gather what is said."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress

from edge.clock import SystemClock
from edge.domain.activity import Duty
from edge.domain.observation import Observation, Reading, SourceBack, SourceLost
from edge.sensors.poller import poll_bus
from edge.sensors.spec import ContactSpec, MeterSpec, SerialBus, TcpBus
from simulators.meters.loads import Fan
from simulators.meters.units import ContactUnit, MeterUnit, Unit

WAIT_S = 12.0


class LateMeter(MeterUnit):
    """A meter whose answers are late now and then, by chance that is the same every time."""

    def __init__(self, *, share: float, longest_s: float) -> None:
        self._chance = random.Random(5)
        self._share, self._longest_s = share, longest_s
        super().__init__(1, "chint_dtsu666", Fan(75), ct_ratio=40, pt_ratio=10)

    @property
    def delay_s(self) -> float:
        """Another one for every request."""
        late = self._chance.random() < self._share
        return self._chance.uniform(0.11, self._longest_s) if late else 0.0

    @delay_s.setter
    def delay_s(self, value: float) -> None:
        self._share = 0.0


class Heard:
    """What one bus said, in order."""

    def __init__(self) -> None:
        self.all: list[Observation] = []
        self._more = asyncio.Event()

    def take(self, observation: Observation) -> None:
        """What the poller emits to."""
        self.all.append(observation)
        self._more.set()

    def of(self, kind: type[Observation], source: str = "") -> list[Observation]:
        """Observations of one kind, of one source where it is given."""
        return [
            item
            for item in self.all
            if isinstance(item, kind) and (not source or item.source == source)
        ]

    def readings(self, source: str) -> list[Reading]:
        """Readings of one meter."""
        return [item for item in self.all if isinstance(item, Reading) and item.source == source]

    def pace(self) -> Counter[str]:
        """Readings by meter."""
        return Counter(item.source for item in self.all if isinstance(item, Reading))

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until `condition` holds; a failed test after `WAIT_S`."""
        async with asyncio.timeout(WAIT_S):
            while not condition():
                self._more.clear()
                await self._more.wait()

    async def lost(self, source: str) -> None:
        await self.until(lambda: self.of(SourceLost, source))

    async def back(self, source: str) -> None:
        await self.until(lambda: self.of(SourceBack, source))

    async def more(self, source: str, count: int = 2) -> None:
        """Wait for `count` more readings of `source`."""
        have = len(self.readings(source))
        await self.until(lambda: len(self.readings(source)) >= have + count)


def meters(units: Sequence[Unit]) -> tuple[MeterSpec, ...]:
    """How the meters among `units` are wired; they are called m1, m2, …"""
    return tuple(
        MeterSpec(code=f"m{unit.unit}", profile=unit.profile_name, unit=unit.unit, duty=Duty.OTHER)
        for unit in units
        if isinstance(unit, MeterUnit)
    )


def contacts(units: Sequence[Unit]) -> tuple[ContactSpec, ...]:
    """How the contacts among `units` are wired; they are called c0 and c1."""
    return tuple(
        ContactSpec(code=f"c{address}", unit=unit.unit, address=address)
        for unit in units
        if isinstance(unit, ContactUnit)
        for address in (0, 1)
    )


def tcp(
    port: int, units: Sequence[Unit], *, period_s: float = 0.2, timeout_s: float = 0.2
) -> TcpBus:
    """A TCP bus to the local `port`."""
    return TcpBus(
        code="yard",
        transport="tcp",
        host="127.0.0.1",
        port=port,
        period_s=period_s,
        timeout_s=timeout_s,
        meter=meters(units),
        contact=contacts(units),
    )


def rtu(
    device: str, units: Sequence[Unit], *, period_s: float = 0.2, timeout_s: float = 0.2
) -> SerialBus:
    """A serial bus on `device`."""
    return SerialBus(
        code="yard",
        transport="rtu",
        device=device,
        baud=115200,
        period_s=period_s,
        timeout_s=timeout_s,
        meter=meters(units),
        contact=contacts(units),
    )


@asynccontextmanager
async def polling(bus: TcpBus | SerialBus) -> AsyncIterator[Heard]:
    """Poll `bus` in the background; an exception of the poller fails the test."""
    heard = Heard()
    task = asyncio.create_task(poll_bus(bus, clock=SystemClock(), emit=heard.take))
    try:
        yield heard
        assert not task.done(), task.exception()
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
