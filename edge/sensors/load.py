"""How long one sweep over a serial bus takes, by the arithmetic of Modbus RTU. Pure.

A request is 8 characters, an answer 5 and its data; 3.5 characters of silence (1.75 ms above
19200 baud) stand before and after; a meter thinks for about 20 ms. Source: Modbus over serial
line V1.02, 2.5.1; the turnaround is what meters of this class were seen to take.
"""

from __future__ import annotations

from collections.abc import Sequence

from edge.sensors.plan import Span
from edge.sensors.rota import SLOW_S
from edge.sensors.spec import AnyBus, LineBus
from edge.sensors.targets import Target, targets

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
    """How long a sweep takes at least, all units answering: what `period_s` cannot go below.

    What is read once a minute counts with its part of the minute.
    """
    fast_s, slow_s = _fast_and_slow(bus)
    if fast_s + slow_s >= SLOW_S:
        return fast_s + slow_s  # it lasts longer than a minute and reads everything
    return fast_s / (1 - slow_s / SLOW_S)


def busy_share(bus: LineBus) -> float:
    """Part of the time that the line is taken; above 1 it cannot keep its period."""
    fast_s, slow_s = _fast_and_slow(bus)
    return fast_s / bus.period_s + slow_s / max(bus.period_s, SLOW_S)


def _fast_and_slow(bus: LineBus) -> tuple[float, float]:
    units = targets(bus)
    return (
        sum(read_seconds(bus, read) for unit in units for read in unit.fast),
        sum(read_seconds(bus, read) for unit in units for read in unit.slow),
    )


def shares(bus: AnyBus, units: Sequence[Target]) -> list[float]:
    """How long each unit takes in a sweep if it answers at once; 0 where there is no line."""
    if not isinstance(bus, LineBus):
        return [0.0 for _ in units]
    return [sum(read_seconds(bus, read) for read in unit.fast) for unit in units]
