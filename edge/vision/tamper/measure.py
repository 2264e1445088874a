"""Measures of one camera's pictures: how bright, how rich, how sharp, how alive. Pure."""

from __future__ import annotations

import math
import zlib
from collections import deque

import cv2
import numpy as np

from edge.domain.observation import Measures
from edge.vision.picture import Pixels, fitted, inner
from edge.vision.tamper.liveness.life import Life
from edge.vision.tamper.sketch import Sketcher

MEASURE_WIDTH = 320  # pixels; measures are comparable between cameras of any resolution
KEYS_KEPT = 8  # key pictures that a new one may be equal to
STILL_NOISE = 0.1  # grey levels that two pictures of a live sensor differ by at least, on average
DARK_LEVEL, BRIGHT_LEVEL = 32, 230  # of 256; black is 16 and white 235 in most videos


def shrunk(luma: Pixels, width: int) -> Pixels:
    """A grey picture of the given width (or smaller) and the same shape; areas are averaged."""
    size = fitted(luma.shape[1], luma.shape[0], width)
    return np.asarray(cv2.resize(luma, size, interpolation=cv2.INTER_AREA), np.uint8)


def _same(figure: float) -> float:
    """Without the last digits, in which sums differ by where in memory the pixels lie.

    A replay must give the same figures each time.
    """
    return round(figure, 4)


class Stillness:
    """Since when no two pictures differed as a live sensor's do.

    Key pictures are compared: between them an encoder may skip a live sensor's noise or go on
    refining a still picture, but it begins each group anew. Of a still source most are equal to
    the last bit, or to one of those before: a quantiser that wanders comes back. What else an
    encoder makes of it differs by less than noise. One picture that differs may be a change of
    the quantiser, two in a row are not. The strips where cameras write the time are left out.
    """

    def __init__(self) -> None:
        self._key: Pixels | None = None
        self._seen: deque[int] = deque(maxlen=KEYS_KEPT)
        self._since: float | None = None
        self._differed = False

    def step(self, luma: Pixels, t: float, since_key: int) -> float:
        """Take the luma of a decoded picture and how many pictures after its key it came.

        Returns:
            Seconds of stillness up to now.
        """
        if since_key == 0:
            rows = np.ascontiguousarray(inner(luma)[::4])
            still = self._is_still(rows)
            if still and self._since is None:
                self._since = t
            if not still and self._differed:
                self._since = None
            self._key, self._differed = rows, not still
        return 0.0 if self._since is None else max(0.0, t - self._since)

    def _is_still(self, rows: Pixels) -> bool:
        print_ = zlib.crc32(rows.data, rows.shape[0] << 16 | rows.shape[1])
        known = print_ in self._seen
        if not known:
            self._seen.append(print_)
        if known or self._key is None or self._key.shape != rows.shape:
            return known
        return cv2.norm(rows, self._key, cv2.NORM_L1) / max(1, rows.size) < STILL_NOISE


class Measurer:
    """The measures of one connection's pictures."""

    def __init__(self) -> None:
        self._stillness = Stillness()
        self._sketcher = Sketcher()
        self._life = Life()

    def watch(self, luma: Pixels, t: float, since_key: int) -> float:
        """Take every picture that is looked at; gives the seconds of stillness."""
        self._life.step(luma, t, since_key)
        return self._stillness.step(luma, t, since_key)

    def measure(self, grey: Pixels, size: tuple[int, int], still_s: float) -> Measures:
        """Measures of a grey picture that is `MEASURE_WIDTH` wide; call it about once a second.

        Args:
            grey: the picture, shrunk.
            size: width and height of the picture before.
            still_s: what `watch` said of it.
        """
        part = inner(grey)
        sketch, shift = self._sketcher.step(part)
        levels = np.bincount(part.ravel(), minlength=256) / max(1, part.size)
        steps = np.arange(256)
        mean = float(levels @ steps)
        return Measures(
            brightness=_same(mean),
            contrast=_same(math.sqrt(max(0.0, float(levels @ (steps - mean) ** 2)))),
            sharpness=_same(float(cv2.Laplacian(part, cv2.CV_64F).var())),
            still_s=still_s,
            dark=_same(float(levels[:DARK_LEVEL].sum())),
            bright=_same(float(levels[BRIGHT_LEVEL:].sum())),
            shift_px=_same(shift),
            width=size[0],
            height=size[1],
            repeats=self._life.signs.repeats,
            repeat_lag_s=_same(self._life.signs.repeat_lag_s),
            clock_s=self._life.signs.clock_s,
            clock_date=self._life.signs.clock_date,
            sketch=sketch.pack(),
        )
