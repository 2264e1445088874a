"""The shaft head: headframe, house over the mouth, rails, fence, coal heap."""

from __future__ import annotations

import math
from itertools import pairwise

import cv2
import numpy as np

from simulators.cameras.scene.canvas import Canvas, Point
from simulators.cameras.scene.layout import Layout, board, fence, house, lamp_post, window
from simulators.cameras.scene.optics import Lens
from simulators.cameras.scene.textures import Colour, brick, plaster, sheet
from simulators.cameras.scene.yard import Road, Surface

_WALLS: tuple[Colour, ...] = (
    (150, 168, 176),
    (166, 172, 170),
    (104, 124, 168),
    (168, 160, 142),
    (140, 170, 186),
)
_STEEL: tuple[Colour, ...] = ((92, 98, 104), (110, 92, 60), (64, 78, 122), (70, 104, 84))


def shaft(width: int, height: int, rng: np.random.Generator) -> Layout:
    """A layout of its own for every `rng`; mirrored in half of the cases."""
    side = 1.0 if rng.random() < 0.5 else -1.0
    front = float(rng.uniform(12.2, 14.5))
    lens = Lens(
        width,
        height,
        (0.0, float(rng.uniform(4.2, 5.6)), 0.0),
        math.radians(float(rng.uniform(-5, 5)) + 3 * side),
        math.radians(float(rng.uniform(12.0, 14.5))),
        math.radians(float(rng.uniform(55, 63))),
    )
    mouth = side * float(rng.uniform(3.4, 4.6))  # x of the middle of the mouth
    parts = _Shaft(side, front, mouth, rng)
    way = (
        (side * -25, 19.0),
        (side * -10, 13.0),
        (side * -2, front - 3.0),
        (side * 20, front - 4.6),
    )
    road = Road(way, 2.4, parts.road)
    apron = Road(((mouth, front + 1), (mouth, 5.0)), 1.7, parts.road)
    surface = Surface(
        base=parts.gravel,
        roads=(road, apron),
        dust=((mouth, front - 1, 3.5), (side * -8, front + 6, 5.0), (mouth, 7, 2.0)),
        edge=float(rng.uniform(24, 32)),
        grass=(84, 122, 118),
    )
    inside = (mouth, front + 1.4)
    return Layout(
        lens=lens,
        surface=surface,
        paint=parts.paint,
        routes={
            "in": ((side * -9.5, 9.5), (mouth - side * 1.5, front - 2.2), (mouth, front), inside),
            "out": (inside, (mouth, front), (mouth - side * 2, 9.5), (side * -8.5, 8.5)),
            "across": ((side * -11, 10.5), (side * 11, 9.5)),
            "near": ((side * 6, 8.0), (side * -6, 7.5)),
            "drive": way,
        },
        zones={
            "shaft-mouth": (
                (mouth - 2.4, front - 3.2),
                (mouth - 2.2, front + 1.5),
                (mouth + 2.2, front + 1.5),
                (mouth + 2.4, front - 3.2),
            ),
            "yard": ((-6.0, 7.0), (-6.0, front - 3.4), (6.0, front - 3.4), (6.0, 7.0)),
        },
        lamps=((mouth, 3.6, front - 0.3), (side * -3.0 + 0.9, 6.1, front + 4)),
        shelter=(mouth - 1.7, mouth + 1.7, front + 0.05, front + 9),
        extras={"mouth": (mouth, front - 1.0), "yard": (side * -2.0, 9.5)},
    )


class _Shaft:
    """Colours and measures of one shaft head, and how to paint it."""

    def __init__(self, side: float, front: float, mouth: float, rng: np.random.Generator) -> None:
        self.side, self.front, self.mouth = side, front, mouth
        self.wall = _WALLS[int(rng.integers(len(_WALLS)))]
        self.steel = _STEEL[int(rng.integers(len(_STEEL)))]
        tone = float(rng.uniform(0.85, 1.1))
        self.gravel: Colour = (128 * tone, 138 * tone, 144 * tone)
        self.road: Colour = (158 * tone, 162 * tone, 164 * tone)
        self.bricks = bool(rng.random() < 0.4)
        self.tower = (side * -float(rng.uniform(3.0, 6.0)), float(rng.uniform(26, 30)))

    def paint(self, canvas: Canvas, rng: np.random.Generator) -> None:
        s, front = self.side, self.front
        x, z = self.tower
        shed = sorted((x - s * 5, x - s * 15))
        house(canvas, rng, (shed[0], shed[1], z + 3, z + 9), 4.5, (150, 160, 168))
        for place in (0.2, 0.5, 0.8):
            left = shed[0] + (shed[1] - shed[0]) * place
            window(canvas, left - 0.7, 1.6, left + 0.7, 3.0, z + 2.95)
        self._headframe(canvas)
        fence(canvas, (s * -30, 22), (s * 1, 21), 1.9, (96, 110, 104))
        self._heap(canvas, rng)
        lamp_post(canvas, s * -3.0, front + 4, 6.0)
        self._house(canvas, rng)
        self._rails(canvas)
        board(canvas, self.mouth - s * 3.2 - 0.5, 1.2, front - 0.05, 1.1, (150, 70, 30))
        board(canvas, self.mouth + s * 3.0 - 0.5, 1.5, front - 0.05, 1.0, (40, 40, 170))

    def _headframe(self, canvas: Canvas) -> None:
        x, z = self.tower
        s, steel, top = self.side, self.steel, 10.5
        half, crown = 1.7, 1.0
        for dz in (1.6, -1.6):
            ladder: list[tuple[Point, Point]] = []
            for level in range(6):
                y = top * level / 5
                wide = half + (crown - half) * level / 5
                ladder.append(((x - wide, y, z + dz), (x + wide, y, z + dz)))
            for (l0, r0), (l1, r1) in pairwise(ladder):
                canvas.beam(l0, r1, 0.14, steel)
                canvas.beam(r0, l1, 0.14, steel)
                canvas.beam(l1, r1, 0.18, steel)
                canvas.beam(l0, l1, 0.3, steel)
                canvas.beam(r0, r1, 0.3, steel)
            strut = (x - s * 6.5, 0.0, z + dz)
            canvas.beam(strut, (x, top - 0.4, z + dz), 0.34, steel)
        canvas.beam((x - 1.9, top, z - 1.6), (x + 1.9, top, z - 1.6), 0.3, steel)
        for dx in (-0.25, 0.25):
            canvas.ring((x + dx * 2, top + 1.0, z - 1.0 + dx), 1.0, 0.12, steel)
        canvas.beam((x - s * 1.0, top + 1.2, z), (x - s * 8, 4.2, z + 3), 0.05, (70, 70, 70))

    def _heap(self, canvas: Canvas, rng: np.random.Generator) -> None:
        cx, cz = self.side * -8.5, self.front + 6.5
        for ring in np.linspace(1, 0.08, 14):
            outline: list[Point] = []
            for turn in np.linspace(0, np.pi, 15):
                wide = 3.4 * ring * float(rng.uniform(0.93, 1.05))
                outline.append(
                    (
                        cx + wide * float(np.cos(turn)),
                        1.9 * (1 - float(ring)) + 1.2 * ring * float(np.sin(turn)) * 0.5,
                        cz,
                    )
                )
            tone = 42 + 16 * (1 - ring) + float(rng.uniform(-5, 5))
            canvas.polygon(outline, (tone, tone, tone * 1.02))

    def _house(self, canvas: Canvas, rng: np.random.Generator) -> None:
        front, mouth, s = self.front, self.mouth, self.side
        left, right = mouth - 4.0, mouth + 4.0
        left, right = (left, right + 3) if s > 0 else (left - 3, right)
        make = brick if self.bricks else plaster
        face = make(rng, right - left, 4.1, self.wall)
        house(canvas, rng, (left, right, front, front + 9), 4.1, self.wall, front=face)
        canvas.wall(
            [
                (left, 4.9, front + 9),
                (right, 4.9, front + 9),
                (right, 4.3, front),
                (left, 4.3, front),
            ],
            sheet(rng, right - left, 3.0, (128, 110, 92)),
        )
        a, b, high = mouth - 1.65, mouth + 1.65, 3.0
        canvas.polygon(_face(a - 0.3, 0, b + 0.3, high + 0.3, front - 0.02), (148, 152, 154))
        canvas.polygon(_face(a, 0, b, high, front - 0.03), (16, 17, 18), solid=False)
        self._open(canvas, a, b, high)
        canvas.polygon(
            _face(a - 0.2, high + 0.38, b + 0.2, high + 0.95, front - 0.04), (38, 40, 168)
        )
        for x in np.linspace(a + 0.2, b - 0.2, 6):
            canvas.polygon(
                _face(float(x) - 0.16, high + 0.5, float(x) + 0.16, high + 0.83, front - 0.05),
                (190, 216, 226),
            )
        other = mouth + s * 4.6
        window(canvas, other - 0.8, 1.3, other + 0.8, 2.7, front - 0.02)

    def _open(self, canvas: Canvas, a: float, b: float, high: float) -> None:
        """The mouth's inside: nothing in it hides a person until the back wall."""
        front = self.front
        px, _ = canvas.lens.project(np.array(_face(a, 0, b, high, front), np.float32))
        rows, cols = canvas.depth.shape
        x1, y1 = np.clip((px.min(axis=0) * canvas.scale).astype(int), 0, (cols, rows))
        x2, y2 = np.clip((px.max(axis=0) * canvas.scale).astype(int), 0, (cols, rows))
        canvas.depth[y1:y2, x1:x2] = front + 9.0  # the back wall
        kept = canvas.colour.copy()
        for deep, tone in ((2.6, 22), (1.2, 32), (0.0, 44)):
            floor: list[Point] = [
                (a - 1, 0.0, front + deep + 1.4),
                (b + 1, 0.0, front + deep + 1.4),
                (b + 1, 0.0, front + deep),
                (a - 1, 0.0, front + deep),
            ]
            canvas.polygon(floor, (tone, tone, tone), solid=False)
        inside = np.zeros((rows, cols), np.uint8)
        cv2.fillConvexPoly(inside, np.round(px * canvas.scale).astype(np.int32), 1)
        outside = inside == 0
        canvas.colour[outside] = kept[outside]
        for x in (a, b):
            canvas.beam((x, 0, front - 0.04), (x, high, front - 0.04), 0.16, (60, 130, 150))

    def _rails(self, canvas: Canvas) -> None:
        for z in np.arange(self.front + 1, 4.5, -0.7):
            self._strip(canvas, self.mouth - 0.6, self.mouth + 0.6, float(z), 0.2, (92, 96, 102))
        for x in (self.mouth - 0.34, self.mouth + 0.34):
            ends: list[Point] = [
                (x - 0.04, 0.03, self.front + 1),
                (x + 0.04, 0.03, self.front + 1),
                (x + 0.04, 0.03, 4.5),
                (x - 0.04, 0.03, 4.5),
            ]
            canvas.polygon(ends, (132, 140, 148), solid=False)

    @staticmethod
    def _strip(canvas: Canvas, x1: float, x2: float, z: float, deep: float, colour: Colour) -> None:
        canvas.polygon(
            [(x1, 0.01, z + deep), (x2, 0.01, z + deep), (x2, 0.01, z), (x1, 0.01, z)],
            colour,
            solid=False,
        )


def _face(x1: float, y1: float, x2: float, y2: float, z: float) -> list[Point]:
    return [(x1, y2, z), (x2, y2, z), (x2, y1, z), (x1, y1, z)]
