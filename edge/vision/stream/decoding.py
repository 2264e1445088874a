"""PyAV's decoder as `lazy.py` wants it, and its pictures as arrays."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import TypeAlias, cast

import av
import cv2
import numpy as np
from av.video.reformatter import VideoReformatter

from edge.errors import Refused
from edge.vision.picture import Pixels, fitted
from edge.vision.stream.source import MAX_PIXELS, MAX_SIDE, VideoPacket

_LIBC = ctypes.CDLL(None)
_FULL_RANGE = 2  # AVCOL_RANGE_JPEG
Frames: TypeAlias = Sequence[av.VideoFrame]

_SELF_CONTAINED = frozenset({"h264", "hevc"})  # all that a decoder needs is in the stream
_PLANAR = frozenset({"yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "nv12", "gray"})


class StreamCodec:
    """The decoder of one stream; a `lazy.Codec`."""

    def __init__(self, stream: av.VideoStream) -> None:
        self.stream = stream
        self.name = stream.codec_context.name
        self._context = stream.codec_context
        self.rest()

    def decode(self, packet: VideoPacket) -> Frames:
        """Pictures that are ready. Raises Refused when torn, MemoryError when too large."""
        try:
            return self._sized(self._context.decode(packet))
        except av.error.InvalidDataError as error:
            raise Refused("a torn packet") from error

    def drain(self) -> Frames:
        """What the decoder holds back; then it begins anew."""
        try:
            return self._sized(self._context.decode(None))
        except av.FFmpegError:
            return []
        finally:
            self.restart()

    def restart(self) -> None:
        """Begin anew."""
        self._context.flush_buffers()

    def rest(self) -> None:
        """Begin anew with a decoder that holds no pictures: of 1080p some are 20 MB."""
        if self.name not in _SELF_CONTAINED:
            return
        context = cast("av.VideoCodecContext", av.CodecContext.create(self.name, "r"))
        context.extradata = self.stream.codec_context.extradata
        context.thread_type, context.thread_count = "NONE", 1
        self._context = context
        _give_back()

    @staticmethod
    def _sized(frames: Frames) -> Frames:
        if any(
            frame.width * frame.height > MAX_PIXELS or max(frame.width, frame.height) > MAX_SIDE
            for frame in frames
        ):
            raise MemoryError
        return frames


def _give_back() -> None:
    """Give free memory back to the system, from between what is held as well."""
    if hasattr(_LIBC, "malloc_trim"):  # glibc
        _LIBC.malloc_trim(0)


def luma(frame: av.VideoFrame) -> Pixels:
    """Luma of a decoded picture, height x width; a view where the format allows it."""
    if frame.format.name not in _PLANAR:
        return np.asarray(frame.reformat(format="gray", threads=1).to_ndarray(), np.uint8)
    return _rows(frame.planes[0])


class Canvas:
    """Decoded pictures as BGR, at most 1280 pixels on the longer side, one after the other."""

    def __init__(self) -> None:
        self._planes: Pixels = np.empty((0, 0), np.uint8)
        self._colours: Pixels = np.empty((0, 0, 3), np.uint8)
        self._reformatter = VideoReformatter()  # kept: its tables are made once

    def paint(self, frame: av.VideoFrame) -> Pixels:
        """The picture; its memory is used again by the next one."""
        width, height = fitted(frame.width, frame.height)
        usual = frame.format.name == "yuv420p" and frame.color_range != _FULL_RANGE
        even = not (frame.width | frame.height | width | height) % 2
        if usual and even and frame.width <= 2 * width:
            return self._quickly(frame, width, height)
        small = self._reformatter.reformat(
            frame, width=width, height=height, format="bgr24", interpolation="AREA", threads=1
        )
        plane = small.planes[0]
        rows = np.frombuffer(memoryview(plane), np.uint8)[: plane.line_size * height]
        return rows.reshape(height, plane.line_size)[:, : 3 * width].reshape(height, width, 3)

    def _quickly(self, frame: av.VideoFrame, width: int, height: int) -> Pixels:
        """Make each plane smaller, then the colours of what is left, in memory held already."""
        if self._colours.shape[:2] != (height, width):
            self._planes = np.empty((height * 3 // 2, width), np.uint8)
            self._colours = np.empty((height, width, 3), np.uint8)
        quarter = height // 4 * width + height % 4 * width // 4
        flat = self._planes.reshape(-1)
        targets = (
            self._planes[:height],
            flat[height * width :][:quarter].reshape(height // 2, width // 2),
            flat[height * width :][quarter:].reshape(height // 2, width // 2),
        )
        for plane, target in zip(frame.planes, targets, strict=True):
            size = (target.shape[1], target.shape[0])
            cv2.resize(_rows(plane), size, dst=target, interpolation=cv2.INTER_LINEAR)
        cv2.cvtColor(self._planes, cv2.COLOR_YUV2BGR_I420, dst=self._colours)
        return self._colours


def colour(frame: av.VideoFrame) -> Pixels:
    """One picture as `Canvas` paints it, in memory of its own."""
    return Canvas().paint(frame)


def _rows(plane: av.video.plane.VideoPlane) -> Pixels:
    rows = np.frombuffer(memoryview(plane), np.uint8)[: plane.line_size * plane.height]
    return rows.reshape(plane.height, plane.line_size)[:, : plane.width]
