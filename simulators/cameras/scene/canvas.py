"""The painter of what stands still: textured walls, polygons, beams, with a depth per pixel."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from simulators.cameras.scene.optics import Floats, Lens
from simulators.cameras.scene.textures import Colour, Image

Point = tuple[float, float, float]
SUN: Floats = np.array([-0.45, 0.78, -0.44], np.float32)  # towards the sun
SHIFT = 4  # fractional bits of OpenCV's fixed-point vertices


class Canvas:
    """Colour [H, W, 3] float32 and depth [H, W] float32 at `scale` times the picture's size.

    Things are painted far to near by the caller. The ground has infinite depth: it hides nobody.
    """

    def __init__(self, lens: Lens, scale: int) -> None:
        self.lens = lens
        self.scale = scale
        shape = (lens.height * scale, lens.width * scale)
        self.colour: Floats = np.zeros((*shape, 3), np.float32)
        self.depth: Floats = np.full(shape, np.inf, np.float32)

    def wall(self, corners: Sequence[Point], texture: Image, *, shade: float | None = None) -> None:
        """A flat rectangle with a picture on it.

        Args:
            corners: top left, top right, bottom right, bottom left of the texture, in the world.
            texture: BGR.
            shade: light on it; None takes it from its direction to the sun.
        """
        points = np.asarray(corners, np.float32)
        px, depth = self._project(points)
        if float(depth.min()) < 0.5:
            return
        box = self._box(px)
        if box is None:
            return
        x1, y1, x2, y2 = box
        rows, cols = texture.shape[:2]
        source = np.array([[0, 0], [cols, 0], [cols, rows], [0, rows]], np.float32)
        target = px - np.array([x1, y1], np.float32)
        matrix = cv2.getPerspectiveTransform(source, target)
        size = (x2 - x1, y2 - y1)
        reduced = _match(texture, target)
        if reduced is not texture:
            matrix = matrix @ np.diag([cols / reduced.shape[1], rows / reduced.shape[0], 1.0])
        image = cv2.warpPerspective(
            reduced, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        if shade is None:
            shade = lit(points, self.lens.position)
        mask = self._mask(target, size)
        self._put(box, mask, np.asarray(image, np.float32) * shade, points)

    def polygon(self, points: Sequence[Point], colour: Colour, *, solid: bool = True) -> None:
        """A flat convex polygon of one colour; `solid` ones hide what is behind them."""
        world = np.asarray(points, np.float32)
        px, depth = self._project(world)
        box = self._box(px)
        if box is None or float(depth.min()) < 0.5:
            return
        x1, y1, x2, y2 = box
        mask = self._mask(px - np.array([x1, y1], np.float32), (x2 - x1, y2 - y1))
        self._put(box, mask, np.asarray(colour, np.float32), world if solid else None)

    def beam(self, start: Point, end: Point, width: float, colour: Colour) -> None:
        """A straight steel member of `width` metres, lit on one side."""
        px, depth = self._project(np.array([start, end], np.float32))
        if float(depth.min()) < 0.5:
            return
        focal = self.lens.focal * self.scale
        thick = max(1, round(width * focal / float(depth.mean())))
        ends = [(int(x), int(y)) for x, y in np.clip(px, -20000, 20000)]
        tone = np.asarray(colour, np.float32)
        cv2.line(self.colour, ends[0], ends[1], tone.tolist(), thick, cv2.LINE_AA)
        if thick >= 3:
            side = [(x - thick // 4, y) for x, y in ends]
            cv2.line(self.colour, side[0], side[1], (tone * 1.35).tolist(), max(1, thick // 3))
        cv2.line(self.depth, ends[0], ends[1], float(depth.mean()), thick)

    def ring(self, centre: Point, radius: float, width: float, colour: Colour) -> None:
        """A wheel that stands in the plane of x and y."""
        turns = np.linspace(0, 2 * np.pi, 25)
        rim = [
            (
                centre[0] + radius * float(np.cos(a)),
                centre[1] + radius * float(np.sin(a)),
                centre[2],
            )
            for a in turns
        ]
        for one, other in pairwise(rim):
            self.beam(one, other, width, colour)
        for spoke in rim[:-1:4]:
            self.beam(centre, spoke, width * 0.6, colour)

    def _project(self, points: Floats) -> tuple[Floats, Floats]:
        px, depth = self.lens.project(points)
        return px * self.scale, depth

    def _box(self, px: Floats) -> tuple[int, int, int, int] | None:
        rows, cols = self.depth.shape
        x1, y1 = np.floor(px.min(axis=0)).astype(int)
        x2, y2 = np.ceil(px.max(axis=0)).astype(int) + 1
        x1, y1, x2, y2 = max(x1, 0), max(y1, 0), min(x2, cols), min(y2, rows)
        return (int(x1), int(y1), int(x2), int(y2)) if x2 > x1 and y2 > y1 else None

    @staticmethod
    def _mask(px: Floats, size: tuple[int, int]) -> NDArray[np.bool_]:
        mask = np.zeros((size[1], size[0]), np.uint8)
        fixed = np.round(np.clip(px, -20000, 20000) * (1 << SHIFT)).astype(np.int32)
        cv2.fillConvexPoly(mask, fixed, 1, cv2.LINE_8, SHIFT)
        return mask.astype(bool)

    def _put(
        self,
        box: tuple[int, int, int, int],
        mask: NDArray[np.bool_],
        colour: Floats,
        solid: Floats | None,
    ) -> None:
        x1, y1, x2, y2 = box
        part = self.colour[y1:y2, x1:x2]
        if colour.ndim == 1:
            part[mask] = colour
        else:
            part[mask] = colour[mask]
        if solid is not None:
            self.depth[y1:y2, x1:x2][mask] = self._plane_depth(box, solid)[mask]

    def _plane_depth(self, box: tuple[int, int, int, int], points: Floats) -> Floats:
        """Depth of the plane through `points` at each pixel of `box`."""
        seen = self.lens.to_camera(points)
        normal = across(seen)
        offset = float(normal @ seen[0])
        x1, y1, x2, y2 = box
        focal = self.lens.focal
        us = (np.arange(x1, x2, dtype=np.float32) / self.scale - self.lens.width / 2) / focal
        vs = (np.arange(y1, y2, dtype=np.float32) / self.scale - self.lens.height / 2) / focal
        slope = us[None, :] * normal[0] + vs[:, None] * normal[1] + normal[2]
        slope = np.where(np.abs(slope) < 1e-6, 1e-6, slope)
        return np.asarray(np.clip(offset / slope, 0.1, 500), np.float32)


def lit(points: Floats, eye: Point) -> float:
    """Light on the side of a flat face that looks at `eye`: sky plus sun."""
    normal = across(points)
    length = float(np.linalg.norm(normal))
    if length < 1e-9:
        return 0.7
    if float(normal @ (np.asarray(eye, np.float32) - points[0])) < 0:
        normal = -normal
    return 0.62 + 0.5 * max(0.0, float(normal @ SUN) / length)


def across(points: Floats) -> Floats:
    """A normal of the plane through the first three points (numpy's cross is slow for one)."""
    (ax, ay, az), (bx, by, bz), (cx, cy, cz) = points[:3].tolist()
    ux, uy, uz, vx, vy, vz = bx - ax, by - ay, bz - az, cx - ax, cy - ay, cz - az
    return np.array([uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx], np.float32)


def _match(texture: Image, px: Floats) -> Image:
    """The texture shrunk to about the size it will be seen at, so that it does not shimmer."""
    width = max(np.linalg.norm(px[1] - px[0]), np.linalg.norm(px[2] - px[3]))
    height = max(np.linalg.norm(px[3] - px[0]), np.linalg.norm(px[2] - px[1]))
    rows, cols = texture.shape[:2]
    target = (max(4, min(cols, int(width))), max(4, min(rows, int(height))))
    if target == (cols, rows):
        return texture
    return np.asarray(cv2.resize(texture, target, interpolation=cv2.INTER_AREA), np.uint8)
