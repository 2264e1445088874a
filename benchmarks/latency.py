"""From a person's first step into a zone to the PUBACK of the alarm, on one machine.

The camera's scene is rendered live, so the moment of entry is known: the first instant at which
the middle of the lower edge of the person's true box lies in the zone. The end is the moment
that the daemon's log gives for the PUBACK. Rendering and encoding share the processor with the
gateway, which a real camera's would not.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.rig import GATEWAY, MINE_CODE, arguments, gateway, report
from edge.vision.follow.footing import foot
from edge.vision.follow.zones import inside
from simulators.cameras.feeds import LiveFeed
from simulators.cameras.scene import Scene
from simulators.cameras.server import CameraServer

SIZE, FPS = (1280, 720), 12.5
ROUTE = "in"
LIMIT_S = 2.0
SPACING_S = 5.0  # after a visit's end: each is an incident of its own


def entry_of(scene: Scene, start: float, end: float) -> float:
    """Scene second at which the only actor enters the zone."""
    polygon = scene.zone("shaft-mouth")
    wide, high = scene.size
    for step in range(round((end - start) * 50)):
        t = start + step / 50
        for box in scene.boxes(t):
            place = foot((box.x1 / wide, box.y1 / high, box.x2 / wide, box.y2 / high))
            if inside(place, polygon):
                return t
    raise ValueError("nobody enters the zone on this route")


def delivered(log: Path) -> dict[int, float]:
    """Index of each alarm record and the second (Unix) of its PUBACK."""
    moments: dict[int, float] = {}
    for line in log.read_text("utf-8").splitlines():
        if '"alarm delivered"' in line:
            entry = json.loads(line)
            moments[entry["index"]] = datetime.fromisoformat(entry["timestamp"]).timestamp()
    return moments


async def measure(directory: Path, visits: int, model: str) -> list[float]:
    """Seconds from entry to PUBACK of each visit; infinity for a visit that raised no alarm."""
    scene = Scene(SIZE, 3, "shaft")
    entries: list[float] = []
    openings: list[int] = []

    def heard(_view: Any, envelope: dict[str, Any], _at: float) -> None:
        data = envelope["data"]
        if envelope["type"] == "eseal.incident.opened" and data["code"] == "person-at-shaft":
            openings.append(int(envelope["id"]))

    async with CameraServer(lambda: LiveFeed(scene, "h264", FPS)) as camera:
        wiring: dict[str, Any] = {
            "detector": {"model": model},
            "camera": [
                {
                    "code": "shaft-cam",
                    "url": camera.url,
                    "zone": [
                        {
                            "code": "mouth",
                            "kind": "shaft-mouth",
                            "polygon": scene.zone("shaft-mouth"),
                        }
                    ],
                }
            ],
        }
        async with gateway(directory, wiring, heard) as (daemon, province):
            await asyncio.sleep(6)  # the gate learns the picture's noise
            for number in range(visits):
                actor = scene.walk(scene.now() + 0.5, ROUTE, seed=number, speed=2.2)
                entries.append(scene.epoch + entry_of(scene, actor.start, actor.end))
                await asyncio.sleep(actor.end - scene.now() + SPACING_S)
            await daemon.stop()
            await province.wait_until(lambda p: p.view(MINE_CODE, GATEWAY).online is False, 5)
            return pair(entries, [delivered(daemon.log).get(index) for index in openings])


def pair(entries: list[float], pubacks: list[float | None]) -> list[float]:
    """Each entry with the first PUBACK between it and the next entry."""
    known = sorted(moment for moment in pubacks if moment is not None)
    found = []
    for entry, following in zip(entries, [*entries[1:], float("inf")], strict=True):
        within = [moment - entry for moment in known if entry <= moment < following]
        found.append(within[0] if within else float("inf"))
    return found


def main() -> None:
    """Measure and report."""
    args = arguments(__doc__)
    visits = 2 if args.quick else 30
    with tempfile.TemporaryDirectory() as folder:
        took = sorted(asyncio.run(measure(Path(folder), visits, args.model)))
    missed = sum(moment == float("inf") for moment in took)
    seen = [moment for moment in took if moment != float("inf")]
    for moment in took:
        print(f"{moment:.3f} s")
    p99 = took[min(len(took) - 1, round(0.99 * len(took)))]
    report(
        {
            "entries": visits,
            "entries_without_alarm": missed,
            "entry_to_puback_p50_s": round(statistics.median(took), 3) if seen else None,
            "entry_to_puback_p99_s": round(p99, 3) if p99 != float("inf") else None,
            "limit_s": LIMIT_S,
            "camera": f"{SIZE[0]}x{SIZE[1]} at {FPS} fps, H.264",
        }
    )


if __name__ == "__main__":
    main()
