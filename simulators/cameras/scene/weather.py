"""What light and weather do to the picture: by condition, to the backdrop and to actors alike."""

from __future__ import annotations

from abc import ABC, abstractmethod
from enum import StrEnum

import cv2
import numpy as np

from simulators.cameras.scene.backdrop import Backdrop
from simulators.cameras.scene.canvas import Point
from simulators.cameras.scene.optics import Floats, Lens
from simulators.cameras.scene.sprite import Sprite, as_bytes
from simulators.cameras.scene.textures import Image

_GREY = np.array([0.114, 0.587, 0.299], np.float32)


class Condition(StrEnum):
    """Light and weather."""

    DAY = "day"
    DUSK = "dusk"
    NIGHT = "night"  # infrared lamps on the camera, grey picture
    RAIN = "rain"
    SNOW = "snow"
    FOG = "fog"


SETTINGS: dict[str, tuple[Condition, float | None]] = {
    "day": (Condition.DAY, None),
    "dusk": (Condition.DUSK, None),
    "ir-night-4": (Condition.NIGHT, 4.0),
    "ir-night-8": (Condition.NIGHT, 8.0),
    "fog": (Condition.FOG, None),
    "rain": (Condition.RAIN, None),
    "snow": (Condition.SNOW, None),
}
"""What a camera is to be tried in: light and weather, and the sensor's noise where it is set."""


class Look(ABC):
    """One condition.

    Attributes:
        sun: strength of cast shadows, 0..1.
        noise: deviation of the sensor's noise, grey levels.
        grey: no colour at all, in the noise neither.
        lamps: vehicles drive with lights.
    """

    sun = 0.0
    noise = 2.0
    grey = False
    lamps = False

    @abstractmethod
    def still(self, backdrop: Backdrop) -> Image:
        """The backdrop as this condition shows it."""

    @abstractmethod
    def actor(self, sprite: Sprite) -> Image:
        """The sprite's premultiplied colour as this condition shows it."""


class _Day(Look):
    sun = 0.55
    noise = 1.8

    def still(self, backdrop: Backdrop) -> Image:
        return as_bytes(backdrop.colour * np.float32(0.9))

    def actor(self, sprite: Sprite) -> Image:
        return np.asarray(cv2.convertScaleAbs(sprite.colour, alpha=0.9), np.uint8)


class _Dusk(Look):
    noise = 4.0
    lamps = True
    _tint = np.array([0.47, 0.37, 0.36], np.float32)

    def __init__(self, lens: Lens, lamps: tuple[Point, ...]) -> None:
        self._lens, self._lamps = lens, lamps

    def still(self, backdrop: Backdrop) -> Image:
        pool = np.zeros(backdrop.solid.shape, np.float32)
        core = np.zeros(backdrop.solid.shape, np.float32)
        for x, y, z in self._lamps:
            px, depth = self._lens.project(np.array([[x, y, z], [x, 0, z - 1.0]], np.float32))
            scale = self._lens.focal / float(depth[0])
            lamp, spot = np.clip(px, -20000, 20000).astype(int).tolist()
            axes = (max(2, int(3.4 * scale)), max(1, int(1.5 * scale)))
            cv2.ellipse(pool, spot, axes, 0, 0, 360, 1.0, -1)
            cv2.circle(core, lamp, max(1, int(0.16 * scale)), 1.0, -1, cv2.LINE_AA)
        wide = backdrop.solid.shape[1] / 28
        pool = np.asarray(cv2.GaussianBlur(pool, (0, 0), wide), np.float32)
        halo = np.asarray(cv2.GaussianBlur(core, (0, 0), wide / 4), np.float32) * 6
        warm = np.array([0.35, 0.62, 0.8], np.float32)
        light = self._tint + 0.75 * pool[..., None] * warm
        shown = backdrop.colour * light + (halo + core)[..., None] * warm * 230
        return as_bytes(np.asarray(shown, np.float32))

    def actor(self, sprite: Sprite) -> Image:
        return as_bytes(np.asarray(sprite.colour * self._tint * 1.1, np.float32))


class _Night(Look):
    """Infrared: near things bright, far ones lost; paint loses its colour, cloth shines."""

    noise = 5.0
    grey = True
    lamps = True
    _weights = np.array([0.22, 0.38, 0.4], np.float32)

    def still(self, backdrop: Backdrop) -> Image:
        rows, cols = backdrop.solid.shape
        xs = np.linspace(-1, 1, cols, dtype=np.float32)[None, :]
        ys = np.linspace(-1, 1, rows, dtype=np.float32)[:, None]
        cone = np.clip(1.18 - 0.42 * (xs * xs + (ys - 0.15) ** 2), 0.25, 1.1)
        light = self._light(backdrop.distance) * cone
        grey = (backdrop.colour @ self._weights) * light * 0.92 + 7
        return np.repeat(as_bytes(np.asarray(grey, np.float32))[..., None], 3, axis=2)

    def actor(self, sprite: Sprite) -> Image:
        gain = float(self._light(np.array(sprite.depth, np.float32))) * 1.15
        grey = (sprite.colour @ self._weights) * gain + 10 * gain * (sprite.alpha / 255.0)
        return np.repeat(as_bytes(np.asarray(grey, np.float32))[..., None], 3, axis=2)

    @staticmethod
    def _light(distance: Floats) -> Floats:
        return np.asarray(np.clip((13 / np.maximum(distance, 1)) ** 1.25, 0, 1.12), np.float32)


class _Veil(Look):
    """Grey sky and air that hides what is far: rain, snow and fog differ in the figures."""

    def __init__(self, condition: Condition) -> None:
        self._condition = condition
        self.noise = 2.6
        self._reach, self._faded, gain = {
            Condition.RAIN: (110.0, 0.45, 0.7),
            Condition.SNOW: (75.0, 0.35, 0.86),
            Condition.FOG: (17.0, 0.5, 0.9),
        }[condition]
        self._gain = np.float32(gain)
        level = {Condition.RAIN: 150.0, Condition.SNOW: 204.0, Condition.FOG: 190.0}[condition]
        self._air = np.array([level * 1.02, level, level * 0.98], np.float32)

    def still(self, backdrop: Backdrop) -> Image:
        colour = backdrop.colour
        ground, patches = backdrop.ground[..., None], backdrop.patches[..., None]
        if self._condition is Condition.RAIN:
            puddle = np.clip(1.6 * patches - 1.1, 0, 0.75) * ground
            colour = colour * (1 - 0.32 * ground)
            colour = colour + puddle * (np.array([196, 192, 188], np.float32) - colour)
        if self._condition is Condition.SNOW:
            cover = np.clip(1.1 + 0.45 * patches, 0.1, 0.96) * ground
            white = np.array([240, 234, 230], np.float32) + 4 * patches
            colour = colour + cover * (white - colour)
        clear = np.exp(-backdrop.distance / self._reach)[..., None]
        return as_bytes(
            self._dull(np.asarray(colour, np.float32)) * clear + self._air * (1 - clear)
        )

    def actor(self, sprite: Sprite) -> Image:
        clear = np.float32(np.exp(-sprite.depth / self._reach))
        air = self._air * (1 - clear) * (sprite.alpha[..., None] / np.float32(255))
        shown = self._dull(sprite.colour.astype(np.float32)) * clear + air
        return as_bytes(np.asarray(shown, np.float32))

    def _dull(self, colour: Floats) -> Floats:
        grey = (colour @ _GREY)[..., None]
        return np.asarray((colour + (grey - colour) * self._faded) * self._gain, np.float32)


def look(condition: Condition, lens: Lens, lamps: tuple[Point, ...]) -> Look:
    """The look of a condition."""
    if condition is Condition.DAY:
        return _Day()
    if condition is Condition.DUSK:
        return _Dusk(lens, lamps)
    if condition is Condition.NIGHT:
        return _Night()
    return _Veil(condition)
