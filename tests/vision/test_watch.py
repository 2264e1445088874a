"""The rim for real: processes, sockets, decoder. Each test ends without a child of its own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import threading
import time
from collections.abc import AsyncIterator, Callable
from functools import partial
from itertools import chain, pairwise
from pathlib import Path
from typing import Any, cast

import psutil
import pytest

from edge.clock import Clock, SystemClock
from edge.domain.observation import (
    Label,
    Observation,
    PictureQuality,
    Quality,
    Sighting,
    SourceBack,
    SourceLost,
)
from edge.errors import Refused, SourceError
from edge.vision.camera import process as process_module
from edge.vision.camera.process import CameraProcess
from edge.vision.cameras import Cameras
from edge.vision.detect.detector import Detector
from edge.vision.detect.inference import Inference
from edge.vision.evidence.mp4 import Film, checked
from edge.vision.picture import Picture
from edge.vision.spec import CameraSpec
from edge.vision.stream.policy import Reason
from edge.vision.watch import watch
from tests.vision import hostile
from tests.vision.test_playback import RED
from tests.vision.video import quiet, walk, write_video


class Watched:
    """Runs `watch` on a camera and keeps what it says."""

    def __init__(self, inference: Inference) -> None:
        self.inference = inference
        self.cameras = Cameras()
        self.chance = 0.0
        self.said: list[tuple[Observation, Picture | None]] = []
        self.pids: list[int] = []
        self.task: asyncio.Task[None] | None = None
        self._news = asyncio.Event()

    def start(self, url: str, clock: Clock | None = None) -> None:
        self.task = asyncio.create_task(
            watch(
                CameraSpec(code="cam-1", url=url),
                inference=self.inference,
                clock=clock or SystemClock(),
                emit=self._emit,
                cameras=self.cameras,
                chance=lambda: self.chance,
            )
        )

    def _emit(self, observation: Observation, picture: Picture | None) -> None:
        self.said.append((observation, picture))
        self._news.set()

    async def until(self, done: Callable[[], object], seconds: float = 20) -> None:
        async with asyncio.timeout(seconds):
            while not done():
                self._news.clear()
                await self._news.wait()

    def of(self, kind: type) -> list[Any]:
        return [item for item, _ in self.said if isinstance(item, kind)]

    async def stop(self) -> float:
        assert self.task is not None
        begun = time.monotonic()
        self.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.task
        return time.monotonic() - begun


@pytest.fixture
async def watched(monkeypatch) -> AsyncIterator[Watched]:
    inference = Inference(RED)
    found = Watched(inference)
    start = CameraProcess.start.__func__  # type: ignore[attr-defined]

    async def noted(cls, *args):
        process = await start(cls, *args)
        found.pids.append(process.pid)
        return process

    monkeypatch.setattr(CameraProcess, "start", classmethod(noted))
    try:
        yield found
        if found.task is not None:
            assert await found.stop() < 1
    finally:
        inference.close()
    assert not [pid for pid in found.pids if psutil.pid_exists(pid)]
    assert "inference" not in {thread.name for thread in threading.enumerate()}


@pytest.fixture(scope="module")
def walking(tmp_path_factory) -> Path:
    frames = chain(quiet(3), walk(3))
    return write_video(tmp_path_factory.mktemp("video") / "walk.mp4", frames)


async def test_a_walk_is_seen_with_its_picture_and_quality_is_told_every_second(watched, walking):
    watched.start(walking.as_uri())
    await watched.until(
        lambda: (
            any(item.objects for item in watched.of(Sighting))
            and len(watched.of(PictureQuality)) >= 4
        )
    )
    sighting, picture = next(
        (item, picture)
        for item, picture in watched.said
        if isinstance(item, Sighting) and item.objects
    )
    (seen,) = sighting.objects
    assert seen.label is Label.PERSON
    assert 0.4 < seen.box[3] < 1
    assert picture.stamp == sighting.stamp
    assert picture.frame.shape == (180, 320, 3)
    stamps = [item.stamp for item in watched.of(PictureQuality)]
    pauses = [b.since(a) for a, b in pairwise(stamps)]
    assert all(0.5 < pause < 2 for pause in pauses)
    assert not watched.of(SourceLost)


async def test_a_clip_is_a_film_that_plays_from_before_it_was_asked_for(watched, walking):
    watched.start(walking.as_uri())
    await watched.until(lambda: len(watched.of(PictureQuality)) >= 4)
    making = asyncio.create_task(watched.cameras.clip("cam-1", 5.0))
    await asyncio.sleep(0.3)
    watched.cameras.clip_ends("cam-1")
    with pytest.raises(SourceError):
        await watched.cameras.clip("cam-1", 5.0)
    clip = await asyncio.wait_for(making, 10)
    assert checked(clip.data) == Film("h264", 320, 180)
    assert clip.duration_s > 2
    assert clip.age_s >= clip.duration_s
    assert clip.pictures > 50
    with pytest.raises(SourceError):
        await watched.cameras.clip("cam-2", 5.0)


async def test_what_the_stream_is_and_how_it_is_watched_is_told(watched, walking):
    watched.start(walking.as_uri())
    watched.cameras.wake()
    await watched.until(lambda: watched.cameras.facts)
    told = watched.cameras.facts["cam-1"]
    assert (told.facts.codec, told.facts.width, told.facts.height) == ("h264", 320, 180)
    assert told.facts.gop_s == pytest.approx(1, abs=0.3)
    assert told.policy.reason is Reason.SMALL
    watched.cameras.wake()


async def test_a_missing_camera_is_lost_once_and_back_once(watched, walking, tmp_path):
    path = tmp_path / "later.mp4"
    watched.start(path.as_uri())
    await watched.until(lambda: watched.of(SourceLost))
    await watched.until(lambda: len(watched.pids) >= 2 or watched.said.append, 5)
    shutil.copy(walking, path)
    await watched.until(lambda: watched.of(SourceBack))
    await watched.until(lambda: watched.of(PictureQuality))
    (lost,), (back,) = watched.of(SourceLost), watched.of(SourceBack)
    assert "No such file" in lost.reason
    assert back.lost_s == pytest.approx(back.stamp.since(lost.stamp))
    kinds = [type(item) for item, _ in watched.said]
    assert kinds.index(SourceLost) < kinds.index(SourceBack) < kinds.index(PictureQuality)


@pytest.mark.parametrize("blow", [signal.SIGSEGV, signal.SIGKILL])
async def test_a_crashed_process_is_lost_once_and_another_takes_over(watched, walking, blow):
    watched.start(walking.as_uri())
    await watched.until(lambda: watched.of(PictureQuality))
    os.kill(watched.pids[0], blow)
    await watched.until(lambda: watched.of(SourceBack))
    (lost,) = watched.of(SourceLost)
    assert f"crashed (exit code {-blow})" in lost.reason
    assert len(watched.of(SourceBack)) == 1
    assert len(set(watched.pids)) == 2


async def test_a_hung_process_is_killed_and_another_takes_over(watched, walking, monkeypatch):
    monkeypatch.setattr(process_module, "SILENCE_S", 1.5)
    watched.start(walking.as_uri())
    await watched.until(lambda: watched.of(PictureQuality))
    os.kill(watched.pids[0], signal.SIGSTOP)
    await watched.until(lambda: watched.of(SourceBack))
    (lost,) = watched.of(SourceLost)
    assert lost.reason == "its decoder hangs"
    assert not psutil.pid_exists(watched.pids[0])


async def test_a_stopped_process_does_not_delay_the_end(watched, walking):
    watched.start(walking.as_uri())
    await watched.until(lambda: watched.of(PictureQuality))
    os.kill(watched.pids[0], signal.SIGSTOP)
    assert await watched.stop() < 1


@pytest.mark.parametrize(
    ("attack", "reason"),
    [
        (hostile.pickled, "camera process"),
        (hostile.flood, "more than the 20 a second"),
        (hostile.unasked, "more than the 12 a second"),
        (hostile.giant, "PICTURE of 4294967280 bytes"),
        (hostile.liar, "out of its range"),
        (hostile.filmer, "nobody asked for"),
    ],
)
async def test_a_taken_over_process_is_ended_and_its_camera_lost(
    watched, monkeypatch, attack, reason
):
    monkeypatch.setattr(process_module, "camera_process", attack)
    watched.start("file:///nowhere.mp4")
    await watched.until(lambda: watched.of(SourceLost))
    assert reason in watched.of(SourceLost)[0].reason
    assert not psutil.pid_exists(watched.pids[0])
    assert not hostile.TRACE.exists()


async def test_half_a_message_is_not_waited_for_long(watched, monkeypatch):
    monkeypatch.setattr(process_module, "BODY_S", 0.3)
    monkeypatch.setattr(process_module, "camera_process", hostile.half)
    watched.start("file:///nowhere.mp4")
    await watched.until(lambda: watched.of(SourceLost), 5)
    assert watched.of(SourceLost)[0].reason == "its decoder hangs"


class _Impatient(SystemClock):
    """Notes how long one would have slept and does not."""

    def __init__(self) -> None:
        super().__init__()
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)


async def test_a_camera_that_fails_again_and_again_is_tried_ever_more_rarely(watched, monkeypatch):
    monkeypatch.setattr(process_module, "camera_process", hostile.crash)
    clock = _Impatient()
    watched.start("file:///nowhere.mp4", clock)
    await watched.until(lambda: len(clock.slept) >= 7)
    assert clock.slept[:7] == [0.5, 1, 2, 4, 8, 15, 15]


async def test_cameras_that_failed_together_do_not_come_back_together(watched, monkeypatch):
    monkeypatch.setattr(process_module, "camera_process", hostile.crash)
    clock = _Impatient()
    watched.chance = 0.5
    watched.start("file:///nowhere.mp4", clock)
    await watched.until(lambda: len(clock.slept) >= 4)
    assert clock.slept[:4] == [0.375, 0.75, 1.5, 3]


async def test_a_detector_that_fails_is_lost_once_and_back_once(walking):
    fails = threading.Event()
    fails.set()

    class Moody:
        batches = False
        input = (1280, 720)

        def detect(self, pictures):
            if fails.is_set():
                raise Refused("fails when run")
            return RED.detect(pictures)

    inference = Inference(cast("Detector", Moody()))
    watched = Watched(inference)
    try:
        watched.start(walking.as_uri())
        await watched.until(lambda: watched.of(SourceLost))
        await watched.until(lambda: len(watched.of(PictureQuality)) >= 5)
        fails.clear()
        await watched.until(
            lambda: watched.of(SourceBack) and watched.of(Sighting)[-1].quality is Quality.GOOD
        )
        await watched.stop()
    finally:
        inference.close()
    (lost,), (back,) = watched.of(SourceLost), watched.of(SourceBack)
    assert (lost.source, lost.reason) == ("detector", "fails when run")
    assert back.source == "detector"


async def test_a_system_that_gives_no_process_loses_the_camera(watched, monkeypatch):
    def refuse(_process):
        raise OSError("Resource temporarily unavailable")

    monkeypatch.setattr(process_module, "_start", refuse)
    watched.start("file:///nowhere.mp4")
    await watched.until(lambda: watched.of(SourceLost))
    assert "cannot be started" in watched.of(SourceLost)[0].reason


async def test_without_a_detector_quality_is_told_all_the_same(walking):
    inference = Inference(None)
    watched = Watched(inference)
    try:
        watched.start(walking.as_uri())
        await watched.until(lambda: len(watched.of(PictureQuality)) >= 2)
        await watched.stop()
    finally:
        inference.close()
    assert all(item.quality is Quality.BAD for item in watched.of(Sighting))


async def _silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        await reader.read()
    writer.close()


async def _garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        writer.write(os.urandom(100_000))
        await reader.read(1000)
    writer.close()


async def _no_such_stream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while line := await reader.readline():
            if line.lower().startswith(b"cseq"):
                writer.write(b"RTSP/1.0 404 Not Found\r\n" + line + b"\r\n")
    writer.close()


@contextlib.asynccontextmanager
async def _serving(answer) -> AsyncIterator[int]:
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def test_cameras_that_cannot_be_watched_are_each_lost_once_without_their_password():
    """Silent, garbage, no such stream, refused, no such host: all at once, within the timeouts."""
    inference = Inference(None)
    async with (
        _serving(_silent) as silent,
        _serving(_garbage) as garbage,
        _serving(_no_such_stream) as missing,
    ):
        hosts = [
            f"127.0.0.1:{silent}",
            f"127.0.0.1:{garbage}",
            f"127.0.0.1:{missing}",
            "127.0.0.1:9",
            "no-such-host.invalid:554",
        ]
        cameras = [Watched(inference) for _ in hosts]
        for camera, host in zip(cameras, hosts, strict=True):
            camera.start(f"rtsp://seal:geheim@{host}/main")
        try:
            for camera in cameras:
                await camera.until(partial(camera.of, SourceLost), 25)
            await asyncio.sleep(1.5)  # they are tried again, and it is not told again
            reasons = [camera.of(SourceLost)[0].reason for camera in cameras]
            assert [len(camera.said) for camera in cameras] == [1] * len(hosts)
            assert not [reason for reason in reasons if "geheim" in reason or not reason]
        finally:
            spent = [await camera.stop() for camera in cameras]
            inference.close()
    assert max(spent) < 1


async def test_the_end_does_not_wait_for_a_camera_that_is_being_opened():
    inference = Inference(None)
    async with _serving(_silent) as port:
        camera = Watched(inference)
        camera.start(f"rtsp://127.0.0.1:{port}/main")
        await asyncio.sleep(1)
        assert await camera.stop() < 1
    inference.close()
