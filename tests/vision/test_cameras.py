from __future__ import annotations

import asyncio

import pytest

from edge.errors import SourceError
from edge.vision import cameras as module
from edge.vision.camera.channel import ClipMessage, FactsMessage
from edge.vision.camera.commands import Command
from edge.vision.cameras import WAKE_S, Cameras
from edge.vision.stream.policy import Decoding, Facts, Policy, Reason

CLIP = ClipMessage(memoryview(b"film"), 20.0, 19.0, 480)


def _told(cameras: Cameras, camera: str):
    told: list[tuple[Command, float]] = []
    return told, cameras.connected(camera, lambda *said: told.append(said))


def test_waking_reaches_every_camera_that_is_connected():
    cameras = Cameras()
    first, connected = _told(cameras, "a")
    second, also = _told(cameras, "b")
    with connected:
        with also:
            cameras.wake()
        cameras.wake(5)
    cameras.wake()
    assert first == [(Command.WAKE, WAKE_S), (Command.WAKE, 5)]
    assert second == [(Command.WAKE, WAKE_S)]


async def test_a_clip_is_asked_for_ended_and_handed_over():
    cameras = Cameras()
    told, connected = _told(cameras, "a")
    with connected:
        cameras.clip_ends("a")
        making = asyncio.create_task(cameras.clip("a", 6.5))
        await asyncio.sleep(0)
        with pytest.raises(SourceError, match="another clip"):
            await cameras.clip("a", 1.0)
        cameras.clip_ends("a")
        cameras.clip_came("a", CLIP)
        cameras.clip_came("a", CLIP)  # nobody waits any more
        assert await making is CLIP
        assert told == [(Command.CLIP, 65.0), (Command.CLIP_ENDS, 0)]


async def test_a_clip_that_does_not_come_is_not_waited_for_for_ever(monkeypatch):
    monkeypatch.setattr(module, "CLIP_S", 0.01)
    cameras = Cameras()
    _, connected = _told(cameras, "a")
    with connected:
        with pytest.raises(SourceError, match="no clip"):
            await cameras.clip("a", 1.0)
        monkeypatch.setattr(module, "CLIP_S", 10)
        making = asyncio.create_task(cameras.clip("a", 1.0))
        await asyncio.sleep(0)
    with pytest.raises(SourceError, match="lost meanwhile"):
        await making
    with pytest.raises(SourceError, match="not connected"):
        await cameras.clip("a", 1.0)


@pytest.mark.parametrize(
    ("gop_s", "decoding", "late"),
    [(1.0, Decoding.KEYS, False), (2.0, Decoding.KEYS, True), (2.0, Decoding.FULL, False)],
)
def test_how_a_camera_is_watched_is_said_with_its_reason(gop_s, decoding, late):
    cameras = Cameras()
    assert cameras.watched("a") is None
    facts = Facts("h264", 1920, 1080, 25.04, gop_s, 4000.4)
    cameras.facts["a"] = FactsMessage(facts, Policy(decoding, Reason.SHORT_GROUPS))
    said = cameras.watched("a")
    assert said is not None
    assert (said["policy"], said["fps"], said["kbps"]) == (decoding.value, 25.0, 4000)
    assert set(said["words"]) == {"zh", "en"}
    assert (said["late"] is not None) is late
