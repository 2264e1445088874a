"""What the cameras of the benchmarks show: 1080p25 H.264 with 2 s groups, encoded beforehand."""

from __future__ import annotations

import pickle
from pathlib import Path

from benchmarks.latency import entry_of
from simulators.cameras.feeds import Loop, encode_loop
from simulators.cameras.scene import Scene

SIZE, FPS, GOP_S = (1920, 1080), 25.0, 2.0
SEED = 2_000_000  # beyond the scenes that the detector was trained on
QUIET_S = 8.0
SPACING_S = 14.0  # from one entry to the next: each is an incident of its own
ZONE = "shaft-mouth"


def quiet(number: int) -> Loop:
    """An empty yard; nothing but the sensor's noise and the clock."""
    return encode_loop(Scene(SIZE, SEED + number), QUIET_S, "h264", FPS, gop=GOP_S)


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
    loop = encode_loop(scene, entries * SPACING_S, "h264", FPS, gop=GOP_S)
    return loop, moments, scene.zone(ZONE)


def crowd(number: int, seconds: float) -> Loop:
    """Somebody is on the move all the time."""
    scene = Scene(SIZE, SEED + number)
    for start in range(-6, round(seconds), 4):
        scene.walk(float(start), "across", seed=start + 50)
    return encode_loop(scene, seconds, "h264", FPS, gop=GOP_S)


def save(loop: Loop, path: Path) -> Path:
    """Keep a loop for `load`: our own bytes, in our own temporary folder."""
    path.write_bytes(pickle.dumps(loop))
    return path


def load(path: Path) -> Loop:
    """A loop that `save` kept."""
    loop = pickle.loads(path.read_bytes())
    assert isinstance(loop, Loop)
    return loop
