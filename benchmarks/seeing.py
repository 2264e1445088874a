"""What seeing costs beside decoding: one 1080p25 camera, H.264 with 2 s groups, on one core.

`watch` (camera process, gate, detector, tracker) and OpenCV take turns at the same RTSP stream,
which another process serves from a loop encoded beforehand. Counted is processor time (user and
system) for each second of video, of the watching side alone. On a machine so busy that OpenCV falls
behind (`opencv_pictures_a_second` below 25), ours is still counted by the clock.

quiet: the whole pipeline, daemon's side and look-anyway detections included, against OpenCV that
decodes every picture to BGR (`VideoCapture.read`). busy: the camera's process alone against OpenCV
that decodes and does nothing else (`VideoCapture.grab`). `keys_vs_full_decode`: FFmpeg takes the
stream apart and decodes its key pictures, and nobody looks at them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from benchmarks import cameras_loops
from benchmarks.cameras_farm import farm
from benchmarks.rig import report

SETTLE_S = 8.0  # connection, gate's calibration
CATCH_UP_S = 3.0
CROWD_S = 16.0
FPS = cameras_loops.FPS
CAPTURE = "rtsp_transport;tcp|threads;1"


def spent(pid: int) -> tuple[float, float]:
    """Processor seconds of a process itself, and of all below it."""
    root = psutil.Process(pid)
    own = root.cpu_times()
    below = [child.cpu_times() for child in root.children(recursive=True)]
    return own.user + own.system, sum(times.user + times.system for times in below)


async def started(core: int, *command: str) -> asyncio.subprocess.Process:
    """A process of ours on one core; returns when it says that it has its stream."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.seeing", *command),
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"OPENCV_FFMPEG_CAPTURE_OPTIONS": CAPTURE},
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),
    )
    assert process.stdout is not None
    await process.stdout.readline()
    return process


async def decoding(core: int, window_s: float, mode: str, url: str) -> tuple[float, float]:
    """Milliseconds of processor for each second of video, and pictures a second of wall time."""
    process = await started(core, mode, url, str(window_s))
    assert process.stdout is not None
    said = json.loads(await process.stdout.readline())
    await process.wait()
    return 1000 * said["cpu_s"] / (said["pictures"] / FPS), said["pictures"] / said["wall_s"]


async def pipeline(core: int, window_s: float, url: str, model: str) -> tuple[float, float]:
    """Milliseconds of processor a second: of the daemon's side, of the camera's process."""
    process = await started(core, "watch", url, model)
    try:
        await asyncio.sleep(SETTLE_S)
        before, began = spent(process.pid), time.monotonic()
        await asyncio.sleep(window_s)
        after, elapsed = spent(process.pid), time.monotonic() - began
    finally:
        process.terminate()
        await process.wait()
    own, below = (
        1000 * (late - early) / elapsed for early, late in zip(before, after, strict=True)
    )
    return own, below


async def measure(folder: Path, rounds: int, window_s: float, model: str) -> dict[str, float]:
    """Milliseconds of processor for each second of video."""
    shown = [
        cameras_loops.save(cameras_loops.quiet(0), folder / "quiet"),
        cameras_loops.save(cameras_loops.crowd(1, CROWD_S), folder / "busy"),
    ]
    cores = sorted(os.sched_getaffinity(0))
    total: dict[str, float] = {}
    async with farm(shown) as served:
        os.sched_setaffinity(served.pid, {cores[-1]})
        quiet, busy = served.urls
        for _ in range(rounds):
            sums: dict[str, float] = {}
            sums["opencv_quiet_ms"], rate = await decoding(cores[0], window_s, "read", quiet)
            own, below = await pipeline(cores[0], window_s, quiet, model)
            sums |= {"camera_process_quiet_ms": below, "daemon_side_quiet_ms": own}
            sums["keys_ms"], _ = await decoding(cores[0], window_s, "keys", quiet)
            sums["opencv_busy_ms"], other = await decoding(cores[0], window_s, "grab", busy)
            own, below = await pipeline(cores[0], window_s, busy, model)
            sums |= {"camera_process_busy_ms": below, "daemon_side_busy_ms": own}
            sums["opencv_pictures_a_second"] = min(rate, other)
            for name, value in sums.items():
                total[name] = total.get(name, 0.0) + value / rounds
    return total


def capture(url: str, window_s: float, *, convert: bool) -> None:
    """OpenCV at the stream, every picture for `window_s`; says what that took."""
    import cv2

    cv2.setNumThreads(1)
    stream = cv2.VideoCapture(url, cv2.CAP_FFMPEG)
    if not stream.grab():
        sys.exit(f"OpenCV cannot read {url}")
    print("running", flush=True)

    def pictures(seconds: float) -> int:
        count, until = 0, time.monotonic() + seconds
        while time.monotonic() < until and stream.grab():
            count += 1
            if convert:
                stream.retrieve()
        return count

    tell_cost(pictures, window_s)


def tell_cost(pictures: Callable[[float], int], window_s: float) -> None:
    """Say what `window_s` of pictures take."""
    pictures(CATCH_UP_S)  # what waited while the stream was being opened
    cpu, wall = time.process_time(), time.monotonic()
    count = pictures(window_s)
    took = {"cpu_s": time.process_time() - cpu, "wall_s": time.monotonic() - wall}
    print(json.dumps({**took, "pictures": count}), flush=True)


def keys_alone(url: str, window_s: float) -> None:
    """The stream taken apart and its key pictures decoded; says what that took."""
    from edge.vision.stream.access import Access
    from edge.vision.stream.decoding import StreamCodec
    from edge.vision.stream.source import packets

    coming = packets(Access(url))
    stream, packet = next(coming)
    codec = StreamCodec(stream)
    print("running", flush=True)

    def pictures(seconds: float) -> int:
        nonlocal packet
        count, until = 0, time.monotonic() + seconds
        while time.monotonic() < until:
            _stream, packet = next(coming)
            if packet.is_keyframe:
                codec.decode(packet)
            count += 1
        return count

    tell_cost(pictures, window_s)


async def watch(url: str, model: str) -> None:
    """Our pipeline at the stream."""
    from edge.clock import SystemClock
    from edge.vision.detect.inference import Inference
    from edge.vision.detect.loading import load_detector
    from edge.vision.spec import CameraSpec
    from edge.vision.watch import watch as camera

    spec = CameraSpec.model_validate({"code": "cam", "url": url})
    inference = Inference(load_detector(model, 1))
    said = False

    def emit(*_: Any) -> None:
        nonlocal said
        if not said:
            print("running", flush=True)
        said = True

    await camera(spec, inference=inference, clock=SystemClock(), emit=emit)


def main() -> None:
    """Measure and report; with a command, be what is measured."""
    if sys.argv[1:2] == ["watch"]:
        asyncio.run(watch(sys.argv[2], sys.argv[3]))
        return
    if sys.argv[1:2] in (["read"], ["grab"]):
        capture(sys.argv[2], float(sys.argv[3]), convert=sys.argv[1] == "read")
        return
    if sys.argv[1:2] == ["keys"]:
        keys_alone(sys.argv[2], float(sys.argv[3]))
        return
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="", help="detector: a name or an .onnx file")
    parser.add_argument("--quick", action="store_true", help="one short round")
    args = parser.parse_args()
    rounds, window_s = (1, 10.0) if args.quick else (3, 20.0)
    with tempfile.TemporaryDirectory() as folder:
        figures = asyncio.run(measure(Path(folder), rounds, window_s, args.model))
    ours = figures["camera_process_quiet_ms"] + figures["daemon_side_quiet_ms"]
    quiet = ours / figures["opencv_quiet_ms"]
    busy = figures["camera_process_busy_ms"] / figures["opencv_busy_ms"]
    report(
        {
            "quiet_vs_full_decode": round(quiet, 4),
            "busy_vs_decode": round(busy, 3),
            "keys_vs_full_decode": round(figures["keys_ms"] / figures["opencv_quiet_ms"], 4),
            **{name: round(value, 1) for name, value in figures.items()},
            "wanted": {"quiet_vs_full_decode": 0.05, "busy_vs_decode": 1.3},
            "camera": "1920x1080 at 25 fps, H.264, 2 s groups",
        }
    )


if __name__ == "__main__":
    main()
