"""Engineering values to registers: the inverse of `edge.sensors.decode`."""

from __future__ import annotations

import struct
from collections.abc import Mapping

from edge.sensors.decode import STRUCT
from edge.sensors.profiles import Profile, Quantity

_INTEGER_BITS = {"u16": 16, "u32": 32, "u64": 64, "i16": 16, "i32": 32, "i64": 64}


def encode(profile: Profile, values: Mapping[str, float]) -> dict[tuple[int, int], int]:
    """(function code, address) → register for every quantity of the profile.

    Args:
        profile: of the meter that is played.
        values: one for every quantity of the profile; primary-side figures.
    """
    registers: dict[tuple[int, int], int] = {}
    for name, quantity in profile.quantity.items():
        value = values[name]
        for ratio in quantity.ratio:
            value /= values[f"{ratio}_ratio"]
        for offset, word in enumerate(_words(quantity, value / quantity.scale)):
            registers[quantity.function, quantity.address + offset] = word
    return registers


def _words(quantity: Quantity, raw: float) -> list[int]:
    number: float = raw
    if quantity.type in _INTEGER_BITS:
        bits = _INTEGER_BITS[quantity.type]
        low, high = (
            (0, 2**bits - 1)
            if quantity.type[0] == "u"
            else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
        )
        number = min(max(round(raw), low), high)
    packed = struct.pack(STRUCT[quantity.type], number)
    words = list(struct.unpack(f">{len(packed) // 2}H", packed))
    if quantity.order == "little":
        words.reverse()
    return words
