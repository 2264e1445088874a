"""What moves is drawn on a small layer of its own, then laid over the picture."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from simulators.cameras.scene.body import Limb, as_points
from simulators.cameras.scene.canvas import SUN
from simulators.cameras.scene.optics import Floats, Lens
from simulators.cameras.scene.textures import Image

Box = tuple[int, int, int, int]


@dataclass(slots=True)
class Sprite:
    """A drawn actor.

    Attributes:
        box: x1, y1, x2, y2 of the layer, px, inside the picture.
        colour: BGR premultiplied by alpha [h, w, 3].
        alpha: cover [h, w], 255 is opaque.
        shadow: what is left of the light on the ground [h, w], 255 is all.
        depth: metres from the lens, of the middle of it.
        whole: px the actor would cover in a picture without edges, by its bounding box.
    """

    box: Box
    colour: Image
    alpha: Image
    shadow: Image
    depth: float
    whole: float


def window_of(px: Floats, margin: float, lens: Lens) -> Box | None:
    """The part of the picture that points at `px`, widened by `margin`, can touch."""
    x1, y1 = np.floor(px.min(axis=0) - margin).astype(int)
    x2, y2 = np.ceil(px.max(axis=0) + margin).astype(int) + 1
    box = (max(int(x1), 0), max(int(y1), 0), min(int(x2), lens.width), min(int(y2), lens.height))
    return box if box[2] - box[0] >= 2 and box[3] - box[1] >= 2 else None


def draw_limbs(parts: list[Limb], lens: Lens, sun: float) -> Sprite | None:
    """A person; None when outside the picture.

    Args:
        parts: the body.
        lens: the camera.
        sun: strength of the cast shadow, 0..1.
    """
    ends, radii = as_points(parts)
    px, depth = lens.project(ends)
    if float(depth.min()) < 1.0:
        return None
    size = radii * lens.focal / depth
    fallen = _fallen(ends)
    ground_px, _ = lens.project(fallen)
    every = np.concatenate([px, ground_px]) if sun > 0 else px
    box = window_of(every, float(size.max()) * 2 + 3, lens)
    if box is None:
        return None
    x1, y1, x2, y2 = box
    colour = np.zeros((y2 - y1, x2 - x1, 3), np.float32)
    alpha = np.zeros((y2 - y1, x2 - x1), np.float32)
    origin = np.array([x1, y1], np.float32)
    light = lens.rotation @ (SUN / np.linalg.norm(SUN))
    order = sorted(range(len(parts)), key=lambda i: -float(depth[2 * i] + depth[2 * i + 1]))
    for index in order:
        two = slice(2 * index, 2 * index + 2)
        _capsule(colour, alpha, px[two] - origin, size[two], parts[index], light)
    low, high = (px - size[:, None]).min(axis=0), (px + size[:, None]).max(axis=0)
    return Sprite(
        box=box,
        colour=as_bytes(colour),
        alpha=as_bytes(alpha * 255),
        shadow=_cast(ground_px - origin, ends, px - origin, size, alpha.shape, sun),
        depth=float(depth.mean()),
        whole=float(np.prod(high - low)),
    )


def _capsule(
    colour: Floats, alpha: Floats, px: Floats, size: Floats, limb: Limb, light: Floats
) -> None:
    """Shade one limb as a round thing and lay it over the layer."""
    rows, cols = alpha.shape
    reach = float(size.max()) + 1.5
    left, top = np.maximum(np.floor(px.min(axis=0) - reach), 0).astype(int)
    right, bottom = np.ceil(px.max(axis=0) + reach).astype(int) + 1
    right, bottom = min(int(right), cols), min(int(bottom), rows)
    if right <= left or bottom <= top:
        return
    xs = np.arange(left, right, dtype=np.float32)[None, :] + np.float32(0.5)
    ys = np.arange(top, bottom, dtype=np.float32)[:, None] + np.float32(0.5)
    (ax, ay), (bx, by) = px
    dx, dy = bx - ax, by - ay
    length = max(float(dx * dx + dy * dy), 1e-4)
    along = np.clip(((xs - ax) * dx + (ys - ay) * dy) / length, 0, 1)
    radius = size[0] + (size[1] - size[0]) * along
    off_x, off_y = xs - ax - along * dx, ys - ay - along * dy
    away = np.sqrt(off_x * off_x + off_y * off_y)
    cover = np.clip(radius - away + 0.5, 0, 1)
    nx, ny = off_x / radius, off_y / radius
    nz = -np.sqrt(np.maximum(1 - nx * nx - ny * ny, 0))
    glow = nx * light[0] + ny * light[1] + nz * light[2]
    shade = 0.5 + 0.12 * -ny + 0.5 * np.maximum(glow, 0) - 0.12 * (nx * nx + ny * ny) ** 2
    paint = np.empty((*cover.shape, 3), np.float32)
    paint[:] = limb.colour
    for start, stop, tone in limb.bands:
        paint[(along >= start) & (along <= stop)] = tone
    cover3 = cover[..., None]
    part = colour[top:bottom, left:right]
    part *= 1 - cover3
    part += np.minimum(paint * shade[..., None], 250) * cover3
    over = alpha[top:bottom, left:right]
    over *= 1 - cover
    over += cover


def _fallen(ends: Floats) -> Floats:
    """Where the sun throws each point onto the ground."""
    throw = ends.copy()
    throw[:, 0] -= ends[:, 1] * SUN[0] / SUN[1]
    throw[:, 2] -= ends[:, 1] * SUN[2] / SUN[1]
    throw[:, 1] = 0
    return throw


def _cast(
    ground: Floats, ends: Floats, px: Floats, size: Floats, shape: tuple[int, ...], sun: float
) -> Image:
    """Soft contact shadow under the feet plus the sun's shadow."""
    shadow = np.zeros(shape, np.float32)
    if sun > 0:
        for index in range(0, len(ground), 2):
            (ax, ay), (bx, by) = np.clip(ground[index : index + 2], -8000, 8000).astype(int)
            thick = max(1, round(float(size[index]) * 1.6))
            cv2.line(shadow, (int(ax), int(ay)), (int(bx), int(by)), 0.52 * sun, thick)
    low = ends[:, 1] < 0.16
    if low.any():
        middle = px[low].mean(axis=0)
        wide = float(np.ptp(px[low][:, 0])) * 0.5 + float(size[low].max()) * 1.6
        centre = (int(middle[0]), int(middle[1] + size[low].max() * 0.7))
        cv2.ellipse(
            shadow, centre, (max(1, int(wide)), max(1, int(wide * 0.36))), 0, 0, 360, 0.55, -1
        )
    blur = max(3, int(float(size.max()) * 0.5) | 1)
    soft = np.asarray(cv2.blur(cv2.blur(shadow, (blur, blur)), (blur, blur)), np.float32)
    return as_bytes(255 - 255 * soft)


def as_bytes(values: Floats) -> Image:
    """0..255, cut at both ends."""
    return np.asarray(np.clip(values, 0, 255), np.uint8)
