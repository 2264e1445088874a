"""What the cameras of the benchmarks show: 1080p25 H.264 with 2 s groups, encoded beforehand.

As cameras encode: High profile with CABAC and deblocking, which the simulators' live encoder leaves
out for speed and which makes decoding half as dear again.
"""

from __future__ import annotations

import pickle
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import cv2
import numpy as np
from av.video.frame import VideoFrame

from benchmarks.latency import entry_of
from simulators.cameras.feeds import Loop
from simulators.cameras.scene import Scene
from simulators.cameras.units import Codec, unit_of

SIZE, FPS, GOP_S = (1920, 1080), 25.0, 2.0
KBPS = 4096  # what 1080p cameras come set to
SEED = 2_000_000  # beyond the scenes that the detector was trained on
QUIET_S = 8.0
SPACING_S = 14.0  # from one entry to the next: each is an incident of its own
ZONE = "shaft-mouth"
# Without the last two, sensor noise would be skipped away: a live camera would look frozen.
_X264 = "repeat-headers=1:scenecut=0:bframes=0:log=-1:no-fast-pskip=1:no-dct-decimate=1"


def encode(scene: Scene, seconds: float) -> Loop:
    """The first `seconds` of a scene."""
    context = cast("Any", av.CodecContext.create("libx264", "w"))
    context.width, context.height = scene.size
    context.pix_fmt, context.time_base = "yuv420p", Fraction(1, round(FPS))
    context.framerate, context.gop_size = Fraction(round(FPS)), round(FPS * GOP_S)
    context.bit_rate, context.thread_count = 1000 * KBPS, 1
    context.options = {"preset": "veryfast", "tune": "zerolatency", "x264-params": _X264}
    count = round(seconds * FPS)
    units = []
    for number in range(count):
        planes = cv2.cvtColor(scene.render(number / FPS), cv2.COLOR_BGR2YUV_I420)
        frame = VideoFrame.from_ndarray(np.asarray(planes, np.uint8), format="yuv420p")
        frame.pts, frame.time_base = number, context.time_base
        packets = context.encode(frame)
        units += [unit_of(Codec.H264, bytes(packet), number / FPS) for packet in packets]
    return Loop(Codec.H264, tuple(units), count / FPS, FPS)


def quiet(number: int) -> Loop:
    """An empty yard; nothing but the sensor's noise and the clock."""
    return encode(Scene(SIZE, SEED + number), QUIET_S)


def busy(number: int, entries: int) -> tuple[Loop, list[float], list[tuple[float, float]]]:
    """People who go to the shaft's mouth or come out of it, one after another.

    Returns:
        The loop, the second of each entry (feet in the zone for the first time), the zone.
    """
    scene = Scene(SIZE, SEED + number)
    moments = []
    for index in range(entries):
        route = "out" if index % 2 else "in"
        actor = scene.walk(2.0 + index * SPACING_S, route, seed=number * 100 + index, speed=2.2)
        moments.append(entry_of(scene, actor.start, actor.end))
    return encode(scene, entries * SPACING_S), moments, scene.zone(ZONE)


def crowd(number: int, seconds: float) -> Loop:
    """Somebody is on the move all the time."""
    scene = Scene(SIZE, SEED + number)
    for start in range(-6, round(seconds), 4):
        scene.walk(float(start), "across", seed=start + 50)
    return encode(scene, seconds)


def save(loop: Loop, path: Path) -> Path:
    """Keep a loop for `load`: our own bytes, in our own temporary folder."""
    path.write_bytes(pickle.dumps(loop))
    return path


def load(path: Path) -> Loop:
    """A loop that `save` kept."""
    loop = pickle.loads(path.read_bytes())
    assert isinstance(loop, Loop)
    return loop
