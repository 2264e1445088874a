"""Makes small video files for the tests, with the encoders that PyAV carries."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import cast

import av
import numpy as np

from edge.vision.picture import Pixels

FPS = 25


def write_video(
    path: Path,
    frames: Iterable[Pixels],
    *,
    group: int = 25,
    codec: str = "libx264",
    b_frames: int = 0,
) -> Path:
    with av.open(str(path), "w") as container:
        stream = cast("av.VideoStream", container.add_stream(codec, rate=FPS))
        stream.pix_fmt = "yuv420p"
        stream.options = {"preset": "ultrafast", "crf": "20"}
        if codec == "libx265":
            stream.options["x265-params"] = f"log-level=none:keyint={group}:min-keyint={group}"
        stream.codec_context.gop_size = group
        stream.codec_context.max_b_frames = b_frames
        stream.codec_context.time_base = Fraction(1, FPS)
        for i, pixels in enumerate(frames):
            if i == 0:
                stream.height, stream.width = pixels.shape[:2]
            frame = av.VideoFrame.from_ndarray(pixels, format="bgr24")
            frame.pts = i
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def yard(seed: int = 1, size: tuple[int, int] = (320, 180)) -> Pixels:
    """A still scene with hard edges."""
    rng = np.random.default_rng(seed)
    width, height = size
    scene = np.full((height, width, 3), 110, np.uint8)
    for _ in range(25):
        x, y = int(rng.integers(0, width - 40)), int(rng.integers(0, height - 30))
        scene[y : y + 20, x : x + 30] = rng.choice([25, 60, 160, 220])
    return scene


def noisy(scene: Pixels, seed: int, sigma: float = 3.0) -> Pixels:
    noise = _noise(scene.shape, seed % 16)
    return np.clip(scene + sigma * noise, 0, 255).astype(np.uint8)


@cache
def _noise(shape: tuple[int, ...], seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 1, shape).astype(np.float32)


def quiet(seconds: float, *, sigma: float = 3.0, first: int = 0) -> Iterable[Pixels]:
    for i in range(round(seconds * FPS)):
        yield noisy(yard(), first + i, sigma)


def walk(seconds: float) -> Iterable[Pixels]:
    """Something of a person's size crosses the yard."""
    for i in range(round(seconds * FPS)):
        scene = yard()
        x = (4 * i) % 300
        scene[90:140, x : x + 16] = (40, 40, 230)
        yield noisy(scene, i)
