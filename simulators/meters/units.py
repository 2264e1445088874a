"""The units on a simulated bus: meters with loads, and an input module with a lamp."""

from __future__ import annotations

import math
from collections.abc import Callable

from edge.sensors.plan import Span
from edge.sensors.profiles import load_profile
from simulators.meters.loads import Fan, Hoist, Living, Load, Pump, noise
from simulators.meters.registers import encode

_PHASE_V = 230.0
_NOISE_APART_S = 100.0
_INTEGRATION_STEP_S = 1.0
_MAX_STEPS = 3600


class Unit:
    """What every unit has: an address, and faults that can be switched at run time.

    Attributes:
        unit: Modbus address.
        silent: it answers nothing.
        delay_s: it answers late by this much.
        garbage: it answers with bytes that are no frame.
    """

    def __init__(self, unit: int) -> None:
        self.unit = unit
        self.silent = False
        self.delay_s = 0.0
        self.garbage = False

    def spans(self) -> tuple[Span, ...]:
        """What of it can be read."""
        raise NotImplementedError

    def memory(self, now: float) -> dict[tuple[int, int], int]:
        """(function code, address) → register or bit at monotonic second `now`."""
        raise NotImplementedError

    def write_coil(self, address: int, on: bool) -> bool:
        """Switch a coil; False where there is none."""
        _ = address, on
        return False


class MeterUnit(Unit):
    """A power meter with one load behind it, which can be started and stopped.

    Attributes:
        serial: its serial number, where the profile has one.
    """

    def __init__(
        self,
        unit: int,
        profile: str,
        load: Load,
        *,
        running: bool = True,
        idle_kw: float = 0.2,
        ct_ratio: float = 1.0,
        pt_ratio: float = 1.0,
        energy_kwh: float = 1000.0,
        serial: str = "",
        seed: int = 0,
    ) -> None:
        super().__init__(unit)
        self.serial = serial or str(26_000_000 + 1000 * seed + unit)
        self.profile_name = profile
        self._profile = load_profile(profile)
        self._load = load
        self._idle_kw = idle_kw
        self._ratios = (ct_ratio, pt_ratio)
        self._energy_kwh = energy_kwh
        self._seed = seed
        shares = [1.0 + 0.02 * noise(seed + 20, _NOISE_APART_S * phase) for phase in range(3)]
        self._shares = [share / sum(shares) for share in shares]
        self._switched: float | None = None
        self._last: float | None = None
        self.running = running

    def start(self) -> None:
        """Switch the load on; its cycle begins anew."""
        self.running, self._switched = True, None

    def stop(self) -> None:
        """Switch the load off."""
        self.running = False

    def set_ratios(self, ct_ratio: float, pt_ratio: float) -> None:
        """Change the transformer ratios, as somebody who cheats does."""
        self._ratios = (ct_ratio, pt_ratio)

    def spans(self) -> tuple[Span, ...]:
        return self._profile.reads()

    def power_kw(self, now: float) -> float:
        """Active power at monotonic second `now`."""
        if not self.running:
            return self._idle_kw * (1.0 + 0.2 * noise(self._seed, now))
        if self._switched is None:
            self._switched = now
        return self._load.kw(max(now - self._switched, 0.0))

    def values(self, now: float) -> dict[str, float]:
        """Every quantity, consistent with each other; the energy counter runs on to `now`."""
        power_kw = self.power_kw(now)
        self._integrate(now)
        factor = math.copysign(0.86 if self.running else 0.98, power_kw)
        values = {
            "power_kw": power_kw,
            "power_factor": factor,
            "frequency_hz": 50.0 + 0.03 * noise(self._seed + 9, now),
            "energy_import_kwh": self._energy_kwh,
            "energy_export_kwh": 0.0,
            "ct_ratio": self._ratios[0],
            "pt_ratio": self._ratios[1],
        }
        for phase, share in enumerate(self._shares, 1):
            volts = _PHASE_V * self._ratios[1] * (1.0 + 0.01 * noise(self._seed + phase, now))
            values[f"voltage_l{phase}_v"] = volts
            values[f"power_l{phase}_kw"] = power_kw * share
            values[f"current_l{phase}_a"] = power_kw * share * 1000.0 / volts / factor
        return values

    def memory(self, now: float) -> dict[tuple[int, int], int]:
        return encode(self._profile, self.values(now), self.serial)

    def _integrate(self, now: float) -> None:
        if self._last is not None and now > self._last:
            gap = now - self._last
            steps = min(max(int(gap / _INTEGRATION_STEP_S), 1), _MAX_STEPS)
            width = gap / steps
            middle = (self.power_kw(self._last + (k + 0.5) * width) for k in range(steps))
            self._energy_kwh += sum(middle) * width / 3600.0
        self._last = now


class ContactUnit(Unit):
    """An input and output module: contacts as discrete inputs, lamps as coils.

    Args:
        unit: Modbus address.
        inputs: how many discrete inputs there are; all closed at first.
        coils: how many coils; all off at first.
        on_coil: told every write (address, on).
    """

    def __init__(
        self,
        unit: int = 10,
        *,
        inputs: int = 8,
        coils: int = 8,
        on_coil: Callable[[int, bool], None] | None = None,
    ) -> None:
        super().__init__(unit)
        self._inputs = [True] * inputs
        self._coils = [False] * coils
        self._on_coil = on_coil

    def open(self, address: int) -> None:
        """Open the contact at `address`."""
        self._inputs[address] = False

    def close(self, address: int) -> None:
        """Close the contact at `address`."""
        self._inputs[address] = True

    def is_closed(self, address: int) -> bool:
        """Whether the contact at `address` is closed."""
        return self._inputs[address]

    @property
    def inputs(self) -> int:
        """How many contacts there are."""
        return len(self._inputs)

    @property
    def coils(self) -> int:
        """How many lamps there are."""
        return len(self._coils)

    @property
    def lamp(self) -> bool:
        """Whether the lamp at coil 0 is lit."""
        return self._coils[0]

    def spans(self) -> tuple[Span, ...]:
        return (Span(1, 0, len(self._coils)), Span(2, 0, len(self._inputs)))

    def memory(self, now: float) -> dict[tuple[int, int], int]:
        _ = now
        bits = {(1, address): int(on) for address, on in enumerate(self._coils)}
        return bits | {(2, address): int(on) for address, on in enumerate(self._inputs)}

    def write_coil(self, address: int, on: bool) -> bool:
        if address >= len(self._coils):
            return False
        self._coils[address] = on
        if self._on_coil is not None:
            self._on_coil(address, on)
        return True


class Site:
    """An idle mine's feeders: fan, pump, hoist (standing), guard house, and the contacts.

    Args:
        seed: of the loads' noise.
        hoist_cycle_s: of the hoist.
        on_coil: told of every lamp that is switched (address, on).
    """

    def __init__(
        self,
        seed: int = 0,
        *,
        hoist_cycle_s: float = 98.0,
        on_coil: Callable[[int, bool], None] | None = None,
    ) -> None:
        self.fan = MeterUnit(1, "chint_dtsu666", Fan(seed=seed), ct_ratio=40, seed=seed)
        self.pump = MeterUnit(
            2, "acrel_adl400", Pump(seed=seed), ct_ratio=60, running=False, seed=seed + 10
        )
        self.hoist = MeterUnit(
            3,
            "eastron_sdm630",
            Hoist(cycle_s=hoist_cycle_s, seed=seed),
            running=False,
            seed=seed + 20,
        )
        self.living = MeterUnit(4, "eastron_sdm630", Living(seed=seed), seed=seed + 30)
        self.contacts = ContactUnit(10, on_coil=on_coil)

    @property
    def units(self) -> tuple[Unit, ...]:
        """All of them."""
        return (self.fan, self.pump, self.hoist, self.living, self.contacts)
