"""A day of one camera in minutes: does the daemon's part, or a camera's process, grow?

Two runs. The stream run sends so many hours' packets over one connection as fast as a camera's
process takes them, through demuxer, decoder, gate and channel. In the reconnects run cameras
under the real `watch` are cut off again and again, each time another way (the streams of the
campaign `streams`), without the waits between. Slopes are fitted from the first quarter on.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import subprocess
import sys
import threading
import time
from typing import Any

import numpy as np

from benchmarks import hurried
from benchmarks.rig import report
from benchmarks.streams import REPO, answer, hostile_server, memory_mb, server_process
from benchmarks.streams_cases import Case, Kind, good
from edge.clock import SystemClock
from edge.domain.observation import Observation, SourceLost
from edge.errors import SourceError
from edge.vision.camera import process as camera
from edge.vision.camera.channel import PictureMessage
from edge.vision.camera.process import CameraProcess
from edge.vision.detect.inference import Inference
from edge.vision.picture import Picture
from edge.vision.spec import CameraSpec
from edge.vision.stream.access import Access, Transport
from edge.vision.stream.policy import Watch
from edge.vision.stream.reach import open_files
from edge.vision.watch import watch
from simulators.cameras import sdp
from simulators.cameras.rtp import Packetiser, interleave
from simulators.cameras.units import AccessUnit, Codec

FPS = 12  # of the stream
ABREAST = 4
GROWTH_MB = 8.0  # in a day; more is no measuring error


class Hasty(SystemClock):
    """Waits for nothing longer than a moment."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(min(seconds, 0.01))


class Figures:
    """A process's memory, open files and threads over what was done."""

    def __init__(self) -> None:
        self._done: list[float] = []
        self._mb: list[float] = []

    def add(self, done: float, mb: float) -> None:
        self._done.append(done)
        self._mb.append(mb)

    def slope(self) -> float:
        """MB for each unit done, fitted from the first quarter on; 0 of too few figures."""
        quarter = len(self._done) // 4
        done, mb = np.array(self._done[quarter:]), np.array(self._mb[quarter:])
        if len(done) < 8 or np.ptp(done) == 0:
            return 0.0
        return float(np.polyfit(done, mb, 1)[0])

    @property
    def newest(self) -> float:
        return self._mb[-1] if self._mb else 0.0


def serve_long(hours: float) -> None:
    """Send so many hours' packets to whoever comes; print the port, then the hours sent so far."""
    loop = good(Codec.H264)
    description = sdp.describe(loop.codec, loop_sets(loop.units[0]), "127.0.0.1", FPS).encode()
    case = Case(Kind.BITS, description, b"")

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, EOFError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                method, url, *_ = head.split(b" ", 2)
                writer.write(answer(method, url, head, case))
                if method == b"PLAY":
                    break
            await send(writer)
        writer.close()

    async def send(writer: asyncio.StreamWriter) -> None:
        packetiser = Packetiser(loop.codec, 1)
        for turn in range(round(hours * 3600 / loop.length)):
            for unit in loop.units:
                moved = AccessUnit(unit.nals, unit.pts + turn * loop.length, unit.key)
                writer.write(interleave(packetiser.packets(moved), 0))
            await writer.drain()
            if turn % 100 == 0:
                print(round(turn * loop.length / 3600, 4), flush=True)

    async def listen() -> None:
        server = await asyncio.start_server(connected, "127.0.0.1", 0)
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()

    asyncio.run(listen())


def loop_sets(unit: AccessUnit) -> tuple[bytes, ...]:
    """Parameter sets of an H.264 key unit."""
    return tuple(nal for nal in unit.nals if nal[0] & 0x1F in {7, 8})


async def stream(hours: float) -> dict[str, Any]:
    """One connection that lasts so many hours of video."""
    figures, own, sent = Figures(), Figures(), [0.0]
    inference = Inference(None)
    begun = time.monotonic()
    try:
        async with server_process("benchmarks.leaks", f"serve_long({hours})") as (port, lines):
            camera.camera_process = hurried.camera_process  # type: ignore[attr-defined]
            access = Access(f"rtsp://127.0.0.1:{port}/long", Transport.TCP)
            process = await CameraProcess.start(access, Watch.AUTO, inference)
            noting = asyncio.create_task(_note(lines, sent))
            ended = ""
            process.allow(attentive=True)
            try:
                while True:
                    if isinstance(await process.receive(), PictureMessage):
                        process.allow(attentive=True)
                    with contextlib.suppress(OSError):
                        figures.add(sent[0], memory_mb(f"/proc/{process.pid}/status", "VmRSS"))
                    own.add(sent[0], memory_mb("/proc/self/status", "VmRSS"))
            except SourceError as error:
                ended = str(error)
            finally:
                noting.cancel()
                process.end()
    finally:
        inference.close()
    return {
        "hours": round(sent[0], 2),
        "stream_ended": ended,
        "stream_seconds": round(time.monotonic() - begun),
        "camera_mb_per_day": round(24 * figures.slope(), 2),
        "camera_mb": round(figures.newest, 1),
        "daemon_mb_per_day": round(24 * own.slope(), 2),
    }


async def _note(lines: asyncio.StreamReader, sent: list[float]) -> None:
    while line := await lines.readline():
        sent[0] = float(line)


async def reconnects(count: int) -> dict[str, Any]:
    """So many lost connections of cameras under `watch`."""
    inference, figures = Inference(None), Figures()
    lost, done = [0], asyncio.Event()
    files: list[int] = []
    threads: list[int] = []

    def emit(observation: Observation, _picture: Picture | None) -> None:
        if isinstance(observation, SourceLost):
            lost[0] += 1

    started = [0]
    start = CameraProcess.start.__func__  # type: ignore[attr-defined]

    async def counted(cls: type[CameraProcess], *args: Any) -> CameraProcess:
        started[0] += 1
        figures.add(started[0], memory_mb("/proc/self/status", "VmRSS"))
        files.append(len(open_files()))
        threads.append(threading.active_count())
        if started[0] >= count:
            done.set()
        made: CameraProcess = await start(cls, *args)
        return made

    CameraProcess.start = classmethod(counted)  # type: ignore[method-assign,assignment]
    begun = time.monotonic()
    try:
        async with hostile_server() as port:
            url = f"rtsp://127.0.0.1:{port}/next"
            tasks = [
                asyncio.create_task(
                    watch(
                        CameraSpec(code=f"cam-{n}", url=url),
                        inference=inference,
                        clock=Hasty(),
                        emit=emit,
                    )
                )
                for n in range(ABREAST)
            ]
            await done.wait()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    finally:
        CameraProcess.start = classmethod(start)  # type: ignore[method-assign,assignment]
        inference.close()
    quarter = len(files) // 4
    return {
        "reconnects": started[0],
        "reconnect_seconds": round(time.monotonic() - begun),
        "daemon_mb_per_1000_reconnects": round(1000 * figures.slope(), 2),
        "daemon_mb": round(figures.newest, 1),
        "files_from_quarter_to_end": [max(files[:quarter], default=0), files[-1]],
        "threads_from_quarter_to_end": [max(threads[:quarter], default=0), threads[-1]],
    }


async def campaign(hours: float, count: int) -> dict[str, Any]:
    """Both runs."""
    return {**await stream(hours), **await reconnects(count)}


def print_figures(hours: float, count: int) -> None:
    """Run both in this process."""
    print(json.dumps(asyncio.run(campaign(hours, count))))


def main() -> None:
    """Run and report; exit 1 when something grew."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=24.0, help="of video over one connection")
    parser.add_argument("--reconnects", type=int, default=1440, help="one a minute for a day")
    parser.add_argument("--quick", action="store_true", help="half an hour, 40 reconnects")
    args = parser.parse_args()
    hours, count = (0.5, 40) if args.quick else (args.hours, args.reconnects)
    # By -c: a camera's process imports the main module of its parent, and this one is heavy.
    program = f"from benchmarks.leaks import print_figures; print_figures({hours}, {count})"
    done = subprocess.run([sys.executable, "-c", program], cwd=REPO, stdout=-1, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    good_enough = args.quick or (
        max(found["camera_mb_per_day"], found["daemon_mb_per_day"]) <= GROWTH_MB
        and found["daemon_mb_per_1000_reconnects"] * 1.44 <= GROWTH_MB
        and found["files_from_quarter_to_end"][1] <= found["files_from_quarter_to_end"][0] + 2
    )
    report({**found, "clean": good_enough})
    sys.exit(not good_enough)


if __name__ == "__main__":
    main()
