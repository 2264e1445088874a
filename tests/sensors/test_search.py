"""What is on an unknown bus is found: on real sockets and lines, and on ports written by hand."""

from __future__ import annotations

import termios
from pathlib import Path

import pytest

from edge.clock import ManualClock, SystemClock
from edge.domain.observation import Quality
from edge.sensors import search as search_module
from edge.sensors.plan import Span
from edge.sensors.port import BusDownError, NoAnswerError, RefusedError
from edge.sensors.profiles import load_profile, profile_names
from edge.sensors.search import Search, Step, live, settings
from edge.sensors.spec import LineBus, SerialBus, SerialServerBus, TcpBus
from simulators.meters.loads import Fan
from simulators.meters.server import MeterServer
from simulators.meters.units import ContactUnit, MeterUnit, Unit
from simulators.meters.wire import PtyWire, TcpWire, Wire

PROFILES = {name: load_profile(name) for name in profile_names()}
TCP = TcpBus(code="b", transport="tcp", host="127.0.0.1", port=1, timeout_s=0.2)
LINE = SerialBus(code="b", transport="rtu", device="/dev/null", timeout_s=0.1)


class Refusing(Unit):
    """It answers every read with an exception."""

    def spans(self):
        return ()

    def memory(self, now):
        _ = now
        return {}


def meter(unit, profile, **more):
    return MeterUnit(unit, profile, Fan(75, seed=unit), ct_ratio=40, seed=unit, **more)


async def found_on(buses, units, *, seconds=60.0, profiles=PROFILES):
    steps: list[Step] = []
    search = Search(buses, profiles, units, seconds=seconds, clock=SystemClock(), tell=steps.append)
    found = await search.run()
    assert [step.left_s for step in steps] == sorted((s.left_s for s in steps), reverse=True)
    return found


def best(found):
    return {unit.unit: unit.guesses[0].name if unit.guesses else "" for unit in found.units}


async def test_every_profile_is_found_among_all_others_on_one_bus():
    names = dict(enumerate(profile_names(), 1))
    units = [meter(unit, name) for unit, name in names.items()]
    async with MeterServer(units) as server:
        found = await found_on([TCP.model_copy(update={"port": server.port})], [*names, 14])
    assert best(found) == names
    assert found.whole
    assert not found.any_unit
    for unit in found.units:
        guess = unit.guesses[0]
        assert guess.verdict.fits
        assert guess.verdict.missing == 0
        assert guess.seen.quality is Quality.GOOD


async def test_units_that_are_no_meters_or_refuse_everything_are_told_as_such():
    async with MeterServer([meter(3, "abb_b23"), ContactUnit(10), Refusing(20)]) as server:
        bus = TCP.model_copy(update={"port": server.port, "timeout_s": 0.05})
        found = await found_on([bus], range(1, 25))
    assert best(found) == {3: "abb_b23", 10: "", 20: ""}


async def test_a_meter_behind_a_serial_server_is_found():
    wire = Wire({5: meter(5, "carlo_gavazzi_em24")}, baud=115200)
    async with TcpWire(wire) as server:
        bus = SerialServerBus(
            code="b",
            transport="rtu-over-tcp",
            host=server.host,
            port=server.port,
            baud=115200,
            timeout_s=0.1,
        )
        found = await found_on([bus], range(1, 7))
    assert best(found) == {5: "carlo_gavazzi_em24"}


class OfOneSpeed(Wire):
    """A line on which only frames of its own speed are understood."""

    device = ""
    SPEED = termios.B19200

    def send(self, data):
        with Path(self.device).open("rb") as terminal:
            if termios.tcgetattr(terminal)[5] == self.SPEED:
                super().send(data)


async def test_two_profiles_on_a_line_of_another_speed_than_is_tried_first():
    wire = OfOneSpeed(
        {2: meter(2, "schneider_pm5100"), 18: meter(18, "eastron_sdm630")}, baud=19200
    )
    async with PtyWire(wire) as line:
        wire.device = line.device
        bus = LINE.model_copy(update={"device": line.device})
        found = await found_on(settings(bus, PROFILES), [1, 2, 17, 18])
    assert best(found) == {2: "schneider_pm5100", 18: "eastron_sdm630"}
    assert isinstance(found.bus, LineBus)
    assert found.bus.baud == 19200


def test_lines_are_tried_as_most_meters_leave_the_factory_and_then_every_other_way():
    tried = [(bus.baud, bus.parity, bus.stop_bits) for bus in settings(LINE, PROFILES)]
    assert tried[:2] == [(9600, "N", 1), (19200, "E", 1)]
    assert len(tried) == len(set(tried)) == 16


# On ports written by hand, in time that is moved by hand


class Port:
    """Units that answer as `there` says: words, or the code of an exception; else silence."""

    def __init__(self, clock, there):
        self.clock, self.there, self.asked, self.closed = clock, there, [], 0
        self.down = 0

    async def read(self, unit, span, timeout_s=None):
        _ = timeout_s
        if self.down:
            self.down -= 1
            raise BusDownError("the device cannot be set so")
        self.asked.append(unit)
        self.clock.advance(0.3)
        answer = self.there(unit, span)
        if answer is None:
            raise NoAnswerError("silence")
        if isinstance(answer, int):
            raise RefusedError("no", answer)
        return answer

    async def write_coil(self, unit, address, on):
        raise AssertionError((unit, address, on))

    def close(self):
        self.closed += 1


@pytest.fixture
def written(monkeypatch):
    """Search on a port written by hand: gives what was found, and the port."""

    async def run(there, buses=(TCP,), units=range(1, 248), seconds=1000.0, down=0):
        clock = ManualClock()
        port = Port(clock, there)
        port.down = down
        monkeypatch.setattr(search_module, "open_port", lambda _bus, _clock: port)
        found = await Search(buses, PROFILES, units, seconds=seconds, clock=clock).run()
        assert port.closed
        return found, port

    return run


def of(meter_unit):
    """How a meter answers."""

    def answer(span: Span):
        memory = meter_unit.memory(100.0)
        if not any(readable.contains(span) for readable in meter_unit.spans()):
            return 2
        return [memory.get((span.function, span.address + at), 0) for at in range(span.count)]

    return answer


async def test_a_server_that_answers_for_every_address_has_one_meter(written):
    answer = of(meter(1, "siemens_pac3200"))
    found, port = await written(lambda _unit, span: answer(span))
    assert found.any_unit
    assert best(found) == {1: "siemens_pac3200"}
    assert len(port.asked) < 60


async def test_a_gateway_that_speaks_for_units_that_are_not_there_is_no_unit(written):
    answer = of(meter(40, "acrel_adw300"))
    found, _ = await written(lambda unit, span: answer(span) if unit == 40 else 0x0B)
    assert not found.any_unit
    assert best(found) == {40: "acrel_adw300"}
    assert found.whole


async def test_a_unit_beyond_the_first_is_found_when_all_settings_were_tried(written):
    answer = of(meter(40, "acrel_adw300"))
    buses = settings(LINE, PROFILES)[:3]
    found, port = await written(lambda u, span: answer(span) if u == 40 else None, buses)
    assert best(found) == {40: "acrel_adw300"}
    assert port.asked[: 3 * 16] == 3 * [*range(1, 17)]


async def test_the_time_that_a_search_takes_is_bounded_and_what_was_found_is_told(written):
    answer = of(meter(1, "acrel_adw300"))
    found, port = await written(
        lambda unit, span: answer(span) if unit == 1 else None, seconds=12.0
    )
    assert not found.whole
    assert best(found) == {1: "acrel_adw300"}
    assert 0.3 * len(port.asked) <= 12.6


async def test_nobody_there_is_nothing_found(written):
    found, _ = await written(lambda _unit, _span: None, settings(LINE, PROFILES)[:2], [1, 2])
    assert found.bus is None
    assert found.units == []
    assert found.whole


async def test_a_setting_that_the_device_lacks_is_passed_over(written):
    answer = of(meter(1, "acrel_adw300"))
    buses = settings(LINE, PROFILES)[:3]
    found, _ = await written(lambda _unit, span: answer(span), buses, [1], down=2)
    assert best(found) == {1: "acrel_adw300"}
    assert found.bus == buses[2]
    assert found.whole
    with pytest.raises(BusDownError):
        await written(lambda _unit, span: answer(span), buses, [1], down=3)


async def test_a_bus_that_goes_down_under_way_leaves_what_was_found(written):
    def there(unit, _span):
        if unit == 3:
            raise BusDownError("cut")
        return 2

    found, _ = await written(there, units=[1, 2, 3, 4], buses=settings(LINE, PROFILES)[:2])
    assert [unit.unit for unit in found.units] == [1, 2]
    assert not found.whole


async def test_a_unit_that_falls_silent_is_left_alone_soon(written):
    found, port = await written(
        lambda unit, span: [0] if unit == 1 and span.count == 1 else None, units=[1]
    )
    assert best(found) == {1: ""}
    assert len(port.asked) < 12


# Live


async def test_values_are_read_again_until_the_time_is_over():
    unit = meter(1, "abb_b23")
    async with MeterServer([unit]) as server:
        bus = TCP.model_copy(update={"port": server.port})
        found = await found_on([bus], [1])
        chosen = {1: found.units[0].guesses[0]}
        seen = []
        async for readings in live(bus, chosen, 1.5, SystemClock()):
            seen.append(readings[1])
            unit.silent = True
    assert len(seen) == 2
    assert seen[0] is not None
    assert seen[0].seen.values["power_kw"] == pytest.approx(75, rel=0.05)
    assert seen[1] is None


async def test_a_bus_that_cannot_be_opened_is_told():
    with pytest.raises(BusDownError):
        await found_on([TCP], [1])
