"""`watch` against a camera simulator: a real RTSP server, a real decoder."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from functools import partial

import pytest

from edge.domain.loss import Loss
from edge.domain.observation import PictureQuality, Sighting, SourceBack, SourceLost
from edge.vision.detect.inference import Inference
from simulators.cameras.feeds import Loop, LoopFeed, encode_loop
from simulators.cameras.scene import Actor, Scene
from simulators.cameras.server import CameraServer
from tests.vision.test_playback import RED
from tests.vision.test_watch import Watched


@pytest.fixture(scope="module")
def quiet_loop() -> Loop:
    return encode_loop(Scene((640, 360), seed=3), 3, "h264", 25, gop=1)


@pytest.fixture
async def inference() -> AsyncIterator[Inference]:
    inference = Inference(RED)
    yield inference
    inference.close()


@pytest.mark.parametrize(("codec", "auth"), [("h264", "basic"), ("h265", "digest")])
async def test_a_camera_is_watched_over_rtsp(codec, auth, inference):
    loop = encode_loop(Scene((320, 180), seed=3), 1, codec, 25, gop=1)
    async with CameraServer(
        lambda: LoopFeed(loop), user="seal", password="geheim", auth=auth
    ) as server:
        camera = Watched(inference)
        camera.start(server.url)
        await camera.until(lambda: camera.of(PictureQuality))
        assert not camera.of(SourceLost)
        assert await camera.stop() < 1
        await asyncio.sleep(0.5)
        assert server.clients == 0  # it hung up


async def test_faults_of_a_camera_are_each_told_once_and_once_when_over(quiet_loop, inference):
    """Cut off, hung, and sending garbage, side by side; a fourth is not disturbed."""
    names = ("cut", "hung", "garbage", "good")
    async with AsyncExitStack() as stack:
        servers = {
            name: await stack.enter_async_context(CameraServer(lambda: LoopFeed(quiet_loop)))
            for name in names
        }
        cameras = {name: Watched(inference) for name in names}
        try:
            for name in names:
                cameras[name].start(servers[name].url)
            for camera in cameras.values():
                await camera.until(partial(camera.of, PictureQuality))
            servers["cut"].kick()
            servers["hung"].hung = servers["garbage"].garbage = True
            for name in names[:3]:
                await cameras[name].until(partial(cameras[name].of, SourceLost))
            servers["hung"].hung = servers["garbage"].garbage = False
            for name in names[:3]:
                await cameras[name].until(partial(cameras[name].of, SourceBack))
            counts = {
                name: (len(camera.of(SourceLost)), len(camera.of(SourceBack)))
                for name, camera in cameras.items()
            }
            reasons = [cameras[name].of(SourceLost)[0].reason for name in names[:3]]
        finally:
            for camera in cameras.values():
                await camera.stop()
    assert counts == {"cut": (1, 1), "hung": (1, 1), "garbage": (1, 1), "good": (0, 0)}
    assert "ended the stream" in reasons[0]
    assert "no data" in reasons[1]
    assert "no picture could be decoded" in reasons[2]


async def test_a_wrong_password_is_told_as_such(quiet_loop, inference):
    async with CameraServer(
        lambda: LoopFeed(quiet_loop), user="seal", password="right", auth="digest"
    ) as server:
        camera = Watched(inference)
        camera.start(server.url.replace("right", "wrong"))
        await camera.until(lambda: camera.of(SourceLost))
        await camera.stop()
    (lost,) = camera.of(SourceLost)
    assert lost.reason == Loss.LOGIN


async def test_whoever_appears_is_shown_soon_after_the_next_key_picture(inference):
    """The group is one second long; until then only key pictures are looked at."""
    scene = Scene((640, 360), seed=3)
    async with CameraServer.live(scene, fps=12.5) as server:
        camera = Watched(inference)
        camera.start(server.url)
        await camera.until(lambda: len(camera.of(PictureQuality)) >= 5)
        shown = len(camera.of(Sighting))
        begun = asyncio.get_running_loop().time()
        now = scene.now()
        scene.add(Actor.still("person", now, now + 60, scene.ground(0.35, 0.85)))
        await camera.until(lambda: len(camera.of(Sighting)) >= shown + 2)
        spent = asyncio.get_running_loop().time() - begun
        await camera.stop()
    assert spent < 2.5  # a second for the key, a fifth for the next, and a loaded machine
