"""Days of all feeders together, by the site's own time. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from edge.clock import Stamp, parse_iso
from edge.domain.activity import Duty
from edge.domain.record import Draft, RecordType

NIGHT_FROM_H, NIGHT_TO_H = 22, 6  # local; shut by day and worked by night is the usual cheat
_DAY_US = 86_400_000_000
_LATE_US = 20 * 60_000_000  # the last quarter of a day is told by then
_EPOCH = date(1970, 1, 1)


@dataclass(slots=True)
class _Feeder:
    """One feeder's day."""

    duty: str
    energy_kwh: float = 0.0
    night_kwh: float = 0.0
    highest_kw: float = float("-inf")
    highest_at: str = ""
    minutes: int = 0

    def take(self, quarter: Mapping[str, Any], hour: int) -> None:
        self.energy_kwh += quarter["energy_kwh"]
        self.minutes += quarter["minutes"]
        if hour >= NIGHT_FROM_H or hour < NIGHT_TO_H:
            self.night_kwh += quarter["energy_kwh"]
        if quarter["max_kw"] > self.highest_kw:
            self.highest_kw, self.highest_at = quarter["max_kw"], quarter["from"]

    def told(self, source: str) -> dict[str, object]:
        return {
            "source": source,
            "duty": self.duty,
            "energy_kwh": round(self.energy_kwh, 3),
            "night_kwh": round(self.night_kwh, 3),
            "max_kw": self.highest_kw,
            "max_from": self.highest_at,
            "minutes": self.minutes,
        }


@dataclass(slots=True)
class _Day:
    number: int  # local days since 1970
    feeders: dict[str, _Feeder] = field(default_factory=dict)


class Days:
    """One POWER_DAY for each day in which a meter gave a figure.

    `data`: {"day" (local date), "meters": [{"source", "duty", "energy_kwh", "night_kwh" (22 to 6),
    "max_kw", "max_from" (its quarter hour), "minutes" (of 1440 with a figure)}], and where there is
    an incoming meter and another one "rest_kwh", what came in and went through no other meter}.
    """

    def __init__(self, offset_us: int) -> None:
        self._offset_us = offset_us
        self._day: _Day | None = None

    def recall(self, quarter: Mapping[str, Any]) -> None:
        """Take up a quarter of before a restart; of a day that is over the last one counts."""
        self._take(quarter)

    def told(self, day: Mapping[str, Any]) -> None:
        """This day was told before a restart."""
        if self._day is not None and _date(self._day) == day["day"]:
            self._day = None

    def step(self, quarter: Mapping[str, Any], stamp: Stamp) -> list[Draft]:
        """Take a quarter hour; gives the day before once one of a new day comes."""
        over = self._take(quarter)
        return [_draft(over, stamp)] if over else []

    def tick(self, now: Stamp) -> list[Draft]:
        """Close a day that is over."""
        day = self._day
        if day is None or now.wall_us + self._offset_us - _LATE_US < (day.number + 1) * _DAY_US:
            return []
        self._day = None
        return [_draft(day, now)]

    def _take(self, quarter: Mapping[str, Any]) -> _Day | None:
        """Add a quarter; the day that is over with it."""
        local_us = parse_iso(quarter["from"]) + self._offset_us
        number, within = divmod(local_us, _DAY_US)
        over = None
        if self._day is None or number != self._day.number:
            over, self._day = self._day, _Day(number)
        feeder = self._day.feeders.setdefault(quarter["source"], _Feeder(quarter["duty"]))
        feeder.take(quarter, within // 3_600_000_000)
        return over


def _date(day: _Day) -> str:
    return (_EPOCH + timedelta(days=day.number)).isoformat()


def _draft(day: _Day, stamp: Stamp) -> Draft:
    data: dict[str, object] = {
        "day": _date(day),
        "meters": [feeder.told(source) for source, feeder in sorted(day.feeders.items())],
    }
    incoming = [f.energy_kwh for f in day.feeders.values() if f.duty == Duty.INCOMING]
    others = [f.energy_kwh for f in day.feeders.values() if f.duty != Duty.INCOMING]
    if incoming and others:
        data["rest_kwh"] = round(sum(incoming) - sum(others), 3)
    return Draft(RecordType.POWER_DAY, stamp, data)
