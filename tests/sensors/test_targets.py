"""What is asked of each unit: joined reads, ratios that are remembered, spread moments."""

from __future__ import annotations

from datetime import date

import pytest

from edge.clock import ManualClock
from edge.domain.activity import Duty
from edge.domain.observation import MeterHistory, Reading
from edge.sensors.plan import Span
from edge.sensors.profiles import Pace, load_profile, profile_names
from edge.sensors.spec import ContactSpec, MeterSpec, TcpBus
from edge.sensors.targets import ContactsTarget, MeterTarget, targets

PARTS = ("ct_primary_a", "ct_secondary_a", "pt_primary_v", "pt_secondary_v")


def meter(profile, unit=1):
    return MeterSpec(code=f"m{unit}", profile=profile, unit=unit, duty=Duty.OTHER)


@pytest.mark.parametrize("name", profile_names())
def test_every_shipped_meter_has_a_probe_that_no_other_answer_can_pass_for(name):
    target = MeterTarget(meter(name), iter(range(20)))
    lengths = {read.answer_bytes for read in target._all_reads()}
    assert target.probe.answer_bytes not in lengths


@pytest.mark.parametrize("name", profile_names())
def test_no_sweep_of_a_shipped_meter_breaks_its_limits(name):
    profile = load_profile(name)
    for read in MeterTarget(meter(name), iter(range(20)))._all_reads():
        assert read.count <= profile.max_registers
        assert not any(read.overlaps(stretch.span) for stretch in profile.illegal)


@pytest.mark.parametrize("name", profile_names())
def test_a_sweep_without_slow_registers_reads_all_that_is_fast_and_a_first_one_everything(name):
    clock = ManualClock()
    target = MeterTarget(meter(name), iter(range(20)))
    for item in load_profile(name).items():
        assert any(read.contains(item) for read in target.reads(clock.now()))
    registers = {
        (read.function, read.address + i): 1
        for read in target.reads(clock.now())
        for i in range(read.count)
    }
    target.observe(registers, clock.now())
    assert target.reads(clock.now()) == target.fast
    for item in load_profile(name).items(Pace.FAST):
        assert any(read.contains(item) for read in target.fast)


def test_slow_reads_of_a_bus_have_moments_of_their_own():
    bus = TcpBus(
        code="b",
        transport="tcp",
        host="h",
        meter=tuple(meter("eastron_sdm630", unit) for unit in range(1, 11)),
    )
    slow = [
        slow.phase_us
        for target in targets(bus)
        if isinstance(target, MeterTarget)
        for slow in target._rota._slow
    ]
    assert len(set(slow)) == len(slow) > 10


def test_what_a_meter_kept_is_asked_for_once_its_ratios_are_known():
    clock = ManualClock()
    target = MeterTarget(meter("acrel_adl400"), iter(range(20)))
    target.missed(date(2026, 1, 1), date(2026, 1, 2))
    assert target.memory() is None
    [seen] = target.observe({(3, 0x8D): 10, (3, 0x8E): 60}, clock.now())
    assert isinstance(seen, Reading)
    assert target.memory() == Span(3, 0x6000, 4)
    [kept] = target.remember([26 << 8 | 1, 1 << 8, 0, 100], clock.now(), refused=False)
    assert isinstance(kept, MeterHistory)
    assert kept.energy_kwh == 600.0
    assert target.remember([0] * 4, clock.now(), refused=False) == []


def test_a_ratio_that_is_read_and_is_no_figure_is_known_no_more():
    clock = ManualClock()
    target = MeterTarget(meter("siemens_pac3200"), iter(range(20)))
    quantities = load_profile("siemens_pac3200").quantity.items()
    spans = [quantity.span for name, quantity in quantities if name in PARTS]
    registers = {(span.function, span.address + i): i for span in spans for i in range(span.count)}
    [seen] = target.observe(registers, clock.now())
    assert isinstance(seen, Reading)
    assert seen.values["ct_ratio"] == 1
    assert target._ratios
    target.observe(dict.fromkeys(registers, 0), clock.now())
    assert not target._ratios


def test_contacts_have_nothing_slow_and_no_memory():
    clock = ManualClock()
    target = ContactsTarget(9, [ContactSpec(code="door", unit=9, address=3)])
    target.missed(date(2026, 1, 1), date(2026, 1, 2))
    target.anew()
    assert target.reads(clock.now()) == target.fast == (Span(2, 3, 1),)
    assert not target.put_off(target.fast[0], clock.now(), refused=True)
    assert target.memory() is None
    assert target.remember(None, clock.now(), refused=True) == []
