"""Pictures to access units, through PyAV."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType, VideoFrame
from numpy.typing import NDArray

from simulators.cameras.units import AccessUnit, Codec, parameter_sets, unit_of

_TICKS = 90_000
_OPTIONS = {
    Codec.H264: (
        "libx264",
        {
            "preset": "ultrafast",
            "tune": "zerolatency",
            "forced-idr": "1",
            # without the second line sensor noise would be skipped away, and a live camera
            # would look like a frozen one
            "x264-params": "repeat-headers=1:scenecut=0:bframes=0:log=-1"
            ":no-fast-pskip=1:no-dct-decimate=1:deadzone-inter=6:deadzone-intra=6",
        },
    ),
    Codec.H265: (
        "libx265",
        {
            "preset": "ultrafast",
            "tune": "zerolatency",
            "forced-idr": "1",
            "x265-params": "repeat-headers=1:scenecut=0:open-gop=0:bframes=0:frame-threads=1"
            ":pools=none:log-level=none",
        },
    ),
}


class Encoder:
    """One encoder: no look-ahead, no B-frames, parameter sets before every key frame.

    Args:
        codec: H.264 or H.265.
        size: of the pictures, px, both even.
        fps: frames a second.
        gop: seconds from key frame to key frame.
        kbps: bit rate.
    """

    def __init__(
        self,
        codec: Codec,
        size: tuple[int, int],
        fps: float,
        *,
        gop: float = 1.0,
        kbps: int | None = None,
    ) -> None:
        name, options = _OPTIONS[codec]
        context = av.CodecContext.create(name, "w")
        assert isinstance(context, VideoCodecContext)
        context.width, context.height = size
        context.pix_fmt = "yuv420p"
        context.framerate = Fraction(fps).limit_denominator(1000)
        context.time_base = Fraction(1, _TICKS)
        context.gop_size = max(1, round(fps * gop))
        context.bit_rate = 1000 * (kbps or default_kbps(size, fps))
        context.thread_count = 1
        context.options = options
        self._context, self._codec = context, codec
        self._newest = -1

    def encode(
        self, picture: NDArray[np.uint8] | VideoFrame, pts: float, *, key: bool = False
    ) -> list[AccessUnit]:
        """Encode one picture (BGR, or a decoded frame), shown at `pts` seconds.

        `key` makes it a key frame out of turn.
        """
        if isinstance(picture, VideoFrame):
            frame = picture.reformat(
                width=self._context.width, height=self._context.height, format="yuv420p"
            )
        else:
            frame = VideoFrame.from_ndarray(picture, format="bgr24").reformat(format="yuv420p")
        self._newest = max(self._newest + 1, round(pts * _TICKS))
        frame.pts = self._newest
        frame.time_base = Fraction(1, _TICKS)
        frame.pict_type = PictureType.I if key else PictureType.NONE
        return self._units(frame)

    def flush(self) -> list[AccessUnit]:
        """What the encoder still holds; it takes nothing more."""
        return self._units(None)

    def _units(self, frame: VideoFrame | None) -> list[AccessUnit]:
        return [
            unit_of(self._codec, bytes(packet), (packet.pts or 0) / _TICKS)
            for packet in self._context.encode(frame)
        ]


def default_kbps(size: tuple[int, int], fps: float) -> int:
    """About what cameras use: 2.8 Mbit/s for 720p25."""
    return max(200, round(size[0] * size[1] * fps * 0.12 / 1000))


def probe_sets(codec: Codec, size: tuple[int, int], fps: float) -> tuple[bytes, ...]:
    """Parameter sets that an `Encoder` of these settings will put out."""
    encoder = Encoder(codec, size, fps)
    grey = np.full((size[1], size[0], 3), 128, np.uint8)
    units = encoder.encode(grey, 0.0) + encoder.flush()
    return parameter_sets(codec, [nal for unit in units for nal in unit.nals])
