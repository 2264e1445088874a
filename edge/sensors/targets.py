"""What is asked of the units of a bus, and what their answers mean. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import combinations
from typing import Protocol

from edge.clock import Stamp
from edge.domain.observation import ContactChange, MeterHistory, Observation, Quality, Reading
from edge.sensors.backfill import Backfill
from edge.sensors.contacts import Debounce
from edge.sensors.decode import Registers, decode
from edge.sensors.plan import DISCRETE_INPUTS, Span, plan, probe
from edge.sensors.profiles import RATIO_PARTS, Pace, load_profile
from edge.sensors.rota import Rota, phases
from edge.sensors.spec import AnyBus, ContactSpec, MeterSpec

MAX_RATIO_AGE_S = 600.0
"""A ratio that could not be read for longer is not known any more."""

_MAX_BITS, _MAX_BIT_GAP = 256, 128


class Target(Protocol):
    """One unit.

    Attributes:
        unit: address.
        sources: who is lost with it.
        fast: reads of every sweep.
        slow: reads of every minute.
        probe: the read that finds out whether it is in step (see `plan.probe`).
    """

    unit: int
    sources: tuple[str, ...]
    fast: tuple[Span, ...]
    slow: tuple[Span, ...]
    probe: Span

    def reads(self, now: Stamp) -> tuple[Span, ...]:
        """What to read in a sweep that asks it now, what matters most first."""

    def put_off(self, read: Span, now: Stamp, *, refused: bool) -> bool:
        """`read` failed. Whether the sweep can do without it."""

    def anew(self) -> None:
        """It is lost: once it is back, everything is read."""

    def observe(self, registers: Registers, now: Stamp) -> list[Observation]:
        """What the registers that were read say."""

    def missed(self, first: date, last: date) -> None:
        """It was not read from some moment of `first` to some moment of `last`."""

    def memory(self) -> Span | None:
        """What to read of its own memory; None where nothing was missed or it has none."""

    def remember(self, words: list[int] | None, now: Stamp, *, refused: bool) -> list[Observation]:
        """What that says; `words` is None where it was not read."""


class MeterTarget:
    """A power meter."""

    def __init__(self, meter: MeterSpec, moments_s: Iterator[float]) -> None:
        self.unit = meter.unit
        self.sources: tuple[str, ...] = (meter.code,)
        self._code = meter.code
        self._profile = load_profile(meter.profile)
        self.fast = self._profile.reads(Pace.FAST)
        self.slow = self._profile.reads(Pace.SLOW)
        self.probe = probe(self._all_reads(), self._profile.items())
        self._rota = Rota(self.slow, [next(moments_s) for _ in self.slow])
        self._ratios: dict[str, tuple[float, Stamp]] = {}
        self._backfill = Backfill(self._profile.history)

    def reads(self, now: Stamp) -> tuple[Span, ...]:
        return self._joined(self._rota.due(now))

    def _joined(self, due: Sequence[Span]) -> tuple[Span, ...]:
        """Fewer requests where a slow register lies beside a fast one; those with fast first."""
        if not due:
            return self.fast
        profile = self._profile
        items = (*profile.items(Pace.FAST), *due)
        illegal = [stretch.span for stretch in profile.illegal]
        reads = plan(items, profile.max_registers, profile.max_gap, illegal)
        return tuple(sorted(reads, key=self._is_slow))

    def _is_slow(self, read: Span) -> bool:
        return not any(map(read.contains, self._profile.items(Pace.FAST)))

    def _all_reads(self) -> set[Span]:
        """Every read that any sweep can make."""
        choices = (
            chosen
            for count in range(len(self.slow) + 1)
            for chosen in combinations(self.slow, count)
        )
        reads = {read for chosen in choices for read in self._joined(chosen)}
        history = self._profile.history
        return reads | {history.block(0)} if history else reads

    def put_off(self, read: Span, now: Stamp, *, refused: bool) -> bool:
        within = [span for span in self._rota.due(now) if read.contains(span)]
        for span in within:
            self._rota.put_off(span, now, refused=refused)
        return bool(within) and (refused or self._is_slow(read))

    def anew(self) -> None:
        self._rota.anew()

    def observe(self, registers: Registers, now: Stamp) -> list[Observation]:
        for span in self._rota.due(now):
            if all((span.function, span.address + i) in registers for i in range(span.count)):
                self._rota.done(span, now)
        known = {
            name: value
            for name, (value, stamp) in self._ratios.items()
            if now.since(stamp) <= MAX_RATIO_AGE_S
        }
        seen = decode(self._profile, registers, known)
        for name in self._ratios_read(registers):
            self._ratios.pop(name, None)  # a ratio of zero must not live on as what it was
            if name in seen.values:
                self._ratios[name] = (seen.values[name], now)
        return [Reading(self._code, now, seen.quality, seen.values, seen.serial)]

    def missed(self, first: date, last: date) -> None:
        self._backfill.missed(first, last)

    def memory(self) -> Span | None:
        return None if self._memory_ratio() is None else self._backfill.next()

    def remember(self, words: list[int] | None, now: Stamp, *, refused: bool) -> list[Observation]:
        if words is None:
            self._backfill.failed(refused=refused)
            return []
        frozen = self._backfill.take(words, self._memory_ratio() or 1.0)
        if frozen is None:
            return []
        told = frozen.moment.isoformat()
        return [MeterHistory(self._code, now, told, round(frozen.energy_kwh, 6))]

    def _memory_ratio(self) -> float | None:
        """What its memory has to be multiplied by; None where that is not known yet."""
        names = self._profile.history.ratio if self._profile.history else ()
        if any(f"{name}_ratio" not in self._ratios for name in names):
            return None
        return math.prod(self._ratios[f"{name}_ratio"][0] for name in names)

    def _ratios_read(self, registers: Registers) -> Iterator[str]:
        for ratio, parts in RATIO_PARTS.items():
            for name, quantity in self._profile.quantity.items():
                place = (quantity.function, quantity.address)
                if name in (ratio, *parts) and place in registers:
                    yield ratio


class ContactsTarget:
    """The contacts of one unit."""

    slow: tuple[Span, ...] = ()

    def __init__(self, unit: int, contacts: Iterable[ContactSpec]) -> None:
        self.unit = unit
        self._contacts = [(contact, Debounce()) for contact in contacts]
        self.sources = tuple(contact.code for contact, _ in self._contacts)
        items = [Span(DISCRETE_INPUTS, contact.address, 1) for contact, _ in self._contacts]
        self.fast = plan(items, _MAX_BITS, _MAX_BIT_GAP)
        self.probe = probe(self.fast, items)

    def reads(self, now: Stamp) -> tuple[Span, ...]:
        _ = now
        return self.fast

    def put_off(self, read: Span, now: Stamp, *, refused: bool) -> bool:
        _ = read, now, refused
        return False

    def anew(self) -> None:
        return

    def observe(self, registers: Registers, now: Stamp) -> list[Observation]:
        changes: list[Observation] = []
        for contact, debounce in self._contacts:
            closed = bool(registers[DISCRETE_INPUTS, contact.address])
            changed = debounce.step(closed, now)
            if changed is not None:
                changes.append(ContactChange(contact.code, changed, Quality.GOOD, closed))
        return changes

    def missed(self, first: date, last: date) -> None:
        _ = first, last

    def memory(self) -> Span | None:
        return None

    def remember(self, words: list[int] | None, now: Stamp, *, refused: bool) -> list[Observation]:
        _ = words, now, refused
        return []


def targets(bus: AnyBus) -> list[Target]:
    """The units of a bus, their slow reads spread over the minute.

    Raises:
        ConfigError: a meter's profile is unknown or faulty.
    """
    count = sum(len(load_profile(meter.profile).reads(Pace.SLOW)) for meter in bus.meter)
    moments_s = iter(phases(count))
    found: list[Target] = [MeterTarget(meter, moments_s) for meter in bus.meter]
    for unit in sorted({contact.unit for contact in bus.contact}):
        mine = [contact for contact in bus.contact if contact.unit == unit]
        found.append(ContactsTarget(unit, mine))
    return found
