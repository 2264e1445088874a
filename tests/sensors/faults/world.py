"""Meters at a mine in a time of their own: honest until a test says otherwise."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping
from typing import Any

from edge.clock import ManualClock, Stamp
from edge.domain.activity import ActivityKind, Phase
from edge.domain.observation import Quality, Reading
from edge.sensors.faults import FaultAnalyser
from edge.sensors.spec import MeterSpec

NOON_UTC_US = 1_780_000_000_000_000 // 86_400_000_000 * 86_400_000_000 + 4 * 3_600_000_000
"""Noon in Beijing."""
Values = dict[str, float]
Change = Callable[[Values], Any]
HOURS = 3600.0
DAY = 24 * HOURS
LEARNED = 21 * HOURS  # by then it is known how a meter's phases share its load


def spec(code: str = "m", duty: str = "fan", **changes: Any) -> MeterSpec:
    return MeterSpec(code=code, profile="eastron_sdm630", unit=1, duty=duty, **changes)


class Honest:
    """What one honest meter tells: noise, resolution, a counter that goes with the power."""

    def __init__(self, code: str, seed: int = 1, *, kwh: float = 5000.0, ct: float = 20.0) -> None:
        self.code = code
        self.serial = f"70{seed:06d}"
        self.ratios = {"ct_ratio": ct, "pt_ratio": 1.0}
        self.kwh, self.step_kwh = kwh, 0.1
        self.shares: tuple[float, ...] = (1 / 3, 1 / 3, 1 / 3)
        self._chance = random.Random(seed)

    def values(self, kw: float, seconds: float, hours: float) -> Values:
        chance = self._chance
        self.kwh += max(kw, 0.0) * hours
        sway = 230 * (1 + 0.004 * math.sin(seconds / 5000))
        phases = [round(kw * share * (1 + 0.003 * chance.gauss(0, 1)), 3) for share in self.shares]
        values = {"power_kw": round(sum(phases), 3)}
        for i, power in enumerate(phases, 1):
            volts = round(sway * (1 + 0.0006 * chance.gauss(0, 1)), 1)
            values[f"power_l{i}_kw"] = power
            values[f"voltage_l{i}_v"] = volts
            values[f"current_l{i}_a"] = round(abs(power) * 1000 / volts / 0.85, 2)
        values["power_factor"] = round(0.85 + 0.003 * chance.gauss(0, 1), 3)
        values["frequency_hz"] = round(50 + 0.02 * chance.gauss(0, 1), 2)
        return values

    def slow(self) -> Values:
        counter = math.floor(self.kwh / self.step_kwh) * self.step_kwh
        return {"energy_import_kwh": counter, "energy_export_kwh": 0.0, **self.ratios}


class Mine:
    """Some meters, the analyser that checks them, and all that it told.

    Attributes:
        told: activities in their order.
        used: what of the readings may be used, None where nothing may.
    """

    def __init__(
        self, *specs: MeterSpec, period_s: float = 30.0, utc_offset_h: float = 8.0
    ) -> None:
        specs = specs or (spec(),)
        self.specs = specs
        self.period_s = period_s
        self.clock = ManualClock(NOON_UTC_US)
        self.faults = FaultAnalyser(specs, utc_offset_h)
        self.meters = {one.code: Honest(one.code, i) for i, one in enumerate(specs, 1)}
        self.told: list[Any] = []
        self.used: list[Any] = []
        self._slow_at: dict[str, float] = {}

    @property
    def meter(self) -> Honest:
        return next(iter(self.meters.values()))

    @property
    def now(self) -> Stamp:
        return self.clock.now()

    @property
    def seconds(self) -> float:
        return self.now.mono_us / 1e6

    def kinds(self, phase: Phase = Phase.STARTED) -> list[ActivityKind]:
        return [item.kind for item in self.told if item.phase is phase]

    def one(self, phase: Phase = Phase.STARTED) -> Any:
        [item] = [item for item in self.told if item.phase is phase]
        return item

    def show(self, values: Values, code: str = "m", serial: str = "", **reading: Any) -> None:
        """One reading as it is."""
        quality = reading.get("quality", Quality.GOOD)
        checked = self.faults.step(Reading(code, self.now, quality, values, serial))
        self.told += checked.activities
        self.used.append(checked.usable)

    def run(
        self,
        seconds: float,
        kw: float | Mapping[str, float] | Callable[[float], float] = 40.0,
        change: Change | None = None,
        at: Mapping[str, str] | None = None,
    ) -> None:
        """Let time pass.

        Args:
            seconds: how long.
            kw: what flows: everywhere, by meter, or by seconds.
            change: what becomes of the values of the first meter; None is no answer.
            at: address → meter that answers there, where it is another one.
        """
        for _ in range(round(seconds / self.period_s)):
            self.clock.advance(self.period_s)
            self.told += self.faults.tick(self.now)
            for code in self.meters:
                self._read(code, (at or {}).get(code, code), kw, change)

    def _read(self, address: str, code: str, kw: Any, change: Change | None) -> None:
        meter = self.meters[code]
        flows = kw[code] if isinstance(kw, Mapping) else kw(self.seconds) if callable(kw) else kw
        values: Values | None = meter.values(flows, self.seconds, self.period_s / 3600)
        serial = ""
        if self.seconds - self._slow_at.get(address, -1e9) >= 60:
            self._slow_at[address] = self.seconds
            values = {**(values or {}), **meter.slow()}
            serial = meter.serial
        if change is not None and code == self.specs[0].code:
            values = change(values or {})
        if values is not None:
            self.show(values, address, serial)


def without(*names: str) -> Change:
    """A profile that does not read these quantities."""
    return lambda values: {
        name: value for name, value in values.items() if not name.startswith(names)
    }


def scaled(by: float, *names: str) -> Change:
    """These quantities told wrongly."""
    return lambda values: {
        name: value * by if name.startswith(names) else value for name, value in values.items()
    }


def counter(kwh: float) -> Change:
    """The counter tells this, where it is read."""
    return lambda values: {
        name: kwh if name == "energy_import_kwh" else value for name, value in values.items()
    }


POWER_ALONE = without("power_l", "power_f", "voltage", "current", "frequency", "energy", "ct", "pt")
