"""The challenge lamp over a real bus, real RTSP streams, a real daemon and broker."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from edge.domain.mine import OrderKind
from simulators.cameras.feeds import LiveFeed, LoopFeed, encode_loop
from simulators.cameras.scene import Scene
from simulators.cameras.server import CameraServer
from simulators.meters.server import MeterServer
from simulators.meters.units import ContactUnit
from tests.integration.rig import rig
from tests.integration.test_orders import answered, ready

CHALLENGE = OrderKind.CHALLENGE
pytestmark = pytest.mark.timeout(120)


async def test_an_honest_camera_sees_the_lamp_and_a_recording_of_the_same_place_does_not(tmp_path):
    scene, past = Scene((320, 180), 3), Scene((320, 180), 3)
    loop = encode_loop(past, 8, "h264", 10, gop=0.5)

    def switch(coil: int, on: bool) -> None:
        assert coil == 0
        scene.lamp = on

    module = ContactUnit(10, on_coil=switch)
    box = list(scene.lamp_box())
    async with (
        MeterServer([module]) as bus,
        CameraServer(lambda: LiveFeed(scene, "h264", 10, gop=0.5)) as honest,
        CameraServer(lambda: LoopFeed(loop)) as false,
    ):
        cameras = [("live-cam", honest.url), ("loop-cam", false.url)]
        lamp: dict[str, Any] = {"code": "lamp", "bus": "pit", "unit": 10, "coil": 0}
        lamp["view"] = [{"camera": code, "box": box} for code, _ in cameras]
        changes: dict[str, Any] = {
            "bus": [{"code": "pit", "transport": "tcp", "host": bus.host, "port": bus.port}],
            "camera": [{"code": code, "url": url} for code, url in cameras],
            "challenge": [lamp],
        }
        async with rig(tmp_path, **changes) as r:
            await ready(r)
            for _ in range(20):
                answer = await answered(r, CHALLENGE, {"lamp": "lamp"}, timeout_s=80)
                if len(answer["detail"]) == 3:
                    break
                await asyncio.sleep(1)  # a camera is not connected yet
            assert answer["detail"] == {
                "lamp": "lamp",
                "live-cam": "seen",
                "loop-cam": "not seen",
            }
            assert [ref["caption"] for ref in answer["evidence"]] == ["lamp off", "lamp on"]
            assert await r.alarm("challenge-failed", "loop-cam")
            assert ("challenge-failed", "live-cam") not in r.opened()
            assert not module.lamp
