"""Every profile on the wire: `mbpoll`, which we did not write, reads what we read."""

from __future__ import annotations

import asyncio
import re
import struct
from itertools import groupby

import pytest

from edge.clock import SystemClock
from edge.domain.observation import Quality
from edge.sensors.decode import STRUCT, decode
from edge.sensors.modbus import open_port
from edge.sensors.profiles import load_profile, profile_names
from edge.sensors.spec import TcpBus
from simulators.meters.server import MeterServer
from simulators.meters.units import MeterUnit
from tests.support import require_program

NUMBER = re.compile(r"^\[(\d+)\]:\s+(0x[0-9A-F]+|-?[\d.]+(?:e[+-]\d+)?)", re.MULTILINE)
KINDS = {"f32": "float", "u32": "int", "i32": "int"}


class Delivering:
    """A machine that gives power back: powers and power factor are negative."""

    def kw(self, seconds: float) -> float:
        _ = seconds
        return -7654.3


async def _mbpoll(port, function, kind, first, count, *options):
    """Texts by address, as mbpoll prints them."""
    table = {3: "4", 4: "3"}[function]
    process = await asyncio.create_subprocess_exec(
        *(require_program("mbpoll"), "-1", "-0", "-a", "1", "-p", str(port)),
        *("-t", f"{table}:{kind}", "-r", str(first), "-c", str(count), *options, "127.0.0.1"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(), 15)
    assert process.returncode == 0, output.decode()
    return {int(address): text for address, text in NUMBER.findall(output.decode())}


async def _raw(port, profile):
    """What mbpoll makes of every quantity's registers, before scale and ratio.

    It knows 32-bit integers and floats itself; of others it is asked for the registers.
    """
    raw: dict[str, float] = {}
    places = sorted((q.function, q.address, name) for name, q in profile.quantity.items())

    def block(place):
        function, address, name = place
        item = profile.quantity[name]
        before = sum(profile.quantity[n].count for f, a, n in places if (f, a) < place[:2])
        return function, item.type, item.order, address - before  # no gap within

    for (function, kind, order, _), group in groupby(places, block):
        members = [(address, name) for _, address, name in group]
        first, count = members[0][0], len(members)
        if kind in KINDS:
            swap = ["-B"] if order == "big" else []
            texts = await _mbpoll(port, function, KINDS[kind], first, count, *swap)
            raw |= {name: float(texts[address]) for address, name in members}
            continue
        size = struct.calcsize(STRUCT[kind]) // 2
        texts = await _mbpoll(port, function, "hex", first, count * size)
        for address, name in members:
            words = [int(texts[address + at], 16) for at in range(size)]
            raw[name] = float(struct.unpack(STRUCT[kind], struct.pack(f">{size}H", *words))[0])
    return raw


async def _serial(port, place):
    texts = await _mbpoll(port, place.function, "hex", place.address, place.count)
    data = b"".join(bytes.fromhex(text[2:]) for text in texts.values())
    return (
        data.rstrip(b"\0").decode() if place.type == "ascii" else str(int.from_bytes(data, "big"))
    )


async def _read(port, profile):
    """The same through our own port, all of the profile's reads."""
    bus = TcpBus(code="yard", transport="tcp", host="127.0.0.1", port=port)
    modbus = open_port(bus, SystemClock())
    registers: dict[tuple[int, int], int] = {}
    for read in profile.reads():
        words = await modbus.read(1, read)
        registers |= {(read.function, read.address + at): word for at, word in enumerate(words)}
    modbus.close()
    return decode(profile, registers)


@pytest.mark.parametrize("name", profile_names())
async def test_mbpoll_agrees_with_us_on_every_quantity_of_every_profile(name):
    profile = load_profile(name)
    meter = MeterUnit(
        1, name, Delivering(), ct_ratio=40, pt_ratio=10, energy_kwh=1_234_567.8, serial="20196172"
    )
    async with MeterServer([meter], now=lambda: 100.0) as server:
        ours = await _read(server.port, profile)
        raw = await _raw(server.port, profile)
        serial = await _serial(server.port, profile.serial) if profile.serial else ""
    assert ours.quality is Quality.GOOD
    assert ours.serial == serial == ("20196172" if profile.serial else "")
    assert ours.values["power_kw"] == pytest.approx(-7654.3, rel=1e-4)
    ratios = {"ct": 40, "pt": 10}
    for told, quantity in profile.quantity.items():
        wanted = raw[told] * quantity.scale
        for factor in quantity.ratio:
            wanted *= ratios[factor]
        if told in ours.values:  # parts of a ratio are told as the ratio
            assert ours.values[told] == pytest.approx(wanted, rel=1e-5), told
    for kind, ratio in ratios.items():
        assert ours.values.get(f"{kind}_ratio", ratio) == pytest.approx(ratio)
