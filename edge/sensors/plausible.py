"""Whether what a profile makes of a unit's registers can be a feeder's figures. Pure.

A wrong profile gives zeros, sentinels, or figures of any size: three phase voltages of one size
and a mains frequency do not come about by chance, and power, current and power factor have to fit
each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from edge.domain.names import Name
from edge.sensors.decode import LIMITS, Decoded
from edge.sensors.profiles import Profile

PHASES = (1, 2, 3)
_LEAST_V, _MOST_V = 40.0, 45_000.0  # 57.7 V behind a transformer to 35 kV
_ALIKE = 0.15  # phases of one feeder are closer than that
_MAINS_HZ, _OFF_HZ = (50.0, 60.0), 1.0
_LEAST_KVA = 0.05  # with less, meters' resolution says nothing about power
_FIT = 0.15  # of the apparent power: meters take their figures one after the other


@dataclass(frozen=True, slots=True)
class Check:
    """One figure, or how some fit each other.

    Attributes:
        about: the quantity, or what is compared.
        ok: whether it can be.
        why: what was looked at, for people.
    """

    about: str
    ok: bool
    why: Name


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be thought of a profile on a unit.

    Attributes:
        checks: in the order of interest.
        told: how many of the profile's quantities the unit told.
        missing: how many it did not.
    """

    checks: tuple[Check, ...]
    told: int
    missing: int

    @property
    def fits(self) -> bool:
        """Whether nothing speaks against it."""
        return all(check.ok for check in self.checks)

    @property
    def share(self) -> float:
        """Of the profile's quantities that were told and can be."""
        wrong = sum(not check.ok for check in self.checks)
        return max(self.told - wrong, 0) / max(self.told + self.missing, 1)


def possible(values: Mapping[str, float]) -> bool:
    """Whether it can be such a meter: a power, and two voltages of one size or a mains frequency.

    A meter of three wires may have no voltage against neutral: then the frequency decides.
    """
    if "power_kw" not in values:
        return False
    volts = [volt for volt in _volts(values) if _LEAST_V <= volt <= _MOST_V]
    if len(volts) > 1:
        return max(volts) <= (1 + 2 * _ALIKE) * min(volts)
    return not any(_volts(values)) and _is_mains(values.get("frequency_hz", 0.0))


def judge(profile: Profile, seen: Decoded) -> Verdict:
    """Judge one reading of a unit by a profile, of all its registers."""
    values = seen.values
    checks = [*_of_voltage(values), *_of_figures(values), *_of_power(values)]
    return Verdict(tuple(checks), len(values), len(profile.tells - values.keys()))


def _is_mains(hertz: float) -> bool:
    return any(abs(hertz - one) <= _OFF_HZ for one in _MAINS_HZ)


def _volts(values: Mapping[str, float]) -> list[float]:
    names = (f"voltage_l{phase}_v" for phase in PHASES)
    return [values[name] for name in names if name in values]


def _of_voltage(values: Mapping[str, float]) -> list[Check]:
    volts = _volts(values)
    middle = sorted(volts)[len(volts) // 2] if volts else 0.0
    why = Name("三相电压相近，40 V 至 45 kV", "near the other phases, 40 V to 45 kV")
    return [
        Check(
            name,
            _LEAST_V <= values[name] <= _MOST_V and abs(values[name] - middle) <= _ALIKE * middle,
            why,
        )
        for name in (f"voltage_l{phase}_v" for phase in PHASES)
        if name in values
    ]


def _of_figures(values: Mapping[str, float]) -> list[Check]:
    checks: list[Check] = []
    if (hertz := values.get("frequency_hz")) is not None:
        why = Name("50 或 60 Hz", "50 or 60 Hz")
        checks.append(Check("frequency_hz", _is_mains(hertz), why))
    for name, value in sorted(values.items()):
        if not name.startswith(("voltage_", "frequency_")):
            low, high = LIMITS[name]
            why = Name(f"在 {low:g} 至 {high:g} 之间", f"{low:g} to {high:g}")
            checks.append(Check(name, low <= value <= high, why))
    return checks


def _of_power(values: Mapping[str, float]) -> list[Check]:
    """How power, currents, power factor and phases fit each other, as far as they are known."""
    kw = values.get("power_kw")
    pairs = [(f"voltage_l{phase}_v", f"current_l{phase}_a") for phase in PHASES]
    if kw is None or not all(volt in values and amp in values for volt, amp in pairs):
        return []
    kva = sum(values[volt] * abs(values[amp]) for volt, amp in pairs) / 1000
    slack = _FIT * kva + _LEAST_KVA
    checks = [
        Check("P ~ U x I", abs(kw) <= kva + slack, Name("功率不超过视在功率", "P within U x I"))
    ]
    factor = values.get("power_factor")
    if factor is not None and kva > _LEAST_KVA:
        # One phase the wrong way round makes the total smaller than the power factor says.
        fits = abs(abs(kw) - abs(factor) * kva) <= slack or _reversed(values)
        checks.append(Check("P ~ U x I x PF", fits, Name("功率与功率因数一致", "P as PF says")))
    phases = [values.get(f"power_l{phase}_kw") for phase in PHASES]
    told = [phase for phase in phases if phase is not None]
    if len(told) == len(PHASES):
        why = Name("三相之和等于总功率", "the phases make up the total")
        checks.append(Check("P1 + P2 + P3", abs(sum(told) - kw) <= slack, why))
    return checks


def _reversed(values: Mapping[str, float]) -> bool:
    signs = {values.get(f"power_l{phase}_kw", 0.0) < 0 for phase in PHASES}
    return len(signs) > 1
