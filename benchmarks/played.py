"""A recorded video played through the product in simulated time, coded anew with other groups.

One incident a visit, none in between, and everybody counted the same way. `keys only` is the
worst case: nothing but key pictures is ever shown. The other rows are what the product does with
that stream: keys while nothing moves, everything as soon as something does.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterable, Iterator
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av

from benchmarks.rig import report
from benchmarks.video import DATA, judge
from edge.clock import ManualClock, Stamp
from edge.config import SealConfig, parse
from edge.domain.activity import ActivityKind, Phase
from edge.domain.record import Draft, RecordType
from edge.rules.engine import initial
from edge.seal import Outcome, Seal
from edge.vision.detect.detector import Detector
from edge.vision.detect.loading import load_detector
from edge.vision.playback import play

GROUPS_S = (1, 2, 4)
LINE = {"code": "way-out", "start": [0.7, 1.0], "end": [0.7, 0.3]}  # all who leave go right
_BY_ITSELF = av.video.frame.PictureType.NONE
PERSON = "person-at-shaft"
START = ManualClock().now()
TICK_S = 1.0


def coded(video: Path, path: Path, group_s: int, *, keys_only: bool) -> Path:
    """The video with a key picture every `group_s` seconds, and nothing else if so asked."""
    with av.open(str(video)) as source, av.open(str(path), "w") as target:
        given = source.streams.video[0]
        rate = Fraction(given.average_rate or 10)
        stream = cast("Any", target.add_stream("libx264", rate=rate))
        stream.width, stream.height, stream.pix_fmt = given.width, given.height, "yuv420p"
        stream.gop_size = round(group_s * rate)
        stream.options = {"preset": "veryfast", "x264-params": "scenecut=0:bframes=0:log=-1"}
        stream.codec_context.thread_count = 1

        for number, frame in enumerate(source.decode(given)):
            if keys_only and number % stream.gop_size:
                continue
            frame.pts, frame.time_base = number, 1 / rate
            frame.pict_type = av.video.frame.PictureType.I if keys_only else _BY_ITSELF
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    return path


def site(watch: str) -> SealConfig:
    """An idle mine whose camera watches the whole floor."""
    whole = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]
    zone = {"code": "floor", "kind": "shaft-mouth", "polygon": whole}
    camera = {"code": "cam", "url": "file:///video", "zone": [zone], "line": [LINE], "watch": watch}
    return parse(
        {
            "site": {"mine_code": "220182000001", "gateway": "bench", "state": "suspended"},
            "storage": {"dir": "/nowhere"},
            "camera": [camera],
            "broker": [{"host": "127.0.0.1"}],
        }
    )


def opened(path: Path, watch: str, detector: Detector) -> tuple[list[float], list[str]]:
    """Seconds at which people's incidents began, and the directions counted."""
    config = site(watch)
    seal, begun, ways = Seal(config, initial(config.site.state)), [], []
    previous = START

    def note(drafts: Iterable[Draft]) -> None:
        for draft in drafts:
            if draft.type is RecordType.INCIDENT_OPENED and draft.data["code"] == PERSON:
                at = datetime.fromisoformat(str(draft.data["opened"])).timestamp()
                begun.append(at - START.wall_us / 1e6)

    def settle(outcome: Outcome, now: Stamp) -> None:
        note(outcome.facts)
        for activity in outcome.activities:
            if activity.kind is ActivityKind.LINE_CROSSED and activity.phase is Phase.STARTED:
                ways.append(activity.aspect)
            note(seal.judge(activity, now))

    for observation, _ in play(path, config.camera[0], detector, START):
        for moment in _moments(previous, observation.stamp):
            settle(seal.tick(moment), moment)
        previous = max(previous, observation.stamp, key=lambda stamp: stamp.mono_us)
        settle(seal.observe(observation), observation.stamp)
    return begun, ways


def _moments(previous: Stamp, now: Stamp) -> Iterator[Stamp]:
    """A tick a second between two observations."""
    step = round(TICK_S * 1e6)
    for us in range(step, now.mono_us - previous.mono_us, step):
        yield Stamp(previous.wall_us + us, previous.mono_us + us, previous.boot)


def main() -> None:
    """Play and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--video", type=Path, default=DATA / "one-by-one-person.mp4")
    parser.add_argument("--presence", type=Path, default=DATA / "presence.json")
    parser.add_argument("--model", default="", help="detector: a name or an .onnx file")
    parser.add_argument("--quick", action="store_true", help="key pictures only")
    args = parser.parse_args()
    listed = json.loads(args.presence.read_text())[args.video.name]
    detector = load_detector(args.model, 1)
    figures: dict[str, Any] = {"visits": len(listed["present"])}
    print("| stream | visits with one incident | strangers | in, out |\n|---|---|---|---|")

    def show(name: str, path: Path, watch: str) -> None:
        begun, ways = opened(path, watch, detector)
        counts, strangers = judge(begun, listed["present"], listed["fps"])
        one, inward = sum(count == 1 for count in counts), ways.count("in")
        print(f"| {name} | {one} of {len(counts)} | {strangers} | {inward}, {ways.count('out')} |")
        figures[name] = {
            "one_incident": one,
            "strangers": strangers,
            "in": inward,
            "out": ways.count("out"),
        }

    with tempfile.TemporaryDirectory() as folder:
        for group_s in GROUPS_S:
            name = f"keys-only-{group_s}s"
            show(name, coded(args.video, Path(folder, "k.mkv"), group_s, keys_only=True), "keys")
        if not args.quick:
            for group_s in GROUPS_S:
                path = coded(args.video, Path(folder, "w.mkv"), group_s, keys_only=False)
                show(f"keys-while-quiet-{group_s}s", path, "keys")
            show("full", args.video, "full")
    report(figures)


if __name__ == "__main__":
    main()
