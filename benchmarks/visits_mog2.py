"""The baseline: everything decoded, OpenCV's MOG2 as the gate, the same detector and rules.

Five pictures a second, 640 wide and grey, as OpenCV's own background subtractor comes (history
500, threshold 16, shadows on); a piece of foreground of at least 0.06 % of the picture, after
an opening by 3x3, opens it for two seconds. No part of it is ours but the size of the piece.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from benchmarks.visits_run import START, Noted, Played, judge, site
from benchmarks.visits_stream import LazyStream
from edge.clock import Stamp
from edge.domain.observation import Observation, Quality, Sighting
from edge.vision.follow.tracker import Tracker
from edge.vision.picture import Picture
from edge.vision.stream.decoding import colour
from edge.vision.watch import as_found

if TYPE_CHECKING:
    from benchmarks.visits_clip import Clip
    from edge.vision.detect.detector import Detector
    from edge.vision.picture import Pixels
    from edge.vision.playback import Coming

LOOK_S, HOLD_S, WIDTH, MIN_PIECE = 0.2, 2.0, 640, 0.0006
_LEARNING = 50  # pictures in which everything is foreground


class _Mog2:
    def __init__(self) -> None:
        self._model = cv2.createBackgroundSubtractorMOG2(500, 16, detectShadows=True)
        self._taken = 0

    def moves(self, frame: Pixels) -> bool:
        height = round(WIDTH * frame.shape[0] / frame.shape[1])
        grey = cv2.cvtColor(cv2.resize(frame, (WIDTH, height)), cv2.COLOR_BGR2GRAY)
        mask = np.asarray(self._model.apply(grey) == 255, np.uint8)
        self._taken += 1
        if self._taken <= _LEARNING:
            return False
        mask = np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)))
        _, _, figures, _ = cv2.connectedComponentsWithStats(mask)
        return bool(figures[1:, cv2.CC_STAT_AREA].max(initial=0) >= MIN_PIECE * mask.size)


def _follow(
    pictures: Iterable[Coming], code: str, detector: Detector
) -> Iterator[tuple[Observation, Picture | None]]:
    gate, tracker = _Mog2(), Tracker()
    looked, moved = -math.inf, -math.inf
    for decode, t, _ in pictures:
        if t - looked < LOOK_S - 0.01:
            continue
        looked = t
        frame = colour(decode())
        if gate.moves(frame):
            moved = t
        if t - moved > HOLD_S:
            continue
        step = round(t * 1e6)
        stamp = Stamp(START.wall_us + step, START.mono_us + step, START.boot)
        height, width = frame.shape[:2]
        found = as_found(detector.detect([frame])[0], width, height)
        objects = tracker.step(found, stamp)
        yield Sighting(code, stamp, Quality.GOOD, objects), Picture(frame, stamp)


def run(clip: Clip, detector: Detector) -> Played:
    """Play the clip through the baseline."""
    noted, stream = Noted(detector), LazyStream(clip.scene)
    config = site(clip.scene)
    played = Played()
    watched = _follow(stream.pictures(clip.seconds), config.camera[0].code, cast("Detector", noted))
    judge(config, clip.scene, watched, played, noted)
    played.asked, played.detected = stream.asked, noted.calls
    return played
