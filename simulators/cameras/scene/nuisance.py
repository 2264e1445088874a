"""What changes a picture and is nobody: light, first of all. Each has a time, a cause, a size.

Deterministic: the same nuisance and t give the same change.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import cv2
import numpy as np

from simulators.cameras.scene.optics import Floats
from simulators.cameras.scene.textures import Image
from simulators.cameras.scene.weather import Condition, Look


class Nuisance(ABC):
    """Something that acts from `start` to `end`, scene seconds."""

    start: float
    end: float

    def condition(self, t: float, now: Condition) -> Condition:
        """The light and weather at `t` where it would be `now` without this."""
        del t
        return now

    @abstractmethod
    def apply(self, picture: Image, t: float, look: Look) -> None:
        """Change `picture` as it is at `t`, in place; called between start and end only."""


@dataclass(frozen=True)
class Cloud(Nuisance):
    """A cloud before the sun: its shadow comes from one side of the picture and goes.

    Attributes:
        start: when its edge enters.
        hold_s: how long a spot lies in full shadow.
        rise_s: width of the edge: from light to shadow at one spot.
        travel_s: from one side of the picture to the other; negative from right to left.
        depth: share of the light taken; sun and sky 0.45 at most after automatic exposure.
    """

    start: float
    hold_s: float = 20.0
    rise_s: float = 3.0
    travel_s: float = 4.0
    depth: float = 0.35

    @property
    def end(self) -> float:  # type: ignore[override]
        return self.start + self.hold_s + 2 * self.rise_s + abs(self.travel_s)

    def apply(self, picture: Image, t: float, look: Look) -> None:
        del look
        cols = np.linspace(0, 1, picture.shape[1], dtype=np.float32)
        cols = cols if self.travel_s > 0 else 1 - cols
        since = np.float32(t - self.start) - abs(self.travel_s) * cols
        shade = _ramp(since / self.rise_s) - _ramp((since - self.hold_s) / self.rise_s - 1)
        _dim(picture, (1 - self.depth * shade)[None, :])


@dataclass(frozen=True)
class Lamp(Nuisance):
    """A lamp that somebody (or a clock) switches on, and off at the end.

    Attributes:
        start: when it is switched on.
        end: when it is switched off.
        spot: the middle of its light, fractions of the picture.
        reach: how far it shines, fraction of the picture's width.
        strength: light added, in shares of the light that is there.
        warm_s: time to full light: 0.1 for a LED, 60 and more for a discharge lamp.
    """

    start: float
    end: float
    spot: tuple[float, float] = (0.5, 0.6)
    reach: float = 0.25
    strength: float = 0.8
    warm_s: float = 0.1

    def apply(self, picture: Image, t: float, look: Look) -> None:
        del look
        level = min(1.0, (t - self.start) / max(self.warm_s, 1e-3))
        shine(picture, self.spot, (self.reach, self.reach * 0.8), self.strength * level)


@dataclass(frozen=True)
class Headlights(Nuisance):
    """A vehicle that is not in the picture turns: its light sweeps over ground and walls.

    Attributes:
        start: when the light comes in.
        sweep_s: from one side to the other; negative from right to left.
        height: of the middle of the light, fraction of the picture from above.
        strength: light added, in shares of the light that is there.
    """

    start: float
    sweep_s: float = 4.0
    height: float = 0.6
    strength: float = 1.2

    @property
    def end(self) -> float:  # type: ignore[override]
        return self.start + abs(self.sweep_s)

    def apply(self, picture: Image, t: float, look: Look) -> None:
        del look
        part = (t - self.start) / abs(self.sweep_s)
        part = part if self.sweep_s > 0 else 1 - part
        shine(picture, (-0.3 + 1.6 * part, self.height), (0.16, 0.18), self.strength)


@dataclass(frozen=True)
class ExposureHunting(Nuisance):
    """Automatic exposure that overshoots and settles.

    Attributes:
        start: of the first swing.
        swing: greatest change of the gain.
        period_s: of one swing.
        decay_s: time constant of settling.
    """

    start: float
    swing: float = 0.2
    period_s: float = 1.6
    decay_s: float = 2.5

    @property
    def end(self) -> float:  # type: ignore[override]
        return self.start + 4 * self.decay_s

    def apply(self, picture: Image, t: float, look: Look) -> None:
        del look
        since = t - self.start
        fade = self.swing * math.exp(-since / self.decay_s)
        _gain(picture, 1 + fade * math.sin(2 * math.pi * since / self.period_s))


@dataclass(frozen=True)
class Flicker(Nuisance):
    """Lamps on 50 Hz mains (100 Hz light) against the rows of a rolling shutter.

    Attributes:
        start: when the lamps are lit.
        end: when they are put out.
        beat_hz: what is left of 100 Hz after sampling: bands wander by so many periods a second.
        depth: greatest change of the light.
        bands: light periods during one read-out, from the top row to the bottom row.
    """

    start: float
    end: float
    beat_hz: float = 0.35
    depth: float = 0.05
    bands: float = 1.6

    def apply(self, picture: Image, t: float, look: Look) -> None:
        del look
        rows = np.linspace(0, self.bands, picture.shape[0], dtype=np.float32)
        wave = np.sin(2 * np.pi * (rows + np.float32(self.beat_hz * t % 1)))
        _dim(picture, (1 - self.depth * (0.5 + 0.5 * wave))[:, None])


@dataclass(frozen=True)
class IrSwitchover(Nuisance):
    """The infrared filter swings out and the lamps come on; at the end it goes back.

    Colour turns to grey (or back) at once; the exposure, wrong by far, pumps until it is right.

    Attributes:
        start: when the camera turns to night.
        night_end: when it turns back.
        pump_s: how long the exposure pumps, 1 to 2 s in most cameras.
    """

    start: float
    night_end: float = math.inf
    pump_s: float = 1.5

    @property
    def end(self) -> float:  # type: ignore[override]
        return self.night_end + self.pump_s

    def condition(self, t: float, now: Condition) -> Condition:
        return Condition.NIGHT if self.start <= t < self.night_end else now

    def apply(self, picture: Image, t: float, look: Look) -> None:
        del look
        since = t - (self.start if t < self.night_end else self.night_end)
        if since >= self.pump_s:
            return
        part = since / self.pump_s
        first = 0.35 if t < self.night_end else 1.9  # too dark at first, or far too bright
        pump = 0.3 * math.sin(6 * math.pi * part) * (1 - part)
        _gain(picture, max(0.05, 1 + (first - 1) * (1 - part) ** 2 + pump))


def _ramp(x: Floats) -> Floats:
    """0 below 0, 1 above 1, smooth between."""
    cut = np.clip(x, 0, 1)
    return np.asarray(cut * cut * (3 - 2 * cut), np.float32)


def _gain(picture: Image, gain: float) -> None:
    cv2.convertScaleAbs(picture, dst=picture, alpha=gain)


def _dim(picture: Image, gain: Floats) -> None:
    """Multiply by a gain of at most 1, a row or a column of it."""
    low, high = float(gain.min()), float(gain.max())
    if high - low < 0.003:
        if high < 0.999:
            _gain(picture, high)
        return
    eighths = np.asarray(np.round(gain * 255), np.uint8)
    whole = np.ascontiguousarray(np.broadcast_to(eighths[..., None], picture.shape))
    cv2.multiply(picture, whole, dst=picture, scale=1 / 255)


def shine(
    picture: Image, spot: tuple[float, float], reach: tuple[float, float], strength: float
) -> None:
    """Add a round pool of light: in shares of what is there, and a little of its own."""
    height, width = picture.shape[:2]
    x, y = spot[0] * width, spot[1] * height
    wide, high = reach[0] * width, reach[1] * height
    x1, x2 = max(int(x - 2 * wide), 0), min(int(x + 2 * wide), width)
    y1, y2 = max(int(y - 2 * high), 0), min(int(y + 2 * high), height)
    if x2 - x1 < 2 or y2 - y1 < 2:
        return
    cols = (np.arange(x1, x2, dtype=np.float32) - np.float32(x)) / np.float32(wide)
    rows = (np.arange(y1, y2, dtype=np.float32) - np.float32(y)) / np.float32(high)
    pool = np.exp(-1.6 * (cols * cols)[None, :]) * np.exp(-1.6 * (rows * rows)[:, None])
    part = picture[y1:y2, x1:x2]
    level = (np.float32(strength) * pool)[..., None]
    part[:] = np.minimum(part * (1 + level) + 12 * level, 255).astype(np.uint8)
