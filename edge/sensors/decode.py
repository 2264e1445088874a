"""Registers to engineering values. Pure, and total over every possible register content."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping

from edge.domain.observation import Quality
from edge.sensors.profiles import Profile, Quantity

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

# What a three-phase feeder of a mine can show at all; outside of it something is wrong with the
# meter, its wiring or its profile. Beyond the power limit the whole reading is no figure.
LIMITS: Mapping[str, tuple[float, float]] = {
    "power_kw": (-100_000.0, 100_000.0),
    "energy_import_kwh": (0.0, 1e9),
    "energy_export_kwh": (0.0, 1e9),
    "voltage_l1_v": (0.0, 500_000.0),
    "voltage_l2_v": (0.0, 500_000.0),
    "voltage_l3_v": (0.0, 500_000.0),
    "current_l1_a": (-50_000.0, 50_000.0),
    "current_l2_a": (-50_000.0, 50_000.0),
    "current_l3_a": (-50_000.0, 50_000.0),
    "power_factor": (-1.02, 1.02),
    "frequency_hz": (40.0, 70.0),
    "ct_ratio": (1e-3, 1e5),
    "pt_ratio": (1e-3, 1e5),
}


def decode(profile: Profile, registers: Registers) -> tuple[dict[str, float], Quality]:
    """Values of one sweep and how far they can be trusted.

    A quantity is absent when its registers hold a sentinel, no finite number, or when a ratio
    it needs is absent or not positive. Quality is UNCERTAIN when a quantity is absent or
    outside its limits, and BAD when that quantity is the power outside its limits.

    Args:
        profile: of the meter.
        registers: every register that the profile names; a missing one is a KeyError (a bug).
    """
    values: dict[str, float] = {}
    for name, quantity in profile.quantity.items():
        value = _plain(quantity, registers)
        if value is not None:
            values[name] = value
    for name, quantity in profile.quantity.items():
        if name in values and quantity.ratio:
            product = _times_ratios(values[name], quantity, values)
            if product is None:
                del values[name]
            else:
                values[name] = product
    return values, _judge(profile, values)


def _plain(quantity: Quantity, registers: Registers) -> float | None:
    words = [
        registers[quantity.function, quantity.address + offset] for offset in range(quantity.count)
    ]
    if quantity.order == "little":
        words.reverse()
    raw_bytes = struct.pack(f">{len(words)}H", *words)
    if int.from_bytes(raw_bytes, "big") in quantity.absent:
        return None
    value = float(struct.unpack(STRUCT[quantity.type], raw_bytes)[0]) * quantity.scale
    return value if math.isfinite(value) else None


def _times_ratios(value: float, quantity: Quantity, values: Mapping[str, float]) -> float | None:
    for ratio in quantity.ratio:
        factor = values.get(f"{ratio}_ratio", 0.0)
        if factor <= 0:
            return None
        value *= factor
    return value if math.isfinite(value) else None


def _judge(profile: Profile, values: Mapping[str, float]) -> Quality:
    outside = {
        name for name, value in values.items() if not LIMITS[name][0] <= value <= LIMITS[name][1]
    }
    if "power_kw" in outside:
        return Quality.BAD
    if outside or len(values) < len(profile.quantity):
        return Quality.UNCERTAIN
    return Quality.GOOD
