"""What is done to a camera, as changes of its picture: cover, spray, turn, blur and the rest.

The place is painted wider than the camera sees, so that a camera that is turned shows what is
really there. Everything follows from the seed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from simulators.cameras.scene import EPOCH, Scene
from simulators.cameras.scene.film import Noise, cover, write_clock

Picture = NDArray[np.uint8]
Act = Callable[[float], Picture]
"""The picture so many seconds after the act began."""
Maker = Callable[["Place", np.random.Generator], Act]

SIZE = (640, 360)
MARGIN = 1.7  # how much wider and higher the painted place is than the picture
FOV = 62.0  # degrees across the picture
SHORT = (480, 270)
OTHERS = 8  # places that streams are swapped with


class Place:
    """A camera's view of a rendered place, and what it would see if it were turned.

    Attributes:
        scene: the place; its nuisances and actors are in scene seconds.
        aside: how far the view is turned, pixels right and down.
        roll: how far it is turned round its axis, degrees.
    """

    def __init__(self, seed: int, place: str, setting: str, margin: float = MARGIN) -> None:
        width, height = (2 * round(margin * edge / 2) for edge in SIZE)
        fov = 2 * math.atan(margin * math.tan(math.radians(FOV / 2)))
        self.scene = Scene((width, height), seed, place, fov=math.degrees(fov))
        self.scene.set(setting)
        self.scene.clock = False
        self.seed, self.t0 = seed, 1000.0
        self.aside = (0.0, 0.0)
        self.roll = 0.0

    def set(self, setting: str) -> None:
        self.scene.set(setting)

    @property
    def night(self) -> bool:
        return "night" in str(self.scene.condition)

    @property
    def per_degree(self) -> float:
        """Pixels by which the picture moves for a degree, about."""
        return SIZE[0] / FOV

    def shown(self, t: float, *, clock: bool = True) -> Picture:
        """What the camera shows at scene second `t`."""
        wide = self.scene.render(t)
        if wide.shape[:2] == SIZE[::-1] and self.aside == (0.0, 0.0) and self.roll == 0:
            return self._with_clock(wide, t) if clock else wide
        height, width = wide.shape[:2]
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), self.roll, 1.0)
        matrix[0, 2] += (SIZE[0] - width) / 2 - self.aside[0]
        matrix[1, 2] += (SIZE[1] - height) / 2 - self.aside[1]
        whole = self.roll == 0 and all(float(v).is_integer() for v in matrix[:, 2])
        way = cv2.INTER_NEAREST if whole else cv2.INTER_LINEAR
        seen = cv2.warpAffine(wide, matrix, SIZE, flags=way, borderMode=cv2.BORDER_REFLECT)
        return self._with_clock(np.asarray(seen, np.uint8), t) if clock else np.asarray(seen)

    @staticmethod
    def _with_clock(picture: Picture, t: float) -> Picture:
        write_clock(picture, EPOCH + t, "CAM")
        return picture


def _mixed(picture: Picture, over: Picture, alpha: NDArray[np.float32]) -> Picture:
    return np.asarray(cv2.blendLinear(picture, over, 1 - alpha, alpha), np.uint8)


@lru_cache(maxsize=4)
def _noise(deviation: float) -> Noise:
    return Noise(SIZE, deviation, grey=True, seed=1)


def _grain(place: Place, picture: Picture, t: float) -> Picture:
    seen = picture.copy()
    rng = np.random.default_rng([place.seed, int(t * 1000)])
    _noise(4.0 if place.night else 2.0).add(seen, rng)
    return seen


@lru_cache(maxsize=OTHERS)
def _other(seed: int, place: str, margin: float) -> Place:
    """A camera elsewhere; painting one costs more than a whole trial."""
    return Place(seed, place, "day", margin)


def _elsewhere(place: Place, kind: str, number: int, margin: float) -> Place:
    other = _other(place.seed // 1000 * 1000 + 900 + number % (OTHERS // 2), kind, margin)
    other.scene.condition, other.scene.sigma = place.scene.condition, place.scene.sigma
    other.aside = (0.0, 0.0)
    return other


def cloth(place: Place, rng: np.random.Generator) -> Act:
    """A cloth is drawn over the lens within a second or two."""
    over, takes = cover(SIZE, "cloth", place.seed), float(rng.uniform(0.5, 2))
    across = np.broadcast_to(np.linspace(0, 1, SIZE[0], dtype=np.float32), SIZE[::-1])

    def act(t: float) -> Picture:
        alpha = np.clip((t / takes * 1.2 - across) * 8, 0, 1).astype(np.float32)
        return _mixed(place.shown(place.t0 + t), _grain(place, over, t), alpha)

    return act


def hand(place: Place, rng: np.random.Generator) -> Act:
    """A hand or a bag close to the lens: dark by day, glaring in its infrared lamps by night."""
    tone = float(rng.uniform(180, 225) if place.night else rng.uniform(20, 45))
    rough = cv2.resize(
        rng.normal(0, 1, (4, 7)).astype(np.float32), SIZE, interpolation=cv2.INTER_CUBIC
    )
    over = np.clip(tone + 7 * rough, 0, 255).astype(np.uint8)[..., None].repeat(3, axis=2)
    leaves = float(rng.uniform(0, 0.06))
    across = np.broadcast_to(np.linspace(0, 1, SIZE[0], dtype=np.float32), SIZE[::-1])
    alpha = np.clip((across - leaves) * 10, 0, 1).astype(np.float32)

    def act(t: float) -> Picture:
        return _mixed(place.shown(place.t0 + t), _grain(place, over, t), alpha)

    return act


def spray(place: Place, rng: np.random.Generator) -> Act:
    """Paint on the glass: soft blots that grow for some seconds, to half the picture or more."""
    width, height = SIZE
    share, takes = float(rng.uniform(0.45, 0.85)), float(rng.uniform(3, 10))
    heights = np.zeros((height, width), np.float32)
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    for _ in range(int(rng.integers(3, 8))):
        x, y, size = rng.uniform(0, width), rng.uniform(0, height), rng.uniform(0.15, 0.35) * width
        heights = np.maximum(heights, 1 - np.hypot(xs - x, ys - y) / np.float32(size))
    heights += cv2.resize(
        rng.normal(0, 0.12, (9, 16)).astype(np.float32), SIZE, interpolation=cv2.INTER_CUBIC
    )
    level = float(np.quantile(heights, 1 - share))
    top = float(heights.max())
    tone = float(rng.uniform(150, 215) if place.night else rng.uniform(25, 120))
    over = np.full((height, width, 3), tone, np.uint8)

    def act(t: float) -> Picture:
        limit = top - (top - level) * min(1.0, t / takes)
        mask = (heights > limit).astype(np.float32)
        alpha = cv2.GaussianBlur(mask, (0, 0), 9).astype(np.float32) * np.float32(0.97)
        return _mixed(place.shown(place.t0 + t), _grain(place, over, t), alpha)

    return act


def bump(place: Place, rng: np.random.Generator) -> Act:
    """Pushed aside by some degrees within a second."""
    angle, way = float(rng.uniform(3, 12)), float(rng.uniform(0, 2 * math.pi))
    far = angle * place.per_degree
    goal = (far * math.cos(way), 0.5 * far * math.sin(way))

    def act(t: float) -> Picture:
        done = min(1.0, t)
        place.aside = (round(goal[0] * done), round(goal[1] * done))
        return place.shown(place.t0 + t)

    return act


def roll(place: Place, rng: np.random.Generator) -> Act:
    """Turned round its axis."""
    angle = float(rng.uniform(6, 25)) * (1 if rng.integers(2) else -1)

    def act(t: float) -> Picture:
        place.roll = angle * min(1.0, t / 2)
        return place.shown(place.t0 + t)

    return act


def swing(place: Place, rng: np.random.Generator) -> Act:
    """Turned right away within three seconds, to where nothing of the view is left."""
    kind = "gate" if place.scene.place == "shaft" else "shaft"
    other = _elsewhere(place, kind, int(rng.integers(OTHERS)), MARGIN)
    to = 1 if rng.integers(2) else -1

    def act(t: float) -> Picture:
        done = min(1.0, t / 3)
        place.aside = (round(to * done * 220), 0)
        other.aside = (round(-to * (1 - done) * 220), 0)
        return (place if done < 0.5 else other).shown(place.t0 + t)

    return act


def creep(place: Place, rng: np.random.Generator) -> Act:
    """A degree a minute."""
    to = 1 if rng.integers(2) else -1

    def act(t: float) -> Picture:
        place.aside = (to * t / 60 * place.per_degree, 0.0)
        return place.shown(place.t0 + t)

    return act


def swap(place: Place, rng: np.random.Generator) -> Act:
    """Another camera's stream, of the same kind of place."""
    other = _elsewhere(place, place.scene.place, int(rng.integers(OTHERS)), 1.0)

    def act(t: float) -> Picture:
        return other.shown(place.t0 + t)

    return act


def blur(place: Place, rng: np.random.Generator) -> Act:
    """Out of focus, or grease on the glass."""
    sigma, takes = float(rng.uniform(3, 8)), float(rng.uniform(0.5, 4))

    def act(t: float) -> Picture:
        size = max(0.3, sigma * min(1.0, t / takes))
        seen = cv2.GaussianBlur(place.shown(place.t0 + t, clock=False), (0, 0), size)
        return _grain(place, np.asarray(seen, np.uint8), t)

    return act


def dark(place: Place, rng: np.random.Generator) -> Act:
    """The gain turned down, at once or within half a minute."""
    gain, takes = float(rng.uniform(0.02, 0.08)), float(rng.choice([0.5, 30]))

    def act(t: float) -> Picture:
        part = 1 - (1 - gain) * min(1.0, t / takes)
        seen = place.shown(place.t0 + t, clock=False).astype(np.float32) * np.float32(part)
        return np.asarray(np.rint(seen), np.uint8)

    return act


def glare(place: Place, rng: np.random.Generator) -> Act:
    """Dazzled by a lamp, or the exposure turned up."""
    gain, lift = float(rng.uniform(3, 6)), float(rng.uniform(110, 180))

    def act(t: float) -> Picture:
        part = min(1.0, t)
        seen = place.shown(place.t0 + t, clock=False).astype(np.float32)
        seen = seen * np.float32(1 + (gain - 1) * part) + np.float32(lift * part)
        return np.clip(seen, 0, 255).astype(np.uint8)

    return act


def freeze(place: Place, rng: np.random.Generator) -> Act:
    """The last picture again and again; the clock may go on."""
    still = place.shown(place.t0, clock=False)
    clock = bool(rng.integers(2))

    def act(t: float) -> Picture:
        seen = still.copy()
        if clock:
            write_clock(seen, EPOCH + place.t0 + t, "CAM")
        return seen

    return act


def shake(place: Place, rng: np.random.Generator) -> Act:
    """Somebody or something shakes the mast."""
    amount = float(rng.uniform(4, 12))

    def act(t: float) -> Picture:
        place.aside = tuple(rng.normal(0, amount, 2) * (1, 0.6))
        return place.shown(place.t0 + t)

    return act


def resize(place: Place, _rng: np.random.Generator) -> Act:
    """The stream's resolution is changed."""

    def act(t: float) -> Picture:
        seen = cv2.resize(place.shown(place.t0 + t), SHORT, interpolation=cv2.INTER_AREA)
        return np.asarray(seen, np.uint8)

    return act


def unplug(place: Place, _rng: np.random.Generator) -> Act:
    """No picture any more: an empty one, which the bench takes as a lost source."""
    del place

    def act(_t: float) -> Picture:
        return np.zeros((0, 0, 3), np.uint8)

    return act
