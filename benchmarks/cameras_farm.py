"""Cameras and meters in a process of their own, so that their cost is not the gateway's.

Reads what to show as one JSON line, says where it is shown as another, then the wall time at
which each camera begins its loop anew, a line each; ends when its input does.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from benchmarks.cameras_loops import load
from simulators.cameras.feeds import Loop, LoopFeed
from simulators.cameras.server import CameraServer
from simulators.cameras.units import AccessUnit
from simulators.meters.loads import Fan
from simulators.meters.server import MeterServer
from simulators.meters.units import MeterUnit


class _Told(LoopFeed):
    """A loop that says when each of its rounds begins."""

    def __init__(self, loop: Loop, number: int, offset: float) -> None:
        super().__init__(loop, offset=offset)
        self._number, self._first = number, loop.units[0].nals

    def units(self, stop: threading.Event) -> Iterator[AccessUnit]:
        for unit in super().units(stop):
            if unit.nals is self._first:
                print(json.dumps({"camera": self._number, "began": time.time()}), flush=True)
            yield unit


async def serve(wanted: dict[str, Any]) -> None:
    """Serve until standard input ends."""
    loops = {name: load(Path(name)) for name in set(wanted["cameras"])}
    async with AsyncExitStack() as stack:
        urls = []
        for number, name in enumerate(wanted["cameras"]):
            feed = _Told(loops[name], number, offset=0.11 * number)
            server = CameraServer(lambda feed=feed: feed)  # type: ignore[misc]
            urls.append((await stack.enter_async_context(server)).url)
        told: dict[str, Any] = {"urls": urls}
        if wanted["meters"]:
            units = [
                MeterUnit(number, "eastron_sdm630", Fan(seed=number), seed=number)
                for number in range(1, wanted["meters"] + 1)
            ]
            meters = await stack.enter_async_context(MeterServer(units))
            told |= {"host": meters.host, "port": meters.port}
        print(json.dumps(told), flush=True)
        await asyncio.to_thread(sys.stdin.read)


class Farm:
    """The process, seen from the benchmark.

    Attributes:
        pid: its id.
        urls: where each camera is.
        host, port: where the meters are.
        began: wall seconds at which each camera began its loop, over and over.
    """

    def __init__(self, process: asyncio.subprocess.Process, told: dict[str, Any]) -> None:
        self.pid = process.pid
        self.urls: list[str] = told["urls"]
        self.host, self.port = told.get("host", ""), told.get("port", 0)
        self.began: dict[int, list[float]] = {number: [] for number in range(len(self.urls))}
        self._process = process

    async def hear(self) -> None:
        """Keep `began` up to date until the process ends."""
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            said = json.loads(line)
            self.began[said["camera"]].append(said["began"])


@asynccontextmanager
async def farm(cameras: list[Path], meters: int = 0) -> AsyncIterator[Farm]:
    """Cameras that show these loops, and so many meters, in a process of their own."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.cameras_farm"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    wanted = {"cameras": [str(path) for path in cameras], "meters": meters}
    process.stdin.write(json.dumps(wanted).encode() + b"\n")
    await process.stdin.drain()
    made = Farm(process, json.loads(await process.stdout.readline()))
    hearing = asyncio.create_task(made.hear())
    try:
        yield made
    finally:
        process.stdin.close()
        await hearing
        await process.wait()


if __name__ == "__main__":
    asyncio.run(serve(json.loads(sys.stdin.readline())))
