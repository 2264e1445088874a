"""Pictures of a camera for the tests of its liveness: a still place, and fresh noise in each."""

from __future__ import annotations

import functools

import cv2
import numpy as np

from edge.vision.picture import Pixels

SIZE = (320, 180)


@functools.cache
def place(seed: int = 1) -> Pixels:
    """A grey place with walls, edges and smooth ground."""
    rng = np.random.default_rng(seed)
    width, height = SIZE
    ground = cv2.resize(rng.uniform(60, 140, (5, 8)).astype(np.float32), SIZE)
    for _ in range(40):
        x, y = int(rng.integers(0, width - 30)), int(rng.integers(0, height - 20))
        tone = float(rng.choice([30, 70, 150, 210]))
        ground[y : y + int(rng.integers(5, 20)), x : x + int(rng.integers(8, 30))] = tone
    return ground.astype(np.uint8)


def seen(scene: Pixels, moment: int, sigma: float = 3.0) -> Pixels:
    """The place with the noise of one moment."""
    rng = np.random.default_rng([moment, 5])
    noise = rng.normal(0, sigma, scene.shape).astype(np.float32)
    return np.asarray(np.clip(scene + noise, 0, 255), np.uint8)
