"""A scene as an H.264 stream of which only what is asked for is rendered, encoded and decoded.

A key picture opens each group. What lies between two pictures that are asked for is left out of
the chain, so a picture is predicted from the one asked for before it. The quantiser is the one
with which the scene, encoded whole, takes the bit rate of a real camera.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import av
import cv2
import numpy as np
from av.video.frame import PictureType, VideoFrame

from edge.vision.playback import Coming
from simulators.cameras.encoder import default_kbps

if TYPE_CHECKING:
    from simulators.cameras.scene import Scene

FPS, GOP_S = 12.5, 2.0
_X264 = "repeat-headers=1:scenecut=0:bframes=0:log=-1:no-fast-pskip=1:no-dct-decimate=1"
_LOW_QP, _HIGH_QP = 16, 46


class _Coder:
    """Pictures through an encoder and a decoder, each at once."""

    def __init__(self, size: tuple[int, int], qp: int) -> None:
        context = cast("Any", av.CodecContext.create("libx264", "w"))
        context.width, context.height = size
        context.pix_fmt, context.time_base = "yuv420p", Fraction(1, 1000)
        context.framerate = Fraction(FPS).limit_denominator(10)
        context.gop_size, context.thread_count = 1_000_000, 1
        context.options = {
            "preset": "ultrafast",
            "tune": "zerolatency",
            "forced-idr": "1",
            "qp": str(qp),
            "x264-params": _X264,
        }
        self._encoder = context
        self._decoder = cast("Any", av.CodecContext.create("h264", "r"))
        self._decoder.thread_type, self._decoder.thread_count = "NONE", 1
        self._number = 0
        self.bytes = 0

    def frame(self, scene: Scene, t: float, *, key: bool) -> VideoFrame:
        """The picture of scene second `t` as a receiver sees it."""
        planes = np.asarray(cv2.cvtColor(scene.render(t), cv2.COLOR_BGR2YUV_I420), np.uint8)
        frame = VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.pts, frame.time_base = self._number, Fraction(1, 1000)
        frame.pict_type = PictureType.I if key else PictureType.P
        self._number += 80
        packets = self._encoder.encode(frame)
        self.bytes += sum(packet.size for packet in packets)
        shown = [seen for packet in packets for seen in self._decoder.decode(packet)]
        assert len(shown) == 1
        return cast("VideoFrame", shown[0])


_rated: dict[tuple[object, ...], int] = {}


def rated_qp(scene: Scene) -> int:
    """The quantiser with which a group of this scene takes a camera's bit rate, by bisection."""
    name = (scene.seed, scene.lens.fov, scene.condition, scene.sigma)
    if name not in _rated:
        _rated[name] = _rate(scene, default_kbps(scene.size, FPS) * 125 * GOP_S)
    return _rated[name]


def _rate(scene: Scene, wanted: float) -> int:
    low, high = _LOW_QP, _HIGH_QP
    while low < high:
        middle = (low + high) // 2
        coder = _Coder(scene.size, middle)
        for number in range(round(GOP_S * FPS)):
            coder.frame(scene, number / FPS, key=number == 0)
        if coder.bytes > wanted:
            low = middle + 1
        else:
            high = middle
    return low


class LazyStream:
    """Attributes: `asked`, how many pictures were made; `qp`, the quantiser."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self.qp = rated_qp(scene)
        self._coder = _Coder(scene.size, self.qp)
        self._group = -1
        self.asked = 0

    def pictures(self, seconds: float) -> Iterator[Coming]:
        """Every picture of the first `seconds`, to be had for the asking."""
        length = round(GOP_S * FPS)
        for number in range(round(seconds * FPS)):
            make = partial(self._picture, number, length)
            yield Coming(make, number / FPS, number % length)

    def _picture(self, number: int, length: int) -> VideoFrame:
        self.asked += 1
        group, since_key = divmod(number, length)
        if since_key and group != self._group:  # a decoder begins at the key
            self._coder.frame(self._scene, group * length / FPS, key=True)
        self._group = group
        return self._coder.frame(self._scene, number / FPS, key=since_key == 0)
