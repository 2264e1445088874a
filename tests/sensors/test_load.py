"""How long a sweep over a serial bus takes."""

from __future__ import annotations

import pytest

from edge.sensors.load import read_seconds, sweep_seconds
from edge.sensors.plan import Span
from edge.sensors.profiles import load_profile
from edge.sensors.spec import ContactSpec, MeterSpec, SerialBus


def bus(**changes) -> SerialBus:
    return SerialBus.model_validate(
        {"code": "b", "transport": "rtu", "device": "/dev/ttyS1", **changes}
    )


def meter(unit: int) -> MeterSpec:
    return MeterSpec.model_validate(
        {"code": f"m{unit}", "profile": "eastron_sdm630", "unit": unit, "duty": "fan"}
    )


def test_a_read_of_76_registers_at_9600_baud_takes_199_ms():
    assert read_seconds(bus(), Span(4, 0, 76)) == pytest.approx(0.199, abs=0.001)


def test_parity_and_stop_bits_lengthen_every_character():
    read = Span(4, 0, 76)
    longer = read_seconds(bus(parity="E"), read)
    assert longer > read_seconds(bus(), read)
    assert longer == read_seconds(bus(stop_bits=2), read)


def test_above_19200_baud_the_silence_does_not_shrink_any_more():
    read = Span(2, 0, 1)
    characters = 14 * 10 / 115200
    assert read_seconds(bus(baud=115200), read) == pytest.approx(characters + 0.0035 + 0.020)


def test_a_sweep_asks_every_meter_and_every_unit_with_contacts():
    contacts = [
        ContactSpec(code="a", unit=9, address=0),
        ContactSpec(code="b", unit=9, address=1),
        ContactSpec(code="c", unit=8, address=0),
    ]
    empty = sweep_seconds(bus())
    meters = sweep_seconds(bus(meter=[meter(1), meter(2)]))
    both = sweep_seconds(bus(meter=[meter(1), meter(2)], contact=contacts))
    assert empty == 0
    reads = load_profile("eastron_sdm630").reads()
    assert meters == pytest.approx(2 * sum(read_seconds(bus(), read) for read in reads))
    assert both - meters == pytest.approx(2 * read_seconds(bus(), Span(2, 0, 2)))
