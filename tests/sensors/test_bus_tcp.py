"""The poller over real TCP connections to simulated units."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager

import pytest

from edge.clock import SystemClock
from edge.domain.observation import ContactChange, Quality, Reading, SourceBack, SourceLost
from edge.errors import SourceError
from edge.sensors.modbus import open_port
from edge.sensors.plan import Span
from edge.sensors.poller import poll_bus
from edge.sensors.port import BusDownError, NoAnswerError
from simulators.meters.loads import Fan, Living
from simulators.meters.server import MeterServer
from simulators.meters.units import ContactUnit, MeterUnit
from tests.sensors.lines import Heard, LateMeter, polling, tcp


@pytest.fixture
def units():
    return (
        MeterUnit(1, "chint_dtsu666", Fan(75), ct_ratio=40, pt_ratio=10),
        MeterUnit(2, "acrel_adl400", Fan(110), ct_ratio=60),
        MeterUnit(3, "eastron_sdm630", Living(4)),
        ContactUnit(10),
    )


async def test_every_profile_is_read_as_the_simulated_meters_stand(units):
    async with MeterServer(units) as server, polling(tcp(server.port, units)) as heard:
        await heard.until(lambda: len(heard.pace()) == 3)
    fan = heard.readings("m1")[0]
    assert fan.quality is Quality.GOOD
    assert fan.values["power_kw"] == pytest.approx(75, rel=0.05)
    assert (fan.values["ct_ratio"], fan.values["pt_ratio"]) == (40, 10)
    assert fan.values["voltage_l1_v"] == pytest.approx(2300, rel=0.05)
    assert heard.readings("m2")[0].values["power_kw"] == pytest.approx(110, rel=0.05)
    assert heard.readings("m3")[0].values["power_kw"] == pytest.approx(4, rel=0.5)


async def test_a_contact_that_opens_and_closes_is_told_each_time(units):
    *_, module = units
    async with MeterServer(units) as server, polling(tcp(server.port, units)) as heard:
        await heard.until(lambda: len(heard.of(ContactChange)) == 2)
        module.open(1)
        await heard.until(lambda: len(heard.of(ContactChange)) == 3)
        module.close(1)
        await heard.until(lambda: len(heard.of(ContactChange)) == 4)
    said = [(i.source, i.closed) for i in heard.all if isinstance(i, ContactChange)]
    assert said == [("c0", True), ("c1", True), ("c1", False), ("c1", True)]


async def test_a_silent_unit_does_not_starve_the_others(units):
    silent, *healthy = (f"m{unit.unit}" for unit in units[:3])
    async with MeterServer(units) as server, polling(tcp(server.port, units)) as heard:
        await heard.more(healthy[0])
        await asyncio.sleep(1)
        undisturbed = heard.pace()
        units[0].silent = True
        heard.all.clear()
        await heard.lost(silent)
        await asyncio.sleep(1)
        disturbed = heard.pace()
    assert len(heard.of(SourceLost)) == 1
    for code in healthy:
        # Three unanswered requests, then one after two seconds, is all that it may cost.
        assert disturbed[code] >= 0.6 * undisturbed[code], (undisturbed, disturbed)


async def test_loss_and_return_are_said_once_each(units, short_backoff):
    async with MeterServer(units) as server, polling(tcp(server.port, units)) as heard:
        await heard.more("m2")
        units[1].silent = True
        await heard.lost("m2")
        units[1].silent = False
        await heard.back("m2")
        await heard.more("m2", 3)
    assert [type(i) for i in heard.all if isinstance(i, SourceLost | SourceBack)] == [
        SourceLost,
        SourceBack,
    ]


async def test_a_server_that_goes_away_and_comes_back_is_found_again(units, short_backoff):
    async with MeterServer(units) as server:
        port = server.port
        async with polling(tcp(port, units)) as heard:
            await heard.more("m1")
            await server.__aexit__()
            await heard.lost("m1")
            await heard.lost("c0")
            async with MeterServer(units, port=port):
                await heard.back("m1")
                await heard.back("c1")
                await heard.more("m3")
    assert len(heard.of(SourceLost)) == len(heard.of(SourceBack)) == 5


async def test_late_answers_on_tcp_are_never_taken_for_other_requests(units):
    late = LateMeter(share=0.12, longest_s=0.5)
    units = (late, *units[1:])
    async with (
        MeterServer(units) as server,
        polling(tcp(server.port, units, timeout_s=0.1)) as heard,
    ):
        await asyncio.sleep(2)
        late.delay_s = 0.0
        await heard.more("m1")
    assert heard.pace()["m2"] >= 8
    for reading in heard.all:
        if isinstance(reading, Reading):
            kw = {"m1": 75, "m2": 110, "m3": 4}[reading.source]
            assert reading.values["power_kw"] == pytest.approx(kw, rel=0.5)
            assert reading.quality is Quality.GOOD


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\x00" * 7,
        b"\xff" * 300,
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\x00\x01\x00\x00\x00\x03\x01\x04\x00",  # a byte count of zero
        b"\x00\x01\x00\x00\x00\x05\x01\x04\x02\x00",  # cut short
        b"\x00\x01\x00\x00\x00\x03\x01\x84\x02",  # exception 2
        b"\x00\x01\x00\x00\x00\x04\x01\x2b\x0e\x01",  # device identification that was not asked for
        b"\x00\x01\x00\x00\x00\x02\x01\x03",  # no data at all
        b"\x00\x01\x00\x00\x00\x07\x01\x03\x04\x00\x01\x00\x02",  # another function code
        b"\x00\x01\x00\x00\x00\x05\x01\x04\x02\x00\x01",  # too few registers
    ],
    ids=lambda answer: answer.hex()[:24] or "nothing",
)
async def test_a_hostile_server_makes_a_read_fail_and_nothing_else(answer):
    async with _hostile(answer) as port:
        for _ in range(3):
            with pytest.raises(SourceError) as caught:
                await port.read(1, Span(4, 0, 2))
            assert "bus yard (127.0.0.1" in str(caught.value)


async def test_an_answer_with_too_few_bits_is_no_answer():
    one_byte = b"\x00\x01\x00\x00\x00\x04\x01\x02\x01\xff"
    async with _hostile(one_byte) as port:
        with pytest.raises(NoAnswerError, match="does not fit 9 discrete inputs from 0x0000"):
            await port.read(1, Span(2, 0, 9))


async def test_undecodable_bytes_after_the_answer_do_no_harm():
    good = b"\x00\x01\x00\x00\x00\x07\x01\x04\x04\x00\x01\x00\x02"
    async with _hostile(good, b"\x00\x01\x00\x00\x00\x03\x01\x04\x00") as port:
        assert await port.read(1, Span(4, 0, 2)) == [1, 2]
        await asyncio.sleep(0.1)


@asynccontextmanager
async def _hostile(*answers):
    """A port to a server that answers every request with these bytes, one after the other."""

    class Hostile(asyncio.Protocol):
        def connection_made(self, transport):
            self.transport = transport

        def data_received(self, _data):
            for delay, answer in enumerate(answers):
                asyncio.get_running_loop().call_later(0.03 * delay, self.transport.write, answer)

    server = await asyncio.get_running_loop().create_server(Hostile, "127.0.0.1", 0)
    port = open_port(tcp(server.sockets[0].getsockname()[1], (), timeout_s=0.1), SystemClock())
    try:
        yield port
    finally:
        port.close()
        server.close()
        await server.wait_closed()
        await asyncio.sleep(0.01)  # the connection's two ends see each other close


async def test_no_server_is_a_bus_that_is_down():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number = free.getsockname()[1]
    port = open_port(tcp(number, ()), SystemClock())
    with pytest.raises(BusDownError, match="cannot be opened"):
        await port.read(1, Span(4, 0, 2))
    port.close()


async def test_an_absent_unit_is_no_answer_and_a_wrong_register_is_refused(units):
    async with MeterServer(units) as server:
        port = open_port(tcp(server.port, units), SystemClock())
        with pytest.raises(NoAnswerError, match=r"unit 77: no answer within 0\.2 s"):
            await port.read(77, Span(4, 0, 2))
        with pytest.raises(SourceError, match="exception 2"):
            await port.read(3, Span(4, 5000, 2))
        with pytest.raises(SourceError, match="exception 1"):
            await port.read(3, Span(2, 0, 1))
        port.close()


async def test_a_coil_is_switched_between_the_polls_and_only_where_there_is_one(units):
    *_, module = units
    async with MeterServer(units) as server:
        bus = tcp(server.port, units)
        port = open_port(bus, SystemClock())
        heard = Heard()
        polls = asyncio.create_task(poll_bus(bus, clock=SystemClock(), emit=heard.take, port=port))
        try:
            for on in (True, False) * 10:
                await port.write_coil(10, 0, on)
                assert module.lamp is on
            with pytest.raises(SourceError, match="exception 2"):
                await port.write_coil(10, 99, on=True)
            module.silent = True
            with pytest.raises(NoAnswerError):
                await port.write_coil(10, 0, on=True)
            await heard.until(lambda: len(heard.pace()) == 3)
        finally:
            polls.cancel()
            await asyncio.gather(polls, return_exceptions=True)
    assert not heard.of(SourceLost)
