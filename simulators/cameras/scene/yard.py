"""Ground, sky and hills: what lies around every shaft head."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from simulators.cameras.scene.canvas import Canvas
from simulators.cameras.scene.optics import Floats
from simulators.cameras.scene.textures import Colour, fractal

Spot = tuple[float, float]  # x, z on the ground, metres

_TILE = 1024  # px of the ground's grain, which repeats
_FINE_M = 7.0  # metres that one tile covers, fine and coarse
_COARSE_M = 61.0


@dataclass(frozen=True, slots=True)
class Road:
    """A strip of another surface along a line of spots."""

    line: tuple[Spot, ...]
    half_width: float
    colour: Colour


@dataclass(frozen=True, slots=True)
class Surface:
    """How the ground looks.

    Attributes:
        base: gravel of the yard.
        roads: painted over it in this order.
        dust: dark coal dust around spots, (x, z, radius).
        edge: metres away from the camera where grass takes over.
        grass: its colour.
    """

    base: Colour
    roads: tuple[Road, ...]
    dust: tuple[tuple[float, float, float], ...]
    edge: float
    grass: Colour


@dataclass(frozen=True, slots=True)
class Ground:
    """What later steps ask about the ground, each [H, W] at the canvas' scale."""

    mask: Floats  # 1 where the ground is seen
    x: Floats
    z: Floats


def paint_sky(canvas: Canvas, rng: np.random.Generator) -> None:
    """Pale gradient with thin clouds, over the whole picture."""
    rows, cols = canvas.depth.shape
    top = np.array([214, 184, 158], np.float32) * rng.uniform(0.92, 1.04)
    low = np.array([228, 222, 214], np.float32)
    ramp = np.linspace(0, 1, rows, dtype=np.float32)[:, None, None]
    small = fractal(rng, 256, 512, cells=3)
    clouds = cv2.resize(small, (cols, rows), interpolation=cv2.INTER_LINEAR)[..., None]
    sky = top + (low - top) * np.clip(ramp * 2.2, 0, 1) + 9 * np.clip(clouds, -0.5, 2)
    canvas.colour[:] = np.clip(sky, 0, 250)
    canvas.depth[:] = 500.0


def paint_hills(canvas: Canvas, rng: np.random.Generator) -> None:
    """Two ridges behind the yard."""
    rows, cols = canvas.depth.shape
    horizon = _horizon(canvas)
    shown = min(rows, max(0, int(horizon) + 2))  # the ground covers what is below
    grain = cv2.resize(fractal(rng, 256, 512, cells=16), (cols, rows))[:shown, :, None]
    green, haze = np.array([118, 128, 118], np.float32), np.array([206, 200, 192], np.float32)
    for height, tone, steps in ((0.11, 0.95, 3), (0.055, 0.72, 6)):
        ridge = fractal(rng, 64, 512, cells=steps, octaves=5)[7]
        line = np.interp(np.linspace(0, 511, cols), np.arange(512), ridge)
        tops = horizon - rows * (height + 0.025 * line)
        mask = np.arange(shown)[:, None] >= tops[None, :]
        mix = green * tone * (0.85 - 2 * height) + haze * (0.15 + 4 * height)
        canvas.colour[:shown][mask] = np.clip((mix * (1 + 0.07 * grain))[mask], 0, 235)


def paint_trees(canvas: Canvas, rng: np.random.Generator, groves: int, near: float) -> None:
    """Groves beyond `near` metres, far trees first. A lone slim tree looks like a person."""
    places: list[tuple[float, float]] = []
    for _ in range(groves):
        depth = float(rng.uniform(near + 6, near + 30))
        x = float(rng.uniform(-0.8, 0.8) * depth)
        offsets = rng.normal(0, (1.5, 4.0), (int(rng.integers(4, 9)), 2))
        places += [(depth + float(dz), x + float(dx)) for dz, dx in offsets]
    for depth, x in sorted(places, reverse=True):
        height = float(rng.uniform(3.0, 6.5))
        tone = rng.uniform(0.75, 1.1)
        haze = min(0.6, depth / 110)
        green = np.array([52, 100, 80], np.float32) * tone * (1 - haze)
        green += haze * np.array([190, 188, 182], np.float32)
        _tree(canvas, rng, (x, height, depth), green)


def _tree(
    canvas: Canvas, rng: np.random.Generator, place: tuple[float, float, float], green: Floats
) -> None:
    x, height, depth = place
    slim = float(rng.uniform(0.42, 0.75))
    canvas.beam((x, 0, depth), (x, height * 0.6, depth), 0.05 * height, (52, 62, 70))
    for level in np.sort(rng.beta(1.6, 1.3, 260)):
        spread = slim * height * (1.02 - (2 * level - 0.75) ** 2 * 0.5)
        offset = float(np.clip(rng.normal(), -1.5, 1.5)) * 0.6 * spread
        y = height * (0.06 + 0.9 * float(level))
        px, dist = canvas.lens.project(np.array([[x + offset, y, depth]], np.float32))
        radius = 0.06 * height * canvas.lens.focal / float(dist[0]) * canvas.scale
        spot = (int(px[0, 0] * canvas.scale), int(px[0, 1] * canvas.scale))
        side = 1 - 0.25 * offset / max(spread, 0.1)
        colour = green * rng.uniform(0.72, 1.12) * side * (0.72 + 0.4 * level)
        size = max(1, int(radius * rng.uniform(0.5, 1.2)))
        tone = np.clip(colour, 0, 255).tolist()
        cv2.circle(canvas.colour, spot, size, tone, -1, cv2.LINE_AA)
        cv2.circle(canvas.depth, spot, size, depth, -1)


def paint_ground(canvas: Canvas, rng: np.random.Generator, surface: Surface) -> Ground:
    """Gravel, roads, dust and grass, by a ray through every pixel."""
    x, z, mask, reach = _spots(canvas)
    tile = fractal(rng, _TILE, _TILE, cells=8, octaves=7)
    stones = fractal(rng, _TILE, _TILE, cells=16, octaves=7, rough=0.92)
    fine, coarse = _grain(stones, x, z, _FINE_M), _grain(tile, z + 13, x, _COARSE_M)
    fade = np.clip(9 / np.maximum(reach, 1), 0, 1)
    grain = 0.12 * fine * fade + 0.055 * coarse
    colour = np.empty((*x.shape, 3), np.float32)
    colour[:] = surface.base
    for road in surface.roads:
        edge = 0.35 * coarse + 0.12 * fine * fade
        weight = np.clip((road.half_width - _distance(x, z, road.line)) * 2.5 + edge, 0, 1)
        colour += weight[..., None] * (np.asarray(road.colour, np.float32) - colour)
    for spot_x, spot_z, radius in surface.dust:
        away = np.hypot(x - spot_x, z - spot_z) / radius
        dark = 0.6 * np.exp(-away * away) * np.clip(1 + 0.5 * coarse, 0, 1.3)
        colour *= 1 - dark[..., None]
    grass = np.clip((reach - surface.edge) * 0.2 + 0.9 * coarse, 0, 1)
    colour += grass[..., None] * (np.asarray(surface.grass, np.float32) - colour)
    haze = np.clip(reach / 220, 0, 0.55)[..., None]
    colour = colour * (1 + grain[..., None])
    colour += haze * (np.array([196, 192, 186], np.float32) - colour)
    seen = mask > 0
    canvas.colour[seen] = np.clip(colour, 0, 245)[seen]
    canvas.depth[seen] = np.inf
    return Ground(mask, x, z)


def _spots(canvas: Canvas) -> tuple[Floats, Floats, Floats, Floats]:
    dx, dy, dz = canvas.lens.rays(canvas.scale)
    mask = (dy < -0.004).astype(np.float32)
    reach = canvas.lens.position[1] / np.maximum(-dy, 0.004)
    x = np.asarray(canvas.lens.position[0] + reach * dx, np.float32)
    z = np.asarray(canvas.lens.position[2] + reach * dz, np.float32)
    return x, z, mask, np.asarray(reach, np.float32)


def _grain(tile: Floats, x: Floats, z: Floats, metres: float) -> Floats:
    scale = _TILE / metres
    us, vs = np.mod(x * scale, _TILE - 1), np.mod(z * scale, _TILE - 1)
    return np.asarray(
        cv2.remap(tile, us.astype(np.float32), vs.astype(np.float32), cv2.INTER_LINEAR),
        np.float32,
    )


def _distance(x: Floats, z: Floats, line: tuple[Spot, ...]) -> Floats:
    """Metres from every spot to a line of spots."""
    best = np.full(x.shape, 1e6, np.float32)
    for (ax, az), (bx, bz) in pairwise(line):
        length = max((bx - ax) ** 2 + (bz - az) ** 2, 1e-6)
        along = np.clip(((x - ax) * (bx - ax) + (z - az) * (bz - az)) / length, 0, 1)
        best = np.minimum(best, np.hypot(x - ax - along * (bx - ax), z - az - along * (bz - az)))
    return np.asarray(best, np.float32)


def _horizon(canvas: Canvas) -> float:
    """Row of the horizon."""
    far = np.array([[canvas.lens.position[0], 0, 4000.0]], np.float32)
    px, _ = canvas.lens.project(far)
    return float(px[0, 1] * canvas.scale)
