"""Quarter hours of each feeder, by the wall clock. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from edge.clock import Stamp
from edge.domain.record import Draft, RecordType

QUARTER_US = 900_000_000
MINUTES = 15
_LATE_US = 90_000_000  # a minute is told up to so long after its quarter's end


@dataclass(slots=True)
class _Quarter:
    """One under way, or the last one of a feeder."""

    number: int
    duty: str
    minutes: int = 0
    kw_minutes: float = 0.0
    highest: float = float("-inf")
    counter: float | None = None  # newest reading of the energy counter, kWh

    def take(self, minute: Mapping[str, Any]) -> None:
        self.counter = minute.get("energy_import_kwh", self.counter)
        power = minute.get("power_kw")
        if power is not None:
            self.minutes += 1
            self.kw_minutes += power["mean"]
            self.highest = max(self.highest, power["max"])


class Quarters:
    """One POWER_ENERGY per meter and quarter hour in which it gave a figure.

    `data`: {"source", "duty", "from", "to" (RFC 3339 UTC), "energy_kwh" (means of the minutes added
    up), "minutes" (of 15 with a figure), "mean_kw", "max_kw", and "counter_kwh", by how much the
    meter's own import counter went on, where it did}. A restart loses the minutes of
    the quarter under way, which `minutes` shows.
    """

    def __init__(self) -> None:
        self._open: dict[str, _Quarter] = {}
        self._before: dict[str, _Quarter] = {}

    def step(self, minute: Mapping[str, Any], stamp: Stamp) -> list[Draft]:
        """Take a minute whose last reading is of `stamp`; gives its meter's quarter before."""
        source, number = minute["source"], stamp.wall_us // QUARTER_US
        quarter, done = self._open.get(source), []
        if quarter is None or quarter.number != number:
            done = self._close(source, stamp)
            quarter = self._open[source] = _Quarter(number, minute["duty"])
        quarter.take(minute)
        return done

    def tick(self, now: Stamp) -> list[Draft]:
        """Close the quarters that are over."""
        number = (now.wall_us - _LATE_US) // QUARTER_US
        over = [source for source, quarter in self._open.items() if quarter.number < number]
        return [draft for source in over for draft in self._close(source, now)]

    def _close(self, source: str, stamp: Stamp) -> list[Draft]:
        quarter = self._open.pop(source, None)
        if quarter is None:
            return []
        before, self._before[source] = self._before.get(source), quarter
        if not quarter.minutes:
            return []
        data: dict[str, object] = {
            "source": source,
            "duty": quarter.duty,
            "from": _iso(quarter.number),
            "to": _iso(quarter.number + 1),
            "energy_kwh": round(quarter.kw_minutes / 60, 4),
            "minutes": quarter.minutes,
            "mean_kw": round(quarter.kw_minutes / quarter.minutes, 4),
            "max_kw": round(quarter.highest, 4),
        }
        follows = before is not None and before.number == quarter.number - 1
        if follows and before and before.counter is not None and quarter.counter is not None:
            counted = quarter.counter - before.counter
            if counted >= 0:  # else it was set back, which is an activity
                data["counter_kwh"] = round(counted, 4)
        return [Draft(RecordType.POWER_ENERGY, stamp, data)]


def _iso(number: int) -> str:
    moment = datetime.fromtimestamp(number * QUARTER_US // 1_000_000, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000000Z")
