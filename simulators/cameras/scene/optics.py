"""A pinhole camera on a pole: where a point of the yard falls in the picture."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

NEAR = 0.3  # metres; nothing nearer to the lens is drawn


@dataclass(frozen=True)
class Lens:
    """Position, direction and focal length.

    The world: x to the right, y up, z away, in metres; the ground is y = 0.

    Attributes:
        width: of the picture, px.
        height: of the picture, px.
        position: of the lens.
        yaw: to the right, radians.
        pitch: downwards, radians.
        fov: horizontal field of view, radians.
    """

    width: int
    height: int
    position: tuple[float, float, float]
    yaw: float
    pitch: float
    fov: float

    @cached_property
    def focal(self) -> float:
        """Focal length in px."""
        return self.width / 2 / math.tan(self.fov / 2)

    @cached_property
    def rotation(self) -> Floats:
        """Rows: the camera's right, down and forward, in world coordinates."""
        sy, cy = math.sin(self.yaw), math.cos(self.yaw)
        sp, cp = math.sin(self.pitch), math.cos(self.pitch)
        return np.array(
            [[cy, 0, -sy], [-sy * sp, -cp, -cy * sp], [sy * cp, -sp, cy * cp]], np.float32
        )

    def to_camera(self, points: NDArray[np.floating]) -> Floats:
        """World points [N, 3] to right, down, forward [N, 3], metres."""
        moved = np.asarray(points, np.float32) - np.asarray(self.position, np.float32)
        return moved @ self.rotation.T

    def project(self, points: NDArray[np.floating]) -> tuple[Floats, Floats]:
        """World points [N, 3] to picture px [N, 2] and depth [N] in metres (bounded below)."""
        seen = self.to_camera(points)
        depth = np.maximum(seen[:, 2], NEAR)
        px = seen[:, :2] * (self.focal / depth)[:, None]
        px += np.array([self.width / 2, self.height / 2], np.float32)
        return px.astype(np.float32), depth.astype(np.float32)

    def ground(self, u: float, v: float) -> tuple[float, float]:
        """The spot (x, z) of the ground seen at fraction (u, v) of the picture.

        Raises:
            ValueError: at and above the horizon.
        """
        ray = np.array(
            [(u - 0.5) * self.width / self.focal, (v - 0.5) * self.height / self.focal, 1.0]
        )
        world = ray @ self.rotation
        if world[1] > -1e-3:
            raise ValueError("this part of the picture shows no ground")
        reach = -self.position[1] / world[1]
        return (
            float(self.position[0] + reach * world[0]),
            float(self.position[2] + reach * world[2]),
        )

    def rays(self, scale: int = 1) -> tuple[Floats, Floats, Floats]:
        """World direction of every pixel, x, y, z each [H * scale, W * scale]."""
        us = (np.arange(self.width * scale, dtype=np.float32) + 0.5) / scale - self.width / 2
        vs = (np.arange(self.height * scale, dtype=np.float32) + 0.5) / scale - self.height / 2
        us, vs = us / np.float32(self.focal), vs / np.float32(self.focal)
        rot = self.rotation
        return (
            us[None, :] * rot[0, 0] + vs[:, None] * rot[1, 0] + rot[2, 0],
            us[None, :] * rot[0, 1] + vs[:, None] * rot[1, 1] + rot[2, 1],
            us[None, :] * rot[0, 2] + vs[:, None] * rot[1, 2] + rot[2, 2],
        )
