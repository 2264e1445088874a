"""A photo of the place held before the lens, on paper or on a screen, and how it is put there.

What a print does to a picture: it never hangs quite straight, its blacks are grey and its
whites are not white, it lies nearer than the lens is focused, light falls on it from one side,
paper has a grain. Under the camera's infrared lamps ink is pale and the middle glares. A screen
has a grid of its own and bands that wander.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from simulators.cameras.scene.optics import Floats
from simulators.cameras.scene.textures import Image, fractal

_SKIN = np.array([120.0, 140.0, 175.0], np.float32)


class Photo:
    """One photo. Deterministic: the same arguments and t give the same change.

    Args:
        picture: what was photographed, BGR, without noise and clock.
        seed: chooses how it is printed and held.
        start: scene second at which somebody begins to put it there.
        screen: shown on a screen in place of paper.
        night: lit by the camera's infrared lamps.

    Attributes:
        placed_s: how long putting it there takes.
    """

    def __init__(
        self, picture: Image, seed: int, start: float, *, screen: bool = False, night: bool = False
    ) -> None:
        rng = np.random.default_rng([seed, 77])
        self.start, self.screen = start, screen
        self.placed_s = float(rng.uniform(0.5, 5.0))
        self._phase = float(rng.uniform(0, 6.28))
        self._tremble = float(rng.choice([0.0, rng.uniform(0.05, 0.4)]))
        height, width = picture.shape[:2]
        self._unit = width / 640
        self._side = 1.0 if rng.random() < 0.5 else -1.0
        self._matrix = _held(width, height, rng)
        tone = _printed(picture.astype(np.float32), rng, screen=screen, night=night)
        light = _lit(width, height, rng, night=night and not screen)
        grain = cv2.resize(fractal(rng, 256, 256, cells=64, octaves=2), (width, height))
        seen = tone * light[..., None] * (1 + np.float32(0.012) * grain[..., None])
        if screen:
            seen *= _grid(width, height, rng)[..., None]
        blur = float(rng.uniform(0.5, 1.8)) * self._unit
        self._print = np.asarray(cv2.GaussianBlur(seen, (0, 0), blur), np.float32)
        self._bands = float(rng.uniform(0.005, 0.02)) if screen else 0.0

    def over(self, live: Image, t: float) -> Image:
        """What the camera sees at scene second `t`; `live` without the photo, left as it is."""
        since = t - self.start
        if since < 0:
            return live
        shown = self._seen(t)
        done = since / self.placed_s
        if done >= 1:
            return np.clip(shown, 0, 255).astype(np.uint8)
        return self._arriving(live, shown, done)

    def _seen(self, t: float) -> Floats:
        height, width = self._print.shape[:2]
        matrix = self._matrix.copy()
        sway = self._tremble * self._unit
        matrix[0, 2] += sway * math.sin(2.1 * t + self._phase)
        matrix[1, 2] += sway * math.sin(2.9 * t)
        held = cv2.warpPerspective(
            self._print, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE
        )
        shown = np.asarray(held, np.float32)
        if self._bands:
            rows = np.linspace(0, 9, height, dtype=np.float32) + np.float32(5.3 * t)
            bands = 1 + np.float32(self._bands) * np.sin(rows)
            shown = np.asarray(shown * bands[:, None, None], np.float32)
        return shown

    def _arriving(self, live: Image, shown: Floats, done: float) -> Image:
        """It slides in, held by a hand, with its back half turned."""
        height, width = live.shape[:2]
        edge = int(width * min(1.0, 1.3 * done))
        cols = np.arange(width) if self._side > 0 else np.arange(width)[::-1]
        covered = (cols < edge)[None, :, None]
        moved = np.roll(shown, int(self._side * (edge - width)), axis=1)
        moved = np.asarray(cv2.GaussianBlur(moved, (0, 0), 6 * self._unit + 1), np.float32)
        hand = (np.abs(cols - edge) < width * 0.12)[None, :, None]
        low = (np.arange(height) > height * 0.45)[:, None, None]
        seen = np.where(covered, moved * np.float32(0.7), live)
        grip = _SKIN * np.float32(shown.mean() / 140)
        seen = np.where(hand & low & (done < 0.95), grip, seen)
        return np.clip(seen, 0, 255).astype(np.uint8)


def _held(width: int, height: int, rng: np.random.Generator) -> Floats:
    """Shifted, turned, too near or too far, and seen a little from the side."""
    turn = math.radians(float(rng.uniform(0.2, 1.6)) * float(rng.choice([-1, 1])))
    scale = 1 + float(rng.uniform(0.005, 0.06)) * float(rng.choice([-0.5, 1]))
    aside = rng.uniform(0.004, 0.03, 2) * rng.choice([-1, 1], 2) * width
    slant = rng.uniform(-0.03, 0.03, 2) / width
    cos, sin = scale * math.cos(turn), scale * math.sin(turn)
    x, y = width / 2, height / 2
    about = np.array([[1, 0, -x], [0, 1, -y], [0, 0, 1]])
    held = np.array([[cos, -sin, 0], [sin, cos, 0], [slant[0], slant[1], 1]])
    back = np.array([[1, 0, x + aside[0]], [0, 1, y + aside[1] * 0.6], [0, 0, 1]])
    return np.asarray(back @ held @ about, np.float32)


def _printed(picture: Floats, rng: np.random.Generator, *, screen: bool, night: bool) -> Floats:
    black = float(rng.uniform(0.05, 0.14))
    white = float(rng.uniform(0.75, 1.0))
    if night and not screen:
        white = black + (white - black) * float(rng.uniform(0.45, 0.8))  # ink is pale there
    gamma = float(rng.uniform(0.88, 1.18))
    shown = np.power(np.clip(picture / 255, 0, 1), np.float32(gamma))
    if night:
        shown = np.repeat(shown.mean(axis=2, keepdims=True), 3, axis=2)
    else:
        shown = shown * rng.uniform(0.93, 1.05, 3).astype(np.float32)
    return np.asarray(255 * (black + (white - black) * shown), np.float32)


def _lit(width: int, height: int, rng: np.random.Generator, *, night: bool) -> Floats:
    way = float(rng.uniform(0, 2 * math.pi))
    xs = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    ys = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    fall = float(rng.uniform(0.0, 0.15))
    slope = xs * math.cos(way) + ys * math.sin(way)
    light = np.asarray(1 + np.float32(fall) * slope, np.float32)
    if night:
        glare = float(rng.uniform(0.15, 0.6))
        spot = np.exp(-2.5 * (xs * xs + ys * ys))
        light = np.asarray(light * np.float32(1.15) + np.float32(glare) * spot, np.float32)
    return np.asarray(light, np.float32)


def _grid(width: int, height: int, rng: np.random.Generator) -> Floats:
    """Moiré between the screen's grid and the sensor's."""
    way = float(rng.uniform(0, math.pi))
    length = float(rng.uniform(6, 40))
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    wave = np.sin(2 * np.pi * (xs * math.cos(way) + ys * math.sin(way)) / np.float32(length))
    return np.asarray(1 + np.float32(rng.uniform(0.01, 0.035)) * wave, np.float32)
