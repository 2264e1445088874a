"""Rain and snow before the lens."""

from __future__ import annotations

from typing import Protocol

import cv2
import numpy as np

from simulators.cameras.scene.optics import Floats
from simulators.cameras.scene.textures import Image
from simulators.cameras.scene.weather import Condition

_NEAR = (0.45, 1.0)  # far and near layers of what falls


class Falling(Protocol):
    """What falls, always the same at the same moment."""

    def add(self, picture: Image, t: float, rng: np.random.Generator) -> None:
        """Let it fall over `picture`, in place."""


def falling(size: tuple[int, int], condition: Condition, seed: int) -> Falling | None:
    """What falls under a condition, if anything does."""
    if condition is Condition.RAIN:
        return _Rain(size, seed)
    return _Snow(size, seed) if condition is Condition.SNOW else None


class _Rain:
    """Two tiles of streaks, cut anywhere in each picture."""

    def __init__(self, size: tuple[int, int], seed: int) -> None:
        self._size = size
        rng = np.random.default_rng(seed)
        self._layers = [self._streaks(rng, near) for near in _NEAR]

    def add(self, picture: Image, t: float, rng: np.random.Generator) -> None:
        del t
        width, height = self._size
        for layer in self._layers:
            left, top = int(rng.integers(width)), int(rng.integers(height))
            cv2.add(picture, layer[top : top + height, left : left + width], dst=picture)

    def _streaks(self, rng: np.random.Generator, near: float) -> Image:
        width, height = self._size
        layer = np.zeros((height, width), np.uint8)
        unit = height / 720
        for _ in range(int(420 - 240 * near)):
            x, y = int(rng.integers(width)), int(rng.integers(height))
            length = (14 + 46 * near) * unit * float(rng.uniform(0.6, 1.2))
            tone = float(rng.uniform(14, 30 + 34 * near))
            end = (int(x - length * 0.14), int(y + length))
            cv2.line(layer, (x, y), end, tone, max(1, round(1.6 * near * unit)), cv2.LINE_AA)
        return np.ascontiguousarray(np.repeat(np.tile(layer, (2, 2))[..., None], 3, axis=2))


class _Snow:
    """Flakes, each with a speed of its own: the sky never shows the same ones twice."""

    def __init__(self, size: tuple[int, int], seed: int) -> None:
        self._size = size
        unit = size[1] / 720
        rng = np.random.default_rng(seed)
        self._flakes: list[Image] = []
        speeds: list[Floats] = []
        for near, fall in zip(_NEAR, (0.162, 0.339), strict=True):
            count = int(620 - 480 * near)
            speeds.append(np.asarray(fall * rng.uniform(0.8, 1.25, count), np.float32))
            self._flakes += [self._flake(rng, near, unit) for _ in range(count)]
        self._speed = np.concatenate(speeds).astype(np.float64)  # heights a second
        # Of each: where it begins, down and across, how far aside it begins anew, its sway.
        self._chance = rng.uniform(0, 1, (4, len(self._flakes)))
        self._edge = max(flake.shape[0] for flake in self._flakes)

    def add(self, picture: Image, t: float, rng: np.random.Generator) -> None:
        del rng
        width, height = self._size
        edge = self._edge
        top, left, aside, sway = self._chance
        gusts = 2.1 * np.sin(t * 0.0913) + 1.3 * np.sin(t * 0.0379)
        way = top + self._speed * (t + gusts)
        times = np.floor(way)
        wind = 0.052 * t + 0.21 * np.sin(t * 0.0371) + 0.03 * np.sin(t * 0.7 + 6.3 * sway)
        rows = ((way - times) * (height + edge)).astype(int)
        columns = ((left + aside * times + wind) % 1 * (width + edge)).astype(int)
        sky = np.zeros((height + 2 * edge, width + 2 * edge), np.uint8)
        for flake, y, x in zip(self._flakes, rows.tolist(), columns.tolist(), strict=True):
            part = sky[y : y + flake.shape[0], x : x + flake.shape[1]]
            np.maximum(part, flake, out=part)
        shown = sky[edge : edge + height, edge : edge + width]
        cv2.add(picture, cv2.cvtColor(shown, cv2.COLOR_GRAY2BGR), dst=picture)

    @staticmethod
    def _flake(rng: np.random.Generator, near: float, unit: float) -> Image:
        radius = max(1, round((1.0 + 3.2 * near * near) * unit * float(rng.uniform(0.6, 1.2))))
        soft = 0.5 + 1.1 * near * unit
        half = radius + round(3 * soft)
        flake = np.zeros((2 * half + 1, 2 * half + 1), np.uint8)
        cv2.circle(flake, (half, half), radius, float(rng.uniform(70, 150)), -1, cv2.LINE_AA)
        return np.asarray(cv2.GaussianBlur(flake, (0, 0), soft), np.uint8)
