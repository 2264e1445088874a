"""Streams that change or spoil under way, through a real camera process: it goes on looking."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from functools import partial

import pytest

from edge.domain.observation import PictureQuality, SourceLost
from edge.vision.detect.inference import Inference
from edge.vision.stream.source import READ_S
from simulators.cameras.feeds import Loop, LoopFeed, encode_loop
from simulators.cameras.mjpeg import MjpegServer, jpeg
from simulators.cameras.scene import Scene
from simulators.cameras.server import CameraServer
from tests.vision.test_watch import Watched


@pytest.fixture
async def inference() -> AsyncIterator[Inference]:
    inference = Inference(None)
    yield inference
    inference.close()


def loop_of(size: tuple[int, int], codec: str = "h264") -> Loop:
    return encode_loop(Scene(size, seed=3), 1, codec, 12.5, gop=1)


async def later(camera: Watched, count: int = 2) -> None:
    """Wait for so many further measures."""
    so_far = len(camera.of(PictureQuality))
    await camera.until(lambda: len(camera.of(PictureQuality)) >= so_far + count)


@pytest.mark.parametrize("codec", ["h264", "h265"])
async def test_another_size_in_the_middle_of_the_stream_is_followed_and_told(codec, inference):
    feed, other = LoopFeed(loop_of((320, 192), codec)), loop_of((480, 272), codec)
    async with CameraServer(lambda: feed) as server:
        camera = Watched(inference)
        camera.start(server.url)
        await camera.until(partial(camera.of, PictureQuality))
        feed.switch(other)
        await camera.until(
            lambda: camera.of(PictureQuality)[-1].measures.width == 480,
        )
        first, last = camera.of(PictureQuality)[0].measures, camera.of(PictureQuality)[-1].measures
        await camera.stop()
    assert (first.width, first.height) == (320, 192)
    assert (last.width, last.height) == (480, 272)
    assert not camera.of(SourceLost)


async def test_stamps_that_jump_and_packets_that_are_spoiled_or_lost_do_not_lose_the_camera(
    inference,
):
    loop = loop_of((320, 192))
    faults = {
        "forward": {"jump_s": 5000.0},
        "back": {"jump_s": -5000.0},
        "spoiled": {"corrupt": 0.1},
        "thinned": {"lost": 0.1},
    }
    async with AsyncExitStack() as stack:
        servers = {
            name: await stack.enter_async_context(
                CameraServer(
                    lambda: LoopFeed(loop), transports=("udp",) if name == "thinned" else ("tcp",)
                )
            )
            for name in faults
        }
        cameras = {name: Watched(inference) for name in faults}
        try:
            for name, camera in cameras.items():
                camera.start(servers[name].url)
            for camera in cameras.values():
                await camera.until(partial(camera.of, PictureQuality), 30)
            for name, fault in faults.items():
                for key, value in fault.items():
                    setattr(servers[name], key, value)
            await asyncio.gather(*(later(camera, 3) for camera in cameras.values()))
            lost = {name: camera.of(SourceLost) for name, camera in cameras.items()}
        finally:
            for camera in cameras.values():
                await camera.stop()
    assert lost == {name: [] for name in faults}


async def test_a_camera_with_jpeg_over_http_is_watched_and_its_silence_is_told(inference):
    pictures = [jpeg(Scene((320, 192), 1), t / 5) for t in range(5)]

    def endless():
        while True:
            yield from pictures

    async with MjpegServer(endless, 10) as server:
        camera = Watched(inference)
        camera.start(server.url)
        await later(camera, 2)
        server.stalled = True
        await camera.until(partial(camera.of, SourceLost))
        (lost,) = camera.of(SourceLost)
        await camera.stop()
    assert lost.reason == f"no data from the camera ({READ_S:.0f} s)"
