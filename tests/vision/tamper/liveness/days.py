"""Days before a camera, minute by minute: the sun, clouds, lamps, infrared, and exposure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

DAY_MIN = 1440
_HEIGHTS = [-18, -12, -6, 0, 5, 20, 60]  # of the sun, degrees …
_LUX = np.log10([0.001, 0.01, 3, 400, 4_000, 20_000, 80_000])  # … and what it gives
LEVEL = 110.0  # that exposure aims at
DARKEST = 16.0
GAMMA = 0.45


@dataclass(frozen=True, slots=True)
class Place:
    """What a camera looks at.

    Attributes:
        latitude: degrees.
        declination: of the sun on the first day; it drifts as in spring.
        full_lux: light from which on exposure can hold its level.
        lamp_lux: of a lamp that burns from dusk to dawn.
        left_on_lux: of a lamp that is on in some nights, from some hour on.
        infrared_lux: light below which the camera's own infrared is on; 0 has none.
        infrared: level of a picture in its own infrared.
        daylight: share of it that comes here: 0 underground.
        clouds: deviation of the logarithm of what they leave.
        least_held: of exposure; each day it holds between so much and all of the light's changes.
    """

    latitude: float = 43.0
    declination: float = 0.0
    full_lux: float = 5.0
    lamp_lux: float = 0.0
    left_on_lux: float = 0.0
    infrared_lux: float = 0.0
    infrared: float = 70.0
    daylight: float = 1.0
    clouds: float = 0.5
    least_held: float = 0.7


def light(place: Place, days: int, chance: np.random.Generator) -> tuple[Floats, Floats]:
    """Daylight and lamplight by minute from midnight, lux."""
    minutes = np.arange(days * DAY_MIN)
    turned = (minutes % DAY_MIN / DAY_MIN - 0.5) * 2 * np.pi
    declination = np.radians(place.declination + 0.3 * minutes / DAY_MIN)
    latitude = np.radians(place.latitude)
    height = np.degrees(
        np.arcsin(
            np.sin(latitude) * np.sin(declination)
            + np.cos(latitude) * np.cos(declination) * np.cos(turned)
        )
    )
    gloom = np.repeat(chance.uniform(-1.5, 0, days), DAY_MIN)  # a day is dull as a whole …
    passing = np.interp(minutes, minutes[::20], chance.normal(0, 1, len(minutes[::20])))
    sky = np.interp(height, _HEIGHTS, _LUX) + place.clouds * (gloom + 0.5 * passing)
    day = place.daylight * 10**sky
    lamp = np.where(height < 0, place.lamp_lux, 0.0)
    for night in range(days):
        if chance.random() < 0.3:
            begin = night * DAY_MIN + int(chance.integers(15 * 60, 22 * 60))
            lamp[begin : begin + int(chance.integers(60, 22 * 60))] += place.left_on_lux
    return day, lamp


def seen(place: Place, days: int, seed: int) -> Floats:
    """What an honest camera measures: brightness and contrast by minute, minutes x 2."""
    chance = np.random.default_rng(seed)
    day, lamp = light(place, days, chance)
    both = day + lamp + 1e-6
    held = np.repeat(chance.uniform(place.least_held, 1, days), DAY_MIN)
    level = np.minimum(both / place.full_lux, 1) ** GAMMA
    level *= np.maximum(both / place.full_lux, 1) ** (GAMMA * 0.3 * (1 - held))
    level = DARKEST + (LEVEL - DARKEST) * level
    contrast = (25 * lamp + 45 * day) / both * level / LEVEL
    own = both < place.infrared_lux
    level, contrast = np.where(own, place.infrared, level), np.where(own, 30.0, contrast)
    picture = np.stack([level, contrast], axis=1)
    return np.clip(picture + chance.normal(0, 0.4, picture.shape), 0, 255)


def still(level: float, minutes: int, seed: int) -> Floats:
    """A photo under a lamp."""
    picture = np.tile([level, 40.0], (minutes, 1))
    return np.clip(picture + np.random.default_rng(seed).normal(0, 0.4, picture.shape), 0, 255)
