"""Data faults first: every reading passes here before it is judged as work. Pure, replayable."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from edge.clock import Stamp
from edge.domain.activity import Activity
from edge.domain.observation import Reading
from edge.domain.record import Draft
from edge.sensors.faults.identity import Register
from edge.sensors.faults.meter import Checked, Meter
from edge.sensors.spec import MeterSpec

_TICK_US, _RECORDS_US = 30_000_000, 60_000_000


class FaultAnalyser:
    """What is wrong with the readings of these meters, and what of them may be used.

    Args:
        meters: as configured.
        utc_offset_h: hours by which the site's time is ahead of UTC: by night no sun shines.
    """

    def __init__(self, meters: Iterable[MeterSpec], utc_offset_h: float = 8.0) -> None:
        register, offset_s = Register(), utc_offset_h * 3600
        self._meters = {meter.code: Meter(meter, register, offset_s) for meter in meters}
        self._tick_us = self._records_us = 0

    def step(self, reading: Reading) -> Checked:
        """Check one reading of one of the meters given."""
        return self._meters[reading.source].step(reading)

    def tick(self, now: Stamp) -> list[Activity]:
        """Let time pass: meters that have fallen silent. Looks twice a minute."""
        if now.mono_us < self._tick_us:
            return []
        self._tick_us = now.mono_us - now.mono_us % _TICK_US + _TICK_US
        return [item for meter in self._meters.values() for item in meter.tick(now)]

    @property
    def due_us(self) -> int:
        """When `tick` or `learned` has something to do, monotonic µs."""
        return min(self._tick_us, self._records_us)

    def lost(self, source: str) -> None:
        """The bus has told that this source does not answer; other than meters are passed over."""
        meter = self._meters.get(source)
        if meter is not None:
            meter.gaps.lost()

    def learned(self, now: Stamp) -> list[Draft]:
        """METER_IDENTITY of meters newly known, and each again every six hours.

        `data`: {"source", and as far as known "serial", "ct_ratio", "pt_ratio" (those in force)
        and "energy_import_kwh"}.
        """
        if now.mono_us < self._records_us:
            return []
        self._records_us = now.mono_us - now.mono_us % _RECORDS_US + _RECORDS_US
        return [
            draft
            for meter in self._meters.values()
            for draft in meter.identity.learned(meter.counter.value, now)
        ]

    def recall(self, data: Mapping[str, Any]) -> None:
        """Take up a METER_IDENTITY record after a restart; other meters' are passed over."""
        meter = self._meters.get(data["source"])
        if meter is None:
            return
        meter.identity.recall(data)
        if "energy_import_kwh" in data:
            meter.counter.recall(data["energy_import_kwh"])
