"""Draws vehicles: every face that looks at the camera, shaded by its direction."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

import cv2
import numpy as np

from simulators.cameras.scene.canvas import SHIFT, SUN, across, lit
from simulators.cameras.scene.optics import Floats, Lens
from simulators.cameras.scene.sprite import Sprite, as_bytes, window_of
from simulators.cameras.scene.textures import Colour, Image, fractal
from simulators.cameras.scene.vehicle import Detail, Solid, Vehicle, Wheel

_TYRE: Colour = (34, 35, 36)
_RIM: Colour = (168, 172, 172)
_ANGLES = np.linspace(0, 2 * np.pi, 21, dtype=np.float32)[:-1]
_TURNS = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=1)


class _Pen:
    """Fills polygons of the world on a premultiplied layer."""

    def __init__(self, lens: Lens, box: tuple[int, int, int, int]) -> None:
        x1, y1, x2, y2 = box
        self.lens = lens
        self.origin = np.array([x1, y1], np.float32)
        self.colour: Image = np.zeros((y2 - y1, x2 - x1, 3), np.uint8)
        self.alpha: Image = np.zeros((y2 - y1, x2 - x1), np.uint8)

    def fill(self, world: Floats, colour: Colour, light: float) -> None:
        px, _ = self.lens.project(world)
        fixed = np.round(np.clip(px - self.origin, -30000, 30000) * (1 << SHIFT))
        points = [fixed.astype(np.int32)]
        tone = [min(250.0, part * light) for part in colour]
        cv2.fillPoly(self.colour, points, tone, cv2.LINE_AA, SHIFT)
        cv2.fillPoly(self.alpha, points, (255.0,), cv2.LINE_AA, SHIFT)


class _Place:
    """From measures of the vehicle (ahead, up, left) to the world."""

    def __init__(self, x: float, z: float, heading: float) -> None:
        ahead = (math.sin(heading), math.cos(heading))
        self._origin = np.array([x, 0, z], np.float32)
        self._axes = np.array(
            [[ahead[0], 0, ahead[1]], [0, 1, 0], [-ahead[1], 0, ahead[0]]], np.float32
        )

    def world(self, points: list[tuple[float, float, float]] | Floats) -> Floats:
        return np.asarray(np.asarray(points, np.float32) @ self._axes + self._origin, np.float32)


def draw_vehicle(
    vehicle: Vehicle, place: tuple[float, float], heading: float, lens: Lens, sun: float
) -> Sprite | None:
    """A vehicle at x, z on the ground; `heading` as for people. None outside the picture."""
    spot = _Place(*place, heading)
    corners = [point for solid in (*vehicle.solids, *vehicle.under) for point in _corners(solid)]
    hull = spot.world(corners)
    px, depth = lens.project(hull)
    if float(depth.min()) < 1.2:
        return None
    fallen = hull.copy()
    fallen[:, 0] -= hull[:, 1] * SUN[0] / SUN[1]
    fallen[:, 2] -= hull[:, 1] * SUN[2] / SUN[1]
    fallen[:, 1] = 0
    ground, ground_depth = lens.project(fallen)
    if float(ground_depth.min()) < 1.2:
        sun = 0.0
    margin = 0.25 * lens.focal / float(depth.mean())
    foot, _ = lens.project(spot.world(_footprint(vehicle)))
    every = np.concatenate([px, foot, ground] if sun > 0 else [px, foot])
    box = window_of(np.asarray(every, np.float32), margin + 3, lens)
    if box is None:
        return None
    pen = _Pen(lens, box)
    _draw_parts(pen, vehicle, spot)
    low, high = px.min(axis=0), np.maximum(px.max(axis=0), foot.max(axis=0))
    return Sprite(
        box=box,
        colour=_dirty(pen.colour),
        alpha=pen.alpha,
        shadow=_shade(pen, foot, ground, sun, margin),
        depth=float(depth.mean()),
        whole=float(np.prod(high - low)),
    )


def lamp_spots(
    vehicle: Vehicle, place: tuple[float, float], heading: float, lens: Lens
) -> Iterator[tuple[float, float, float, bool]]:
    """Lamps that shine at the camera: picture x, y, radius in px, and whether a headlamp."""
    spot = _Place(*place, heading)
    for ahead, up, left, front in vehicle.lamps:
        two = spot.world([(ahead, up, left), (0, up, left)])
        out = two[0] - two[1]
        to_eye = np.asarray(lens.position, np.float32) - two[0]
        cosine = float(out @ to_eye) / float(np.linalg.norm(out) * np.linalg.norm(to_eye))
        px, depth = lens.project(two[:1])
        if cosine > 0.1 and float(depth[0]) > 1.5:
            size = (0.55 if front else 0.2) * cosine * lens.focal / float(depth[0])
            yield float(px[0, 0]), float(px[0, 1]), size, front


def _draw_parts(pen: _Pen, vehicle: Vehicle, spot: _Place) -> None:
    eye = np.asarray(pen.lens.position, np.float32)
    middle = spot.world([(0, 0, 0), (0, 0, 1)])
    near = 1 if float((middle[1] - middle[0]) @ (eye - middle[0])) > 0 else -1
    for wheel in vehicle.wheels:
        _wheel(pen, spot, wheel, -near)
    for solid in vehicle.under:
        _solid(pen, spot, solid)
    _belly(pen, vehicle, spot)
    order = sorted(
        vehicle.solids, key=lambda solid: -float(np.linalg.norm(_middle(solid, spot) - eye))
    )
    for solid in order:
        _solid(pen, spot, solid)
    for wheel in vehicle.wheels:
        _wheel(pen, spot, wheel, near)


def _belly(pen: _Pen, vehicle: Vehicle, spot: _Place) -> None:
    half, length = vehicle.width / 2 - 0.12, vehicle.length / 2 - 0.3
    flat = [(-length, 0.3, -half), (-length, 0.3, half), (length, 0.3, half), (length, 0.3, -half)]
    pen.fill(spot.world(flat), (24, 24, 25), 1.0)


def _middle(solid: Solid, spot: _Place) -> Floats:
    ahead = sum(point[0] for point in solid.profile) / len(solid.profile)
    up = sum(point[1] for point in solid.profile) / len(solid.profile)
    return np.asarray(spot.world([(ahead, up * 0.5, 0.0)])[0], np.float32)


def _corners(solid: Solid) -> list[tuple[float, float, float]]:
    return [
        (ahead, up, side * solid.half_at(up)) for ahead, up in solid.profile for side in (1, -1)
    ]


def _footprint(vehicle: Vehicle) -> list[tuple[float, float, float]]:
    length, half = vehicle.length / 2 + 0.05, vehicle.width / 2 + 0.05
    return [(-length, 0, -half), (-length, 0, half), (length, 0, half), (length, 0, -half)]


def _solid(pen: _Pen, spot: _Place, solid: Solid) -> None:
    eye = np.asarray(pen.lens.position, np.float32)
    inside = _middle(solid, spot)
    inside[1] = sum(point[1] for point in solid.profile) / len(solid.profile)
    others = dict(solid.edges)
    for index, (one, two) in enumerate(pairwise(solid.profile)):
        a, b = solid.half_at(one[1]), solid.half_at(two[1])
        face = spot.world([(*one, a), (*one, -a), (*two, -b), (*two, b)])
        light = _seen(face, inside, eye)
        if light is None:
            continue
        pen.fill(face, others.get(index, solid.colour), light)
        for detail in solid.details:
            if detail.edge == index:
                pen.fill(spot.world(_on_edge(detail, one, two)), detail.colour, light)
    for side in (1, -1):
        face = spot.world([(x, y, side * solid.half_at(y)) for x, y in solid.profile])
        light = _seen(face, inside, eye)
        if light is None:
            continue
        pen.fill(face, solid.colour, light)
        for detail in solid.details:
            if detail.edge is None:
                flat = [(x, y, side * solid.half_at(y)) for x, y in detail.points]
                pen.fill(spot.world(flat), detail.colour, light)


def _on_edge(
    detail: Detail, one: tuple[float, float], two: tuple[float, float]
) -> list[tuple[float, float, float]]:
    return [
        (one[0] + (two[0] - one[0]) * part, one[1] + (two[1] - one[1]) * part, left)
        for left, part in detail.points
    ]


def _seen(face: Floats, inside: Floats, eye: Floats) -> float | None:
    """Light on a face that looks at the camera; None when it looks away."""
    normal = across(face)
    if float(normal @ (face[0] - inside)) < 0:
        normal = -normal
    if float(normal @ (eye - face[0])) <= 0:
        return None
    return lit(face, (float(eye[0]), float(eye[1]), float(eye[2])))


def _wheel(pen: _Pen, spot: _Place, wheel: Wheel, side: int) -> None:
    def disc(radius: float, left: float) -> Floats:
        ahead = wheel.ahead + radius * _TURNS[:, 0]
        up = np.maximum(wheel.radius + radius * _TURNS[:, 1], 0)
        return spot.world(np.stack([ahead, up, np.full_like(up, left)], axis=1))

    out = side * (wheel.left + 0.03)
    inner = side * (wheel.left - 0.22)
    pen.fill(disc(wheel.radius * 1.16, side * (wheel.left + 0.01)), (22, 22, 23), 1.0)
    tread = np.concatenate([disc(wheel.radius, inner), disc(wheel.radius, out)])
    px, _ = pen.lens.project(tread)
    hull = cv2.convexHull(np.asarray(px, np.float32)).reshape(-1, 2)
    fixed = np.round(np.clip(hull - pen.origin, -30000, 30000) * (1 << SHIFT)).astype(np.int32)
    cv2.fillPoly(pen.colour, [fixed], (24.0, 25.0, 26.0), cv2.LINE_AA, SHIFT)
    cv2.fillPoly(pen.alpha, [fixed], (255.0,), cv2.LINE_AA, SHIFT)
    pen.fill(disc(wheel.radius, out), _TYRE, 1.0)
    pen.fill(disc(wheel.radius * 0.62, out), _RIM, 0.85)
    pen.fill(disc(wheel.radius * 0.42, out), _TYRE, 1.6)
    pen.fill(disc(wheel.radius * 0.24, out), _RIM, 0.7)


def _shade(pen: _Pen, foot: Floats, ground: Floats, sun: float, margin: float) -> Image:
    shadow = np.zeros(pen.alpha.shape, np.uint8)
    limit = 30000
    if sun > 0:
        hull = cv2.convexHull(np.clip(ground - pen.origin, -limit, limit).astype(np.int32))
        cv2.fillConvexPoly(shadow, hull, (120 * sun,))
    base = cv2.convexHull(np.clip(foot - pen.origin, -limit, limit).astype(np.int32))
    cv2.fillConvexPoly(shadow, base, (175.0,))
    size = max(3, int(margin * 0.9) | 1)
    return np.asarray(255 - cv2.blur(cv2.blur(shadow, (size, size)), (size, size)), np.uint8)


def _dirty(colour: Image) -> Image:
    """Dust on the paint: uneven, more of it below."""
    rows, cols = colour.shape[:2]
    grain = cv2.resize(_grain(), (cols, rows), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.multiply(colour, grain, scale=1 / 200), np.uint8)


@lru_cache(maxsize=1)
def _grain() -> Image:
    shade = 196 + 8 * fractal(np.random.default_rng(5), 128, 128, cells=4)
    shade -= np.linspace(-10, 16, 128, dtype=np.float32)[:, None]
    return np.repeat(as_bytes(np.asarray(shade, np.float32))[..., None], 3, axis=2)
