"""Minute summaries of readings: what the record keeps of power in quiet times. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from edge.clock import Stamp
from edge.domain.observation import Quality, Reading
from edge.domain.record import Draft, RecordType
from edge.sensors.power import power_of
from edge.sensors.spec import MeterSpec

_MINUTE_US = 60_000_000
_WORST = (Quality.GOOD, Quality.UNCERTAIN, Quality.BAD)


@dataclass(slots=True)
class _Minute:
    first: Stamp
    last: Stamp
    count: int = 0
    worst: int = 0
    used: list[float] = field(default_factory=list)
    energy_kwh: float | None = None

    def take(self, reading: Reading) -> None:
        self.last = reading.stamp
        self.count += 1
        self.worst = max(self.worst, _WORST.index(reading.quality))
        kw = power_of(reading)
        if kw is not None:
            self.used.append(kw)
        if reading.quality is not Quality.BAD:
            self.energy_kwh = reading.values.get("energy_import_kwh", self.energy_kwh)


class PowerSummary:
    """One POWER_SUMMARY per meter and minute of the wall clock.

    `data`: {"source", "duty", "from", "to" (stamps of the first and last reading), "count",
    "quality" (the worst), "power_kw": {"min", "mean", "max"} and "energy_import_kwh" (newest
    counter) where there were figures}.
    """

    def __init__(self, meters: Iterable[MeterSpec]) -> None:
        self._duties = {meter.code: meter.duty.value for meter in meters}
        self._minutes: dict[str, _Minute] = {}

    def step(self, reading: Reading) -> list[Draft]:
        """Take a reading; gives the meter's last minute once a later one begins."""
        done: list[Draft] = []
        minute = self._minutes.get(reading.source)
        if minute is not None and _number(minute.first) != _number(reading.stamp):
            done.append(self._draft(reading.source, minute))
            minute = None
        if minute is None:
            minute = self._minutes[reading.source] = _Minute(reading.stamp, reading.stamp)
        minute.take(reading)
        return done

    def tick(self, now: Stamp) -> list[Draft]:
        """Close the minutes that are over, also of meters that fell silent."""
        over = [
            source
            for source, minute in self._minutes.items()
            if _number(minute.first) != _number(now)
        ]
        return [self._draft(source, self._minutes.pop(source)) for source in over]

    def _draft(self, source: str, minute: _Minute) -> Draft:
        return _draft(source, self._duties[source], minute)


def _number(stamp: Stamp) -> int:
    return stamp.wall_us // _MINUTE_US


def _draft(source: str, duty: str, minute: _Minute) -> Draft:
    data: dict[str, object] = {
        "source": source,
        "duty": duty,
        "from": minute.first.iso(),
        "to": minute.last.iso(),
        "count": minute.count,
        "quality": _WORST[minute.worst].value,
    }
    if minute.used:
        data["power_kw"] = {
            "min": min(minute.used),
            "mean": round(sum(minute.used) / len(minute.used), 4),
            "max": max(minute.used),
        }
    if minute.energy_kwh is not None:
        data["energy_import_kwh"] = minute.energy_kwh
    return Draft(RecordType.POWER_SUMMARY, minute.last, data)
