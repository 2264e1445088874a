"""What an idle gateway costs: processor and memory with four 1080p25 cameras and eight meters.

Only the daemon and its children are counted; cameras, meters, broker and province run in other
processes. Memory is PSS, so that pages shared between processes count once. The pictures
are encoded beforehand and have sensor noise: nothing moves, as at an idle mine.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import psutil

from benchmarks.rig import arguments, gateway, report
from simulators.cameras.feeds import Loop, LoopFeed, encode_loop
from simulators.cameras.scene import Scene
from simulators.cameras.server import CameraServer
from simulators.meters.loads import Fan
from simulators.meters.server import MeterServer
from simulators.meters.units import MeterUnit

CAMERAS, METERS = 4, 8
SIZE, FPS, LOOP_S = (1920, 1080), 25, 8
SETTLE_S = 20.0  # start-up, and the gates learn the pictures' noise


def feed(loop: Loop, number: int) -> LoopFeed:
    """Camera `number` plays the loop out of step with the others."""
    return LoopFeed(loop, offset=0.3 * number)


def cost(pid: int) -> tuple[float, float]:
    """Processor seconds used so far and PSS in MB, of the process and all below it."""
    seconds = pss = 0.0
    root = psutil.Process(pid)
    for process in (root, *root.children(recursive=True)):
        times = process.cpu_times()
        seconds += times.user + times.system
        pss += process.memory_full_info().pss / 1e6
    return seconds, pss


async def measure(directory: Path, window_s: float, model: str) -> dict[str, Any]:
    """Run the gateway and look at it for `window_s`."""
    loop = encode_loop(Scene(SIZE, 3, "shaft"), LOOP_S, "h264", FPS, gop=2.0)
    async with AsyncExitStack() as stack:
        cameras = [
            await stack.enter_async_context(
                CameraServer(lambda number=number: feed(loop, number))  # type: ignore[misc]
            )
            for number in range(CAMERAS)
        ]
        units = [MeterUnit(n, "eastron_sdm630", Fan(seed=n), seed=n) for n in range(1, METERS + 1)]
        meters = await stack.enter_async_context(MeterServer(units))
        wiring = {
            "detector": {"model": model},
            "camera": [{"code": f"cam-{n}", "url": camera.url} for n, camera in enumerate(cameras)],
            "bus": [
                {
                    "code": "surface",
                    "transport": "tcp",
                    "host": meters.host,
                    "port": meters.port,
                    "meter": [
                        {
                            "code": f"fan-{unit.unit}",
                            "profile": "eastron_sdm630",
                            "unit": unit.unit,
                            "duty": "fan",
                        }
                        for unit in units
                    ],
                }
            ],
        }
        daemon, _province = await stack.enter_async_context(gateway(directory, wiring))
        await asyncio.sleep(SETTLE_S)
        (before_s, _), began = cost(daemon.pid), time.monotonic()
        await asyncio.sleep(window_s)
        (after_s, pss_mb), elapsed = cost(daemon.pid), time.monotonic() - began
        watched = sum(camera.clients > 0 for camera in cameras)
    return {
        "cpu_percent_of_core": round(100 * (after_s - before_s) / elapsed, 1),
        "pss_mb": round(pss_mb, 1),
        "cameras_watched": watched,
        "window_s": round(elapsed, 1),
    }


def main() -> None:
    """Measure and report."""
    args = arguments(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        figures = asyncio.run(measure(Path(folder), 10.0 if args.quick else 60.0, args.model))
    report(
        {**figures, "cameras": CAMERAS, "meters": METERS, "camera": "1920x1080 at 25 fps, H.264"}
    )


if __name__ == "__main__":
    main()
