"""Asks the units of one bus in turn and says what they said. A silent unit delays nobody much."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from edge.clock import Clock, Stamp
from edge.domain.observation import (
    ContactChange,
    Observation,
    Quality,
    Reading,
    SourceBack,
    SourceLost,
)
from edge.errors import SourceError
from edge.sensors.contacts import Debounce
from edge.sensors.decode import decode
from edge.sensors.health import Health, answered, failed
from edge.sensors.modbus import BusDownError, ModbusPort, open_port
from edge.sensors.plan import DISCRETE_INPUTS, Span, plan, probe
from edge.sensors.power import power_of
from edge.sensors.profiles import load_profile
from edge.sensors.spec import ContactSpec, MeterSpec, SerialBus, TcpBus

_MAX_BITS, _MAX_BIT_GAP = 256, 128
_MIN_PAUSE_S = 0.01
_MAX_BUS_BACKOFF_S = 10.0
NO_FIGURE = (
    "it answers, and gives no figure for its power; check its ratios, its wiring and its profile"
)
"""A meter whose ratio was set to zero would otherwise be a way to hide a load."""

Emit = Callable[[Observation], None]
Registers = dict[tuple[int, int], int]


class _Target(Protocol):
    """What is asked of one unit."""

    unit: int
    sources: tuple[str, ...]
    items: tuple[Span, ...]
    reads: tuple[Span, ...]

    def observe(self, registers: Registers, stamp: Stamp) -> list[Observation]: ...


class _Meter:
    def __init__(self, meter: MeterSpec) -> None:
        self.unit = meter.unit
        self.sources: tuple[str, ...] = (meter.code,)
        self._code = meter.code
        self._profile = load_profile(meter.profile)
        self.items = self._profile.items()
        self.reads = self._profile.reads()

    def observe(self, registers: Registers, stamp: Stamp) -> list[Observation]:
        seen = decode(self._profile, registers)
        return [Reading(self._code, stamp, seen.quality, seen.values, seen.serial)]


class _Contacts:
    """The contacts of one unit."""

    def __init__(self, unit: int, contacts: Iterable[ContactSpec]) -> None:
        self.unit = unit
        self._contacts = [(contact, Debounce()) for contact in contacts]
        self.sources = tuple(contact.code for contact, _ in self._contacts)
        self.items = tuple(
            Span(DISCRETE_INPUTS, contact.address, 1) for contact, _ in self._contacts
        )
        self.reads = plan(self.items, _MAX_BITS, _MAX_BIT_GAP)

    def observe(self, registers: Registers, stamp: Stamp) -> list[Observation]:
        changes: list[Observation] = []
        for contact, debounce in self._contacts:
            closed = bool(registers[DISCRETE_INPUTS, contact.address])
            changed = debounce.step(closed, stamp)
            if changed is not None:
                changes.append(ContactChange(contact.code, changed, Quality.GOOD, closed))
        return changes


class Poller:
    """Sweeps over one bus, one request at a time."""

    def __init__(
        self, bus: TcpBus | SerialBus, port: ModbusPort, *, clock: Clock, emit: Emit
    ) -> None:
        self._port = port
        self._clock = clock
        self._emit = emit
        self._targets: list[_Target] = [_Meter(meter) for meter in bus.meter]
        for unit in sorted({contact.unit for contact in bus.contact}):
            mine = [contact for contact in bus.contact if contact.unit == unit]
            self._targets.append(_Contacts(unit, mine))
        self._health = [Health() for _ in self._targets]

    async def sweep(self) -> bool:
        """Ask every unit that is due once. False when the bus itself is down."""
        for index, target in enumerate(self._targets):
            if not self._health[index].due(self._clock.now()):
                continue
            try:
                registers = await self._ask(target, self._health[index])
            except BusDownError as error:
                for unasked in range(index, len(self._targets)):
                    self._failed(unasked, str(error), patient=False)
                return False
            except SourceError as error:
                self._failed(index, str(error), patient=True)
                continue
            self._answered(index, registers)
        return True

    def _answered(self, index: int, registers: Registers) -> None:
        now, target = self._clock.now(), self._targets[index]
        observations = target.observe(registers, now)
        if any(isinstance(seen, Reading) and power_of(seen) is None for seen in observations):
            self._failed(index, NO_FIGURE, patient=False)
        else:
            self._health[index], lost_s = answered(self._health[index], now)
            if lost_s is not None:
                for source in target.sources:
                    self._emit(SourceBack(source, now, lost_s))
        for observation in observations:
            self._emit(observation)

    async def _ask(self, target: _Target, health: Health) -> Registers:
        if health.suspect:
            await self._port.read(target.unit, probe(target.reads, target.items))
        registers: Registers = {}
        for read in target.reads:
            words = await self._port.read(target.unit, read)
            registers.update(
                ((read.function, read.address + offset), word) for offset, word in enumerate(words)
            )
        return registers

    def _failed(self, index: int, reason: str, *, patient: bool) -> None:
        now = self._clock.now()
        self._health[index], lost = failed(self._health[index], now, patient=patient)
        if lost:
            for source in self._targets[index].sources:
                self._emit(SourceLost(source, now, reason))


async def poll_bus(
    bus: TcpBus | SerialBus, *, clock: Clock, emit: Emit, port: ModbusPort | None = None
) -> None:
    """Poll `bus` until cancelled, through `port` where somebody else uses it too.

    Emits a Reading per meter and sweep, a ContactChange per contact at first and at every
    change, and SourceLost and SourceBack once each; a meter that answers without a figure for
    its power is lost too. Only SourceError is answered here.

    Raises:
        ConfigError: a meter's profile is unknown or faulty.
    """
    port = port or open_port(bus, clock)
    poller = Poller(bus, port, clock=clock, emit=emit)
    backoff_s = 0.0
    try:
        while True:
            began = clock.now()
            up = await poller.sweep()
            backoff_s = 0.0 if up else min(max(2 * backoff_s, bus.period_s), _MAX_BUS_BACKOFF_S)
            pause_s = (bus.period_s if up else backoff_s) - clock.now().since(began)
            await clock.sleep(max(pause_s, _MIN_PAUSE_S))
    finally:
        port.close()
