"""PyAV's decoder as `lazy.py` wants it, and its pictures as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from edge.errors import Refused
from edge.vision.picture import Pixels, fitted
from edge.vision.source import MAX_PIXELS, MAX_SIDE, VideoPacket

__all__ = ["StreamCodec", "VideoPacket", "colour", "luma"]

Frames: TypeAlias = Sequence[av.VideoFrame]

_reformatter = VideoReformatter()  # kept: its tables are made once
_PLANAR = frozenset({"yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "nv12", "gray"})


class StreamCodec:
    """The decoder of one stream; a `lazy.Codec`."""

    def __init__(self, stream: av.VideoStream) -> None:
        self.stream = stream
        self.name = stream.codec_context.name

    def decode(self, packet: VideoPacket) -> Frames:
        """Pictures that are ready. Raises Refused when torn, MemoryError when too large."""
        try:
            return self._sized(self.stream.codec_context.decode(packet))
        except av.error.InvalidDataError as error:
            raise Refused("a torn packet") from error

    def drain(self) -> Frames:
        """What the decoder holds back; then it begins anew."""
        try:
            return self._sized(self.stream.codec_context.decode(None))
        except av.FFmpegError:
            return []
        finally:
            self.restart()

    def restart(self) -> None:
        """Begin anew."""
        self.stream.codec_context.flush_buffers()

    @staticmethod
    def _sized(frames: Frames) -> Frames:
        if any(
            frame.width * frame.height > MAX_PIXELS or max(frame.width, frame.height) > MAX_SIDE
            for frame in frames
        ):
            raise MemoryError
        return frames


def luma(frame: av.VideoFrame) -> Pixels:
    """Luma of a decoded picture, height x width; a view where the format allows it."""
    if frame.format.name not in _PLANAR:
        return np.asarray(frame.reformat(format="gray", threads=1).to_ndarray(), np.uint8)
    plane = frame.planes[0]
    rows = np.frombuffer(memoryview(plane), np.uint8)[: plane.line_size * frame.height]
    return rows.reshape(frame.height, plane.line_size)[:, : frame.width]


def colour(frame: av.VideoFrame) -> Pixels:
    """A decoded picture as BGR, at most 1280 pixels on the longer side; a view, to be read soon."""
    width, height = fitted(frame.width, frame.height)
    small = _reformatter.reformat(
        frame, width=width, height=height, format="bgr24", interpolation="AREA", threads=1
    )
    plane = small.planes[0]
    rows = np.frombuffer(memoryview(plane), np.uint8)[: plane.line_size * height]
    return rows.reshape(height, plane.line_size)[:, : 3 * width].reshape(height, width, 3)
