"""A day of garbage, exceptions, half frames and late answers on each transport.

Six meters whose registers change ten times a second are polled every five seconds by the daemon's
own poller. Every answer that the port takes for good is compared with what that unit's registers
held between the request and the answer: another unit's, another register's or an earlier
request's is wrong. (Answers to probes are no values and not compared.) A minute of every five is
a storm: 70 % of the answers are spoiled then, 5 % otherwise. Ends with 1 when an answer was wrong,
when a meter was read less than half as often as on a calm bus, or when memory, tasks or files grew.

What is accelerated: nobody waits for time to pass (`simulators/skipping.py`); requests, frames,
time-outs and back-off are those of a whole day. The same mischief is shown to a plain pymodbus
client for an hour: `peer_wrong` says whether these checks can fail at all.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, cast

from pymodbus import FramerType
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException

from benchmarks.bus import PROFILES, running, serial_server
from benchmarks.rig import report
from edge.domain.observation import Observation, Reading
from edge.sensors.modbus import open_port
from edge.sensors.plan import Span
from edge.sensors.poller import poll_bus
from edge.sensors.port import ModbusPort
from edge.sensors.spec import AnyBus, SerialBus, TcpBus
from edge.sensors.targets import targets
from simulators.meters.loads import Fan
from simulators.meters.mischief import Mischief
from simulators.meters.units import MeterUnit
from simulators.meters.wire import PtyWire, TcpWire, Wire, answer_pdu, framed
from simulators.skipping import LoopClock, run_skipping

METERS, PERIOD_S = 6, 5.0
TICKS = 10  # a second
MIN_READINGS = 0.5  # of one a period: a fifth of the time is storm, and back-off goes on after it
MAX_GROWTH_MB = 8.0
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Witness(MeterUnit):
    """A meter whose registers tell whose and of when they are."""

    def values(self, now: float) -> dict[str, float]:
        tick = int(now * TICKS)
        told = super().values(float(tick) / TICKS)
        told |= {"ct_ratio": 10.0 + self.unit, "pt_ratio": 1.0}
        for number, name in enumerate(sorted(told)):
            if not name.endswith("_ratio") and not name.startswith(("ct_", "pt_")):
                told[name] = (self.unit + number / 100) * (1 + (tick * 37 % 8191) / 8191)
        return told

    def memory(self, now: float) -> dict[tuple[int, int], int]:
        return super().memory(int(now * TICKS) / TICKS)


class Judge:
    """A port that compares what it hands on with what the units' registers held."""

    def __init__(self, port: ModbusPort, units: Mapping[int, Witness], bus: AnyBus) -> None:
        self._port = port
        self._units = units
        self._probes = {(unit.unit, unit.probe) for unit in targets(bus)}
        self.right = self.wrong = 0

    async def read(
        self, unit: int, span: Span, timeout_s: float | None = None, listen_s: float = 0.0
    ) -> list[int]:
        loop = asyncio.get_running_loop()
        began = loop.time()
        words = await self._port.read(unit, span, timeout_s, listen_s)
        if (unit, span) not in self._probes:
            good = any(words == self._held(unit, span, tick) for tick in _ticks(began, loop.time()))
            self.right += good
            self.wrong += not good
        return words

    async def write_coil(self, unit: int, address: int, on: bool) -> None:
        await self._port.write_coil(unit, address, on)

    def close(self) -> None:
        self._port.close()

    def _held(self, unit: int, span: Span, tick: int) -> list[int]:
        memory = self._units[unit].memory(tick / TICKS)
        return [memory.get((span.function, span.address + i), 0) for i in range(span.count)]


def _ticks(began: float, ended: float) -> range:
    return range(int(began * TICKS), int(ended * TICKS) + 1)


class TcpServer(asyncio.Protocol):
    """Modbus TCP with mischief; now and then it hangs up, or says something unasked."""

    def __init__(self, units: Mapping[int, Witness], mischief: Mischief) -> None:
        self._units = units
        self._mischief = mischief
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        unit, loop = self._units[data[6]], asyncio.get_running_loop()
        chance = self._mischief.chance
        if chance.random() < 0.002:
            assert self._transport is not None
            self._transport.close()
        if chance.random() < 0.002:
            loop.call_later(chance.uniform(0, 3), self._send, self._mischief.noise())

        def frame(unit: int, pdu: bytes) -> bytes:
            return data[:4] + (len(pdu) + 1).to_bytes(2, "big") + bytes([unit]) + pdu

        for after_s, answer in self._mischief.spoil(unit, data[7:12], frame):
            loop.call_later(0.02 + after_s, self._send, answer)

    def _send(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)


@asynccontextmanager
async def rtu(units: Mapping[int, Witness], mischief: Mischief) -> AsyncIterator[AnyBus]:
    """A serial line that echoes what is sent on it, and on which somebody else asks too."""
    wire = Wire(units, answers=mischief.answers, echoes=True)
    async with PtyWire(wire) as line, running(_bystanders(wire, units, mischief)):
        meter = serial_server(units, 1, PERIOD_S).meter
        yield SerialBus(
            code="line", transport="rtu", device=line.device, period_s=PERIOD_S, meter=meter
        )


@asynccontextmanager
async def rtu_over_tcp(units: Mapping[int, Witness], mischief: Mischief) -> AsyncIterator[AnyBus]:
    """A line behind a serial server whose connection breaks now and then."""
    wire = Wire(units, answers=mischief.answers)
    async with (
        TcpWire(wire) as server,
        running(_bystanders(wire, units, mischief)),
        running(_breaks(server, mischief)),
    ):
        yield serial_server(units, server.port, PERIOD_S)


@asynccontextmanager
async def tcp(units: Mapping[int, Witness], mischief: Mischief) -> AsyncIterator[AnyBus]:
    """A Modbus TCP server."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: TcpServer(units, mischief), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    line = serial_server(units, port, PERIOD_S)
    try:
        yield TcpBus(
            code="net",
            transport="tcp",
            host="127.0.0.1",
            port=port,
            period_s=PERIOD_S,
            meter=line.meter,
        )
    finally:
        server.close()
        await server.wait_closed()


TRANSPORTS = {"tcp": tcp, "rtu-over-tcp": rtu_over_tcp, "rtu": rtu}


async def _bystanders(wire: Wire, units: Mapping[int, Witness], mischief: Mischief) -> None:
    """Bursts of noise, broadcasts, and another master who asks the same meters."""
    chance, loop = mischief.chance, asyncio.get_running_loop()
    while True:
        await asyncio.sleep(chance.uniform(0.5, 20))
        kind = chance.choice(("burst", "broadcast", "foreign"))
        mischief.done[kind] += 1
        if kind == "burst":
            wire.disturb(mischief.noise())
        elif kind == "broadcast":
            wire.disturb(framed(0, bytes([6, 0, chance.randrange(256), 0, 1])))
        else:
            unit = units[chance.randrange(1, METERS + 1)]
            span = chance.choice(unit.spans())
            start = chance.randrange(span.count)
            count = chance.choice([1, *(read.count for read in unit.spans())])
            words = (span.address + start, count)
            request = bytes([span.function]) + b"".join(word.to_bytes(2, "big") for word in words)
            wire.disturb(framed(unit.unit, request))
            await asyncio.sleep(0.04)
            wire.disturb(framed(unit.unit, answer_pdu(unit, request, loop.time())))


async def _breaks(server: TcpWire, mischief: Mischief) -> None:
    while True:
        await asyncio.sleep(mischief.chance.uniform(60, 1800))
        mischief.done["break"] += 1
        server.drop()


def _usage() -> dict[str, float]:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return {
        "mb": pages * _PAGE / 1e6,
        "tasks": len(asyncio.all_tasks()),
        "files": len(list(Path("/proc/self/fd").iterdir())),
    }


async def day(transport: str, seconds: float, seed: int) -> dict[str, Any]:
    """The poller in all of it; what was taken, what it cost."""
    clock = LoopClock()
    mischief = Mischief(seed, checked=transport != "tcp")
    units = {
        number: Witness(number, PROFILES[number % len(PROFILES)], Fan(50))
        for number in range(1, METERS + 1)
    }
    seen: Counter[str] = Counter()

    def take(observation: Observation) -> None:
        seen[type(observation).__name__] += 1
        if isinstance(observation, Reading):
            seen[observation.source] += 1

    async with TRANSPORTS[transport](units, mischief) as bus:
        judge = Judge(open_port(bus, clock), units, bus)
        async with running(poll_bus(bus, clock=clock, emit=take, port=judge)):
            await clock.sleep(seconds * 0.1)
            before = _usage()
            await clock.sleep(seconds * 0.9)
            after = _usage()
    fewest = min(seen[meter.code] for meter in bus.meter) * PERIOD_S / seconds
    found = {
        "right": judge.right,
        "wrong": judge.wrong,
        "fewest": round(fewest, 3),
        "lost": seen["SourceLost"],
        "mb": round(after["mb"] - before["mb"], 2),
        "tasks": after["tasks"] - before["tasks"],
        "files": after["files"] - before["files"],
    }
    print(f"{transport}: {found}; {sum(mischief.done.values())} spoiled: {dict(mischief.done)}")
    return found


async def peer(seconds: float, seed: int) -> dict[str, Any]:
    """A plain pymodbus client, RTU over TCP, in the same mischief."""
    mischief = Mischief(seed, checked=True)
    units = {
        number: Witness(number, PROFILES[number % len(PROFILES)], Fan(50))
        for number in range(1, METERS + 1)
    }
    async with rtu_over_tcp(units, mischief) as bus:
        client = AsyncModbusTcpClient(
            "127.0.0.1", port=getattr(bus, "port", 0), framer=FramerType.RTU, timeout=0.5
        )
        judge = Judge(cast("ModbusPort", _Plain(client)), units, bus)
        loop = asyncio.get_running_loop()
        while loop.time() < seconds:
            for unit in targets(bus):
                for span in unit.fast:
                    with suppress(ModbusException, AttributeError):
                        await judge.read(unit.unit, span)
            await asyncio.sleep(PERIOD_S)
        client.close()
    return {"right": judge.right, "wrong": judge.wrong}


class _Plain:
    def __init__(self, client: AsyncModbusTcpClient) -> None:
        self._client = client

    async def read(self, unit: int, span: Span, *_: float | None) -> list[int]:
        if not self._client.connected:
            await self._client.connect()
        ask = (
            self._client.read_holding_registers
            if span.function == 3
            else self._client.read_input_registers
        )
        answer = await ask(span.address, count=span.count, device_id=unit)
        if answer.isError():
            raise ModbusException("refused")
        return list(answer.registers)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a quarter of an hour each")
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--transports", nargs="*", default=list(TRANSPORTS), choices=TRANSPORTS)
    given = parser.parse_args()
    seconds = 900.0 if given.quick else given.hours * 3600
    found = {name: dict(run_skipping(day(name, seconds, given.seed))) for name in given.transports}
    plain = dict(run_skipping(peer(min(seconds, 3600.0), given.seed)))
    broken = [
        name
        for name, seen in found.items()
        if seen["wrong"]
        or seen["fewest"] < MIN_READINGS
        or seen["tasks"] > 0
        or seen["files"] > 0
        or seen["mb"] > MAX_GROWTH_MB
    ]
    report(
        {
            "hours": seconds / 3600,
            "wrong": sum(seen["wrong"] for seen in found.values()),
            "right": sum(seen["right"] for seen in found.values()),
            "fewest": min(seen["fewest"] for seen in found.values()),
            "growth_mb": max(seen["mb"] for seen in found.values()),
            "peer_wrong": plain["wrong"],
            "peer_right": plain["right"],
            "broken": broken,
        }
    )
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
