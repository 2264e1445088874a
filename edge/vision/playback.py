"""A video file through the same sight, detector and tracker, in simulated time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import av

from edge.clock import Stamp
from edge.domain.observation import Observation, Quality, Sighting
from edge.errors import Refused
from edge.vision.camera.sight import Shown, Sight
from edge.vision.detect.detector import NO_INPUT, Detector
from edge.vision.detect.regions import Regions, merge
from edge.vision.follow.tracker import Tracker
from edge.vision.picture import Picture, Pixels
from edge.vision.spec import CameraSpec
from edge.vision.stream.decoding import StreamCodec, colour, luma
from edge.vision.stream.lazy import F
from edge.vision.stream.ring import P
from edge.vision.stream.source import VideoPacket, open_file, video_stream
from edge.vision.watch import Attention, as_found, as_quality

ALLOWED = 2  # regions of a picture: as many as a gateway's processor has time for
MAX_GAP_S = 10.0  # a longer gap between two pictures is a fault of the file's stamps


class Coming(NamedTuple):
    """A picture that may be had: `decode` it or let it pass.

    It may also be asked for when a later one moves, up to two of its groups later.

    Attributes:
        decode: gives the picture; each time the same.
        t: seconds since the first one, never going back.
        since_key: its number after its key picture; 0 is the key itself.
    """

    decode: Callable[[], av.VideoFrame]
    t: float
    since_key: int

    @property
    def size(self) -> int:
        return 0

    @property
    def is_keyframe(self) -> bool:
        return self.since_key == 0

    @property
    def pts(self) -> int | None:
        return None


class _Had:
    """A picture that is decoded when its pixels are wanted."""

    pts: int | None = None

    def __init__(self, coming: Coming) -> None:
        self._coming = coming

    @cached_property
    def frame(self) -> av.VideoFrame:
        return self._coming.decode()


class _Reel:
    """Pictures that decode themselves; a `lazy.Codec`."""

    def decode(self, packet: Coming) -> Sequence[_Had]:
        return [_Had(packet)]

    def drain(self) -> Sequence[_Had]:
        return []

    def restart(self) -> None:
        return

    def rest(self) -> None:
        return


@dataclass
class _Viewer:
    """Always takes the next picture."""

    leave: bool = True
    attentive: bool = False


Said = Iterator[tuple[Observation, Picture | None]]


def play(path: Path, camera: CameraSpec, detector: Detector | None, start: Stamp) -> Said:
    """What `watch` would have emitted for this file, deterministic.

    Args:
        path: any video file that FFmpeg reads.
        camera: whose code the observations carry.
        detector: None watches picture quality only.
        start: stamp of the first picture.

    Raises:
        Refused: the file is no video or breaks off in its middle; says which.
    """
    try:
        with open_file(str(path)) as container:
            stream = video_stream(container)
            codec = StreamCodec(stream)
            sight = Sight(codec, luma, camera.watch, camera.masks)
            sight.meter.codec = codec.name
            packets = _in_time(container.demux(stream))
            yield from _watched(packets, sight, colour, camera, detector, start)
    except av.FFmpegError as error:
        raise Refused(f"{path}: cannot be played ({error.strerror})") from error
    if sight.decoded < 0:
        raise Refused(f"{path}: no picture could be decoded")


def follow(
    pictures: Iterable[Coming], camera: CameraSpec, detector: Detector | None, start: Stamp
) -> Said:
    """The same for pictures from anywhere; only those that are looked at are decoded."""
    sight = Sight(_Reel(), lambda had: luma(had.frame), camera.watch, camera.masks)
    packets = ((coming, coming.t) for coming in pictures)
    return _watched(packets, sight, lambda had: colour(had.frame), camera, detector, start)


def _watched(
    packets: Iterable[tuple[P, float]],
    sight: Sight[P, F],
    pixels: Callable[[F], Pixels],
    camera: CameraSpec,
    detector: Detector | None,
    start: Stamp,
) -> Said:
    tracker, attention, viewer = Tracker(), Attention(), _Viewer()
    regions = Regions(
        *(detector.input if detector is not None else NO_INPUT),
        [zone.polygon for zone in camera.zone],
    )
    newest: Picture | None = None
    for packet, t in packets:
        for news in sight.take(packet, t, viewer):
            if not isinstance(news, Shown):
                eye = sight.eye
                at = start.moved(eye.looked)
                yield as_quality(camera.code, at, news, eye.state, eye.threshold), newest
                continue
            newest = Picture(pixels(news.frame), start.moved(news.at))
            if detector is None:
                yield Sighting(camera.code, newest.stamp, Quality.BAD, (), news.moving), newest
                continue
            size = newest.frame.shape[1], newest.frame.shape[0]
            wanted = regions.plan(size, news.moving, tracker.boxes, news.at, ALLOWED)
            found = detector.detect([region.cut(newest.frame) for region in wanted])
            looks = merge(list(zip(wanted, found, strict=True)), size, news.moving)
            objects = tracker.step(as_found(looks, *size), newest.stamp)
            viewer.attentive = attention.step(tracker.restless, newest.stamp)
            seen = Sighting(camera.code, newest.stamp, Quality.GOOD, objects, news.moving)
            yield seen, newest


def _in_time(packets: Iterable[VideoPacket]) -> Iterator[tuple[VideoPacket, float]]:
    """Every packet of a file and its time, seconds since the first one."""
    first: float | None = None
    t = 0.0
    for packet in packets:
        if not packet.size:
            continue
        stamp = packet.dts if packet.dts is not None else packet.pts
        at = float((stamp or 0) * (packet.time_base or 0))
        first = at if first is None else first
        # Stamps of a foreign file may jump; time goes forward, in bounded steps.
        t = min(max(t, at - first), t + MAX_GAP_S)
        yield packet, t
