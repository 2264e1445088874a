"""The still part of a scene in daylight, painted once."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from simulators.cameras.scene import yard
from simulators.cameras.scene.canvas import Canvas
from simulators.cameras.scene.layout import Layout
from simulators.cameras.scene.optics import Floats
from simulators.cameras.scene.textures import fractal


@dataclass(frozen=True)
class Backdrop:
    """Maps of the still scene, each [H, W(, 3)] at the picture's size, float32.

    Attributes:
        colour: BGR 0..250 in daylight.
        solid: depth of what can hide somebody, metres; infinite on the ground.
        distance: depth of whatever is seen, metres; 500 for the sky.
        ground: share of ground in the pixel, 0..1.
        patches: smooth noise that lies on the ground.
    """

    colour: Floats
    solid: Floats
    distance: Floats
    ground: Floats
    patches: Floats


def paint(layout: Layout, rng: np.random.Generator) -> Backdrop:
    """Paint everything at twice the size and shrink it."""
    lens = layout.lens
    canvas = Canvas(lens, 2)
    yard.paint_sky(canvas, rng)
    yard.paint_hills(canvas, rng)
    ground = yard.paint_ground(canvas, rng, layout.surface)
    yard.paint_trees(canvas, rng, 9, layout.far)
    layout.paint(canvas, rng)
    size = (lens.width, lens.height)
    reach = np.hypot(ground.x - lens.position[0], ground.z - lens.position[2])
    open_ground = (ground.mask > 0) & np.isinf(canvas.depth)
    distance = np.where(open_ground, reach, np.minimum(canvas.depth, 500))
    tile = fractal(rng, 512, 512, cells=6)
    patches = cv2.remap(
        tile,
        np.mod(ground.x * 20, 511).astype(np.float32),
        np.mod(ground.z * 20, 511).astype(np.float32),
        cv2.INTER_LINEAR,
    )

    def shrink(values: Floats) -> Floats:
        small = cv2.resize(values.astype(np.float32), size, interpolation=cv2.INTER_AREA)
        return np.asarray(small, np.float32)

    return Backdrop(
        colour=np.clip(shrink(canvas.colour), 0, 250),
        solid=canvas.depth[::2, ::2].copy(),
        distance=shrink(np.asarray(np.minimum(distance, 500), np.float32)),
        ground=shrink(open_ground.astype(np.float32)),
        patches=shrink(np.asarray(patches, np.float32)),
    )
