"""The newest readings of each meter, and the minutes of its last day, in bounded memory. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from edge.clock import Stamp
from edge.domain.observation import Reading

READINGS = 450  # of one meter: a quarter of an hour at 2 s
MINUTES = 1440
_ALL_READINGS, _ALL_MINUTES = 14_400, 46_080  # of 32 meters; more of them keep less each


@dataclass(frozen=True, slots=True)
class Minute:
    """What a meter's load was in one minute, kW; `wall_us` is its last reading's."""

    wall_us: int
    least: float
    mean: float
    most: float


@dataclass(frozen=True, slots=True)
class Trace:
    """One meter's past, oldest first."""

    readings: deque[Reading]
    minutes: deque[Minute]


class Past:
    """The traces of all meters.

    Args:
        meters: their codes.
    """

    def __init__(self, meters: Collection[str]) -> None:
        count = max(1, len(meters))
        readings = min(READINGS, _ALL_READINGS // count)
        minutes = min(MINUTES, _ALL_MINUTES // count)
        self._traces = {
            code: Trace(deque(maxlen=readings), deque(maxlen=minutes)) for code in meters
        }

    def __contains__(self, source: object) -> bool:
        return source in self._traces

    def of(self, source: str) -> Trace:
        """What is kept of a meter; it goes on changing."""
        return self._traces[source]

    def read(self, reading: Reading) -> None:
        """Keep a reading of one of the meters."""
        self._traces[reading.source].readings.append(reading)

    def minute(self, data: Mapping[str, Any], stamp: Stamp) -> None:
        """Keep the data of a POWER_SUMMARY; one without a figure leaves a gap."""
        power = data.get("power_kw")
        if power is not None:
            kept = Minute(stamp.wall_us, power["min"], power["mean"], power["max"])
            self._traces[data["source"]].minutes.append(kept)
