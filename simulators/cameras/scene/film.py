"""What happens between the scene and the encoder: noise, covers, the clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import cv2
import numpy as np

from simulators.cameras.scene.sprite import as_bytes
from simulators.cameras.scene.textures import Image, fractal

_LOCAL = timezone(timedelta(hours=8))  # the clock that cameras in China show
_SPARE = 128  # px by which the noise bank is larger than the picture


class Noise:
    """Sensor noise that differs in every picture: the sum of two cuts, by chance, from a bank."""

    def __init__(self, size: tuple[int, int], deviation: float, *, grey: bool, seed: int) -> None:
        width, height = size
        deviation /= 2**0.5  # of each of the two
        rng = np.random.default_rng(seed)
        shape = (height + _SPARE, width + _SPARE)
        luma = rng.standard_normal(shape, np.float32)[..., None]
        if grey:
            noise = np.repeat(luma, 3, axis=2) * deviation
        else:
            noise = (0.85 * luma + 0.5 * rng.standard_normal((*shape, 3), np.float32)) * deviation
        noise = np.round(noise)
        self._more, self._less = as_bytes(noise), as_bytes(-noise)
        self._size = size

    def add(self, picture: Image, rng: np.random.Generator) -> None:
        """Put noise on `picture`, in place."""
        width, height = self._size
        for _ in range(2):  # one alone would come again within minutes
            left, top = (int(value) for value in rng.integers(0, _SPARE, 2))
            flip = int(rng.integers(2))
            part = np.s_[top : top + height, left : left + width]
            more, less = (self._more, self._less) if flip else (self._less, self._more)
            cv2.add(picture, more[part], dst=picture)
            cv2.subtract(picture, less[part], dst=picture)


def cover(size: tuple[int, int], kind: str, seed: int) -> Image:
    """What a covered lens shows: a dark `cloth` with light at one edge, or grey `spray`."""
    width = size[0]
    rng = np.random.default_rng(seed)
    folds = cv2.resize(fractal(rng, 128, 128, cells=2, octaves=4), size)[..., None]
    across = np.linspace(0, 1, width, dtype=np.float32)[None, :, None]
    if kind == "spray":
        drops = cv2.resize(fractal(rng, 128, 128, cells=8, octaves=3), size)[..., None]
        tone = 118 + 12 * folds + 14 * np.clip(drops, 0.2, 2)
        colour = np.array([1.02, 1.0, 0.97], np.float32)
    else:
        tone = 15 + 3.5 * folds + 34 * np.clip(across - 0.86, 0, 1) * (1.5 + folds)
        colour = np.array([1.12, 1.0, 0.95], np.float32)
    soft = cv2.GaussianBlur((tone * colour).astype(np.float32), (0, 0), max(1.0, width / 160))
    return as_bytes(np.asarray(soft, np.float32))


def write_clock(picture: Image, wall_s: float, name: str) -> None:
    """The time (UTC+8) and the camera's name, as cameras write them into the picture."""
    stamp = datetime.fromtimestamp(wall_s, UTC).astimezone(_LOCAL)
    height, width = picture.shape[:2]
    size = height / 720
    thick = max(1, round(1.6 * size))
    text = stamp.strftime("%Y-%m-%d %H:%M:%S")
    _write(picture, text, (int(18 * size), int(34 * size)), 0.85 * size, thick)
    (wide, _), _ = cv2.getTextSize(name, cv2.FONT_HERSHEY_SIMPLEX, 0.8 * size, thick)
    place = (width - wide - int(18 * size), height - int(20 * size))
    _write(picture, name, place, 0.8 * size, thick)


def _write(picture: Image, text: str, place: tuple[int, int], scale: float, thick: int) -> None:
    font = cv2.FONT_HERSHEY_SIMPLEX
    cv2.putText(picture, text, place, font, scale, (20, 20, 20), thick + 2, cv2.LINE_AA)
    cv2.putText(picture, text, place, font, scale, (240, 240, 240), thick, cv2.LINE_AA)
