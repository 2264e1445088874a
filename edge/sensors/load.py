"""How long one sweep over a serial bus takes, by the arithmetic of Modbus RTU. Pure.

A request is 8 characters, an answer 5 and its data; 3.5 characters of silence (1.75 ms above
19200 baud) stand before and after; a meter thinks for about 20 ms. Source: Modbus over serial
line V1.02, 2.5.1; the turnaround is what meters of this class were seen to take.
"""

from __future__ import annotations

from collections.abc import Iterable

from edge.sensors.plan import DISCRETE_INPUTS, Span, plan
from edge.sensors.profiles import load_profile
from edge.sensors.spec import LineBus

TURNAROUND_S = 0.020
_FRAME_CHARACTERS = 8 + 5
_FAST_BAUD = 19200
_FAST_SILENCE_S = 0.00175


def silence_seconds(bus: LineBus) -> float:
    """For how long the line is silent between two frames."""
    return _FAST_SILENCE_S if bus.baud > _FAST_BAUD else 3.5 * _character_seconds(bus)


def read_seconds(bus: LineBus, read: Span) -> float:
    """How long one request and its answer keep the line."""
    characters = _FRAME_CHARACTERS + read.answer_bytes
    return characters * _character_seconds(bus) + 2 * silence_seconds(bus) + TURNAROUND_S


def _character_seconds(bus: LineBus) -> float:
    return (1 + 8 + (bus.parity != "N") + bus.stop_bits) / bus.baud


def sweep_seconds(bus: LineBus) -> float:
    """How long it takes to ask every unit of `bus` once, all of them answering."""
    return sum(read_seconds(bus, read) for read in _reads(bus))


def _reads(bus: LineBus) -> Iterable[Span]:
    for meter in bus.meter:
        yield from load_profile(meter.profile).reads()
    for unit in sorted({contact.unit for contact in bus.contact}):
        inputs = (Span(DISCRETE_INPUTS, c.address, 1) for c in bus.contact if c.unit == unit)
        yield from plan(inputs, 256, 128)
