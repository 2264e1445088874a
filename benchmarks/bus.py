"""Sweeps over simulated 9600 8N1 lines, all units well, then one or half of them silent or slow.

`sweep_vs_floor`: a sweep beside what arithmetic says that it takes. `healthy_growth`: by how much
the mean period of the well units grows in the ten minutes (three with --quick) after others fell
silent, answer after 0.4 s (within the time-out) or after 2 s; the worst meter of the worst case.
The line is in our process and in simulated time (`simulators/skipping.py`): frames, silences and
turnarounds take what they take, our own work nothing; where two send at once both are garbled.
`sweep_vs_floor_real` is measured by the clock on the wall. The peer is a plain loop over pymodbus'
client with its defaults, the same reads on the same line.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import pairwise
from typing import Any

from pymodbus import FramerType
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException

from benchmarks.rig import report
from edge.clock import Clock, SystemClock
from edge.domain.activity import Duty
from edge.domain.observation import Observation, Reading
from edge.sensors.load import sweep_seconds
from edge.sensors.modbus import open_port
from edge.sensors.poller import Poller, poll_bus
from edge.sensors.spec import MeterSpec, SerialServerBus
from edge.sensors.targets import targets
from simulators.meters.loads import Fan
from simulators.meters.units import MeterUnit
from simulators.meters.wire import TcpWire, Wire
from simulators.skipping import LoopClock, run_skipping

PROFILES = ("eastron_sdm630", "chint_dtsu666", "acrel_adl400", "carlo_gavazzi_em24")
FASTEST_S = 0.2  # a period that no long bus can keep: it sweeps without a pause
ADVISED = 0.8  # of the period may be used, says `eseal check`
WARM_S = 100.0
BREAKS: Mapping[str, Callable[[MeterUnit], None]] = {
    "silent": lambda unit: setattr(unit, "silent", True),
    "after 0.4 s": lambda unit: setattr(unit, "delay_s", 0.4),
    "after 2 s": lambda unit: setattr(unit, "delay_s", 2.0),
}


def meter_units(count: int) -> dict[int, MeterUnit]:
    """Meters of several makers, with loads that run."""
    return {
        unit: MeterUnit(unit, PROFILES[unit % len(PROFILES)], Fan(50 + unit), seed=unit)
        for unit in range(1, count + 1)
    }


def serial_server(units: Mapping[int, MeterUnit], port: int, period_s: float) -> SerialServerBus:
    """How a gateway is told of them."""
    return SerialServerBus(
        code="line",
        transport="rtu-over-tcp",
        host="127.0.0.1",
        port=port,
        period_s=period_s,
        meter=tuple(
            MeterSpec(code=f"m{number}", profile=unit.profile_name, unit=number, duty=Duty.OTHER)
            for number, unit in units.items()
        ),
    )


@asynccontextmanager
async def line(count: int) -> AsyncIterator[tuple[dict[int, MeterUnit], Wire, int]]:
    """Units on a line that a port of this machine leads to."""
    units = meter_units(count)
    wire = Wire(units)
    async with TcpWire(wire) as server:
        yield units, wire, server.port


@asynccontextmanager
async def running(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """`work` beside what happens here; what it raises is raised."""
    task = asyncio.create_task(work)
    try:
        yield
        if task.done():
            task.result()
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def sweep_time(count: int, clock: Clock, seconds: float) -> dict[str, float]:
    """Mean time of a sweep by `clock`, and the floor; the first sweep reads all, and counts not."""
    async with line(count) as (units, wire, port_number):
        bus = serial_server(units, port_number, FASTEST_S)
        port = open_port(bus, clock)
        poller = Poller(bus, port, clock=clock, emit=lambda _seen: None)
        await poller.sweep()
        began, sweeps = clock.now(), 0
        while clock.now().since(began) < seconds:
            await poller.sweep()
            sweeps += 1
        took_s = clock.now().since(began) / sweeps
        port.close()
        return {"sweep_s": took_s, "floor_s": sweep_seconds(bus), "hasty": wire.hasty}


class Periods:
    """When each meter was read."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.moments: defaultdict[str, list[float]] = defaultdict(list)

    def take(self, seen: Observation) -> None:
        if isinstance(seen, Reading):
            self.note(seen.source)

    def note(self, source: str) -> None:
        self.moments[source].append(self._clock.now().mono_us / 1e6)

    def of(self, source: str, begin: float, end: float) -> tuple[float, float]:
        """Mean and longest time between two readings from `begin` to `end`; ends count too."""
        inner = [moment for moment in self.moments[source] if begin <= moment <= end]
        marks = [begin, *inner, end]
        gaps = [b - a for a, b in pairwise(marks)]
        return (end - begin) / max(len(inner), 1), max(gaps)


async def growth(
    count: int, period_s: float, broken: Sequence[int], how: str, seconds: float, *, peer: bool
) -> dict[str, float]:
    """How much longer the well units' mean period is after the break than before it."""
    clock = LoopClock()
    async with line(count) as (units, _wire, port_number):
        bus = serial_server(units, port_number, period_s)
        periods = Periods(clock)
        work = (
            plain_loop(bus, periods)
            if peer
            else poll_bus(bus, clock=clock, emit=periods.take, port=open_port(bus, clock))
        )
        async with running(work):
            await clock.sleep(WARM_S + seconds / 2)
            moment = clock.now().mono_us / 1e6
            for number in broken:
                BREAKS[how](units[number])
            await clock.sleep(seconds)
        well = [f"m{number}" for number in units if number not in broken]
        before = {code: periods.of(code, WARM_S, moment)[0] for code in well}
        after = {code: periods.of(code, moment, moment + seconds) for code in well}
        return {
            "growth": max(after[code][0] / before[code] for code in well) - 1,
            "longest": max(after[code][1] / before[code] for code in well),
        }


async def plain_loop(bus: SerialServerBus, periods: Periods) -> None:
    """What is written down in every tutorial: one client, one loop, defaults."""
    client = AsyncModbusTcpClient(bus.host, port=bus.port, framer=FramerType.RTU)
    units = targets(bus)
    loop = asyncio.get_running_loop()
    try:
        while True:
            began = loop.time()
            for unit in units:
                try:
                    if not client.connected:
                        await client.connect()
                    for span in unit.fast:
                        read = (
                            client.read_holding_registers
                            if span.function == 3
                            else client.read_input_registers
                        )
                        await read(span.address, count=span.count, device_id=unit.unit)
                except ModbusException:
                    continue
                periods.note(unit.sources[0])
            await asyncio.sleep(max(bus.period_s - loop.time() + began, 0.001))
    finally:
        client.close()


def cases(count: int) -> list[tuple[str, list[int]]]:
    """Who is broken: one, then half of them."""
    return [("one", [2]), ("half", list(range(2, count + 1, 2)))] if count > 1 else []


def run(counts: Sequence[int], seconds: float, periods: Sequence[str], *, peer_s: float) -> None:
    """Everything, with a line for each case."""
    ratios, growths, longest, peers, hasty = [], [], [], [], 0.0
    for count in counts:
        seen = dict(run_skipping(sweep_time(count, LoopClock(), max(120.0, seconds / 2))))
        ratios.append(seen["sweep_s"] / seen["floor_s"])
        hasty += seen["hasty"]
        print(
            f"{count} units: sweep {seen['sweep_s']:.3f} s, floor {seen['floor_s']:.3f} s, "
            f"{ratios[-1]:.3f}"
        )
        for period in periods:
            period_s = FASTEST_S if period == "fastest" else seen["floor_s"] / ADVISED
            for name, broken in cases(count):
                for how in BREAKS:
                    found = run_skipping(
                        growth(count, max(period_s, FASTEST_S), broken, how, seconds, peer=False)
                    )
                    growths.append(found["growth"])
                    longest.append(found["longest"])
                    print(
                        f"  {period} period, {name} {how}: {found['growth']:+.1%}, longest "
                        f"{found['longest']:.2f} periods"
                    )
    for name, broken in cases(counts[-1]):
        found = run_skipping(growth(counts[-1], FASTEST_S, broken, "silent", peer_s, peer=True))
        peers.append(found["growth"])
        print(f"  plain pymodbus, {counts[-1]} units, {name} silent: {found['growth']:+.0%}")
    began = time.monotonic()
    real = asyncio.run(sweep_time(8, SystemClock(), 10.0))
    print(f"8 units by the wall clock: {real['sweep_s']:.3f} s ({time.monotonic() - began:.0f} s)")
    report(
        {
            "sweep_vs_floor": round(max(ratios), 3),
            "sweep_vs_floor_real": round(real["sweep_s"] / real["floor_s"], 3),
            "healthy_growth": round(max(growths), 3),
            "longest_periods": round(max(longest), 2),
            "peer_growth_one": round(peers[0], 2),
            "peer_growth_half": round(peers[1], 2),
            "hasty_frames": hasty,
        }
    )


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer cases, under a minute")
    parser.add_argument("--units", type=int, nargs="*", default=[1, 8, 32])
    given = parser.parse_args()
    if given.quick:
        run((1, 8), 180.0, ("fastest",), peer_s=200.0)
    else:
        run(given.units, 600.0, ("fastest", "advised"), peer_s=1200.0)


if __name__ == "__main__":
    main()
