"""Cheap changes at each reading: flip, light, colour, infrared grey, noise, blur, JPEG."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
RAMP = np.arange(256, dtype=np.float32) / 255


def light(rng: np.random.Generator, picture: Picture) -> Picture:
    """Gamma, contrast and a cast per channel, as one look-up table."""
    gamma = float(np.exp(rng.normal(0, 0.35)))
    gain = float(rng.uniform(0.65, 1.25))
    shift = float(rng.uniform(-0.08, 0.08))
    cast = rng.uniform(0.9, 1.1, 3)
    table = (RAMP[:, None] ** gamma * gain * cast + shift).clip(0, 1) * 255
    return np.asarray(cv2.LUT(picture, table.astype(np.uint8).reshape(1, 256, 3)), np.uint8)


def grey(rng: np.random.Generator, picture: Picture) -> Picture:
    """What an infrared camera gives: one channel, sometimes compressed in range."""
    one = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    if rng.random() < 0.5:
        alpha, beta = float(rng.uniform(0.5, 1.0)), float(rng.uniform(0, 60))
        one = cv2.convertScaleAbs(one, alpha=alpha, beta=beta)
    return np.asarray(cv2.cvtColor(one, cv2.COLOR_GRAY2BGR), np.uint8)


def saturate(rng: np.random.Generator, picture: Picture) -> Picture:
    """Towards or away from grey."""
    one = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    share = float(rng.uniform(0.3, 1.5))
    return np.asarray(cv2.addWeighted(picture, share, one, 1 - share, 0), np.uint8)


def noise(rng: np.random.Generator, picture: Picture) -> Picture:
    """Sensor noise, finely or coarsely grained (as after a camera's denoiser)."""
    height, width = picture.shape[:2]
    coarse = int(rng.integers(1, 3))
    amount = float(rng.uniform(2, 14))
    grain = np.zeros((height // coarse, width // coarse, 3), np.int16)
    cv2.setRNGSeed(int(rng.integers(1 << 30)))
    cv2.randn(grain, 0, amount)
    if coarse > 1:
        grain = cv2.resize(grain, (width, height))
    return np.asarray(cv2.add(picture, grain, dtype=cv2.CV_8U), np.uint8)


def soften(rng: np.random.Generator, picture: Picture) -> Picture:
    """A sub-stream blown up, or a lens out of focus."""
    height, width = picture.shape[:2]
    share = float(rng.uniform(0.45, 0.9))
    small = cv2.resize(picture, (int(width * share), int(height * share)))
    return np.asarray(cv2.resize(small, (width, height)), np.uint8)


def jpeg(rng: np.random.Generator, picture: Picture) -> Picture:
    """Compression blocks."""
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(15, 60))]
    good, data = cv2.imencode(".jpg", picture, quality)
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8) if good else picture


STEPS = ((0.8, light), (0.35, saturate), (0.18, grey), (0.25, noise), (0.15, soften), (0.12, jpeg))


def vary(rng: np.random.Generator, picture: Picture) -> Picture:
    """Each step by its chance, in a fixed order. The picture given is not changed."""
    for chance, step in STEPS:
        if rng.random() < chance:
            picture = step(rng, picture)
    return picture
