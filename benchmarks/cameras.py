"""Many cameras on a small box: 16 quiet and 2 busy ones at 1080p25 and 16 meters, one real daemon.

The streams are encoded beforehand and served, like the meters, by a process of its own, whose cost
is told; broker and province run in the benchmark's process. At the busy cameras people go to the
shaft's mouth at moments that the script knows. An alarm's time runs from the first moment at which
their feet are in the zone to the PUBACK that the daemon's log tells.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from benchmarks import cameras_loops
from benchmarks.cameras_farm import Farm, farm
from benchmarks.latency import delivered
from benchmarks.rig import GATEWAY, MINE_CODE, gateway, report

QUIET, BUSY, METERS = 16, 2, 16
QUIET_LOOPS = 4  # different ones; several cameras share one
SETTLE_S = 30.0  # start-up, and the gates learn the pictures' noise
BEFORE_S = 1.0  # an alarm for an entry comes at most so long before its moment
LIMIT_S = cameras_loops.SPACING_S / 2  # … and at most so long after it
BUSY_CODE = "busy-{}"


def wiring(served: Farm, zones: list[list[tuple[float, float]]], model: str) -> dict[str, Any]:
    """The tables of seal.toml."""
    cameras: list[dict[str, Any]] = []
    for number, url in enumerate(served.urls):
        if number < BUSY:
            zone = {"code": "mouth", "kind": cameras_loops.ZONE, "polygon": zones[number]}
            cameras.append({"code": BUSY_CODE.format(number), "url": url, "zone": [zone]})
        else:
            cameras.append({"code": f"quiet-{number - BUSY}", "url": url})
    meters = [
        {"code": f"fan-{unit}", "profile": "eastron_sdm630", "unit": unit, "duty": "fan"}
        for unit in range(1, METERS + 1)
    ]
    bus = {"code": "bus", "transport": "tcp", "host": served.host, "port": served.port}
    return {"detector": {"model": model}, "camera": cameras, "bus": [{**bus, "meter": meters}]}


def memory(pid: int) -> tuple[float, list[float]]:
    """PSS in MB of the daemon and all below it, and of each camera's process.

    Cameras' processes are children of the fork server, itself a child of the daemon.
    """
    daemon = psutil.Process(pid)
    total, cameras = daemon.memory_full_info().pss / 1e6, []
    for process in daemon.children(recursive=True):
        pss = process.memory_full_info().pss / 1e6
        total += pss
        if process.ppid() != pid:
            cameras.append(pss)
    return total, cameras


def processor(*pids: int) -> float:
    """Processor seconds used so far by processes and all below them."""
    roots = [psutil.Process(pid) for pid in pids]
    total = 0.0
    for process in [each for root in roots for each in (root, *root.children(recursive=True))]:
        with suppress(psutil.NoSuchProcess):  # a lost camera's process ends
            total += sum(process.cpu_times()[:2])
    return total


def delays(
    served: Farm, moments: list[list[float]], alarms: dict[str, list[float]], until: float
) -> Iterator[float]:
    """Seconds from each entry to its alarm; infinity where there was none."""
    for number, within in enumerate(moments):
        heard = sorted(alarms.get(BUSY_CODE.format(number), []))
        for round_began in served.began[number]:
            for moment in within:
                entry = round_began + moment
                if entry + LIMIT_S > until or entry < served.began[number][0] + SETTLE_S:
                    continue
                later = [a - entry for a in heard if -BEFORE_S <= a - entry <= LIMIT_S]
                yield later[0] if later else float("inf")


async def measure(folder: Path, window_s: float, entries: int, model: str) -> dict[str, Any]:
    """Run everything for `window_s` after the start and look at it."""
    shown, moments, zones = [], [], []
    for number in range(BUSY):
        loop, within, zone = cameras_loops.busy(number, entries)
        shown.append(cameras_loops.save(loop, folder / f"busy-{number}"))
        moments.append(within)
        zones.append(zone)
    idle = [
        cameras_loops.save(cameras_loops.quiet(10 + number), folder / f"quiet-{number}")
        for number in range(QUIET_LOOPS)
    ]
    shown += [idle[number % QUIET_LOOPS] for number in range(QUIET)]
    opened: dict[int, str] = {}

    def heard(_view: Any, envelope: dict[str, Any], _at: float) -> None:
        data = envelope["data"]
        if envelope["type"] == "eseal.incident.opened":
            codes[data["code"]] = codes.get(data["code"], 0) + 1
            if data["code"] == "person-at-shaft":
                opened[int(envelope["id"])] = data["source"]

    codes: dict[str, int] = {}
    async with (
        farm(shown, METERS) as served,
        gateway(folder, wiring(served, zones, model), heard) as (daemon, province),
    ):
        await asyncio.sleep(SETTLE_S)
        pids, began = (daemon.pid, served.pid), time.monotonic()
        before = [processor(pid) for pid in pids]
        await asyncio.sleep(window_s)
        took = [processor(pid) - early for pid, early in zip(pids, before, strict=True)]
        elapsed = time.monotonic() - began
        total, cameras = memory(daemon.pid)
        until = time.time()
        await daemon.stop(30)
        await province.wait_until(lambda p: not p.view(MINE_CODE, GATEWAY).online, 10)
        view = province.view(MINE_CODE, GATEWAY)
        pubacks = delivered(daemon.log)
        alarms: dict[str, list[float]] = {}
        for index, source in opened.items():
            if index in pubacks:
                alarms.setdefault(source, []).append(pubacks[index])
        took_s = sorted(delays(served, moments, alarms, until))
    known = [value for value in took_s if value != float("inf")]
    p99 = took_s[min(len(took_s) - 1, round(0.99 * len(took_s)))] if took_s else float("inf")
    print("seconds to the alarm:", [round(value, 2) for value in took_s])
    return {
        "alarm_p99_s": round(p99, 3) if p99 != float("inf") else None,
        "alarm_p50_s": round(statistics.median(known), 3) if known else None,
        "entries": len(took_s),
        "entries_without_alarm": len(took_s) - len(known),
        "incidents": codes,
        "pss_per_camera_mb": round(max(cameras), 1) if cameras else None,
        "pss_per_camera_mean_mb": round(statistics.mean(cameras), 1) if cameras else None,
        "camera_processes": len(cameras),
        "pss_total_mb": round(total, 1),
        "records": view.received,
        "records_dropped": view.missing,
        "records_verified": view.verified,
        "daemon_cpu_percent_of_core": round(100 * took[0] / elapsed, 1),
        "simulators_cpu_percent_of_core": round(100 * took[1] / elapsed, 1),
    }


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="", help="detector: a name or an .onnx file")
    parser.add_argument("--quick", action="store_true", help="a short look, few entries")
    args = parser.parse_args()
    window_s, entries = (15.0, 1) if args.quick else (300.0, 3)
    with tempfile.TemporaryDirectory() as folder:
        figures = asyncio.run(measure(Path(folder), window_s, entries, args.model))
    wanted = {"alarm_p99_s": 2.0, "pss_per_camera_mb": 30, "pss_total_mb": 800}
    report({**figures, "wanted": wanted, "cameras": f"{QUIET} quiet, {BUSY} busy, 1080p25 H.264"})


if __name__ == "__main__":
    main()
