"""Puts the actors of one moment onto the picture, and says what of them is seen."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from simulators.cameras.scene.actors import Actor, Kind, Pose
from simulators.cameras.scene.animal import CAT_M, DOG_M, animal_limbs
from simulators.cameras.scene.backdrop import Backdrop
from simulators.cameras.scene.body import Dress, limbs
from simulators.cameras.scene.bodywork import draw_vehicle, lamp_spots
from simulators.cameras.scene.layout import Layout
from simulators.cameras.scene.routes import Spot
from simulators.cameras.scene.sprite import Sprite, draw_limbs
from simulators.cameras.scene.textures import Image
from simulators.cameras.scene.vehicle import Vehicle, car, truck
from simulators.cameras.scene.weather import Look

_SEEN = 128  # alpha from which a pixel counts as the actor's
_HEIGHTS = {Kind.DOG: DOG_M, Kind.CAT: CAT_M}
_INSIDE = np.float32(0.5)  # light on somebody inside the shaft's mouth


class Box(NamedTuple):
    """Ground truth of one actor: what of it is seen, px, and the share of it that is."""

    label: str
    x1: float
    y1: float
    x2: float
    y2: float
    visible: float


class _Cast(NamedTuple):
    sprite: Sprite
    actor: Actor
    pose: Pose


class Stage:
    """Draws actors before one backdrop."""

    def __init__(self, layout: Layout, backdrop: Backdrop) -> None:
        self._layout, self._backdrop = layout, backdrop
        self._vehicles: dict[tuple[Kind, int], Vehicle] = {}

    def play(self, picture: Image, actors: Iterable[Actor], t: float, look: Look) -> None:
        """Draw on `picture`, in place, whoever is there at `t`."""
        cast = self._cast(actors, t, look.sun)
        for part in cast:
            self._darken(picture, part.sprite)
        for part in cast:
            self._lay(picture, part, look)
            if look.lamps and part.actor.kind.label == "vehicle":
                self._shine(picture, part)

    def boxes(self, actors: Iterable[Actor], t: float) -> list[Box]:
        """What is seen of everybody at `t`, nearest first."""
        taken = np.zeros(self._backdrop.solid.shape, bool)
        found = (self._box(part, taken) for part in reversed(self._cast(actors, t, 0.0)))
        return [box for box in found if box is not None]

    def _cast(self, actors: Iterable[Actor], t: float, sun: float) -> list[_Cast]:
        """Sprites of those who are in the picture, far ones first."""
        found: list[_Cast] = []
        for actor in actors:
            pose = actor.at(t)
            sprite = None if pose is None else self._sprite(actor, pose, sun)
            if pose is not None and sprite is not None:
                found.append(_Cast(sprite, actor, pose))
        return sorted(found, key=lambda part: -part.sprite.depth)

    def _sprite(self, actor: Actor, pose: Pose, sun: float) -> Sprite | None:
        lens, rng = self._layout.lens, np.random.default_rng(actor.seed)
        if actor.kind.label == "vehicle":
            return draw_vehicle(self._vehicle(actor), pose.place, pose.heading, lens, sun)
        if actor.kind in _HEIGHTS:
            height = _HEIGHTS[actor.kind]
            parts = animal_limbs(pose.place, pose.heading, height, rng, pose.walked)
            return draw_limbs(parts, lens, sun)
        dress = Dress.of(rng)
        posture = actor.rest if pose.walked is None else actor.gait
        parts = limbs(pose.place, pose.heading, dress, walked=pose.walked, posture=posture)
        return draw_limbs(parts, lens, sun)

    def _vehicle(self, actor: Actor) -> Vehicle:
        key = (actor.kind, actor.seed)
        if key not in self._vehicles:
            make = truck if actor.kind is Kind.TRUCK else car
            self._vehicles[key] = make(np.random.default_rng(actor.seed))
        return self._vehicles[key]

    def _box(self, part: _Cast, taken: NDArray[np.bool_]) -> Box | None:
        sprite = part.sprite
        x1, y1, x2, y2 = sprite.box
        here = np.s_[y1:y2, x1:x2]
        body = sprite.alpha >= _SEEN
        seen = body & (self._backdrop.solid[here] > sprite.depth) & ~taken[here]
        taken[here] |= body
        if not seen.any():
            return None
        left, top, right, bottom = _bounds(seen)
        a, b, c, d = _bounds(body)
        in_picture = (c - a) * (d - b) / max(sprite.whole, 1.0)
        share = float(seen.sum() / body.sum()) * min(1.0, in_picture + 0.06)
        return Box(
            part.actor.kind.label,
            float(x1 + left),
            float(y1 + top),
            float(x1 + right),
            float(y1 + bottom),
            share,
        )

    def _darken(self, picture: Image, sprite: Sprite) -> None:
        """The shadow falls on the ground only."""
        x1, y1, x2, y2 = sprite.box
        ground = self._backdrop.ground[y1:y2, x1:x2] > 0.5
        light = np.where(ground, sprite.shadow, np.uint8(255))
        part = picture[y1:y2, x1:x2]
        part[:] = cv2.multiply(part, cv2.merge([light, light, light]), scale=1 / 255)

    def _lay(self, picture: Image, part: _Cast, look: Look) -> None:
        sprite = part.sprite
        x1, y1, x2, y2 = sprite.box
        colour, alpha = look.actor(sprite), sprite.alpha
        if self._sheltered(part.pose.place):
            colour = np.asarray(colour * _INSIDE, np.uint8)
        hidden = (self._backdrop.solid[y1:y2, x1:x2] <= sprite.depth) & (alpha > 0)
        if hidden.any():
            alpha = np.where(hidden, np.uint8(0), alpha)
            colour = np.where(hidden[..., None], np.uint8(0), colour)
        below = picture[y1:y2, x1:x2]
        rest = 255 - alpha
        shown = cv2.multiply(below, cv2.merge([rest, rest, rest]), scale=1 / 255)
        below[:] = cv2.add(shown, colour)

    def _sheltered(self, place: Spot) -> bool:
        inside = self._layout.shelter
        if inside is None:
            return False
        return inside[0] < place[0] < inside[1] and inside[2] < place[1] < inside[3]

    def _shine(self, picture: Image, part: _Cast) -> None:
        """Lamps of a vehicle that point at the camera."""
        vehicle, pose = self._vehicle(part.actor), part.pose
        lamps = lamp_spots(vehicle, pose.place, pose.heading, self._layout.lens)
        for x, y, radius, front in lamps:
            _glow(picture, (x, y), radius, 255.0 if front else 110.0)


def _bounds(mask: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of what is set; right and bottom just outside."""
    cols, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    return int(cols[0]), int(rows[0]), int(cols[-1]) + 1, int(rows[-1]) + 1


def _glow(picture: Image, spot: tuple[float, float], radius: float, strength: float) -> None:
    """Add a round glow with a bright heart."""
    height, width = picture.shape[:2]
    reach = int(min(radius * 3, height * 0.4)) + 2
    x, y = int(spot[0]), int(spot[1])
    x1, x2 = max(x - reach, 0), min(x + reach, width)
    y1, y2 = max(y - reach, 0), min(y + reach, height)
    if x2 <= x1 or y2 <= y1:
        return
    xs = np.arange(x1, x2, dtype=np.float32)[None, :] - np.float32(spot[0])
    ys = np.arange(y1, y2, dtype=np.float32)[:, None] - np.float32(spot[1])
    away = (xs * xs + ys * ys) / np.float32(max(radius, 1.0) ** 2)
    light = strength * (np.exp(-away * 6) + 0.25 * np.exp(-away * 0.9))
    tone = np.clip(light, 0, 255).astype(np.uint8)
    part = picture[y1:y2, x1:x2]
    part[:] = cv2.add(part, cv2.merge([tone, tone, tone]))
