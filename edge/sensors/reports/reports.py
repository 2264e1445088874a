"""Quarter hours, days and weeks, each made of the one before it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from edge.clock import Stamp
from edge.domain.record import Draft, RecordType
from edge.sensors.reports.days import Days
from edge.sensors.reports.quarters import Quarters
from edge.sensors.reports.weeks import Weeks

REMEMBERED = frozenset({RecordType.POWER_ENERGY, RecordType.POWER_DAY})
"""What `Reports.recall` wants of the ledger, so that a restart tears no day and no week."""


class Reports:
    """POWER_ENERGY per feeder and quarter hour; POWER_DAY and POWER_WEEK for all together.

    Args:
        utc_offset_h: hours by which the site's days begin before those of UTC.
    """

    def __init__(self, utc_offset_h: float) -> None:
        offset_us = round(utc_offset_h * 3600e6)
        self._quarters = Quarters()
        self._days = Days(offset_us)
        self._weeks = Weeks()

    def recall(self, kind: str, data: Mapping[str, Any]) -> None:
        """Take up the data of a record of the types REMEMBERED, oldest first."""
        if kind == RecordType.POWER_ENERGY:
            self._days.recall(data)
        else:
            self._days.told(data)
            self._weeks.recall(data)

    def step(self, facts: Iterable[Draft]) -> list[Draft]:
        """What follows from the minutes among `facts`."""
        done: list[Draft] = []
        for fact in facts:
            if fact.type is RecordType.POWER_SUMMARY:
                done += self._quarters.step(fact.data, fact.stamp)
        return self._further(done) if done else done

    def tick(self, now: Stamp) -> list[Draft]:
        """Close what is over, also of meters that fell silent."""
        done = self._further(self._quarters.tick(now))
        return done + self._weekly(self._days.tick(now))

    def _further(self, quarters: list[Draft]) -> list[Draft]:
        days = [day for quarter in quarters for day in self._days.step(quarter.data, quarter.stamp)]
        return quarters + self._weekly(days)

    def _weekly(self, days: list[Draft]) -> list[Draft]:
        return days + [week for day in days for week in self._weeks.step(day.data, day.stamp)]
