"""A video file through the same gate, detector and tracker, in simulated time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import av

from edge.clock import Stamp
from edge.domain.observation import Observation, Quality, Sighting
from edge.errors import Refused
from edge.vision.detector import Detector
from edge.vision.eye import Eye, Pace
from edge.vision.picture import Picture
from edge.vision.source import open_file, video_stream
from edge.vision.spec import CameraSpec
from edge.vision.stream import LazyDecoder, colour, luma
from edge.vision.tracker import Tracker
from edge.vision.watch import Attention, as_found, as_quality

MAX_GAP_S = 10.0  # a longer gap between two pictures is a fault of the file's stamps


class Coming(NamedTuple):
    """A picture that may be had: `decode` it or let it pass, before the next one comes.

    Attributes:
        decode: gives the picture.
        t: seconds since the first one, never going back.
        since_key: its number after its key picture; 0 is the key itself.
    """

    decode: Callable[[], av.VideoFrame]
    t: float
    since_key: int


def play(
    path: Path, camera: CameraSpec, detector: Detector | None, start: Stamp
) -> Iterator[tuple[Observation, Picture | None]]:
    """What `watch` would have emitted for this file, deterministic.

    Args:
        path: any video file that FFmpeg reads.
        camera: whose code the observations carry.
        detector: None watches picture quality only.
        start: stamp of the first picture.

    Raises:
        Refused: the file is no video or breaks off in its middle; says which.
    """
    return follow(_frames(path), camera, detector, start)


def follow(
    pictures: Iterable[Coming], camera: CameraSpec, detector: Detector | None, start: Stamp
) -> Iterator[tuple[Observation, Picture | None]]:
    """The same for pictures from anywhere; only those that are looked at are decoded."""
    eye, pace, tracker, attention = Eye(), Pace(), Tracker(), Attention()
    attentive = False
    newest: Picture | None = None
    for decode, t, since_key in pictures:
        if not pace.due(t, since_key == 0, eye.awake):
            continue
        pace.looked(t)
        if not eye.wants(t, since_key):
            continue
        stamp, frame = _later(start, t), decode()
        look = eye.step(luma(frame), t, since_key, leave=True, attentive=attentive)
        if look.picture is not None:
            newest = Picture(colour(frame), stamp)
            if detector is not None:
                height, width = newest.frame.shape[:2]
                found = as_found(detector.detect([newest.frame])[0], width, height)
                objects = tracker.step(found, stamp)
                attentive = attention.step(tracker.restless, stamp)
                yield Sighting(camera.code, stamp, Quality.GOOD, objects), newest
        if look.measures is not None:
            yield as_quality(camera.code, stamp, look.measures), newest


def _frames(path: Path) -> Iterator[Coming]:
    """Every picture of the file."""
    try:
        with open_file(str(path)) as container:
            stream = video_stream(container)
            lazy = LazyDecoder(stream)
            first: float | None = None
            t = 0.0
            for packet in container.demux(stream):
                if not packet.size:
                    continue
                lazy.take(packet)
                for frame, since_key in lazy.decode():
                    at = float(frame.time or 0.0)
                    first = at if first is None else first
                    # Stamps of a foreign file may jump; time goes forward, in bounded steps.
                    t = min(max(t, at - first), t + MAX_GAP_S)
                    yield Coming(lambda frame=frame: frame, t, since_key)  # type: ignore[misc]
    except av.FFmpegError as error:
        raise Refused(f"{path}: cannot be played ({error.strerror})") from error
    if first is None:
        raise Refused(f"{path}: no picture could be decoded")


def _later(start: Stamp, seconds: float) -> Stamp:
    step = round(seconds * 1e6)
    return Stamp(start.wall_us + step, start.mono_us + step, start.boot)
