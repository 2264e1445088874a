"""The benchmark of many cameras: entries meet their alarms; a farm serves and tells its rounds."""

from __future__ import annotations

import asyncio
import math
import time
from types import SimpleNamespace
from typing import cast

import av
import pytest

from benchmarks import cameras, cameras_loops
from benchmarks.cameras_farm import Farm, farm
from simulators.cameras.feeds import encode_loop
from simulators.cameras.scene import Scene


def served(began=None):
    """What the benchmark asks of a farm."""
    made = SimpleNamespace(
        urls=["rtsp://a", "rtsp://b", "rtsp://c"],
        host="127.0.0.1",
        port=502,
        began=began or {0: [1000.0, 1042.0], 1: [1000.5], 2: []},
    )
    return cast("Farm", made)


def test_each_entry_is_paired_with_its_own_camera_s_alarm():
    alarms = {"busy-0": [1031.2, 1046.5], "busy-1": [1031.0]}
    told = list(cameras.delays(served(), [[30.0, 4.0], [30.5, 36.0]], alarms, until=1060.0))
    assert [round(value, 3) for value in told] == [1.2, 0.5, 0.0, math.inf]


def test_entries_before_the_gates_know_the_picture_or_too_near_the_end_are_left_out():
    once = served({0: [1000.0], 1: []})
    assert not list(cameras.delays(once, [[5.0, 50.0], []], {}, until=1052.0))


def test_only_busy_cameras_have_a_zone():
    zone = [(0.1, 0.1), (0.9, 0.1), (0.5, 0.9)]
    tables = cameras.wiring(served(), [zone, zone], "")
    assert ["zone" in camera for camera in tables["camera"]] == [True, True, False]
    assert len(tables["bus"][0]["meter"]) == cameras.METERS


def test_entries_are_where_the_script_says(monkeypatch):
    monkeypatch.setattr(cameras_loops, "SIZE", (320, 180))
    monkeypatch.setattr(cameras_loops, "FPS", 2.0)
    loop, moments, zone = cameras_loops.busy(0, 2)
    assert loop.length == 2 * cameras_loops.SPACING_S
    assert len(moments) == 2
    assert 2.0 < moments[0] < cameras_loops.SPACING_S < moments[1] < loop.length
    assert len(zone) == 4


@pytest.fixture
def kept(tmp_path):
    loop = encode_loop(Scene((160, 96), 3), 0.5, fps=10, gop=0.5)
    path = cameras_loops.save(loop, tmp_path / "loop")
    assert cameras_loops.load(path) == loop
    return path


def first_picture(url):
    with av.open(url, options={"rtsp_transport": "tcp"}, timeout=20) as stream:
        return next(stream.decode(video=0)).width


async def test_a_farm_serves_each_camera_and_tells_when_its_rounds_begin(kept):
    async with farm([kept, kept], 2) as made:
        assert len(set(made.urls)) == 2
        assert made.port
        before = time.time()
        assert await asyncio.to_thread(first_picture, made.urls[1]) == 160
    assert before <= made.began[1][0] <= time.time()
    assert not made.began[0]
