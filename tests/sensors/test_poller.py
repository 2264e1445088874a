"""The poller against a port that is written down: who is asked when, and what is said."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from edge.clock import ManualClock
from edge.domain.activity import Duty
from edge.domain.observation import (
    ContactChange,
    MeterHistory,
    Observation,
    Quality,
    Reading,
    SourceBack,
    SourceLost,
)
from edge.sensors import poller as poller_module
from edge.sensors.poller import Poller, poll_bus
from edge.sensors.port import BusDownError, NoAnswerError, RefusedError
from edge.sensors.profiles import load_profile
from edge.sensors.spec import ContactSpec, MeterSpec, TcpBus
from simulators.meters.units import Site


class WrittenPort:
    """A port that plays the simulated site's registers without a line.

    Attributes:
        down: the bus cannot be opened.
        silent: units that do not answer; each costs `timeout_s` of the clock's time.
        refusing: units that answer with an exception.
        missing: (unit, function, address) of registers that a meter refuses to read.
        mute: (unit, function, address) of registers that it says nothing about.
        forced: (unit, function, address) → register, whatever the site's is.
    """

    def __init__(self, clock, timeout_s=0.5):
        self.site = Site()
        self.clock = clock
        self.timeout_s = timeout_s
        self.down = False
        self.silent = set()
        self.refusing = set()
        self.missing = set()
        self.mute = set()
        self.forced = {}
        self.asked = []
        self.closed = False

    async def read(self, unit, span, timeout_s=None, listen_s=0.0):
        self.asked.append((unit, span))
        if self.down:
            raise BusDownError("bus yard: cannot be opened")
        touched = {(unit, span.function, span.address + i) for i in range(span.count)}
        if unit in self.silent or touched & self.mute:
            self.clock.advance(max(timeout_s or self.timeout_s, listen_s))
            raise NoAnswerError(f"unit {unit}: no answer")
        if unit in self.refusing or touched & self.missing:
            raise RefusedError(f"unit {unit}: exception 2")
        [device] = [device for device in self.site.units if device.unit == unit]
        memory = device.memory(self.clock.now().mono_us / 1e6)
        memory |= {key[1:]: value for key, value in self.forced.items() if key[0] == unit}
        return [memory.get((span.function, span.address + i), 0) for i in range(span.count)]

    async def write_coil(self, unit, address, on):
        raise AssertionError("a poller switches nothing")

    def close(self):
        self.closed = True


BUS = TcpBus(
    code="yard",
    transport="tcp",
    host="127.0.0.1",
    period_s=2,
    meter=(
        MeterSpec(code="fan", profile="chint_dtsu666", unit=1, duty=Duty.FAN),
        MeterSpec(code="pump", profile="acrel_adl400", unit=2, duty=Duty.PUMP),
        MeterSpec(code="hoist", profile="eastron_sdm630", unit=3, duty=Duty.HOIST),
    ),
    contact=(
        ContactSpec(code="box", unit=10, address=0),
        ContactSpec(code="door", unit=10, address=5),
    ),
)


class Bench:
    def __init__(self):
        self.clock = ManualClock()
        self.port = WrittenPort(self.clock)
        self.seen: list[Observation] = []
        self.poller = Poller(BUS, self.port, clock=self.clock, emit=self.seen.append)

    async def sweeps(self, count, period_s=2.0):
        for _ in range(count):
            await self.poller.sweep()
            self.clock.advance(period_s)

    def of(self, kind):
        return [item for item in self.seen if isinstance(item, kind)]


@pytest.fixture
def bench():
    return Bench()


async def test_a_sweep_gives_a_reading_a_meter_and_the_first_state_of_every_contact(bench):
    assert await bench.poller.sweep()
    assert [item.source for item in bench.of(Reading)] == ["fan", "pump", "hoist"]
    assert {item.quality for item in bench.of(Reading)} == {Quality.GOOD}
    assert [(item.source, item.closed) for item in bench.of(ContactChange)] == [
        ("box", True),
        ("door", True),
    ]


async def test_a_sweep_makes_one_request_a_block_of_registers(bench):
    await bench.poller.sweep()
    assert Counter(unit for unit, _ in bench.port.asked) == {1: 3, 2: 2, 3: 3, 10: 1}


async def test_a_contact_speaks_only_when_it_changes(bench):
    await bench.sweeps(3)
    bench.port.site.contacts.open(5)
    bench.seen.clear()
    await bench.sweeps(4)
    [change] = bench.of(ContactChange)
    assert (change.source, change.closed) == ("door", False)


async def test_loss_is_said_once_after_three_sweeps_and_return_once(bench):
    await bench.sweeps(1)
    bench.port.silent = {3}
    await bench.sweeps(40)
    [lost] = bench.of(SourceLost)
    assert lost.source == "hoist"
    assert "no answer" in lost.reason
    bench.port.silent = set()
    await bench.sweeps(40)
    [back] = bench.of(SourceBack)
    assert back.source == "hoist"
    assert back.lost_s > 60
    assert bench.of(Reading)[-1].source == "hoist"


async def test_a_silent_unit_is_asked_less_and_less_while_the_others_keep_their_pace(bench):
    bench.port.silent = {1}
    await bench.sweeps(150)
    assert Counter(item.source for item in bench.of(Reading)) == {"pump": 150, "hoist": 150}
    assert sum(unit == 1 for unit, _ in bench.port.asked) <= 20


async def test_a_unit_that_refuses_is_lost_like_a_silent_one(bench):
    bench.port.refusing = {2}
    await bench.sweeps(5)
    [lost] = bench.of(SourceLost)
    assert (lost.source, lost.reason) == ("pump", "unit 2: exception 2")


async def test_after_a_failure_a_unit_is_probed_before_its_registers_are_believed(bench):
    await bench.sweeps(1)
    bench.port.silent = {3}
    await bench.sweeps(1)
    bench.port.silent, bench.port.asked = set(), []
    await bench.sweeps(2)
    spans = [span for unit, span in bench.port.asked if unit == 3]
    assert len(spans) == 5  # probe and two reads, then two reads
    assert spans[0].answer_bytes not in {span.answer_bytes for span in spans[1:]}
    assert spans[1:3] == spans[3:]


async def test_all_contacts_of_a_module_are_lost_with_it(bench):
    bench.port.silent = {10}
    await bench.sweeps(4)
    assert [item.source for item in bench.of(SourceLost)] == ["box", "door"]


async def test_a_bus_that_is_down_is_tried_once_a_sweep_and_every_source_is_lost_once(bench):
    bench.port.down = True
    await bench.sweeps(6)
    assert len(bench.port.asked) == 6
    assert sorted(item.source for item in bench.of(SourceLost)) == [
        "box",
        "door",
        "fan",
        "hoist",
        "pump",
    ]
    bench.port.down = False
    assert await bench.poller.sweep()
    assert len(bench.of(SourceBack)) == 5
    assert len(bench.of(Reading)) == 3


async def test_an_exception_that_nobody_expects_is_not_swallowed(bench):
    async def broken(_unit, _span, _timeout_s, _listen_s):
        raise ZeroDivisionError

    bench.port.read = broken
    with pytest.raises(ZeroDivisionError):
        await bench.poller.sweep()


async def _poll_for(monkeypatch, clock, port, seconds):
    monkeypatch.setattr(poller_module, "open_port", lambda bus, clock: port)
    sweeps = []
    original = Poller.sweep

    async def counted(self):
        sweeps.append(clock.now().mono_us / 1e6)
        if sweeps[-1] >= seconds:
            raise asyncio.CancelledError
        return await original(self)

    monkeypatch.setattr(Poller, "sweep", counted)
    with contextlib.suppress(asyncio.CancelledError):
        await poll_bus(BUS, clock=clock, emit=lambda _: None)
    return sweeps


async def test_sweeps_keep_their_period_however_long_one_takes(monkeypatch):
    clock = ManualClock()
    port = WrittenPort(clock)
    port.silent = {1, 2, 3}
    sweeps = await _poll_for(monkeypatch, clock, port, 5)
    assert sweeps[:3] == [0.0, 2.0, 4.0]
    assert port.closed


async def test_a_bus_that_is_down_is_tried_at_growing_bounded_distances(monkeypatch):
    clock = ManualClock()
    port = WrittenPort(clock)
    port.down = True
    sweeps = await _poll_for(monkeypatch, clock, port, 60)
    gaps = [round(b - a, 3) for a, b in pairwise(sweeps)]
    assert gaps[:4] == [2.0, 4.0, 8.0, 10.0]
    assert set(gaps[4:]) == {10.0}


def _kept(moment, raw):
    """Registers of the block that the pump's meter keeps of a day."""
    history = load_profile("acrel_adl400").history
    assert history
    span = history.block((datetime(2025, 6, 15) - moment).days)  # noqa: DTZ001 - the meter's time
    words = (
        (moment.year - 2000) << 8 | moment.month,
        moment.day << 8 | moment.hour,
        raw >> 16,
        raw & 0xFFFF,
    )
    return {(2, 3, span.address + i): word for i, word in enumerate(words)}


async def test_after_an_outage_a_meter_is_asked_for_the_days_that_it_kept(bench):
    # The clock of the bench begins on 2025-06-15, 23:06 by the time of the site.
    today = datetime(2025, 6, 15)  # noqa: DTZ001 - the meter's time
    for days in range(5):
        bench.port.forced |= _kept(today - timedelta(days=days), 1000 + days)
    began = bench.clock.now().moved(-2 * 86400)
    bench.poller = Poller(BUS, bench.port, clock=bench.clock, emit=bench.seen.append, since=began)
    await bench.sweeps(100)
    kept = [(item.source, item.frozen, item.energy_kwh) for item in bench.of(MeterHistory)]
    assert kept == [  # hundredths of a kWh, times the ratios of the simulated site
        ("pump", "2025-06-15T00:00:00", 600.0),
        ("pump", "2025-06-14T00:00:00", 600.6),
        ("pump", "2025-06-13T00:00:00", 601.2),
    ]
    asked = [span for unit, span in bench.port.asked if unit == 2 and span.address >= 0x6000]
    assert len(asked) == 3, "one a sweep, and no more than is missed"


async def test_a_meter_that_was_lost_over_a_midnight_is_asked_for_what_it_kept(bench):
    await bench.sweeps(2)
    bench.port.silent = {2}
    await bench.sweeps(40, period_s=120)
    bench.port.silent = set()
    await bench.sweeps(40)
    asked = [span for unit, span in bench.port.asked if unit == 2 and span.address >= 0x6000]
    assert len(asked) > 20, "nothing fits, so that every block is looked at, one a sweep"
    assert not bench.of(MeterHistory)


async def test_a_short_loss_asks_for_nothing_that_was_kept(bench):
    await bench.sweeps(2)
    bench.port.silent = {2}
    await bench.sweeps(10)
    bench.port.silent = set()
    await bench.sweeps(30)
    assert bench.of(SourceBack)
    assert not [span for unit, span in bench.port.asked if unit == 2 and span.address >= 0x6000]


@pytest.mark.parametrize("kind", ["missing", "mute"])
async def test_a_meter_that_keeps_nothing_is_left_alone_about_it(bench, kind):
    setattr(bench.port, kind, {(2, 3, 0x6000)})
    began = bench.clock.now().moved(-2 * 86400)
    bench.poller = Poller(BUS, bench.port, clock=bench.clock, emit=bench.seen.append, since=began)
    await bench.sweeps(30)
    asked = [span for unit, span in bench.port.asked if unit == 2 and span.address >= 0x6000]
    assert len(asked) == {"missing": 1, "mute": 3}[kind]
    assert not bench.of(SourceLost)
    assert len([item for item in bench.of(Reading) if item.source == "pump"]) == 30


def _serial(profile):
    place = load_profile(profile).serial
    assert place
    return place.span


def _forced(unit, profile, name, word):
    quantity = load_profile(profile).quantity[name]
    return {(unit, quantity.function, quantity.address + i): word for i in range(quantity.count)}


@pytest.mark.parametrize(
    ("source", "registers"),
    [
        ("fan", _forced(1, "chint_dtsu666", "ct_ratio", 0)),
        ("fan", _forced(1, "chint_dtsu666", "pt_ratio", 0)),
        ("hoist", _forced(3, "eastron_sdm630", "power_kw", 0xFFFF)),
    ],
    ids=["CT ratio of zero", "PT ratio of zero", "no number"],
)
async def test_a_meter_that_answers_without_a_figure_for_its_power_is_lost(
    bench, source, registers
):
    bench.port.forced = registers
    await bench.sweeps(5)
    [lost] = bench.of(SourceLost)
    assert lost.source == source
    assert "no figure for its power" in lost.reason
    readings = [item for item in bench.of(Reading) if item.source == source]
    assert len(readings) == 5, "what it does say is still told, and it is asked at every sweep"
    bench.port.forced = {}
    await bench.sweeps(1)
    [back] = bench.of(SourceBack)
    assert (back.source, back.lost_s) == (source, 10)


async def test_one_reading_without_a_figure_for_the_power_is_no_loss(bench):
    bench.port.forced = _forced(3, "eastron_sdm630", "power_kw", 0xFFFF)
    await bench.sweeps(2)
    bench.port.forced = {}
    await bench.sweeps(1)
    assert not bench.of(SourceLost)
    assert not bench.of(SourceBack)


async def test_energies_and_ratios_are_read_once_a_minute_and_ratios_are_remembered(bench):
    await bench.sweeps(150)
    fan = [item.values for item in bench.of(Reading) if item.source == "fan"]
    assert len(fan) == 150
    assert all("power_kw" in values for values in fan)
    assert sum("ct_ratio" in values for values in fan) in {5, 6}  # at first, and in each minute
    assert sum("energy_import_kwh" in values for values in fan) in {5, 6}
    assert {item.quality for item in bench.of(Reading)} == {Quality.GOOD}


async def test_slow_reads_of_different_units_do_not_pile_up_in_one_sweep(bench):
    await bench.sweeps(1)
    counts = []
    for _ in range(60):
        bench.port.asked.clear()
        await bench.sweeps(1)
        counts.append(len(bench.port.asked))
    assert max(counts) <= min(counts) + 1


async def test_a_unit_that_is_back_is_read_whole_for_it_may_be_another_one(bench):
    await bench.sweeps(1)
    bench.port.silent = {1}
    await bench.sweeps(4)
    bench.port.silent = set()
    bench.seen.clear()
    await bench.sweeps(6)
    first = next(item for item in bench.of(Reading) if item.source == "fan")
    assert {"ct_ratio", "pt_ratio", "energy_import_kwh"} <= set(first.values)


async def test_a_ratio_that_was_set_to_zero_does_not_live_on_as_what_it_was(bench):
    await bench.sweeps(10)
    bench.port.forced = _forced(1, "chint_dtsu666", "ct_ratio", 0)
    bench.seen.clear()
    await bench.sweeps(40)
    [lost] = bench.of(SourceLost)
    assert lost.source == "fan"


async def test_a_register_that_a_meter_refuses_costs_nothing_but_itself(bench):
    serial = _serial("eastron_sdm630")
    bench.port.missing = {(3, serial.function, serial.address)}
    await bench.sweeps(300)
    assert not bench.of(SourceLost)
    hoist = [item for item in bench.of(Reading) if item.source == "hoist"]
    assert len(hoist) == 300
    assert sum("energy_import_kwh" in item.values for item in hoist) >= 10
    asked = [span for unit, span in bench.port.asked if unit == 3 and span == serial]
    assert 2 <= len(asked) <= 5, "ever more rarely"


async def test_a_register_that_a_meter_says_nothing_about_costs_nothing_but_itself(bench):
    serial = _serial("eastron_sdm630")
    bench.port.mute = {(3, serial.function, serial.address)}
    await bench.sweeps(300)
    assert not bench.of(SourceLost)
    assert len([item for item in bench.of(Reading) if item.source == "hoist"]) == 300
    asked = [span for unit, span in bench.port.asked if unit == 3 and span == serial]
    assert 2 <= len(asked) <= 6, "ever more rarely"


async def test_a_ratio_is_forgotten_that_cannot_be_read_for_ten_minutes(bench):
    ratio = load_profile("chint_dtsu666").quantity["ct_ratio"].span
    await bench.sweeps(1)
    bench.port.missing = {(1, ratio.function, ratio.address)}
    await bench.sweeps(290)
    assert not bench.of(SourceLost)
    await bench.sweeps(60)
    assert [lost.source for lost in bench.of(SourceLost)] == ["fan"]
