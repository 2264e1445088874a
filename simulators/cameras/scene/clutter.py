"""Things in the picture that move and are nobody: insects before the lens, plants in the wind."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import cv2
import numpy as np

from simulators.cameras.scene.nuisance import Nuisance
from simulators.cameras.scene.optics import Floats, Lens
from simulators.cameras.scene.sprite import Box, Sprite, as_bytes
from simulators.cameras.scene.textures import Image
from simulators.cameras.scene.weather import Look

_BUCKET_S = 60.0  # flights are drawn by lot minute by minute
_LONGEST_S = 4.0  # no insect stays longer
_EXPOSURE_S = 1 / 25  # at night a camera exposes for the whole picture time


@dataclass(frozen=True, slots=True)
class _Flight:
    begin: float
    end: float
    spot: tuple[float, float]  # px at the middle of the flight
    step: tuple[float, float]  # px/s
    loop: tuple[float, float]  # px, turns a second
    radius: float  # px
    tone: float  # grey levels added

    def at(self, t: float) -> tuple[float, float]:
        since = t - (self.begin + self.end) / 2
        size, turns = self.loop
        angle = 2 * math.pi * turns * since
        return (
            self.spot[0] + self.step[0] * since + size * math.cos(angle),
            self.spot[1] + self.step[1] * since + size * math.sin(angle),
        )


@dataclass(frozen=True)
class Insects(Nuisance):
    """Insects near the infrared lamp: bright, fast, blurred, much larger than they are.

    Bodies of 3 to 12 mm, 0.15 to 1.2 m before the lens, at 0.3 to 1.5 m/s; the light that comes
    back falls with the square of the distance.

    Attributes:
        start: from when on.
        end: until when.
        lens: the camera.
        per_minute: flights through the picture; tens on a summer's night.
        seed: chooses them.
    """

    start: float
    end: float
    lens: Lens
    per_minute: float = 8.0
    seed: int = 0

    def apply(self, picture: Image, t: float, look: Look) -> None:
        del look
        for flight in self._flights(t):
            self._streak(picture, flight, t)

    def _flights(self, t: float) -> Iterator[_Flight]:
        bucket = math.floor(t / _BUCKET_S)
        for index in (bucket - 1, bucket) if t % _BUCKET_S < _LONGEST_S else (bucket,):
            rng = np.random.default_rng([self.seed, index & 0xFFFFFFFF])
            for _ in range(int(rng.poisson(self.per_minute))):
                flight = self._flight(rng, index * _BUCKET_S)
                if flight.begin <= t <= flight.end:
                    yield flight

    def _flight(self, rng: np.random.Generator, base: float) -> _Flight:
        away = float(np.exp(rng.uniform(math.log(0.15), math.log(1.2))))
        scale = self.lens.focal / away
        speed, course = float(rng.uniform(0.3, 1.5)) * scale, float(rng.uniform(0, 2 * math.pi))
        begin = base + float(rng.uniform(0, _BUCKET_S))
        width, height = self.lens.width, self.lens.height
        across_s = (width + height) / speed
        return _Flight(
            begin=begin,
            end=begin + min(_LONGEST_S, max(0.15, across_s)),
            spot=(float(rng.uniform(0, width)), float(rng.uniform(0, height))),
            step=(speed * math.cos(course), speed * math.sin(course)),
            loop=(float(rng.uniform(0.01, 0.06)) * scale, float(rng.uniform(1.0, 4.0))),
            radius=max(1.0, float(rng.uniform(0.0015, 0.006)) * scale),
            tone=float(min(230.0, rng.uniform(40, 90) * (0.6 / away) ** 2)),
        )

    @staticmethod
    def _streak(picture: Image, flight: _Flight, t: float) -> None:
        height, width = picture.shape[:2]
        trail = [flight.at(t - _EXPOSURE_S * part / 6) for part in range(7)]
        reach = flight.radius * 2 + 3
        xs, ys = [x for x, _ in trail], [y for _, y in trail]
        x1, x2 = max(int(min(xs) - reach), 0), min(int(max(xs) + reach), width)
        y1, y2 = max(int(min(ys) - reach), 0), min(int(max(ys) + reach), height)
        if x2 - x1 < 2 or y2 - y1 < 2:
            return
        layer = np.zeros((y2 - y1, x2 - x1), np.uint8)
        points = np.round([(x - x1, y - y1) for x, y in trail]).astype(np.int32)
        thick = max(1, round(2 * flight.radius))
        # The faster, the shorter a pixel is lit.
        length = math.dist(trail[0], trail[-1])
        tone = flight.tone * min(1.0, 4 * flight.radius / max(length, 1.0))
        cv2.polylines(layer, [points], isClosed=False, color=tone, thickness=thick)
        soft = cv2.blur(layer, (thick | 1, thick | 1))
        part = picture[y1:y2, x1:x2]
        part[:] = cv2.add(part, cv2.merge([soft, soft, soft]))


@dataclass(frozen=True)
class Vegetation(Nuisance):
    """A bush that sways: its top by 2 cm for each m/s of wind, in gusts, the leaves by themselves.

    It is drawn over whoever is there, so its place is nearer to the camera than theirs.

    Attributes:
        lens: the camera.
        place: x, z on the ground, metres.
        height: metres.
        wind: m/s in a gust.
        seed: chooses its shape.
    """

    lens: Lens
    place: tuple[float, float]
    height: float = 1.8
    wind: float = 6.0
    seed: int = 0
    start: float = -math.inf
    end: float = math.inf
    _sprite: list[Sprite | None] = field(default_factory=list, repr=False, compare=False)
    _shown: dict[int, Image] = field(default_factory=dict, repr=False, compare=False)

    def apply(self, picture: Image, t: float, look: Look) -> None:
        if not self._sprite:
            self._sprite.append(_bush(self.lens, self.place, self.height, self.seed))
        sprite = self._sprite[0]
        if sprite is None:
            return
        if id(look) not in self._shown:
            self._shown[id(look)] = look.actor(sprite)
        xs, ys = self._bent(sprite, t)
        colour = cv2.remap(self._shown[id(look)], xs, ys, cv2.INTER_LINEAR)
        alpha = cv2.remap(sprite.alpha, xs, ys, cv2.INTER_LINEAR)
        x1, y1, x2, y2 = sprite.box
        below = picture[y1:y2, x1:x2]
        rest = 255 - alpha
        shown = cv2.multiply(below, cv2.merge([rest, rest, rest]), scale=1 / 255)
        below[:] = cv2.add(shown, colour)

    def gust(self, t: float) -> float:
        """Share of the full wind at `t`, 0..1."""
        slow = math.sin(0.31 * t + self.seed) + math.sin(0.137 * t + 2 * self.seed)
        return 0.5 + 0.25 * slow

    def _bent(self, sprite: Sprite, t: float) -> tuple[Floats, Floats]:
        """Where each pixel of the layer comes from."""
        rows, cols = sprite.alpha.shape
        metre = self.lens.focal / sprite.depth
        top = 0.02 * self.wind * self.gust(t) * metre
        lift = np.linspace(1, 0, rows, dtype=np.float32)[:, None] ** 1.5
        sway = top * (0.6 + 0.4 * math.sin(2 * math.pi * 0.9 * t + self.seed))
        ys, xs = np.mgrid[0:rows, 0:cols].astype(np.float32)
        flutter = 0.006 * self.wind * self.gust(t) * metre
        wave = np.sin(0.9 * xs / max(metre * 0.05, 1) + np.float32(2 * math.pi * 2.3 * t % 6283))
        return xs - np.float32(sway) * lift - np.float32(flutter) * wave * lift, ys


def _bush(lens: Lens, place: tuple[float, float], height: float, seed: int) -> Sprite | None:
    """Leaves in clumps, darker below; None outside the picture."""
    rng = np.random.default_rng([seed, 77])
    (foot, top), depth = lens.project(
        np.array([(place[0], 0, place[1]), (place[0], height, place[1])], np.float32)
    )
    if float(depth.min()) < 1.5:
        return None
    metre = lens.focal / float(depth.mean())
    wide = 0.8 * height * metre
    x1, x2 = max(int(foot[0] - wide), 0), min(int(foot[0] + wide), lens.width)
    y1, y2 = max(int(top[1] - 0.15 * metre), 0), min(int(foot[1]) + 2, lens.height)
    if x2 - x1 < 4 or y2 - y1 < 4:
        return None
    box: Box = (x1, y1, x2, y2)
    colour = np.zeros((y2 - y1, x2 - x1, 3), np.uint8)
    alpha = np.zeros((y2 - y1, x2 - x1), np.uint8)
    for level in np.sort(rng.beta(1.4, 1.2, 420)):
        spread = 0.55 * wide * (1.05 - (1.6 * float(level) - 0.7) ** 2)
        spot = (
            int(foot[0] - x1 + float(np.clip(rng.normal(), -1.6, 1.6)) * 0.6 * spread),
            int(foot[1] - y1 - float(level) * height * metre),
        )
        tone = np.array([48, 104, 84]) * float(rng.uniform(0.6, 1.15)) * (0.6 + 0.5 * float(level))
        radius = max(1, int(metre * float(rng.uniform(0.03, 0.09))))
        cv2.circle(colour, spot, radius, np.clip(tone, 0, 255).tolist(), -1, cv2.LINE_AA)
        cv2.circle(alpha, spot, radius, (255.0,), -1, cv2.LINE_AA)
    colour = as_bytes(np.asarray(colour * (alpha[..., None] / np.float32(255)), np.float32))
    shadow = np.full(alpha.shape, 255, np.uint8)
    return Sprite(box, colour, alpha, shadow, float(depth.mean()), float(alpha.size))
