"""Engineering values to registers: the inverse of `edge.sensors.decode`."""

from __future__ import annotations

import struct
from collections.abc import Mapping

from edge.sensors.decode import STRUCT
from edge.sensors.profiles import RATIO_PARTS, Profile
from edge.sensors.quantity import Quantity, SerialNumber

_INTEGER_BITS = {"u16": 16, "u32": 32, "u64": 64, "i16": 16, "i32": 32, "i64": 64}
_SECONDARY = {"ct_ratio": 5.0, "pt_ratio": 100.0}  # A and V behind a transformer


def encode(
    profile: Profile, values: Mapping[str, float], serial: str = ""
) -> dict[tuple[int, int], int]:
    """(function code, address) → register for every quantity of the profile.

    Args:
        profile: of the meter that is played.
        values: one for every quantity that a whole reading tells; primary-side figures.
        serial: the meter's serial number, where the profile says that it has one.
    """
    registers: dict[tuple[int, int], int] = {}
    values = {**values, **_parts(values)}
    for name, quantity in profile.quantity.items():
        value = values[name]
        for ratio in quantity.ratio:
            value /= values[f"{ratio}_ratio"]
        _put(registers, quantity, _number(quantity.type, value / quantity.scale))
    if profile.serial is not None:
        block = profile.serial.span
        for address in range(block.address, block.end):
            registers[block.function, address] = 0
        _put(registers, profile.serial, _serial(profile.serial, serial))
    return registers


def _parts(values: Mapping[str, float]) -> dict[str, float]:
    parts: dict[str, float] = {}
    for ratio, (primary, secondary) in RATIO_PARTS.items():
        if ratio in values:
            parts[secondary] = _SECONDARY[ratio]
            parts[primary] = values[ratio] * _SECONDARY[ratio]
    return parts


def _put(
    registers: dict[tuple[int, int], int], place: Quantity | SerialNumber, data: bytes
) -> None:
    words = list(struct.unpack(f">{place.count}H", data))
    if place.order == "little":
        words.reverse()
    for offset, word in enumerate(words):
        registers[place.function, place.address + offset] = word


def _number(kind: str, raw: float) -> bytes:
    number: float = raw
    if kind in _INTEGER_BITS:
        bits = _INTEGER_BITS[kind]
        low, high = (
            (0, 2**bits - 1) if kind[0] == "u" else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
        )
        number = min(max(round(raw), low), high)
    return struct.pack(STRUCT[kind], number)


def _serial(place: SerialNumber, text: str) -> bytes:
    if place.type == "ascii":
        return text.encode("ascii").ljust(2 * place.count, b"\0")[: 2 * place.count]
    return int(text or "0").to_bytes(2 * place.count, "big")
