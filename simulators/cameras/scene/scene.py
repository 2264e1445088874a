"""A scene: a place, its light and weather, who moves through it; pictures and the truth."""

from __future__ import annotations

import math
import threading
import time
from typing import NamedTuple

import cv2
import numpy as np

from simulators.cameras.scene import backdrop, film
from simulators.cameras.scene.actors import Actor, Kind, Pose, Spot
from simulators.cameras.scene.body import Dress, Posture, limbs
from simulators.cameras.scene.bodywork import draw_vehicle, lamp_spots
from simulators.cameras.scene.gate import gate
from simulators.cameras.scene.optics import Lens
from simulators.cameras.scene.shaft import shaft
from simulators.cameras.scene.sprite import Sprite, draw_limbs
from simulators.cameras.scene.textures import Image
from simulators.cameras.scene.vehicle import Vehicle, car, truck
from simulators.cameras.scene.weather import Condition, Look, look

EPOCH = 1_780_272_000.0  # 2026-06-01 08:00 on the camera's clock
_PLACES = {"shaft": shaft, "gate": gate}
_SEEN = 128  # alpha from which a pixel counts as the actor's


class Box(NamedTuple):
    """Ground truth of one actor: what of it is seen, px, and the share of it that is."""

    label: str
    x1: float
    y1: float
    x2: float
    y2: float
    visible: float


class _Drawn(NamedTuple):
    sprite: Sprite
    actor: Actor
    pose: Pose


class Scene:
    """A camera's view. The same (size, seed, place, settings, t) gives the same picture.

    Safe to change and ask from other threads than the one that renders.

    Args:
        size: width, height of the picture, px.
        seed: chooses layout, colours and the camera's angle.
        place: "shaft" or "gate".
        condition: light and weather at first.
        epoch: wall time of t = 0, seconds since 1970; the clock in the picture shows epoch + t.

    Attributes:
        actors: who takes part; change it with `add` or as a whole.
        condition: light and weather now.
        noise: factor on the sensor's noise; 0 is none.
        shake: deviation of the camera's sway, px at 720 lines.
        clock: whether the clock is written into the picture.
        name: what the camera calls itself in the picture.
        covered: a cloth (or spray, see `cover`) is over the lens.
        frozen: the last picture again and again, clock included.
    """

    def __init__(
        self,
        size: tuple[int, int] = (1280, 720),
        seed: int = 0,
        place: str = "shaft",
        *,
        condition: Condition | str = Condition.DAY,
        epoch: float = EPOCH,
        name: str = "",
    ) -> None:
        self.size, self.seed, self.place, self.epoch = size, seed, place, epoch
        rng = np.random.default_rng([seed, len(place)])
        self.layout = _PLACES[place](*size, rng)
        self._backdrop = backdrop.paint(self.layout, rng)
        self.actors: list[Actor] = []
        self.condition: Condition | str = condition
        self.noise, self.shake = 1.0, 0.0
        self.clock, self.name = True, name or f"CAM {place.upper()}"
        self.covered, self.cover = False, "cloth"
        self._frozen_at: float | None = None
        self._last_t = 0.0
        self._lock = threading.RLock()
        self._looks: dict[Condition, tuple[Look, Image]] = {}
        self._grain: tuple[tuple[float, bool], film.Noise] | None = None
        self._falling: dict[Condition, film.Falling] = {}
        self._covers: dict[str, Image] = {}
        self._vehicles: dict[tuple[Kind, int], Vehicle] = {}

    @property
    def lens(self) -> Lens:
        """The camera."""
        return self.layout.lens

    @property
    def frozen(self) -> bool:
        return self._frozen_at is not None

    @frozen.setter
    def frozen(self, value: bool) -> None:
        with self._lock:
            self._frozen_at = self._last_t if value else None

    def now(self) -> float:
        """Scene seconds at this moment of wall time; what a live camera renders."""
        return time.time() - self.epoch

    def add(self, actor: Actor) -> Actor:
        """Let somebody take part; forgets those whose time was over at the last picture."""
        with self._lock:
            past = self._last_t
            self.actors = [other for other in self.actors if other.end >= past] + [actor]
        return actor

    def walk(self, start: float, route: str = "in", **kwargs: float) -> Actor:
        """A person along a named route of the place (`layout.routes`); see `Actor.along`."""
        return self._along(Kind.PERSON, start, route, kwargs)

    def drive(
        self, start: float, route: str = "", kind: Kind | str = Kind.TRUCK, **kwargs: float
    ) -> Actor:
        """A vehicle along a named route; by default the place's way out."""
        default = "drive-out" if self.place == "gate" else "drive"
        return self._along(Kind(kind), start, route or default, kwargs)

    def _along(self, kind: Kind, start: float, route: str, kwargs: dict[str, float]) -> Actor:
        seed = int(kwargs.pop("seed", self.seed))
        spots = self.layout.routes[route]
        return self.add(Actor.along(kind, start, spots, seed=seed, **kwargs))

    def ground(self, u: float, v: float) -> Spot:
        """The spot of the ground at fraction (u, v) of the picture; ValueError above it."""
        return self.lens.ground(u, v)

    def zone(self, name: str) -> list[tuple[float, float]]:
        """A named zone (`layout.zones`) as a polygon in fractions of the picture, for seal.toml."""
        spots = np.array([(x, 0.0, z) for x, z in self.layout.zones[name]], np.float32)
        px, _ = self.lens.project(spots)
        wide, high = self.size
        return [
            (
                round(float(min(max(x / wide, 0.0), 1.0)), 4),
                round(float(min(max(y / high, 0.0), 1.0)), 4),
            )
            for x, y in px
        ]

    def render(self, t: float) -> Image:
        """The picture at scene second `t`, BGR uint8 [H, W, 3]; the caller owns it."""
        with self._lock:
            if self._frozen_at is not None:
                t = self._frozen_at
            self._last_t = t
            condition = Condition(self.condition)
            rng = np.random.default_rng([self.seed, int(t * 1e6) & (2**63 - 1)])
            shown, picture = self._look(condition)
            if self.covered:
                picture = self._cover().copy()
            else:
                picture = self._swayed(self._staged(picture.copy(), shown, t), t)
                self._fall(picture, condition, t, rng)
            if self.noise > 0:
                self._noise(shown).add(picture, rng)
            if self.clock:
                film.write_clock(picture, self.epoch + t, self.name)
            return picture

    def boxes(self, t: float) -> list[Box]:
        """What a perfect detector would find at `t`; nearest first. Empty when covered."""
        with self._lock:
            if self._frozen_at is not None:
                t = self._frozen_at
            if self.covered:
                return []
            dx, dy = self._sway(t)
            taken = np.zeros((self.size[1], self.size[0]), bool)
            found: list[Box] = []
            for drawn in reversed(self._drawn(t, 0.0)):
                box = self._box(drawn, taken, dx, dy)
                if box is not None:
                    found.append(box)
            return found

    def _box(
        self, drawn: _Drawn, taken: np.ndarray, dx: float, dy: float
    ) -> Box | None:
        x1, y1, x2, y2 = drawn.sprite.box
        part = np.s_[y1:y2, x1:x2]
        body = drawn.sprite.alpha >= _SEEN
        seen = body & (self._backdrop.solid[part] > drawn.sprite.depth) & ~taken[part]
        taken[part] |= body
        if not seen.any():
            return None
        rows, cols = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
        whole = np.flatnonzero(body.any(axis=1)), np.flatnonzero(body.any(axis=0))
        inside = float(np.ptp(whole[0]) + 1) * float(np.ptp(whole[1]) + 1)
        share = float(seen.sum() / body.sum()) * min(1.0, inside / max(drawn.sprite.whole, 1.0) + 0.06)
        wide, high = self.size
        return Box(
            drawn.actor.kind.label,
            max(0.0, x1 + float(cols[0]) + dx),
            max(0.0, y1 + float(rows[0]) + dy),
            min(float(wide), x1 + float(cols[-1]) + 1 + dx),
            min(float(high), y1 + float(rows[-1]) + 1 + dy),
            min(1.0, share),
        )

    def _drawn(self, t: float, sun: float) -> list[_Drawn]:
        """Sprites of those who are in the picture, far ones first."""
        found: list[_Drawn] = []
        for actor in self.actors:
            pose = actor.at(t)
            sprite = None if pose is None else self._sprite(actor, pose, sun)
            if pose is not None and sprite is not None:
                found.append(_Drawn(sprite, actor, pose))
        return sorted(found, key=lambda drawn: -drawn.sprite.depth)

    def _sprite(self, actor: Actor, pose: Pose, sun: float) -> Sprite | None:
        if actor.kind is not Kind.PERSON:
            return draw_vehicle(self._vehicle(actor), pose.place, pose.heading, self.lens, sun)
        dress = Dress.of(np.random.default_rng(actor.seed))
        parts = limbs(
            pose.place, pose.heading, dress, walked=pose.walked, rest=Posture(actor.rest)
        )
        return draw_limbs(parts, self.lens, sun)

    def _vehicle(self, actor: Actor) -> Vehicle:
        key = (actor.kind, actor.seed)
        if key not in self._vehicles:
            make = truck if actor.kind is Kind.TRUCK else car
            self._vehicles[key] = make(np.random.default_rng(actor.seed))
        return self._vehicles[key]

    def _staged(self, picture: Image, shown: Look, t: float) -> Image:
        """The backdrop with the actors of `t` on it."""
        cast = self._drawn(t, shown.sun)
        for drawn in cast:
            x1, y1, x2, y2 = drawn.sprite.box
            part = picture[y1:y2, x1:x2]
            light = np.where(
                self._backdrop.ground[y1:y2, x1:x2] > 0.5, drawn.sprite.shadow, np.uint8(255)
            )
            part[:] = cv2.multiply(part, cv2.merge([light, light, light]), scale=1 / 255)
        for drawn in cast:
            self._lay(picture, drawn, shown)
            if shown.lamps and drawn.actor.kind is not Kind.PERSON:
                self._shine(picture, drawn)
        return picture

    def _lay(self, picture: Image, drawn: _Drawn, shown: Look) -> None:
        sprite = drawn.sprite
        x1, y1, x2, y2 = sprite.box
        colour = shown.actor(sprite)
        if self._sheltered(drawn.pose.place):
            colour = np.asarray(colour * np.float32(0.5), np.uint8)
        hidden = (self._backdrop.solid[y1:y2, x1:x2] <= sprite.depth) & (sprite.alpha > 0)
        alpha = sprite.alpha
        if hidden.any():
            alpha = np.where(hidden, np.uint8(0), alpha)
            colour = np.where(hidden[..., None], np.uint8(0), colour)
        part = picture[y1:y2, x1:x2]
        rest = cv2.merge([255 - alpha] * 3)
        part[:] = cv2.add(cv2.multiply(part, rest, scale=1 / 255), colour)

    def _sheltered(self, place: Spot) -> bool:
        inside = self.layout.shelter
        if inside is None:
            return False
        return inside[0] < place[0] < inside[1] and inside[2] < place[1] < inside[3]

    def _shine(self, picture: Image, drawn: _Drawn) -> None:
        """Lamps of a vehicle that point at the camera."""
        vehicle, pose = self._vehicle(drawn.actor), drawn.pose
        for x, y, radius, front in lamp_spots(vehicle, pose.place, pose.heading, self.lens):
            _glow(picture, (x, y), radius, 255.0 if front else 110.0)

    def _sway(self, t: float) -> tuple[float, float]:
        if self.shake <= 0:
            return 0.0, 0.0
        amount = self.shake * self.size[1] / 720
        return (
            amount * (math.sin(t * 9.1 + 1) + 0.7 * math.sin(t * 23.7)),
            amount * (math.sin(t * 11.3) + 0.7 * math.sin(t * 19.9 + 2)),
        )

    def _swayed(self, picture: Image, t: float) -> Image:
        dx, dy = self._sway(t)
        if dx == 0.0 == dy:
            return picture
        matrix = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
        moved = cv2.warpAffine(picture, matrix, self.size, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(moved, np.uint8)

    def _fall(self, picture: Image, condition: Condition, t: float, rng: np.random.Generator) -> None:
        if condition not in {Condition.RAIN, Condition.SNOW}:
            return
        if condition not in self._falling:
            self._falling[condition] = film.Falling(self.size, condition, self.seed)
        self._falling[condition].add(picture, t, rng)

    def _look(self, condition: Condition) -> tuple[Look, Image]:
        if condition not in self._looks:
            shown = look(condition, self.lens, self.layout.lamps)
            self._looks[condition] = (shown, shown.still(self._backdrop))
        return self._looks[condition]

    def _noise(self, shown: Look) -> film.Noise:
        key = (shown.noise * self.noise, shown.grey)
        if self._grain is None or self._grain[0] != key:
            self._grain = (key, film.Noise(self.size, key[0], grey=key[1], seed=self.seed))
        return self._grain[1]

    def _cover(self) -> Image:
        if self.cover not in self._covers:
            self._covers[self.cover] = film.cover(self.size, self.cover, self.seed)
        return self._covers[self.cover]


def _glow(picture: Image, spot: tuple[float, float], radius: float, strength: float) -> None:
    """Add a round glow with a bright heart."""
    height, width = picture.shape[:2]
    reach = int(min(radius * 3, height * 0.4)) + 2
    x, y = int(spot[0]), int(spot[1])
    x1, y1, x2, y2 = max(x - reach, 0), max(y - reach, 0), min(x + reach, width), min(y + reach, height)
    if x2 <= x1 or y2 <= y1:
        return
    xs = np.arange(x1, x2, dtype=np.float32)[None, :] - np.float32(spot[0])
    ys = np.arange(y1, y2, dtype=np.float32)[:, None] - np.float32(spot[1])
    away = (xs * xs + ys * ys) / np.float32(max(radius, 1.0) ** 2)
    light = strength * (np.exp(-away * 6) + 0.25 * np.exp(-away * 0.9))
    tone = np.clip(light, 0, 255).astype(np.uint8)
    part = picture[y1:y2, x1:x2]
    part[:] = cv2.add(part, cv2.merge([tone, tone, tone]))
