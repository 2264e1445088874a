"""A camera of drawn pictures, looked at once a second, for the tests of what it may show."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from edge.clock import ManualClock
from edge.domain.activity import Activity
from edge.domain.observation import Measures, PictureQuality, Quality
from edge.domain.record import Draft
from edge.vision.picture import Pixels
from edge.vision.spec import CameraSpec
from edge.vision.tamper.measure import Measurer
from edge.vision.tamper.quality import PictureAnalyser

CAMERA = CameraSpec(code="cam-1", url="file:///x")
SIZE = (1280, 720)
NOISE = [
    np.rint(np.random.default_rng(i).normal(0, 1.5, (180, 320))).astype(np.int16) for i in range(11)
]


def place(seed: int, shift: int = 0) -> Pixels:
    """Walls and posts with hard edges, wider than what is seen of them."""
    rng = np.random.default_rng(seed)
    wide = np.full((180, 640), 110, np.uint8)
    for _ in range(90):
        x, y = int(rng.integers(0, 600)), int(rng.integers(0, 160))
        size = (x + int(rng.integers(10, 50)), y + int(rng.integers(8, 40)))
        cv2.rectangle(wide, (x, y), size, int(rng.integers(50, 200)), -1)
    return wide[:, 160 + shift : 480 + shift]


def infrared(picture: Pixels) -> Pixels:
    """The same by night: near the middle bright, the corners lost, some contrasts reversed."""
    y, x = np.mgrid[-1:1:180j, -1:1:320j]
    light = np.clip(1.1 - 0.8 * (x**2 + y**2), 0.15, 1)
    return np.asarray((40 + (np.abs(picture.astype(float) - 90)) * 0.8) * light, np.uint8)


class Camera:
    """Pictures in, activities out."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.analyser = PictureAnalyser(CAMERA)
        self.drafts: list[Draft] = []
        self.size = SIZE
        self._measurer = Measurer()
        self._looks = 0
        self.still_s = 0.0

    def live(self, picture: Pixels) -> Pixels:
        self._looks += 1
        return np.asarray(
            cv2.add(picture.astype(np.int16), NOISE[self._looks % len(NOISE)], dtype=cv2.CV_8U),
            np.uint8,
        )

    def measure(self, picture: Pixels) -> Measures:
        return self._measurer.measure(self.live(picture), self.size, self.still_s)

    def tell(
        self, measures: Measures, quality: Quality = Quality.GOOD, pace: float = 1.0
    ) -> list[Activity]:
        seen = PictureQuality("cam-1", self.clock.advance(pace), quality, measures)
        activities = self.analyser.step(seen)
        self.drafts += self.analyser.taken()
        return activities

    def see(
        self, picture: Pixels | Callable[[int], Pixels], seconds: int = 1, pace: int = 1
    ) -> list[Activity]:
        """One picture, or one for each second; a look every `pace` seconds."""
        activities = []
        for second in range(0, seconds, pace):
            now = picture(second) if callable(picture) else picture
            activities += self.tell(self.measure(now), pace=pace)
        return activities

    def reconnect(self, silence_s: float) -> None:
        self.clock.advance(silence_s)
        self._measurer = Measurer()
