"""Whose turn it is on a bus, so that a silent or slow unit delays nobody. Pure.

A sweep asks the steady units first. Silent and slow ones come after them, those that have waited
longest first, in the time that is free: until the period is over, and beyond it what sweeps that
were shorter than with all units well have saved, and a little more of each. That adds up
until it is enough for one of them. One in a sweep that failed and is not lost yet needs not wait
for that: a loss is to be told soon. Who failed while something else was heard on the line is most
likely well, and is asked again as soon as the steady ones have had their turn.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from edge.clock import Stamp
from edge.sensors.health import LOST_AFTER, Health

SHARE = 0.04
"""How much longer than it must a sweep may last for the sake of those that do not answer well."""

SLOW_FACTOR, SLOW_S = 4.0, 0.1
"""A unit is slow that thinks so many times longer, and so much longer, than the quicker ones."""


@dataclass(slots=True)
class _Unit:
    health: Health
    share_s: float
    cost_s: float = 0.0  # of the last time it was asked
    asked_us: int = -1

    def is_steady(self, slow_from_s: float) -> bool:
        health = self.health
        answers = health.likely_well or not (health.failures and health.suspect)
        return answers and (health.thinks_s is None or health.thinks_s <= slow_from_s)


class Turns:
    """The units of one bus, by number, and their health."""

    def __init__(self, period_s: float, timeout_s: float, shares_s: Sequence[float]) -> None:
        """All are steady at first.

        Args:
            period_s: wanted between two sweeps.
            timeout_s: that a silent unit costs.
            shares_s: of each unit, how long it takes if it answers at once; 0 if not known.
        """
        self._period_s = period_s
        self._timeout_s = timeout_s
        self._units = [_Unit(Health(), share) for share in shares_s]
        self._steady: list[int] = []
        self._others: list[int] | None = None  # not known before the steady ones were asked
        self._asked: set[int] = set()
        self._again: list[int] = []  # were disturbed in this sweep
        self._free_s = 0.0  # of this sweep, until the period is over
        self._spare_s = 0.0  # of earlier ones
        self._hurried = False
        self._began: Stamp | None = None
        self._turn: tuple[int, Stamp] | None = None

    def health(self, number: int) -> Health:
        """Of one unit."""
        return self._units[number].health

    def set_health(self, number: int, health: Health) -> None:
        """What became of asking it."""
        self._units[number].health = health

    def begin(self, now: Stamp) -> None:
        """A sweep begins."""
        self._began, self._turn = now, None
        self._asked.clear()
        self._again.clear()
        limit_s = self._slow_from_s()
        self._steady = [i for i, unit in enumerate(self._units) if unit.is_steady(limit_s)]
        self._steady.reverse()
        self._others = None
        self._hurried = False

    def next(self, now: Stamp) -> int | None:
        """Who is asked now; None when the sweep is over. The turn before ends with this."""
        self._end_turn(now)
        first = self._steady or self._again
        number = first.pop() if first else self._next_other(now)
        if number is not None:
            self._asked.add(number)
            self._units[number].asked_us = now.mono_us
            self._turn = number, now
        return number

    @property
    def room_s(self) -> float:
        """How long those that are not steady may take now."""
        return self._free_s + self._spare_s

    def unasked(self) -> list[int]:
        """Whom this sweep has not asked."""
        return [number for number in range(len(self._units)) if number not in self._asked]

    def pause_s(self, now: Stamp) -> float:
        """How long to wait for the next sweep; 0 where this one took longer than its period."""
        return 0.0 if self._began is None else max(self._period_s - now.since(self._began), 0.0)

    def _end_turn(self, now: Stamp) -> None:
        if self._turn is None:
            return
        number, began = self._turn
        self._turn = None
        if self._others is None and self._units[number].health.likely_well:
            self._again.append(number)
        took_s = self._units[number].cost_s = now.since(began)
        if self._others is not None:
            self._spare_s = max(self._spare_s - max(took_s - self._free_s, 0.0), 0.0)
            self._free_s = max(self._free_s - took_s, 0.0)

    def _next_other(self, now: Stamp) -> int | None:
        if self._others is None:
            self._others = self._line_up()
            self._gain(now)
        waits = False  # who needs more room than there is is not overtaken, but for one that is
        for number in self._others:  # most likely well: else he would never get it
            unit = self._units[number]
            failures = unit.health.failures
            if not unit.health.due(now) or (waits and failures != 1):
                continue
            fits = self._cost_s(unit) <= self.room_s
            if fits or (0 < failures < LOST_AFTER and not self._hurried):
                self._hurried = self._hurried or not fits
                self._others.remove(number)
                return number
            waits = True
        return None

    def _line_up(self) -> list[int]:
        """Those that are not steady, who waited longest first; who is known to be late last."""

        def place(number: int) -> tuple[bool, int]:
            unit = self._units[number]
            return unit.health.overdue_s > 0, unit.asked_us

        return sorted(self.unasked(), key=place)

    def _gain(self, now: Stamp) -> None:
        """What the steady ones have left; saved is no more than the dearest of the others needs."""
        assert self._began is not None
        used_s, well_s = now.since(self._began), self._well_s()
        alone = len(self.unasked()) == len(self._units)
        self._free_s = math.inf if alone else max(self._period_s - used_s, 0.0)
        gain_s = SHARE * well_s + max(well_s - max(used_s, self._period_s), 0.0)
        others = [self._units[number] for number in self.unasked()]
        costs_s = (max(self._cost_s(unit), unit.health.listen_s) for unit in others)
        dearest_s = max(costs_s, default=0.0)
        self._spare_s = min(self._spare_s + gain_s, max(gain_s, dearest_s))

    def _cost_s(self, unit: _Unit) -> float:
        """What asking it will take. Who was disturbed most likely is well."""
        health = unit.health
        if not (health.failures and health.suspect):
            return unit.cost_s
        if health.likely_well:
            return min(unit.share_s or unit.cost_s, unit.cost_s)
        return max(self._timeout_s, health.overdue_s)

    def _well_s(self) -> float:
        """How long a sweep lasts if all units answer at once; those not known as the quicker."""
        limit_s = self._slow_from_s()
        usual = [
            unit.share_s or (unit.cost_s if unit.is_steady(limit_s) else 0.0)
            for unit in self._units
        ]
        quick_s = _quick([seconds for seconds in usual if seconds]) or 0.0
        return max(self._period_s, sum(seconds or quick_s for seconds in usual))

    def _slow_from_s(self) -> float:
        thoughts = [unit.health.thinks_s for unit in self._units]
        quick_s = _quick([seconds for seconds in thoughts if seconds is not None])
        if quick_s is None:
            return math.inf
        return max(quick_s * SLOW_FACTOR, quick_s + SLOW_S)


def _quick(seconds: list[float]) -> float | None:
    """What a quarter of them are not above."""
    return sorted(seconds)[(len(seconds) - 1) // 4] if seconds else None
