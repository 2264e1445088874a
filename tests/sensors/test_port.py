"""What every port must do, the one that tests write down too: one contract for all of them."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest

from edge.clock import ManualClock
from edge.sensors.modbus import open_port
from edge.sensors.plan import DISCRETE_INPUTS, Span
from edge.sensors.port import BusDownError, NoAnswerError, RefusedError
from edge.sensors.spec import SerialBus, SerialServerBus
from simulators.meters.server import MeterServer
from simulators.meters.units import Site
from simulators.meters.wire import PtyWire, TcpWire, Wire
from simulators.skipping import LoopClock, run_skipping
from tests.sensors.lines import tcp
from tests.sensors.test_poller import WrittenPort

READ = Span(3, 0x2012, 2)  # of the fan's meter, unit 1
TIMEOUT_S = 0.2


def _line(**changes):
    return {"code": "line", "timeout_s": TIMEOUT_S, **changes}


@asynccontextmanager
async def over_tcp():
    site = Site()
    async with MeterServer(site.units, now=asyncio.get_running_loop().time) as server:
        yield site, open_port(tcp(server.port, (), timeout_s=TIMEOUT_S), LoopClock())


@asynccontextmanager
async def behind_a_serial_server():
    site = Site()
    wire = Wire({unit.unit: unit for unit in site.units})
    async with TcpWire(wire) as server:
        bus = SerialServerBus.model_validate(
            _line(transport="rtu-over-tcp", host=server.host, port=server.port)
        )
        yield site, open_port(bus, LoopClock())
    assert wire.hasty == wire.collisions == 0


@asynccontextmanager
async def on_a_serial_line():
    site = Site()
    wire = Wire({unit.unit: unit for unit in site.units}, echoes=True)
    async with PtyWire(wire) as line:
        bus = SerialBus.model_validate(_line(transport="rtu", device=line.device))
        yield site, open_port(bus, LoopClock())
    assert wire.hasty == wire.collisions == 0


@asynccontextmanager
async def written_down():
    clock = ManualClock()
    port = WrittenPort(clock)
    yield port.site, port


PORTS = [over_tcp, behind_a_serial_server, on_a_serial_line, written_down]


@pytest.fixture(params=PORTS, ids=lambda port: port.__name__)
def on_each_port(request):
    """Runs a trial with a port of each kind, in time that is skipped."""

    def run(trial):
        async def whole():
            async with request.param() as (site, port):
                await trial(site, port)
                port.close()
            return {}

        run_skipping(whole())

    return run


def _silence(site, port, *, silent):
    site.fan.silent = silent
    if isinstance(port, WrittenPort):
        port.silent = {1} if silent else set()


def test_registers_are_read_as_the_unit_holds_them(on_each_port):
    async def trial(site, port):
        for span in (READ, Span(3, 6, 2)):
            words = await port.read(1, span)
            assert len(words) == span.count
        assert words == [40, 10]
        assert await port.read(10, Span(DISCRETE_INPUTS, 0, 8)) == [1] * 8
        site.contacts.open(3)
        assert await port.read(10, Span(DISCRETE_INPUTS, 2, 3)) == [1, 0, 1]

    on_each_port(trial)


def test_a_silent_unit_is_no_answer_and_the_next_read_is_its_own(on_each_port):
    async def trial(site, port):
        await port.read(1, READ)
        _silence(site, port, silent=True)
        for _ in range(5):
            with pytest.raises(NoAnswerError) as caught:
                await port.read(1, READ, 0.1)
            assert caught.value.late_s is None
            assert len(await port.read(3, Span(4, 0, 4))) == 4
        _silence(site, port, silent=False)
        assert await port.read(1, Span(3, 6, 2)) == [40, 10]

    on_each_port(trial)


def test_a_read_that_a_unit_refuses_is_told_apart_from_silence(on_each_port):
    async def trial(_site, port):
        if isinstance(port, WrittenPort):
            port.missing = {(1, 3, 0x9000)}
        with pytest.raises(RefusedError):
            await port.read(1, Span(3, 0x9000, 2))
        assert await port.read(1, Span(3, 6, 2)) == [40, 10]

    on_each_port(trial)


def test_a_port_that_was_closed_opens_again(on_each_port):
    async def trial(_site, port):
        await port.read(1, READ)
        port.close()
        assert len(await port.read(1, READ)) == 2

    on_each_port(trial)


LINES = [behind_a_serial_server, on_a_serial_line]


@pytest.fixture(params=LINES, ids=lambda port: port.__name__)
def on_each_line(request):
    def run(trial):
        async def whole():
            async with request.param() as (site, port):
                await trial(site, port)
                port.close()
            return {}

        run_skipping(whole())

    return run


def test_a_late_answer_is_listened_to_and_told_and_is_nobodys_value(on_each_line):
    async def trial(site, port):
        site.fan.delay_s = 1.5
        with pytest.raises(NoAnswerError) as caught:
            await port.read(1, READ, 0.1, 3.0)
        assert caught.value.late_s == pytest.approx(1.57, abs=0.1)
        site.fan.delay_s = 0.0
        assert await port.read(1, Span(3, 6, 2)) == [40, 10]

    on_each_line(trial)


def test_a_late_answer_is_never_taken_for_a_read_of_another_length(on_each_line):
    async def trial(site, port):
        site.fan.delay_s = 0.5
        with pytest.raises(NoAnswerError):
            await port.read(1, READ, 0.1)
        site.fan.delay_s = 0.0
        assert await port.read(1, Span(3, 6, 1), 2.0) == [40]

    on_each_line(trial)


def test_a_coil_is_confirmed_on_a_line_that_echoes_too(on_each_line):
    async def trial(site, port):
        await port.read(1, READ)  # now an echo would be known
        await port.write_coil(10, 0, on=True)
        assert site.contacts.lamp
        site.contacts.silent = True
        with pytest.raises(NoAnswerError):
            await port.write_coil(10, 0, on=False)

    on_each_line(trial)


def test_no_serial_server_is_a_bus_that_is_down():
    async def trial():
        bus = SerialServerBus.model_validate(
            _line(transport="rtu-over-tcp", host="127.0.0.1", port=1)
        )
        with pytest.raises(BusDownError, match=r"127\.0\.0\.1:1"):
            await open_port(bus, LoopClock()).read(1, READ)
        return {}

    run_skipping(trial())
