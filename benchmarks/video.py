"""A recorded video over RTSP to a running gateway: one incident a visit, none in between.

Needs a video and its presence list (`--video`, `--presence`), by default those that lie beside
the checkout. One round of the video in real time; `--model` chooses the detector.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.rig import gateway, report
from simulators.cameras.feeds import Feed, play_feed
from simulators.cameras.server import CameraServer
from simulators.cameras.units import AccessUnit

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "videos"
EDGE_FRAMES = 3  # how sure the presence list is of its edges
LATE_S = 1.5  # an incident tells the first sighting, which may be a confirmed one


class Noted(Feed):
    """A feed that tells when its first picture left.

    Attributes:
        began: its wall time, seconds.
    """

    def __init__(self, feed: Feed) -> None:
        super().__init__()
        self._feed = feed
        self.codec, self.fps, self.sets = feed.codec, feed.fps, feed.sets
        self.began: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    def units(self, stop: threading.Event) -> Iterator[AccessUnit]:
        loop, told = self.began.get_loop(), False
        for unit in self._feed.units(stop):
            if not told and not self.began.done():
                loop.call_soon_threadsafe(self.began.set_result, time.time())
                told = True
            yield unit


def judge(opened: list[float], present: list[list[int]], fps: float) -> tuple[list[int], int]:
    """Incidents a visit, and incidents while nobody was there.

    Args:
        opened: seconds of the video at which incidents begin.
        present: first and last frame of each visit.
        fps: frames a second.
    """
    spans = [
        ((first - EDGE_FRAMES) / fps, (last + EDGE_FRAMES) / fps + LATE_S)
        for first, last in present
    ]
    counts = [sum(begin <= moment <= end for moment in opened) for begin, end in spans]
    return counts, len(opened) - sum(counts)


async def measure(directory: Path, video: Path, seconds: float, model: str) -> list[float]:
    """Seconds of the video at which the province saw person incidents begin."""
    opened: list[float] = []

    def heard(_view: Any, envelope: dict[str, Any], _at: float) -> None:
        data = envelope["data"]
        if envelope["type"] == "eseal.incident.opened" and data["code"] == "person-at-shaft":
            opened.append(datetime.fromisoformat(data["opened"]).timestamp())

    feed = Noted(play_feed(video))
    whole = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]
    zone = {"code": "floor", "kind": "shaft-mouth", "polygon": whole}
    async with CameraServer(lambda: feed) as camera:
        wiring = {
            "detector": {"model": model},
            "camera": [{"code": "shaft-cam", "url": camera.url, "zone": [zone]}],
        }
        async with gateway(directory, wiring, heard) as (daemon, _province):
            began = await feed.began
            await asyncio.sleep(began + seconds - time.time())
            await daemon.stop()
            await asyncio.sleep(1)
    return [moment - began for moment in opened]


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--video", type=Path, default=DATA / "one-by-one-person.mp4")
    parser.add_argument("--presence", type=Path, default=DATA / "presence.json")
    parser.add_argument("--model", default="", help="detector: a name or an .onnx file")
    parser.add_argument("--quick", action="store_true", help="the first visits only")
    args = parser.parse_args()
    listed = json.loads(args.presence.read_text())[args.video.name]
    fps, frames, present = listed["fps"], listed["frames"], listed["present"]
    seconds = 30.0 if args.quick else frames / fps
    present = [visit for visit in present if visit[0] / fps + LATE_S < seconds]
    with tempfile.TemporaryDirectory() as folder:
        opened = asyncio.run(measure(Path(folder), args.video, seconds, args.model))
    counts, strangers = judge(opened, present, fps)
    print("incidents begin at", [round(moment, 1) for moment in opened])
    report(
        {
            "model": args.model or "default",
            "visits": len(present),
            "visits_with_one_incident": sum(count == 1 for count in counts),
            "incidents_a_visit": counts,
            "incidents_while_nobody_is_there": strangers,
        }
    )


if __name__ == "__main__":
    main()
