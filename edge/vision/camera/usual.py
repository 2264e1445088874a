"""What is usual of a camera's small grey picture, pixel by pixel: look, noise, unrest. Pure.

Three things are learned. The background, which follows the light. The noise of each region:
half of a region's pixels may be covered by something and the median does not notice. And the
unrest of each pixel about its own mean of the last seconds: leaves, snow, water, a lamp that
flickers; somebody who stands still makes none.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Marks = npt.NDArray[np.bool_]

FLOOR = 4.0  # grey levels; smaller differences are an encoder's
NOISE_FACTOR = 4.5  # times the standard deviation of the region's noise
UNREST_FACTOR = 5.5  # times the mean deviation of this very pixel
LEARN_S = 10.0  # time constant of the background where nothing moves; where something does …
ABSORB_S = 20.0  # … it is taken over once it has been still for this long
SHORT_S = 3.0  # time constant of the mean that unrest is measured against
UNREST_S = 20.0  # time constant of noise and unrest; where something moves …
UNREST_MOVING_S = 60.0  # … they are learned slowly, so that one visit teaches little
CALM_S = 6.0  # time constant of noise that falls
REGION = 16  # pixels; noise is measured in squares of this size
FIRST_PICTURES = 10  # the first ones count more
_UNREST_CAP = 12.0  # grey levels of unrest that one picture can show
_MAX_GAIN = 2.5
_SPREAD = 1.4826  # standard deviation of a normal distribution in median deviations
_FEW_LEVELS = 4.0  # a background flatter than this tells no gain


def relit(background: Floats, picture: Floats) -> Floats:
    """The background in the light of this picture: gain and offset fitted to most of it.

    Dawn, a cloud, exposure that hunts: all change gain and offset of the whole picture. What
    covers less than a quarter of it hardly moves the fit, as quartiles begin it.
    """
    x, y = background[::4, ::4].ravel(), picture[::4, ::4].ravel()
    low_x, mid_x, high_x = _quartiles(x)
    low_y, mid_y, high_y = _quartiles(y)
    gain = 1.0
    if high_x - low_x > _FEW_LEVELS:
        gain = min(max((high_y - low_y) / (high_x - low_x), 1 / _MAX_GAIN), _MAX_GAIN)
    offset = mid_y - gain * mid_x
    rest = np.abs(y - gain * x - offset)
    fitting = rest <= max(FLOOR / 2, 2.5 * _quartiles(rest)[1])
    x, y = x[fitting], y[fitting]
    mean_x, mean_y = float(x.mean()), float(y.mean())
    x = x - mean_x
    spread = float(x @ x)
    if spread > _FEW_LEVELS * len(x):
        gain = min(max(float(x @ (y - mean_y)) / spread, 1 / _MAX_GAIN), _MAX_GAIN)
    shown = np.float32(gain) * background + np.float32(mean_y - gain * mean_x)
    return np.asarray(np.clip(shown, 0, 255), np.float32)


def _quartiles(values: Floats) -> tuple[float, float, float]:
    ordered, size = np.sort(values), len(values)
    return float(ordered[size // 4]), float(ordered[size // 2]), float(ordered[3 * size // 4])


class Usual:
    """One camera's usual picture, begun with a first one; all are of one shape, float32."""

    def __init__(self, first: Floats) -> None:
        self._background = first
        self._recent = first.copy()
        self._still_s = np.zeros_like(first)
        self._unrest = np.zeros_like(first)
        rows, cols = (max(1, size // REGION) for size in first.shape)
        self._noise = np.zeros((rows, cols), np.float32)
        self._taken = 1

    def limit(self) -> Floats:
        """Grey levels by which each pixel must differ to be unusual."""
        height, width = self._background.shape
        noise = cv2.resize(self._noise, (width, height), interpolation=cv2.INTER_LINEAR)
        around = cv2.blur(self._unrest, (3, 3))
        return np.asarray(
            np.maximum(np.maximum(NOISE_FACTOR * noise, UNREST_FACTOR * around), FLOOR), np.float32
        )

    def lit(self, picture: Floats) -> Floats:
        """The background in this picture's light."""
        return relit(self._background, picture)

    def expected(self, picture: Floats) -> Floats:
        """The same; from now on it is the background."""
        expected = self.lit(picture)
        # What was seen in the seconds before is lit anew in the same way.
        self._recent += expected - self._background
        self._background = expected
        return expected

    def learn(self, picture: Floats, deviation: Floats, moving: Marks, elapsed: float) -> None:
        """Take in one picture: its deviation from what was expected, and where things move."""
        self._taken += 1
        first = 1 / self._taken if self._taken <= FIRST_PICTURES else 0.0
        stir = np.abs(picture - self._recent)
        self._recent += np.float32(max(first, _share(elapsed, SHORT_S))) * (picture - self._recent)
        slow, fast = (np.float32(_share(elapsed, s)) for s in (UNREST_MOVING_S, UNREST_S))
        rate = np.where(moving, slow, fast)
        self._unrest += rate * (np.minimum(stir, _UNREST_CAP) - self._unrest)
        self._measure(deviation, np.maximum(rate, np.float32(first)), _share(elapsed, CALM_S))
        still = stir <= np.maximum(FLOOR, UNREST_FACTOR * self._unrest)
        self._still_s = np.where(still, self._still_s + np.float32(elapsed), np.float32(0))
        quick = np.float32(max(first, _share(elapsed, LEARN_S)))
        absorbed = moving & (self._still_s >= ABSORB_S)
        # A new array: who was given the expected picture still compares with it.
        self._background = self._background + np.where(moving, np.float32(first), quick) * (
            picture - self._background
        )
        self._background[absorbed] = self._recent[absorbed]

    def _measure(self, deviation: Floats, rate: Floats, falling: float) -> None:
        """Noise of each region, by its median deviation; it rises to the double at most."""
        seen = _SPREAD * _middle(deviation, self._noise.shape)
        share = _middle(rate, self._noise.shape)
        most = 2 * self._noise + 0.5 if self._taken > FIRST_PICTURES else np.inf
        share = np.where(seen < self._noise, np.maximum(share, np.float32(falling)), share)
        self._noise += share * (np.minimum(seen, most) - self._noise)


def _middle(picture: Floats, shape: tuple[int, ...]) -> Floats:
    """The median of each of rows x cols regions, by every other pixel; a rest is left out."""
    rows, cols = shape
    high, wide = picture.shape[0] // rows, picture.shape[1] // cols
    cut = picture[: rows * high, : cols * wide].reshape(rows, high, cols, wide)[:, ::2, :, ::2]
    flat = np.sort(cut.transpose(0, 2, 1, 3).reshape(rows, cols, -1), axis=2)
    return np.asarray(flat[:, :, flat.shape[2] // 2], np.float32)


def _share(elapsed: float, constant: float) -> float:
    return 1 - math.exp(-elapsed / constant)
