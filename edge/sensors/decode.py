"""Registers to engineering values. Pure, and total over every possible register content."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from edge.domain.observation import Quality
from edge.sensors.profiles import RATIO_PARTS, Profile
from edge.sensors.quantity import Quantity, SerialNumber

Registers = Mapping[tuple[int, int], int]
"""What was read: (function code, wire address) → 16-bit register."""

STRUCT = {
    "u16": ">H",
    "i16": ">h",
    "u32": ">I",
    "i32": ">i",
    "f32": ">f",
    "u64": ">Q",
    "i64": ">q",
    "f64": ">d",
}

_POWER, _VOLTS, _AMPERES = (-100_000.0, 100_000.0), (0.0, 500_000.0), (-50_000.0, 50_000.0)

# What a three-phase feeder of a mine can show at all; outside of it something is wrong with the
# meter, its wiring or its profile. Beyond the power limit the whole reading is no figure.
LIMITS: Mapping[str, tuple[float, float]] = {
    "power_kw": _POWER,
    **dict.fromkeys(("power_l1_kw", "power_l2_kw", "power_l3_kw"), _POWER),
    "energy_import_kwh": (0.0, 1e9),
    "energy_export_kwh": (0.0, 1e9),
    **dict.fromkeys(("voltage_l1_v", "voltage_l2_v", "voltage_l3_v"), _VOLTS),
    **dict.fromkeys(("current_l1_a", "current_l2_a", "current_l3_a"), _AMPERES),
    "power_factor": (-1.02, 1.02),
    "frequency_hz": (40.0, 70.0),
    "ct_ratio": (1e-3, 1e5),
    "pt_ratio": (1e-3, 1e5),
}

_NONE: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Decoded:
    """What the registers of one sweep say.

    Attributes:
        values: quantity → engineering value; ratios told as two figures are one quotient.
        serial: the meter's serial number; empty where it was not read or is none.
        quality: UNCERTAIN when a quantity that was read is absent or outside its limits, BAD
            when that is the power outside its limits.
    """

    values: dict[str, float]
    serial: str
    quality: Quality


def decode(profile: Profile, registers: Registers, ratios: Mapping[str, float] = _NONE) -> Decoded:
    """Values of one sweep and how far they can be trusted.

    A quantity is absent when its registers were not read, hold a sentinel or no finite number,
    or when a ratio it needs is unknown or not positive.

    Args:
        profile: of the meter.
        registers: what was read in this sweep; others are passed over.
        ratios: `ct_ratio` and `pt_ratio` as last read, for a sweep that reads none.
    """
    read = {name: item for name, item in profile.quantity.items() if _was_read(item, registers)}
    figures: dict[str, float | None] = {
        name: _plain(item, registers) for name, item in read.items()
    }
    sound = all(_within(figures[name], item.limits) for name, item in read.items())
    _join_ratio_parts(figures)
    in_force: dict[str, float | None] = {
        **ratios,
        **figures,
    }  # a ratio read now counts even if it is no figure
    for name, item in read.items():
        if item.ratio:
            figures[name] = _times_ratios(figures[name], item, in_force)
    values = {name: value for name, value in figures.items() if value is not None}
    outside = {name for name, value in values.items() if not _within(value, LIMITS[name])}
    if "power_kw" in outside:
        quality = Quality.BAD
    elif outside or not sound or len(values) < len(figures):
        quality = Quality.UNCERTAIN
    else:
        quality = Quality.GOOD
    return Decoded(values, serial_number(profile, registers), quality)


def serial_number(profile: Profile, registers: Registers) -> str:
    """The meter's serial number as far as it was read; empty for none and for padding alone."""
    place = profile.serial
    if place is None or not _was_read(place, registers):
        return ""
    data = _bytes(place, registers)
    if place.type == "ascii":
        text = data.decode("ascii", "ignore")
        return "".join(letter for letter in text if letter.isprintable()).strip()
    number = int.from_bytes(data, "big")
    return "" if number in {0, 2 ** (8 * len(data)) - 1} else str(number)


def _was_read(item: Quantity | SerialNumber, registers: Registers) -> bool:
    return all((item.function, item.address + offset) in registers for offset in range(item.count))


def _bytes(item: Quantity | SerialNumber, registers: Registers) -> bytes:
    words = [registers[item.function, item.address + offset] for offset in range(item.count)]
    if item.order == "little":
        words.reverse()
    return struct.pack(f">{len(words)}H", *words)


def _plain(quantity: Quantity, registers: Registers) -> float | None:
    raw = _bytes(quantity, registers)
    if int.from_bytes(raw, "big") in quantity.absent:
        return None
    return _finite(float(struct.unpack(STRUCT[quantity.type], raw)[0]) * quantity.scale)


def _join_ratio_parts(figures: dict[str, float | None]) -> None:
    for ratio, (over, under) in RATIO_PARTS.items():
        both = over in figures and under in figures
        primary, secondary = figures.pop(over, None), figures.pop(under, None)
        if both:
            figures[ratio] = _finite(primary / secondary) if primary and secondary else None


def _times_ratios(
    value: float | None, quantity: Quantity, ratios: Mapping[str, float | None]
) -> float | None:
    for ratio in quantity.ratio:
        factor = ratios.get(f"{ratio}_ratio")
        if value is None or factor is None or factor <= 0:
            return None
        value = _finite(value * factor)
    return value


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _within(value: float | None, limits: tuple[float, float] | None) -> bool:
    return value is None or limits is None or limits[0] <= value <= limits[1]
