"""The poller over a real serial line (pseudo-terminals) to simulated units."""

from __future__ import annotations

import asyncio
import os
import random

import pytest

from edge.clock import SystemClock
from edge.domain.observation import ContactChange, Quality, Reading, SourceBack, SourceLost
from edge.sensors.modbus import PymodbusPort, open_port
from edge.sensors.plan import Span
from edge.sensors.poller import poll_bus
from edge.sensors.port import BusDownError, NoAnswerError
from simulators.meters.loads import Fan, Living
from simulators.meters.server import RtuMeterServer
from simulators.meters.units import ContactUnit, MeterUnit
from tests.sensors.lines import Heard, LateMeter, polling, rtu

KW = {"m1": 75.0, "m2": 110.0, "m3": 4.0}


@pytest.fixture
def units():
    return (
        MeterUnit(1, "chint_dtsu666", Fan(75), ct_ratio=40, pt_ratio=10),
        MeterUnit(2, "acrel_adl400", Fan(110), ct_ratio=60),
        MeterUnit(3, "eastron_sdm630", Living(4)),
        ContactUnit(10),
    )


def _assert_true(heard):
    """Every reading that was said is what its own meter measures."""
    readings = [item for item in heard.all if isinstance(item, Reading)]
    assert readings
    for reading in readings:
        assert reading.quality is Quality.GOOD
        assert reading.values["power_kw"] == pytest.approx(KW[reading.source], rel=0.5)
        assert reading.values["frequency_hz"] == pytest.approx(50, abs=0.2)
        volts = 2300 if reading.source == "m1" else 230
        assert reading.values["voltage_l2_v"] == pytest.approx(volts, rel=0.05)


async def test_meters_and_contacts_on_one_line_are_read(units):
    async with RtuMeterServer(units) as server, polling(rtu(server.device, units)) as heard:
        await heard.until(lambda: len(heard.pace()) == 3 and len(heard.of(ContactChange)) == 2)
        units[3].open(0)
        await heard.until(lambda: len(heard.of(ContactChange)) == 3)
    _assert_true(heard)


async def test_a_silent_unit_does_not_starve_the_others(units):
    async with RtuMeterServer(units) as server, polling(rtu(server.device, units)) as heard:
        await heard.more("m2")
        await asyncio.sleep(1)
        undisturbed = heard.pace()
        units[0].silent = True
        heard.all.clear()
        await heard.lost("m1")
        await asyncio.sleep(1)
        disturbed = heard.pace()
    assert len(heard.of(SourceLost)) == 1
    for code in ("m2", "m3"):
        assert disturbed[code] >= 0.6 * undisturbed[code], (undisturbed, disturbed)


async def test_a_late_answer_is_not_taken_for_the_next_requests(units):
    late = LateMeter(share=0.12, longest_s=0.5)
    units = (late, *units[1:])
    async with (
        RtuMeterServer(units) as server,
        polling(rtu(server.device, units, timeout_s=0.1)) as heard,
    ):
        await asyncio.sleep(2.5)
        late.delay_s = 0.0
        await heard.more("m1", 3)
    assert heard.pace()["m2"] >= 4
    _assert_true(heard)


async def test_noise_flipped_bits_and_answers_that_are_no_frames_never_become_figures(
    units, short_backoff
):
    chance = random.Random(7)
    async with RtuMeterServer(units) as server, polling(rtu(server.device, units)) as heard:

        def flip(data: bytes) -> bytes:
            if chance.random() < 0.7:
                return data
            broken = bytearray(data)
            broken[chance.randrange(len(broken))] ^= 1 << chance.randrange(8)
            return bytes(broken)

        server.line.shape = flip
        units[2].garbage = True
        for _ in range(30):
            server.line.inject(chance.randbytes(chance.randrange(1, 40)))
            await asyncio.sleep(0.05)
        server.line.shape = bytes
        units[2].garbage = False
        for code in KW:
            await heard.more(code)
    _assert_true(heard)


async def test_a_babbling_line_is_told_as_lost_and_is_usable_when_it_falls_quiet(
    units, short_backoff
):
    units = units[:1]
    async with (
        RtuMeterServer(units) as server,
        polling(rtu(server.device, units, timeout_s=0.05)) as heard,
    ):
        await heard.more("m1")

        async def babble():
            while True:
                server.line.inject(os.urandom(40))
                await asyncio.sleep(0.002)

        noise = asyncio.create_task(babble())
        server.line.shape = lambda data: bytes(byte ^ 0x5A for byte in data)  # it collides
        await heard.lost("m1")
        noise.cancel()
        server.line.shape = bytes
        await heard.back("m1")
    _assert_true(heard)


async def test_after_a_failure_the_line_is_left_alone_until_it_has_fallen_quiet(units):
    units[0].silent = True
    async with RtuMeterServer(units) as server:
        port = open_port(rtu(server.device, units, timeout_s=0.1), SystemClock())
        loop = asyncio.get_running_loop()
        for step in range(7):  # a late unit, byte by byte, for 0.42 s
            loop.call_later(0.06 * step, server.line.inject, b"\x01")
        began = loop.time()
        with pytest.raises(NoAnswerError):
            await port.read(1, Span(3, 6, 2))
        assert loop.time() - began >= 0.42
        port.close()


async def test_a_line_that_is_pulled_and_plugged_in_again_is_lost_once_and_back_once(
    units, tmp_path, short_backoff
):
    device = tmp_path / "ttyUSB0"
    async with RtuMeterServer(units) as server:
        device.symlink_to(server.device)
        async with polling(rtu(str(device), units)) as heard:
            await heard.more("m1")
            await server.__aexit__()
            device.unlink()
            await heard.lost("m1")
            await heard.lost("c1")
            async with RtuMeterServer(units) as again:
                device.symlink_to(again.device)
                await heard.back("m1")
                await heard.back("c1")
                await heard.more("m3")
    assert len(heard.of(SourceLost)) == len(heard.of(SourceBack)) == 5


@pytest.mark.parametrize("device", ["/dev/no-such-line", "/dev/null"])
async def test_a_device_that_is_no_serial_line_is_a_bus_that_is_down(device):
    port = open_port(rtu(device, ()), SystemClock())
    with pytest.raises(BusDownError, match=device):
        await port.read(1, Span(4, 0, 2))
    port.close()


async def test_a_slow_line_is_given_the_time_that_its_frames_take():
    slow = rtu("/dev/ttyS0", (), timeout_s=0.5).model_copy(update={"baud": 1200})
    port = PymodbusPort(slow, SystemClock())
    # 76 registers: 8 + 5 + 152 characters and two gaps of 3.5, 10 bits each at 1200 baud.
    assert port._patience_s(0.5, Span(4, 0, 76)) == pytest.approx(0.5 + 172 * 10 / 1200, abs=0.03)
    port.close()


async def test_one_cancellation_ends_the_poller_whenever_it_comes(units):
    async with RtuMeterServer(units) as server:
        bus = rtu(server.device, units)
        for turns in range(40):
            task = asyncio.create_task(poll_bus(bus, clock=SystemClock(), emit=Heard().take))
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            done, _ = await asyncio.wait([task], timeout=1)
            task.cancel()
            assert done, f"cancelled after {turns} turns of the loop, it went on"
            assert task.cancelled()
