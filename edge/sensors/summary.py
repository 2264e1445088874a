"""Minute summaries of readings: what the record keeps of power in quiet times. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from edge.clock import Stamp
from edge.domain.observation import Quality, Reading
from edge.domain.record import Draft, RecordType
from edge.sensors.power import power_of
from edge.sensors.spec import MeterSpec

_MINUTE_US = 60_000_000
_WORST = {Quality.GOOD: 0, Quality.UNCERTAIN: 1, Quality.BAD: 2}
_NAMES = tuple(quality.value for quality in _WORST)


class _Minute:
    """A meter's minute under way; every reading passes here."""

    __slots__ = ("count", "energy_kwh", "first", "last", "least", "most", "number", "total", "used",
                 "worst")  # fmt: skip

    def __init__(self, first: Stamp) -> None:
        self.first = self.last = first
        self.number = first.wall_us // _MINUTE_US
        self.count = self.worst = self.used = 0
        self.total = self.least = self.most = 0.0
        self.energy_kwh: float | None = None

    def take(self, reading: Reading) -> None:
        self.last = reading.stamp
        self.count += 1
        quality = reading.quality
        if quality is not Quality.GOOD:
            self.worst = max(self.worst, _WORST[quality])
        kw = power_of(reading)
        if kw is not None:
            if not self.used:
                self.least = self.most = kw
            elif kw < self.least:
                self.least = kw
            elif kw > self.most:
                self.most = kw
            self.used += 1
            self.total += kw
        kwh = reading.values.get("energy_import_kwh")
        if kwh is not None and quality is not Quality.BAD:
            self.energy_kwh = kwh


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
        if minute is None or minute.number != reading.stamp.wall_us // _MINUTE_US:
            if minute is not None:
                done.append(self._draft(reading.source, minute))
            minute = self._minutes[reading.source] = _Minute(reading.stamp)
        minute.take(reading)
        return done

    def tick(self, now: Stamp) -> list[Draft]:
        """Close the minutes that are over, also of meters that fell silent."""
        number = now.wall_us // _MINUTE_US
        over = [source for source, minute in self._minutes.items() if minute.number != number]
        return [self._draft(source, self._minutes.pop(source)) for source in over]

    def _draft(self, source: str, minute: _Minute) -> Draft:
        return _draft(source, self._duties[source], minute)


def _draft(source: str, duty: str, minute: _Minute) -> Draft:
    data: dict[str, object] = {
        "source": source,
        "duty": duty,
        "from": minute.first.iso(),
        "to": minute.last.iso(),
        "count": minute.count,
        "quality": _NAMES[minute.worst],
    }
    if minute.used:
        data["power_kw"] = {
            "min": minute.least,
            "mean": round(minute.total / minute.used, 4),
            "max": minute.most,
        }
    if minute.energy_kwh is not None:
        data["energy_import_kwh"] = minute.energy_kwh
    return Draft(RecordType.POWER_SUMMARY, minute.last, data)
