"""Asks the units of one bus in turn and says what they said. A silent unit delays nobody."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta, timezone

from edge.clock import Clock, Stamp
from edge.domain.observation import Observation, Reading, SourceBack, SourceLost
from edge.errors import SourceError
from edge.sensors.decode import Registers
from edge.sensors.health import answered, doubted, failed, overheard, thought
from edge.sensors.load import TURNAROUND_S, read_seconds, shares
from edge.sensors.modbus import open_port
from edge.sensors.plan import Span
from edge.sensors.port import BusDownError, ModbusPort, NoAnswerError, RefusedError
from edge.sensors.power import power_of
from edge.sensors.spec import AnyBus, LineBus
from edge.sensors.targets import Target, targets
from edge.sensors.turns import Turns

_MIN_PAUSE_S = 0.001
_GOLDEN = 0.618  # its multiples are far from each other
_MAX_BUS_BACKOFF_S = 10.0
NO_FIGURE = (
    "it answers, and gives no figure for its power; check its ratios, its wiring and its profile"
)
"""A meter whose ratio was set to zero would otherwise be a way to hide a load."""

Emit = Callable[[Observation], None]


class Poller:
    """Sweeps over one bus, one request at a time."""

    def __init__(
        self,
        bus: AnyBus,
        port: ModbusPort,
        *,
        clock: Clock,
        emit: Emit,
        since: Stamp | None = None,
        utc_offset_h: float = 8.0,
    ) -> None:
        self._bus = bus
        self._port = port
        self._clock = clock
        self._emit = emit
        self._targets = targets(bus)
        self._zone = timezone(timedelta(hours=utc_offset_h))
        self._remembered = False  # somebody's memory was read in this sweep
        for target in self._targets if since else ():
            self._missed(target, since or clock.now())
        self._turns = Turns(bus.period_s, bus.timeout_s, shares(bus, self._targets))

    async def sweep(self) -> bool:
        """Ask every unit whose turn it is once. False when the bus itself is down."""
        turns = self._turns
        turns.begin(self._clock.now())
        self._remembered = False
        while (number := turns.next(self._clock.now())) is not None:
            try:
                registers = await self._ask(number)
            except BusDownError as error:
                for unasked in (number, *turns.unasked()):
                    self._failed(unasked, str(error), patient=False)
                return False
            except SourceError as error:
                self._failed(number, str(error), patient=True)
                continue
            self._answered(number, registers)
            await self._remember(number)
        return True

    def pause_s(self) -> float:
        """How long to wait before the next sweep."""
        return self._turns.pause_s(self._clock.now())

    async def _ask(self, number: int) -> Registers:
        """Everything that is due of one unit, or all but what it can do without."""
        target, asked = self._targets[number], self._clock.now()
        if self._turns.health(number).suspect:
            with suppress(RefusedError):  # it answers, and that is what we want to know
                await self._read(number, target.probe)
        registers: dict[tuple[int, int], int] = {}
        tried: set[Span] = set()
        while left := [read for read in target.reads(asked) if read not in tried]:
            read = left[0]
            tried.add(read)
            try:
                words = await self._read(number, read)
            except RefusedError:
                if not target.put_off(read, asked, refused=True):
                    raise
            except NoAnswerError:
                if not target.put_off(read, asked, refused=False):
                    raise
                self._turns.set_health(number, doubted(self._turns.health(number)))
                return registers
            else:
                registers.update(
                    ((read.function, read.address + i), word) for i, word in enumerate(words)
                )
        return registers

    async def _read(self, number: int, read: Span) -> list[int]:
        began, health = self._clock.now(), self._turns.health(number)
        on_line = isinstance(self._bus, LineBus)
        listens = on_line and health.listen_s <= max(self._turns.room_s, health.overdue_s)
        try:
            words = await self._port.read(
                self._targets[number].unit,
                read,
                health.patience_s(self._bus.timeout_s),
                health.listen_s if listens else 0.0,
            )
        except NoAnswerError as error:
            told = listens and health.listen_s > 0
            health = overheard(
                health,
                error.late_s,
                listened=told or not on_line,
                disturbed=error.disturbed,
            )
            self._turns.set_health(number, health)
            raise
        took_s = self._clock.now().since(began)
        if isinstance(self._bus, LineBus):
            took_s -= read_seconds(self._bus, read) - TURNAROUND_S
        self._turns.set_health(number, thought(health, max(took_s, 0.0)))
        return words

    def _missed(self, target: Target, since: Stamp) -> None:
        first, last = (
            datetime.fromtimestamp(stamp.wall_us / 1e6, self._zone).date()
            for stamp in (since, self._clock.now())
        )
        target.missed(first, last)

    async def _remember(self, number: int) -> None:
        """One block of one meter's memory in a sweep: what was missed is in no hurry."""
        target, health = self._targets[number], self._turns.health(number)
        span = None if self._remembered or health.failures else target.memory()
        if span is None:
            return
        self._remembered = True
        words, refused = None, False
        try:
            words = await self._read(number, span)
        except RefusedError:
            refused = True
        except NoAnswerError:
            self._turns.set_health(number, doubted(self._turns.health(number)))
        except BusDownError:
            return  # the next sweep tells
        for observation in target.remember(words, self._clock.now(), refused=refused):
            self._emit(observation)

    def _answered(self, number: int, registers: Registers) -> None:
        now, target = self._clock.now(), self._targets[number]
        observations = target.observe(registers, now)
        if any(isinstance(seen, Reading) and power_of(seen) is None for seen in observations):
            self._failed(number, NO_FIGURE, patient=False, answers=True)
        else:
            health, lost_s = answered(self._turns.health(number), now)
            self._turns.set_health(number, health)
            if lost_s is not None:
                self._missed(target, now.moved(-lost_s))
                for source in target.sources:
                    self._emit(SourceBack(source, now, lost_s))
        for observation in observations:
            self._emit(observation)

    def _failed(self, number: int, reason: str, *, patient: bool, answers: bool = False) -> None:
        now, target = self._clock.now(), self._targets[number]
        health = self._turns.health(number)
        stagger = target.unit * _GOLDEN % 1
        health, lost = failed(health, now, patient=patient, answers=answers, stagger=stagger)
        self._turns.set_health(number, health)
        if health.lost:
            target.anew()
        if lost:
            for source in target.sources:
                self._emit(SourceLost(source, now, reason))


async def poll_bus(
    bus: AnyBus,
    *,
    clock: Clock,
    emit: Emit,
    port: ModbusPort | None = None,
    since: Stamp | None = None,
    utc_offset_h: float = 8.0,
) -> None:
    """Poll `bus` until cancelled, through `port` where somebody else uses it too.

    `since` is when anything was last known: what meters kept of the days after it is asked for.
    Their clocks are `utc_offset_h` ahead of UTC.

    Emits a Reading per meter and sweep, a ContactChange per contact at first and at every
    change, and SourceLost and SourceBack once each; a meter that answers without a figure for
    its power is lost too. Only SourceError is answered here.

    Raises:
        ConfigError: a meter's profile is unknown or faulty.
    """
    port = port or open_port(bus, clock)
    poller = Poller(bus, port, clock=clock, emit=emit, since=since, utc_offset_h=utc_offset_h)
    backoff_s = 0.0
    try:
        while True:
            began = clock.now()
            up = await poller.sweep()
            backoff_s = 0.0 if up else min(max(2 * backoff_s, bus.period_s), _MAX_BUS_BACKOFF_S)
            pause_s = poller.pause_s() if up else backoff_s - clock.now().since(began)
            await clock.sleep(max(pause_s, _MIN_PAUSE_S))
    finally:
        port.close()
