"""The gate of the mine: pillars, wall, guard house, boom, the road through it."""

from __future__ import annotations

import math

import numpy as np

from simulators.cameras.scene.canvas import Canvas
from simulators.cameras.scene.layout import Layout, board, fence, house, lamp_post, window
from simulators.cameras.scene.optics import Lens
from simulators.cameras.scene.textures import Colour, brick, plaster
from simulators.cameras.scene.yard import Road, Surface

_WALLS: tuple[Colour, ...] = ((112, 130, 170), (160, 172, 176), (176, 178, 172), (128, 150, 166))


def gate(width: int, height: int, rng: np.random.Generator) -> Layout:
    """A layout of its own for every `rng`; mirrored in half of the cases."""
    side = 1.0 if rng.random() < 0.5 else -1.0
    line = float(rng.uniform(13.0, 15.5))  # z of the gate
    lens = Lens(
        width,
        height,
        (side * -float(rng.uniform(6.0, 7.5)), float(rng.uniform(3.6, 4.8)), 0.0),
        math.radians(side * float(rng.uniform(20, 26))),
        math.radians(float(rng.uniform(8.5, 11.5))),
        math.radians(float(rng.uniform(60, 68))),
    )
    parts = _Gate(side, line, rng)
    road = Road(
        ((0.0, -6.0), (0.0, line + 4), (side * 4, line + 16), (side * 26, line + 30)),
        3.0,
        parts.road,
    )
    surface = Surface(
        base=parts.gravel,
        roads=(road,),
        dust=((0, line, 5.0), (side * 3, line - 8, 4.0)),
        edge=float(rng.uniform(26, 32)),
        grass=(80, 120, 112),
    )
    return Layout(
        lens=lens,
        surface=surface,
        paint=parts.paint,
        routes={
            "drive-out": ((0.6, 3.0), (0.0, line), (side * 4, line + 16), (side * 16, line + 24)),
            "drive-in": ((side * 16, line + 24), (side * 4, line + 16), (0.0, line), (-0.3, 2.0)),
            "in": ((side * 2, line + 12), (side * 1.5, line), (side * -1, line - 6), (0, 5.0)),
            "out": ((side * -1, 6.0), (side * 1.5, line - 3), (side * 1.2, line + 10)),
            "across": ((side * -6, line - 4.5), (side * 5, line - 4)),
        },
        zones={
            "gate": (
                (-3.2, line - 5.0),
                (-3.2, line + 2.5),
                (3.2, line + 2.5),
                (3.2, line - 5.0),
            ),
            "road": ((-3.2, 7.0), (-3.2, line - 5), (3.2, line - 5), (3.2, 7.0)),
        },
        lamps=((side * 5.2, 3.1, line - 3.4), (side * -4.0 + 0.9, 5.6, line + 0.6)),
        far=44.0,
        extras={"gate": (0.0, line - 1.5), "yard": (side * -1.0, line - 5.0)},
    )


class _Gate:
    """Colours and measures of one gate, and how to paint it."""

    def __init__(self, side: float, line: float, rng: np.random.Generator) -> None:
        self.side, self.line = side, line
        self.wall = _WALLS[int(rng.integers(len(_WALLS)))]
        tone = float(rng.uniform(0.86, 1.1))
        self.gravel: Colour = (130 * tone, 140 * tone, 146 * tone)
        self.road: Colour = (
            (104 * tone, 104 * tone, 104 * tone)
            if rng.random() < 0.5
            else (160 * tone, 164 * tone, 164 * tone)
        )
        self.bricks = bool(rng.random() < 0.5)

    def paint(self, canvas: Canvas, rng: np.random.Generator) -> None:
        s, line = self.side, self.line
        fence(canvas, (s * 8, line + 12), (s * 30, line + 14), 1.5, (110, 120, 116))
        make = brick if self.bricks else plaster
        for start, end in ((3.8, 26.0), (-3.8, -26.0)):
            x1, x2 = sorted((start, end))
            face = make(rng, x2 - x1, 2.3, self.wall)
            canvas.wall([(x1, 2.3, line), (x2, 2.3, line), (x2, 0, line), (x1, 0, line)], face)
            cap = plaster(rng, x2 - x1, 0.14, (176, 178, 176))
            z = line - 0.08
            canvas.wall([(x1, 2.42, z), (x2, 2.42, z), (x2, 2.28, z), (x1, 2.28, z)], cap)
        lamp_post(canvas, s * -4.0, line + 0.6, 5.5)
        self._leaf(canvas)
        for x in (-3.6, 3.6):
            self._pillar(canvas, rng, x)
        self._guard_house(canvas, rng)
        self._boom(canvas)

    def _leaf(self, canvas: Canvas) -> None:
        """The sliding leaf, open, along the wall."""
        x1, x2 = sorted((self.side * -4.2, self.side * -10.5))
        z = self.line - 0.35
        for x in np.arange(x1, x2, 0.24):
            canvas.beam((float(x), 0.12, z), (float(x), 1.75, z), 0.045, (150, 152, 152))
        for y in (0.15, 0.95, 1.75):
            canvas.beam((x1, y, z), (x2, y, z), 0.08, (160, 164, 164))

    def _pillar(self, canvas: Canvas, rng: np.random.Generator, x: float) -> None:
        z, half, high = self.line - 0.6, 0.55, 3.1
        colour = self.wall
        eye = canvas.lens.position[0]
        side = x - half if eye < x else x + half
        canvas.wall(
            [(side, high, z + 1.1), (side, high, z), (side, 0, z), (side, 0, z + 1.1)],
            plaster(rng, 1.1, high, colour),
        )
        canvas.wall(
            [(x - half, high, z), (x + half, high, z), (x + half, 0, z), (x - half, 0, z)],
            plaster(rng, 1.1, high, colour),
        )
        canvas.polygon(
            [
                (x - 0.7, high + 0.25, z - 0.1),
                (x + 0.7, high + 0.25, z - 0.1),
                (x + 0.7, high, z - 0.1),
                (x - 0.7, high, z - 0.1),
            ],
            (182, 184, 182),
        )
        board(canvas, x - 0.32, 1.2, z - 0.04, 0.64, (48, 44, 150))

    def _guard_house(self, canvas: Canvas, rng: np.random.Generator) -> None:
        s, z = self.side, self.line - 3.2
        x1, x2 = sorted((s * 4.4, s * 8.2))
        house(canvas, rng, (x1, x2, z, z + 2.8), 2.8, (182, 190, 188))
        window(canvas, x1 + 0.4, 1.1, x1 + 1.7, 2.2, z - 0.03)
        door = x2 - 1.3
        canvas.polygon(
            [
                (door, 2.1, z - 0.03),
                (door + 0.9, 2.1, z - 0.03),
                (door + 0.9, 0, z - 0.03),
                (door, 0, z - 0.03),
            ],
            (120, 92, 66),
        )

    def _boom(self, canvas: Canvas) -> None:
        """The boom, raised."""
        s, z = self.side, self.line - 4.0
        x = s * 3.7
        canvas.beam((x, 0, z), (x, 1.1, z), 0.4, (40, 130, 214))
        tip = (x - s * 1.6, 4.8, z)
        for index in range(8):
            a, b = index / 8, (index + 1) / 8
            colour: Colour = (40, 40, 200) if index % 2 else (224, 226, 226)
            canvas.beam(
                (x + (tip[0] - x) * a, 1.0 + 3.8 * a, z),
                (x + (tip[0] - x) * b, 1.0 + 3.8 * b, z),
                0.13,
                colour,
            )
