"""Finds out what is on an unknown bus: speed and parity, units, and the profile of each.

Bounded in time: what is likely is tried first, and what was found until then is told. Only reads
are sent, and nobody else may use the bus meanwhile.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from edge.clock import Clock
from edge.sensors.identify import Guess, Memory, identify, rank
from edge.sensors.modbus import open_port
from edge.sensors.plan import Span
from edge.sensors.port import BusDownError, ModbusPort, NoAnswerError, RefusedError
from edge.sensors.profiles import Profile
from edge.sensors.spec import AnyBus, LineBus, TcpBus

FIRST_UNITS = 16  # asked at every setting of the line before any other is
_KNOCK = Span(3, 0, 1)  # whatever a unit answers to it, it is there
_GATEWAY = {0x0A, 0x0B}  # a gateway says that nobody answers behind it
_HARDLY_EVER = (246, 247)
_LIVE_S = 1.0
_BAUDS = (9600, 19200, 38400, 4800, 2400, 115200, 57600, 1200)

Profiles = Mapping[str, Profile]


def settings(line: LineBus, profiles: Profiles) -> list[LineBus]:
    """The line as it may be set: first as most meters leave the factory, then all else."""
    factory = Counter(
        (meter.link.baud, meter.link.parity, meter.link.stop_bits) for meter in profiles.values()
    )
    others = ((baud, parity, 1) for parity in ("N", "E") for baud in _BAUDS)
    tried = dict.fromkeys([*(link for link, _ in factory.most_common()), *others])
    return [
        line.model_copy(update={"baud": baud, "parity": parity, "stop_bits": stop_bits})
        for baud, parity, stop_bits in tried
        if baud in _BAUDS
    ]


@dataclass(slots=True)
class FoundUnit:
    """A unit that answers; `guesses` are the profiles that it may have, best first."""

    unit: int
    guesses: list[Guess] = field(default_factory=list)


@dataclass(slots=True)
class Found:
    """What a search found.

    Attributes:
        bus: the bus as it answered; None where nothing did.
        units: in order of their addresses.
        whole: all was asked; else the time was up before.
        any_unit: the server answers for every address: it is one meter, or does not look at them.
    """

    bus: AnyBus | None = None
    units: list[FoundUnit] = field(default_factory=list)
    whole: bool = True
    any_unit: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """How far a search is: for whoever watches.

    Attributes:
        bus: that is asked.
        unit: that is asked.
        profile: that is tried; empty while units are looked for.
        found: how many units answered so far.
        left_s: of the time allowed.
    """

    bus: AnyBus
    unit: int
    profile: str
    found: int
    left_s: float


class _TimeUpError(Exception):
    pass


class Search:
    """One search.

    Args:
        buses: the same bus as it may be set, the likeliest first.
        profiles: that a unit may have.
        units: addresses to ask.
        seconds: that it may take.
        clock: time.
        tell: told every step.
    """

    def __init__(
        self,
        buses: Sequence[AnyBus],
        profiles: Profiles,
        units: Sequence[int],
        *,
        seconds: float,
        clock: Clock,
        tell: Callable[[Step], None] = lambda _step: None,
    ) -> None:
        self._buses = buses
        self._profiles = profiles
        self._units = units
        self._seconds = seconds
        self._clock = clock
        self._began = clock.now()
        self._tell = tell
        self._found = Found()

    async def run(self) -> Found:
        """Search.

        Raises:
            BusDownError: the line or the connection cannot be opened.
        """
        first, rest = self._units[:FIRST_UNITS], self._units[FIRST_UNITS:]
        try:
            if not await self._look_at_all(first, rest) and rest:
                await self._look_at_all(rest, ())
        except _TimeUpError:
            self._found.whole = False
        self._found.units.sort(key=lambda unit: unit.unit)
        return self._found

    async def _look_at_all(self, first: Sequence[int], rest: Sequence[int]) -> bool:
        """Look at the bus in every setting until somebody answers; whether somebody does."""
        down: BusDownError | None = None
        opened = False
        for bus in self._buses:
            try:
                await self._look(bus, first, rest)
                opened = True
            except BusDownError as error:  # a device may lack this speed, or parity
                down = error
                self._found.whole = self._found.bus is None  # else it went down under way
            if self._found.bus:
                return True
        if down is not None and not opened:
            raise down
        return False

    async def _look(self, bus: AnyBus, first: Sequence[int], rest: Sequence[int]) -> None:
        """Ask the first units; if one of them is there, all others too, and who they are."""
        port = open_port(bus, self._clock)
        try:
            if isinstance(bus, TcpBus) and await self._answers_for_all(bus, port):
                self._found.any_unit, first, rest = True, first[:1], ()
            for unit in first:
                await self._knock(bus, port, unit)
            for found in tuple(self._found.units):
                await self._identify(bus, port, found)
            for unit in rest if self._found.units else ():
                if await self._knock(bus, port, unit):
                    await self._identify(bus, port, self._found.units[-1])
        finally:
            port.close()

    async def _answers_for_all(self, bus: AnyBus, port: ModbusPort) -> bool:
        """Whether units that hardly exist answer: then addresses say nothing."""
        return all([await self._there(bus, port, unit) for unit in _HARDLY_EVER])

    async def _knock(self, bus: AnyBus, port: ModbusPort, unit: int) -> bool:
        if not await self._there(bus, port, unit):
            return False
        self._found.bus = bus
        self._found.units.append(FoundUnit(unit))
        return True

    async def _there(self, bus: AnyBus, port: ModbusPort, unit: int) -> bool:
        self._step(bus, unit)
        try:
            await port.read(unit, _KNOCK)
        except NoAnswerError:
            return False
        except RefusedError as error:
            return error.code not in _GATEWAY
        return True

    async def _identify(self, bus: AnyBus, port: ModbusPort, found: FoundUnit) -> None:
        """Try every profile on a unit."""
        memory = Memory(port, found.unit)
        try:
            for name, profile in self._profiles.items():
                memory.before = partial(self._step, bus, found.unit, name)
                guess = await identify(memory, name, profile)
                if guess is not None:
                    found.guesses.append(guess)
                if memory.silent:
                    break
        finally:  # also when the time is up
            found.guesses.sort(key=rank, reverse=True)

    def _step(self, bus: AnyBus, unit: int, profile: str = "") -> None:
        left_s = self._seconds - self._clock.now().since(self._began)
        if left_s <= 0:
            raise _TimeUpError
        self._tell(Step(bus, unit, profile, len(self._found.units), left_s))


async def live(
    bus: AnyBus, chosen: Mapping[int, Guess], seconds: float, clock: Clock
) -> AsyncIterator[dict[int, Guess | None]]:
    """The units read again about once a second, each by its guess; None where it does not answer.

    Raises:
        BusDownError: the line is gone.
    """
    port = open_port(bus, clock)
    began = clock.now()
    try:
        while clock.now().since(began) < seconds:
            yield {
                unit: await identify(Memory(port, unit), guess.name, guess.profile)
                for unit, guess in chosen.items()
            }
            await clock.sleep(_LIVE_S)
    finally:
        port.close()
