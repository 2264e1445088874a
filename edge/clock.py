"""Time, injected: one clock that runs and one that is moved by hand."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Protocol
from uuid import uuid4

_US = 1_000_000


@dataclass(frozen=True, slots=True)
class Stamp:
    """A moment, told twice.

    Attributes:
        wall_us: wall clock, microseconds since 1970 UTC. What people read.
        mono_us: time since boot, microseconds. What durations are taken from.
        boot: id of the boot that `mono_us` counts from.
    """

    wall_us: int
    mono_us: int
    boot: str

    def since(self, earlier: Stamp) -> float:
        """Seconds from `earlier` to this stamp; by wall clock only across a reboot."""
        if self.boot == earlier.boot:
            return (self.mono_us - earlier.mono_us) / _US
        return (self.wall_us - earlier.wall_us) / _US

    def moved(self, seconds: float) -> Stamp:
        """The moment so many seconds later, or earlier when negative."""
        step = round(seconds * _US)
        return Stamp(self.wall_us + step, self.mono_us + step, self.boot)

    def iso(self) -> str:
        """Wall time as RFC 3339 UTC with microseconds."""
        minute, us = divmod(self.wall_us, 60 * _US)
        return f"{_minute(minute)}:{us // _US:02d}.{us % _US:06d}Z"


@lru_cache(4)  # many records have the same minute, and strftime is slow
def _minute(unix_min: int) -> str:
    return datetime.fromtimestamp(unix_min * 60, UTC).strftime("%Y-%m-%dT%H:%M")


def parse_iso(text: str) -> int:
    """Wall time (µs) of a text that `Stamp.iso` wrote. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    return int(moment.replace(microsecond=0).timestamp()) * _US + moment.microsecond


class Clock(Protocol):
    """What the daemon asks for time."""

    def now(self) -> Stamp: ...

    async def sleep(self, seconds: float) -> None: ...


class SystemClock:
    """The machine's clocks: CLOCK_REALTIME and CLOCK_BOOTTIME (runs on through suspend)."""

    def __init__(self) -> None:
        try:
            self._boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        except OSError:  # not Linux: a new id per process is safe, durations stay within it
            self._boot = str(uuid4())
        self._id = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)

    def now(self) -> Stamp:
        mono_ns = time.clock_gettime_ns(self._id)
        return Stamp(time.time_ns() // 1000, mono_ns // 1000, self._boot)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class ManualClock:
    """A clock that stands still until moved; `sleep` moves it. For replay and tests."""

    def __init__(self, wall_us: int = 1_750_000_000 * _US, boot: str = "manual") -> None:
        self._stamp = Stamp(wall_us, 0, boot)

    def now(self) -> Stamp:
        return self._stamp

    def advance(self, seconds: float) -> Stamp:
        """Let `seconds` pass on both clocks."""
        step = round(seconds * _US)
        old = self._stamp
        self._stamp = Stamp(old.wall_us + step, old.mono_us + step, old.boot)
        return self._stamp

    def step_wall(self, seconds: float) -> Stamp:
        """Set the wall clock alone, as an NTP step or a hand on the clock does."""
        old = self._stamp
        self._stamp = Stamp(old.wall_us + round(seconds * _US), old.mono_us, old.boot)
        return self._stamp

    async def sleep(self, seconds: float) -> None:
        self.advance(seconds)
        await asyncio.sleep(0)
