"""What a place offers: a lens, something that paints it, walks and drives through it, zones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from simulators.cameras.scene.canvas import Canvas, Point
from simulators.cameras.scene.optics import Lens
from simulators.cameras.scene.textures import Colour, Image, plaster, sheet
from simulators.cameras.scene.yard import Spot, Surface


@dataclass(frozen=True)
class Layout:
    """One place as one camera sees it.

    Attributes:
        lens: the camera.
        surface: the ground.
        paint: paints what stands on the ground, far to near.
        routes: named walks and drives, spots on the ground in metres.
        zones: named areas on the ground.
        lamps: where lamps hang (x, y, z); they glow at dusk and at night.
        shelter: x1, x2, z1, z2 of a dark inside, if any.
        far: metres beyond which trees stand.
    """

    lens: Lens
    surface: Surface
    paint: Callable[[Canvas, np.random.Generator], None]
    routes: dict[str, tuple[Spot, ...]]
    zones: dict[str, tuple[Spot, ...]]
    lamps: tuple[Point, ...] = ()
    shelter: tuple[float, float, float, float] | None = None
    far: float = 38.0
    extras: dict[str, Spot] = field(default_factory=dict)


def house(
    canvas: Canvas,
    rng: np.random.Generator,
    area: tuple[float, float, float, float],
    height: float,
    colour: Colour,
    *,
    front: Image | None = None,
) -> None:
    """A box of a building on x1, x2, z1, z2 with a roof slab; sides that face the camera."""
    x1, x2, z1, z2 = area
    eye = canvas.lens.position[0]
    if eye < x1 or eye > x2:
        side = x1 if eye < x1 else x2
        wall = plaster(rng, z2 - z1, height, colour)
        canvas.wall([(side, height, z2), (side, height, z1), (side, 0, z1), (side, 0, z2)], wall)
    face = front if front is not None else plaster(rng, x2 - x1, height, colour)
    canvas.wall([(x1, height, z1), (x2, height, z1), (x2, 0, z1), (x1, 0, z1)], face)
    lip, thick = 0.35, 0.3
    roof = sheet(rng, x2 - x1, thick, (104, 100, 96))
    a, b = x1 - lip, x2 + lip
    top = height + thick
    canvas.wall(
        [(a, top, z1 - lip), (b, top, z1 - lip), (b, height, z1 - lip), (a, height, z1 - lip)],
        roof,
        shade=0.85,
    )


def window(canvas: Canvas, x1: float, y1: float, x2: float, y2: float, z: float) -> None:
    """Dark glass in a pale frame on a wall that faces the camera."""
    canvas.polygon(_upright(x1, y1, x2, y2, z), (196, 198, 196))
    pad = 0.08
    canvas.polygon(_upright(x1 + pad, y1 + pad, x2 - pad, y2 - pad, z - 0.01), (72, 62, 52))
    middle = (x1 + x2) / 2
    canvas.beam((middle, y1, z - 0.02), (middle, y2, z - 0.02), 0.06, (190, 192, 190))


def fence(
    canvas: Canvas, start: Spot, end: Spot, height: float, colour: Colour, step: float = 2.4
) -> None:
    """Posts with rails and a mesh between them."""
    length = float(np.hypot(end[0] - start[0], end[1] - start[1]))
    count = max(1, round(length / step))
    spots = [
        (
            start[0] + (end[0] - start[0]) * i / count,
            start[1] + (end[1] - start[1]) * i / count,
        )
        for i in range(count + 1)
    ]
    order = sorted(pairwise(spots), key=lambda pair: -pair[0][1])
    for (ax, az), (bx, bz) in order:
        for part in np.linspace(0, 1, 9)[1:-1]:
            x, z = ax + (bx - ax) * float(part), az + (bz - az) * float(part)
            canvas.beam((x, 0.05, z), (x, height - 0.08, z), 0.025, colour)
        for y in (0.12, height * 0.55, height - 0.08):
            canvas.beam((ax, y, az), (bx, y, bz), 0.045, colour)
        canvas.beam((ax, 0, az), (ax, height, az), 0.1, colour)
        canvas.beam((bx, 0, bz), (bx, height, bz), 0.1, colour)


def lamp_post(canvas: Canvas, x: float, z: float, height: float) -> None:
    """A lamp on a mast."""
    canvas.beam((x, 0, z), (x, height, z), 0.14, (120, 122, 120))
    canvas.beam((x, height, z), (x + 0.9, height + 0.15, z), 0.09, (120, 122, 120))
    canvas.beam((x + 0.6, height + 0.12, z), (x + 1.1, height + 0.14, z), 0.2, (200, 206, 208))


def board(canvas: Canvas, x: float, y: float, z: float, width: float, colour: Colour) -> None:
    """A notice board with rows of unreadable writing."""
    height = width * 0.62
    canvas.polygon(_upright(x, y, x + width, y + height, z), colour)
    for row in (0.25, 0.45, 0.65, 0.8):
        yy = y + height * row
        canvas.beam(
            (x + 0.12 * width, yy, z - 0.02), (x + 0.86 * width, yy, z - 0.02), 0.05, (228,) * 3
        )


def _upright(x1: float, y1: float, x2: float, y2: float, z: float) -> list[Point]:
    return [(x1, y2, z), (x2, y2, z), (x2, y1, z), (x1, y1, z)]
