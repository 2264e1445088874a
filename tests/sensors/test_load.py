"""How long a sweep over a serial bus takes."""

from __future__ import annotations

import pytest

from edge.sensors.load import busy_share, read_seconds, sweep_seconds
from edge.sensors.plan import Span
from edge.sensors.profiles import Pace, load_profile
from edge.sensors.spec import ContactSpec, MeterSpec, SerialBus, SerialServerBus


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
    assert meters > 2 * _seconds(Pace.FAST)
    assert both - meters == pytest.approx(2 * read_seconds(bus(), Span(2, 0, 2)), rel=0.05)


def test_what_is_read_once_a_minute_counts_with_its_part_of_the_minute():
    meters = sweep_seconds(bus(meter=[meter(1), meter(2)]))
    slow = 2 * _seconds(Pace.SLOW) * meters / 60
    assert meters == pytest.approx(2 * _seconds(Pace.FAST) + slow)


def test_a_sweep_of_more_than_a_minute_reads_everything():
    crowd = bus(baud=1200, meter=[meter(unit) for unit in range(1, 100)])
    profile = load_profile("eastron_sdm630")
    reads = [*profile.reads(Pace.FAST), *profile.reads(Pace.SLOW)]
    whole_s = sum(read_seconds(crowd, read) for read in reads)
    assert sweep_seconds(crowd) == pytest.approx(99 * whole_s)


def test_a_line_behind_a_serial_server_takes_as_long_as_one_of_this_box():
    server = SerialServerBus.model_validate(
        {"code": "b", "transport": "rtu-over-tcp", "host": "10.0.0.2", "meter": [meter(1)]}
    )
    assert sweep_seconds(server) == sweep_seconds(bus(meter=[meter(1)]))


def test_a_line_is_busy_with_what_it_reads_in_each_period_and_in_each_minute():
    one = bus(meter=[meter(1)], period_s=5)
    assert busy_share(one) == pytest.approx(_seconds(Pace.FAST) / 5 + _seconds(Pace.SLOW) / 60)
    rare = bus(meter=[meter(1)], period_s=120)
    assert busy_share(rare) == pytest.approx((_seconds(Pace.FAST) + _seconds(Pace.SLOW)) / 120)


def _seconds(pace: Pace) -> float:
    reads = load_profile("eastron_sdm630").reads(pace)
    return sum(read_seconds(bus(), read) for read in reads)
