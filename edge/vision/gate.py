"""The motion gate: does a small grey picture differ from what is usual here? Pure.

It must not go blind. Its threshold follows the noise it measures but is bounded; learning is
bounded in time, and while it learns it counts as open; whatever stays is taken into the
background, and whoever stands still is the business of the look-anyway pictures.
"""

from __future__ import annotations

import math
from enum import StrEnum

import cv2
import numpy as np
import numpy.typing as npt

from edge.vision.measure import inner
from edge.vision.picture import Pixels

Floats = npt.NDArray[np.float32]

GATE_WIDTH = 160  # pixels of the longer side
CALIBRATE_PICTURES = 4  # learning ends after so many pictures …
CALIBRATE_S = 5.0  # … or after this long, whichever is first
FLOOR = 4.0  # grey levels; smaller differences are an encoder's
NOISE_FACTOR = 5.0  # times the standard deviation of the picture's noise
UNREST_FACTOR = 6.0  # times the mean deviation of this very pixel (leaves, snow, water)
CEILING = 40.0  # grey levels; no noise makes the gate blinder than this
MIN_BLOB = 0.0006  # of the picture that must differ in one piece, …
BLOB_FACTOR = 2.5  # … or this many times the usual piece (rain, snow), …
MAX_BLOB = 0.0025  # … but never more than this: a person of an eighth of its height
BORDER = 0.08  # strips at the top and bottom, where cameras write the time, are not looked at
SCENE_SHARE = 0.4  # when more differs than this, it is another scene (light, cover)
HOLD_S = 2.0  # open for this long after the last motion
LEARN_S = 10.0  # time constant of the background where nothing moves …
LEARN_MOVING_S = 60.0  # … and where something does
UNREST_S = 20.0  # time constant of the noise figures
_UNREST_CAP = 16.0  # grey levels that one passing thing may teach a pixel


class GateState(StrEnum):
    """What the gate says; `CALIBRATING` counts as open."""

    OPEN = "open"
    QUIET = "quiet"
    CALIBRATING = "calibrating"


class Gate:
    """One camera's gate. Feed it pictures in order of time, at any rate."""

    def __init__(self) -> None:
        self._background: Floats | None = None
        self._unrest: Floats = np.zeros((0, 0), np.float32)
        self._noise = self._usual_blob = 0.0
        self._begun = self._t = 0.0
        self._taken = 0
        self._moved = -math.inf

    @property
    def threshold(self) -> float:
        """Grey levels that a typical pixel must differ by: the gate's health figure."""
        return min(CEILING, max(FLOOR, NOISE_FACTOR * self._noise))

    def step(self, grey: Pixels, t: float) -> GateState:
        """Take a grey picture at `t` seconds (never going back)."""
        smooth = cv2.GaussianBlur(inner(grey, BORDER), (5, 5), 1.2).astype(np.float32)
        if self._background is None or self._background.shape != smooth.shape:
            self._background = smooth
            self._unrest = np.zeros_like(smooth)
            self._begun, self._t, self._taken = t, t, 1
            self._moved = -math.inf
            return GateState.CALIBRATING
        elapsed, self._t = max(0.0, t - self._t), t
        self._taken += 1
        difference = smooth - self._background
        light = np.float32(np.median(difference))  # dawn, a passing cloud, automatic exposure
        deviation = np.abs(difference - light)
        moving = self._moving(deviation)
        share = float(moving.mean())
        calibrating = self._taken <= CALIBRATE_PICTURES and t - self._begun < CALIBRATE_S
        if share > SCENE_SHARE and not calibrating:
            self._background = smooth
        else:
            self._learn(difference, light, deviation, moving, elapsed, calibrating)
        blob = _largest(moving)
        limit = min(max(MIN_BLOB, BLOB_FACTOR * self._usual_blob), MAX_BLOB)
        learned = max(1 / self._taken, _share(elapsed, UNREST_S))
        self._usual_blob += learned * (min(blob, MAX_BLOB) - self._usual_blob)
        if calibrating:
            return GateState.CALIBRATING
        if blob >= limit:
            self._moved = t
        return GateState.OPEN if t - self._moved <= HOLD_S else GateState.QUIET

    def _moving(self, deviation: Floats) -> npt.NDArray[np.bool_]:
        limit = np.clip(UNREST_FACTOR * self._unrest, self.threshold, CEILING)
        mask = (deviation > limit).astype(np.uint8)
        # Single pixels are noise; a thing covers at least two by two.
        return np.asarray(
            cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((2, 2), np.uint8)), np.bool_
        )

    def _learn(
        self,
        difference: Floats,
        light: np.float32,
        deviation: Floats,
        moving: npt.NDArray[np.bool_],
        elapsed: float,
        calibrating: bool,
    ) -> None:
        assert self._background is not None
        # The median over the picture is blind to anything that covers less than half of it.
        spread = 1.4826 * float(np.median(deviation))
        share = max(1 / self._taken if calibrating else 0.0, _share(elapsed, UNREST_S))
        self._noise += share * (spread - self._noise)
        self._unrest += np.float32(share) * (np.minimum(deviation, _UNREST_CAP) - self._unrest)
        quick = max(share if calibrating else 0.0, _share(elapsed, LEARN_S))
        rate = np.where(
            moving, np.float32(_share(elapsed, LEARN_MOVING_S)), np.float32(quick)
        ).astype(np.float32)
        self._background += light + rate * (difference - light)


def _largest(moving: npt.NDArray[np.bool_]) -> float:
    """Share of the picture that the largest connected piece covers."""
    _, _, figures, _ = cv2.connectedComponentsWithStats(moving.astype(np.uint8))
    return float(figures[1:, cv2.CC_STAT_AREA].max(initial=0)) / moving.size


def _share(elapsed: float, constant: float) -> float:
    return 1 - math.exp(-elapsed / constant)
