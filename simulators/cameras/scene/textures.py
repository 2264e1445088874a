"""Surfaces as pictures: fractal grain, plaster, brick, sheet metal. BGR uint8, 64 px a metre."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from simulators.cameras.scene.optics import Floats

Image = NDArray[np.uint8]
Colour = tuple[float, float, float]

PX_PER_M = 64


def fractal(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    cells: int = 4,
    octaves: int = 6,
    rough: float = 0.6,
) -> Floats:
    """Smooth noise of several sizes, mean about 0, deviation about 1; tiles on both axes."""
    total = np.zeros((height, width), np.float32)
    for octave in range(octaves):
        size = cells << octave
        if size > max(height, width):
            break
        grid = rng.standard_normal((size, size)).astype(np.float32)
        grid = np.pad(grid, 2, mode="wrap")
        scale_y, scale_x = height / size, width / size
        big = cv2.resize(
            grid,
            (round(grid.shape[1] * scale_x), round(grid.shape[0] * scale_y)),
            interpolation=cv2.INTER_CUBIC,
        )
        top, left = round(2 * scale_y), round(2 * scale_x)
        total += (
            np.asarray(big[top : top + height, left : left + width], np.float32) * rough**octave
        )
    return np.asarray(total / max(float(total.std()), 1e-6), np.float32)


def grained(shade: Floats, colour: Colour) -> Image:
    """`colour` times `shade` [H, W]."""
    return np.asarray(np.clip(shade[..., None] * np.asarray(colour, np.float32), 0, 255), np.uint8)


def plaster(rng: np.random.Generator, width: float, height: float, colour: Colour) -> Image:
    """Painted wall with streaks of water below the roof and dirt above the ground."""
    rows, cols = _px(height), _px(width)
    shade = 1 + 0.06 * fractal(rng, rows, cols)
    streaks = cv2.GaussianBlur(rng.random((1, cols)).astype(np.float32), (9, 1), 0)
    fall = np.exp(-np.linspace(0, 4, rows, dtype=np.float32))[:, None]
    shade -= 0.25 * fall * (np.asarray(streaks, np.float32) > 0.58)
    shade -= 0.3 * np.exp(-np.linspace(6, 0, rows, dtype=np.float32))[:, None]
    return grained(np.asarray(shade, np.float32), colour)


def brick(rng: np.random.Generator, width: float, height: float, colour: Colour) -> Image:
    """Running bond, 25 cm by 7 cm with pale joints."""
    rows, cols = _px(height), _px(width)
    shade = 1 + 0.05 * fractal(rng, rows, cols)
    step_y, step_x = 6, 16
    for index, top in enumerate(range(0, rows, step_y)):
        offset = (step_x // 2) * (index % 2)
        tones = 1 + 0.12 * rng.standard_normal(cols // step_x + 2)
        tone = np.repeat(tones, step_x)[offset : offset + cols]
        shade[top : top + step_y] *= tone[None, :].astype(np.float32)
        shade[top] = 1.25
        shade[top : top + step_y, (step_x - offset) % step_x :: step_x] = 1.25
    return grained(np.asarray(shade, np.float32), colour)


def sheet(rng: np.random.Generator, width: float, height: float, colour: Colour) -> Image:
    """Corrugated metal, vertical ribs, rust from below."""
    rows, cols = _px(height), _px(width)
    ribs = 1 + 0.16 * np.sin(np.arange(cols, dtype=np.float32) * (2 * np.pi / 13))[None, :]
    grain = fractal(rng, rows, cols)
    shade = ribs * (1 + 0.04 * grain)
    image = grained(np.asarray(shade, np.float32), colour).astype(np.float32)
    rust = np.clip(0.9 * grain + np.linspace(-1.6, 0.6, rows, dtype=np.float32)[:, None], 0, 1)[
        ..., None
    ]
    image = image * (1 - 0.6 * rust) + np.array([40, 62, 96], np.float32) * 0.6 * rust
    return np.asarray(np.clip(image, 0, 255), np.uint8)


def _px(metres: float) -> int:
    return max(8, min(1600, round(metres * PX_PER_M)))
