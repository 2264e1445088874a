"""How fast a backlog drains, and how fast an alarm gets through beside it.

`drain_vs_paho`: records a second from the ledger to PUBACK, divided by the rate at which bare
paho publishes the same bytes from memory at QoS 1 to the same broker with the same window. Both
take turns. `drain_vs_limit_100ms`: on a line of 100 ms round trip, divided by window / 100 ms,
more than which nobody can get. `alarm_p99_…`: from handing an alarm over to its PUBACK while
the backlog drains.
"""

from __future__ import annotations

import asyncio
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import AsyncIterator, MutableMapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import structlog
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from benchmarks.parts import deliver, fill, open_ledger, opened
from benchmarks.rig import GATEWAY, MINE_CODE, arguments, report
from edge.domain.record import Lane
from edge.ledger.store import Ledger
from edge.uplink.service import Uplink
from edge.uplink.spec import BrokerSpec
from edge.uplink.topics import Topics
from simulators.province.broker import Broker

WINDOW = 100
DELAY_S = 0.05  # each way
DRAIN_S = 300.0
TOPIC = Topics(MINE_CODE, GATEWAY).lane(Lane.ROUTINE)

_pubacks: dict[int, float] = {}  # index of an alarm to the second of its PUBACK


def note(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> Any:
    """Structlog processor: when alarms were delivered; nothing is printed."""
    if event["event"] == "alarm delivered":
        _pubacks[event["index"]] = time.perf_counter()
    raise structlog.DropEvent


@asynccontextmanager
async def delivering(ledger: Ledger, broker: BrokerSpec) -> AsyncIterator[Uplink]:
    """An uplink at work."""
    uplink = deliver(ledger, [broker])
    task = asyncio.create_task(uplink.run())
    try:
        yield uplink
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def drained(ledger: Ledger, count: int) -> float:
    """Wait until the cursor says that `count` records are delivered; the second it was so."""
    async with asyncio.timeout(DRAIN_S):
        while ledger.cursor("routine") < count:  # noqa: ASYNC110  the ledger has no event
            await asyncio.sleep(0.005)
    return time.perf_counter()


async def drain(directory: Path, broker: BrokerSpec, count: int) -> float:
    """Records a second, from the start of the connection to the last durable cursor."""
    ledger = open_ledger(directory)
    began = time.perf_counter()
    async with delivering(ledger, broker):
        rate = count / (await drained(ledger, count) - began)
    ledger.close()
    return rate


async def drain_with_alarms(
    directory: Path, broker: BrokerSpec, count: int, pause_s: float
) -> tuple[float, list[float]]:
    """Records a second, and the milliseconds of every alarm raised until the drain is over."""
    ledger = open_ledger(directory)
    raised: dict[int, float] = {}
    _pubacks.clear()
    began = time.perf_counter()
    async with delivering(ledger, broker) as uplink:
        while not uplink.connected:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        draining = asyncio.create_task(drained(ledger, count))
        while not draining.done():
            handed = time.perf_counter()
            (record,) = await asyncio.wrap_future(ledger.submit([opened(len(raised))]))
            uplink.wake(alarm=True)
            raised[record.index] = handed
            await asyncio.wait([draining], timeout=pause_s)
        rate = count / (draining.result() - began)
        async with asyncio.timeout(10):
            while len(_pubacks) < len(raised):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    ledger.close()
    return rate, [1e3 * (_pubacks[index] - handed) for index, handed in raised.items()]


def paho_rate(port: int, payloads: Sequence[bytes]) -> float:
    """Messages a second by paho alone, at most `WINDOW` of them without PUBACK."""
    client = Client(
        CallbackAPIVersion.VERSION2, client_id="bare", protocol=MQTTProtocolVersion.MQTTv5
    )
    client.max_inflight_messages_set(WINDOW)
    room = threading.Semaphore(WINDOW)
    client.on_publish = lambda *_args: room.release()
    ready = threading.Event()
    client.on_connect = lambda *_args: ready.set()
    client.connect("127.0.0.1", port)
    client.loop_start()
    ready.wait(10)
    began = time.perf_counter()
    for payload in payloads:
        room.acquire()
        client.publish(TOPIC, payload, qos=1)
    for _ in range(WINDOW):
        room.acquire()
    rate = len(payloads) / (time.perf_counter() - began)
    client.disconnect()
    client.loop_stop()
    return rate


def payloads(directory: Path, count: int) -> list[bytes]:
    """The bytes that the drain sends."""
    ledger = open_ledger(directory)
    found = [record.leaf for record in ledger.pending(Lane.ROUTINE, 0, count)]
    ledger.close()
    return found


def p99(values: Sequence[float]) -> float:
    """The value that one in a hundred exceeds."""
    return sorted(values)[min(len(values) - 1, round(0.99 * len(values)))]


async def measure(folder: Path, count: int, rounds: int, slow: int) -> dict[str, Any]:
    """All of it."""
    for name, records in (("backlog", count), ("small", slow)):
        ledger = open_ledger(folder / name)
        fill(ledger, records)
        ledger.close()

    def copy(name: str) -> Path:
        target = folder / "copy"
        shutil.rmtree(target, ignore_errors=True)
        return Path(shutil.copytree(folder / name, target))

    ours, theirs = [], []
    async with Broker(kind="mosquitto") as broker:
        near = BrokerSpec(host=broker.host, port=broker.province_port, protocol="5", window=WINDOW)
        far = near.model_copy(update={"port": broker.port})
        data = payloads(folder / "backlog", count)
        for _ in range(rounds):
            ours.append(await drain(copy("backlog"), near, count))
            theirs.append(await asyncio.to_thread(paho_rate, near.port, data))
            print(f"drain {ours[-1]:.0f}/s, paho {theirs[-1]:.0f}/s")
        _rate, alarms = await drain_with_alarms(copy("backlog"), near, count, 0.02)
        print(f"{len(alarms)} alarms: median {statistics.median(alarms):.1f} ms")
        broker.cable.delay_s = DELAY_S
        slow_rate, slow_alarms = await drain_with_alarms(copy("small"), far, slow, 0.1)
        print(f"100 ms: drain {slow_rate:.0f}/s, {len(slow_alarms)} alarms")
    return {
        "drain_vs_paho": round(statistics.median(ours) / statistics.median(theirs), 3),
        "drain_records_per_s": round(statistics.median(ours)),
        "paho_messages_per_s": round(statistics.median(theirs)),
        "drain_vs_limit_100ms": round(slow_rate * 2 * DELAY_S / WINDOW, 3),
        "alarm_p99_ms": round(p99(alarms), 1),
        "alarm_p50_ms": round(statistics.median(alarms), 1),
        "alarms": len(alarms),
        "alarm_p99_ms_rtt100": round(p99(slow_alarms), 1),
        "alarm_p50_ms_rtt100": round(statistics.median(slow_alarms), 1),
        "alarms_rtt100": len(slow_alarms),
        "records": count,
        "window": WINDOW,
    }


def main() -> None:
    """Measure and report."""
    args = arguments(__doc__)
    structlog.configure(processors=[note])
    sizes = (20_000, 1, 4_000) if args.quick else (100_000, 3, 20_000)
    with tempfile.TemporaryDirectory() as name:
        figures = asyncio.run(measure(Path(name), *sizes))
    report(figures)


if __name__ == "__main__":
    main()
