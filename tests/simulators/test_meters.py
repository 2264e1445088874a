"""The meter simulator, read by a client that we did not write, and its loads."""

from __future__ import annotations

import asyncio
import errno
import re

import pytest
from pymodbus.client import AsyncModbusTcpClient

from edge.sensors.profiles import load_profile, profile_names
from simulators.meters.loads import Fan, Hoist, Living, Pump, noise
from simulators.meters.server import MeterServer, RtuMeterServer
from simulators.meters.units import ContactUnit, MeterUnit, Site
from tests.support import require_program


async def _mbpoll(*args, write=()):
    """Values by reference number, counted from 1 as mbpoll does."""
    process = await asyncio.create_subprocess_exec(
        require_program("mbpoll"),
        "-1",
        *args,
        *write,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(), 15)
    text = output.decode()
    assert process.returncode == 0, text
    return {
        int(n): float(v) for n, v in re.findall(r"^\[(\d+)\]:\s+(-?[\d.]+)", text, re.MULTILINE)
    }


async def test_mbpoll_reads_a_sites_meters_over_tcp():
    site = Site()
    site.hoist.start()
    async with MeterServer(site.units) as server:
        tcp = ("-m", "tcp", "-p", str(server.port), "127.0.0.1")
        volts = await _mbpoll("-a", "3", "-t", "3:float", "-B", "-r", "1", "-c", "3", *tcp)
        ratios = await _mbpoll("-a", "1", "-t", "4", "-r", str(0x0006 + 1), "-c", "2", *tcp)
        fan = await _mbpoll("-a", "1", "-t", "4:float", "-B", "-r", str(0x2012 + 1), *tcp)
        pump = await _mbpoll("-a", "2", "-t", "4:float", "-B", "-r", str(0x081A + 1), *tcp)
    assert list(volts) == [1, 3, 5]
    assert all(value == pytest.approx(230, rel=0.03) for value in volts.values())
    assert ratios == {7: 40, 8: 10}
    # 0.1 W on the secondary side: 75 kW over PT 1 and CT 40.
    assert fan[0x2013] == pytest.approx(75_000 / 40 * 10, rel=0.05)
    assert pump[0x081B] == pytest.approx(0.2, rel=0.5)  # it stands; kW on the primary side


async def test_mbpoll_reads_contacts_and_switches_the_lamp_over_tcp():
    switched = []
    module = ContactUnit(10, on_coil=lambda address, on: switched.append((address, on)))
    module.open(2)
    async with MeterServer([module]) as server:
        tcp = ("-m", "tcp", "-p", str(server.port), "127.0.0.1")
        inputs = await _mbpoll("-a", "10", "-t", "1", "-r", "1", "-c", "8", *tcp)
        await _mbpoll("-a", "10", "-t", "0", "-r", "1", *tcp, write=("1",))
        assert module.lamp
        coils = await _mbpoll("-a", "10", "-t", "0", "-r", "1", "-c", "2", *tcp)
        await _mbpoll("-a", "10", "-t", "0", "-r", "1", *tcp, write=("0",))
    assert inputs == {n: float(n != 3) for n in range(1, 9)}
    assert coils == {1: 1, 2: 0}
    assert switched == [(0, True), (0, False)]
    assert not module.lamp


async def test_mbpoll_reads_meters_and_contacts_over_the_serial_line():
    site = Site()
    async with RtuMeterServer(site.units) as server:
        rtu = ("-m", "rtu", "-b", "9600", "-P", "none", server.device)
        volts = await _mbpoll("-a", "3", "-t", "3:float", "-B", "-r", "1", "-c", "3", *rtu)
        inputs = await _mbpoll("-a", "10", "-t", "1", "-r", "1", "-c", "8", *rtu)
    assert all(value == pytest.approx(230, rel=0.03) for value in volts.values())
    assert inputs == dict.fromkeys(range(1, 9), 1.0)


async def test_what_a_unit_does_not_have_is_refused_as_meters_do():
    async with MeterServer([ContactUnit(10), MeterUnit(3, "eastron_sdm630", Fan())]) as server:
        client = AsyncModbusTcpClient("127.0.0.1", port=server.port, timeout=1, retries=0)
        await client.connect()
        for answer in (
            await client.read_input_registers(900, count=2, device_id=3),
            await client.read_holding_registers(0, count=1, device_id=3),
            await client.write_register(0, 7, device_id=3),
            await client.write_coil(99, True, device_id=10),
        ):
            assert answer.isError()
        client.close()


async def test_two_clients_are_served_at_once_and_one_slow_unit_holds_up_nobody():
    slow, quick = (MeterUnit(unit, "eastron_sdm630", Fan()) for unit in (1, 2))
    slow.delay_s = 0.5
    async with MeterServer([slow, quick]) as server:
        clients = [
            AsyncModbusTcpClient("127.0.0.1", port=server.port, timeout=2, retries=0)
            for _ in range(2)
        ]
        for client in clients:
            await client.connect()
        waiting = asyncio.ensure_future(clients[0].read_input_registers(0, count=2, device_id=1))
        answer = await clients[1].read_input_registers(0, count=2, device_id=2)
        assert not answer.isError()
        assert not waiting.done()
        assert not (await waiting).isError()
        for client in clients:
            client.close()


async def test_an_address_in_use_is_told_as_such():
    async with MeterServer([ContactUnit()]) as server:
        with pytest.raises(OSError, match="is it in use") as caught:
            await MeterServer([ContactUnit()], port=server.port).__aenter__()
    assert caught.value.errno == errno.EADDRINUSE  # by which the command tells it without a trace


# Loads and counters


def test_a_hoists_cycle_repeats_and_overshoots_while_it_accelerates():
    hoist = Hoist(rated_kw=160, cycle_s=98)
    cycle = [hoist.kw(second) for second in range(98)]
    assert max(cycle) == pytest.approx(160 * 1.35, rel=0.1)
    assert min(cycle) == 0.3
    assert 0.3 < sum(kw < 1 for kw in cycle) / 98 < 0.45  # loading and unloading
    assert hoist.kw(10 + 98) == pytest.approx(hoist.kw(10), rel=0.1)


def test_a_pump_draws_its_inrush_runs_and_stands():
    pump = Pump(rated_kw=110, on_s=100, off_s=200)
    assert pump.kw(0) > 200
    assert pump.kw(50) == pytest.approx(110, rel=0.03)
    assert pump.kw(150) == 0.15
    assert pump.kw(350) == pytest.approx(110, rel=0.03)


def test_fan_and_guard_house_stay_within_their_figures():
    assert all(70 < Fan(75).kw(second) < 80 for second in range(0, 90_000, 700))
    assert all(1.5 < Living(4).kw(second) < 6.5 for second in range(0, 90_000, 700))


def test_noise_is_the_same_for_the_same_seed_and_smooth():
    assert noise(1, 12.5) == noise(1, 12.5)
    assert noise(1, 12.5) != noise(2, 12.5)
    assert all(abs(noise(3, t / 10) - noise(3, t / 10 + 0.1)) < 0.06 for t in range(500))


def test_the_energy_counter_is_the_power_over_time_also_across_long_gaps():
    meter = MeterUnit(1, "eastron_sdm630", Pump(100, on_s=600, off_s=600), energy_kwh=50)
    assert meter.values(0.0)["energy_import_kwh"] == 50
    assert meter.values(3600.0)["energy_import_kwh"] == pytest.approx(50 + 50, rel=0.02)
    assert meter.values(3600.0)["energy_import_kwh"] == meter.values(3600.0)["energy_import_kwh"]


def test_a_load_that_is_stopped_draws_its_idle_and_starts_its_cycle_anew():
    meter = MeterUnit(1, "eastron_sdm630", Hoist(cycle_s=98), running=False, idle_kw=0.2)
    assert meter.power_kw(500) == pytest.approx(0.2, rel=0.25)
    meter.start()
    assert meter.power_kw(1000) == 0.3
    assert meter.power_kw(1014) > 150
    meter.stop()
    assert meter.power_kw(1020) == pytest.approx(0.2, rel=0.25)


@pytest.mark.parametrize("name", profile_names())
def test_a_meters_figures_fit_each_other(name):
    meter = MeterUnit(1, name, Fan(75), ct_ratio=40, pt_ratio=10)
    values = meter.values(100.0)
    assert load_profile(name).tells <= set(values)
    assert sum(values[f"power_l{n}_kw"] for n in (1, 2, 3)) == pytest.approx(values["power_kw"])
    phases = sum(values[f"voltage_l{n}_v"] * values[f"current_l{n}_a"] for n in (1, 2, 3))
    assert phases * values["power_factor"] / 1000 == pytest.approx(values["power_kw"])


def test_somebody_who_cheats_can_change_the_ratios():
    meter = MeterUnit(1, "chint_dtsu666", Fan(75), ct_ratio=40)
    meter.set_ratios(10, 1)
    assert meter.values(0)["ct_ratio"] == 10
    assert meter.memory(0)[3, 6] == 10
