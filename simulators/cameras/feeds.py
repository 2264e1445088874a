"""Where a camera's access units come from: a live scene, a loop encoded once, a file."""

from __future__ import annotations

import contextlib
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
from av.bitstream import BitStreamFilterContext

from edge.errors import SourceError
from simulators.cameras.encoder import Encoder, probe_sets
from simulators.cameras.scene import Scene
from simulators.cameras.units import AccessUnit, Codec, parameter_sets, unit_of

_FILTERS = {Codec.H264: "h264_mp4toannexb", Codec.H265: "hevc_mp4toannexb"}
_NAMES = {"h264": Codec.H264, "hevc": Codec.H265}


class Feed(ABC):
    """A source of access units in their own time.

    Attributes:
        codec: of the units.
        fps: frames a second.
        sets: parameter sets.
    """

    codec: Codec
    fps: float
    sets: tuple[bytes, ...]

    def __init__(self) -> None:
        self._wanted = threading.Event()

    def want_key(self) -> None:
        """Ask for a key frame soon; feeds that do not encode cannot oblige."""
        self._wanted.set()

    @abstractmethod
    def units(self, stop: threading.Event) -> Iterator[AccessUnit]:
        """Units, each when it is due, until `stop`; waits in the calling thread.

        Their `pts` are seconds of the monotonic clock: they ascend over several calls too.
        """


class LiveFeed(Feed):
    """A scene, rendered and encoded while somebody watches.

    `Scene.render` gets `Scene.now()` at the moment of rendering, so an actor that starts at
    `Scene.now() + 2` is in the picture two seconds of wall time from now.
    """

    def __init__(
        self,
        scene: Scene,
        codec: Codec | str = Codec.H264,
        fps: float = 12.5,
        *,
        gop: float = 1.0,
        kbps: int | None = None,
    ) -> None:
        super().__init__()
        self.scene, self.codec, self.fps = scene, Codec(codec), fps
        self._gop, self._kbps = gop, kbps
        self.sets = probe_sets(self.codec, scene.size, fps)

    def units(self, stop: threading.Event) -> Iterator[AccessUnit]:
        encoder = Encoder(self.codec, self.scene.size, self.fps, gop=self._gop, kbps=self._kbps)
        due = time.monotonic()
        while not stop.wait(max(0.0, due - time.monotonic())):
            due = max(due + 1 / self.fps, time.monotonic() - 1.0)  # late: skip, don't race
            picture = self.scene.render(self.scene.now())
            key = self._wanted.is_set()
            self._wanted.clear()
            yield from encoder.encode(picture, time.monotonic(), key=key)


@dataclass(frozen=True, slots=True)
class Loop:
    """Access units to be played over and over.

    Attributes:
        codec: of the units.
        units: in the order of decoding; the first one is a key frame; `pts` from about 0.
        length: seconds from the first frame to the first one of the next round.
        fps: frames a second.
    """

    codec: Codec
    units: tuple[AccessUnit, ...]
    length: float
    fps: float


class LoopFeed(Feed):
    """A loop of units that are encoded already: serving costs almost nothing.

    Args:
        loop: what to play; several feeds may share it.
        offset: seconds to wait before the first unit, so that many cameras are out of step.
    """

    def __init__(self, loop: Loop, *, offset: float = 0.0) -> None:
        super().__init__()
        self._loop, self._offset = loop, offset
        self.codec, self.fps = loop.codec, loop.fps
        self.sets = parameter_sets(loop.codec, [nal for unit in loop.units for nal in unit.nals])

    def switch(self, loop: Loop) -> None:
        """Play another loop of the same codec from the next round on, as when a size is changed."""
        self._loop = loop

    def units(self, stop: threading.Event) -> Iterator[AccessUnit]:
        start = time.monotonic() + self._offset
        while True:
            loop = self._loop
            step = loop.length / len(loop.units)
            for index, unit in enumerate(loop.units):
                if stop.wait(max(0.0, start + index * step - time.monotonic())):
                    return
                yield AccessUnit(unit.nals, start + unit.pts, unit.key)
            start += loop.length
            start = max(start, time.monotonic() - 1.0)  # the machine slept: don't race


class FileFeed(Feed):
    """Any video file, decoded and encoded anew, round and round at its own speed.

    Raises:
        SourceError: when PyAV cannot read it.
    """

    def __init__(self, path: Path, codec: Codec | str = Codec.H264, fps: float = 0.0) -> None:
        super().__init__()
        self._path, self.codec = path, Codec(codec)
        with _opened(path) as container:
            stream = container.streams.video[0]
            self.fps = fps or float(stream.average_rate or stream.guessed_rate or 25)
            self._size = (max(2, stream.width & ~1), max(2, stream.height & ~1))
        self.sets = probe_sets(self.codec, self._size, self.fps)

    def units(self, stop: threading.Event) -> Iterator[AccessUnit]:
        encoder = Encoder(self.codec, self._size, self.fps)
        due = time.monotonic()
        while True:
            with _opened(self._path) as container:
                for frame in container.decode(video=0):
                    if stop.wait(max(0.0, due - time.monotonic())):
                        return
                    due = max(due, time.monotonic() - 1.0) + 1 / self.fps
                    key = self._wanted.is_set()
                    self._wanted.clear()
                    yield from encoder.encode(frame, due, key=key)


def encode_loop(
    scene: Scene,
    seconds: float,
    codec: Codec | str = Codec.H264,
    fps: float = 25.0,
    *,
    start: float = 0.0,
    gop: float = 2.0,
    kbps: int | None = None,
) -> Loop:
    """Encode `seconds` of a scene from scene second `start`, once, as fast as it goes."""
    kind = Codec(codec)
    encoder = Encoder(kind, scene.size, fps, gop=gop, kbps=kbps)
    count = max(1, round(seconds * fps))
    units: list[AccessUnit] = []
    for index in range(count):
        units += encoder.encode(scene.render(start + index / fps), index / fps)
    units += encoder.flush()
    return Loop(kind, tuple(units), count / fps, fps)


def load_loop(path: Path) -> Loop:
    """An H.264 or H.265 file as it is, without encoding.

    Raises:
        SourceError: when it is not such a file, or does not start with a key frame.
    """
    with _opened(path) as container:
        stream = container.streams.video[0]
        codec = _NAMES.get(stream.codec_context.name)
        if codec is None:
            raise SourceError(f"{path}: is not H.264 or H.265; it has to be encoded anew")
        rate = float(stream.average_rate or 25)
        assert stream.time_base is not None
        tick = float(stream.time_base)
        annexb = BitStreamFilterContext(_FILTERS[codec], stream)
        packets = [done for packet in container.demux(stream) for done in annexb.filter(packet)]
        units = [
            unit_of(codec, bytes(packet), packet.pts * tick)
            for packet in packets
            if packet.pts is not None and packet.size
        ]
    if not units or not units[0].key:
        raise SourceError(f"{path}: does not start with a key frame")
    first = min(unit.pts for unit in units)
    moved = tuple(AccessUnit(unit.nals, unit.pts - first, unit.key) for unit in units)
    length = max(unit.pts for unit in moved) + 1 / rate
    return Loop(codec, moved, length, rate)


def play_feed(path: Path, codec: Codec | str | None = None) -> Feed:
    """The cheapest way to play a file in a loop: as it is if it can be, else encoded anew.

    Args:
        path: a video.
        codec: what the camera must send; None leaves it to the file.

    Raises:
        SourceError: when it cannot be played.
    """
    with _opened(path) as container:
        inside = _NAMES.get(container.streams.video[0].codec_context.name)
    if inside is not None and codec in {None, inside}:
        with contextlib.suppress(SourceError):  # an odd beginning: encode it
            return LoopFeed(load_loop(path))
    return FileFeed(path, codec or Codec.H264)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[av.container.InputContainer]:
    try:
        container = av.open(str(path))
    except (av.FFmpegError, OSError) as error:
        raise SourceError(f"{path}: {error}") from error
    with container:
        if not container.streams.video:
            raise SourceError(f"{path}: has no video")
        yield container


def annexb(units: Sequence[AccessUnit]) -> bytes:
    """Units as one Annex B stream, for a decoder or a file."""
    return b"".join(b"\0\0\0\1" + nal for unit in units for nal in unit.nals)
