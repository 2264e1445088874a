"""Views: each photo stretched, cropped and set into a mosaic, with its boxes; made once.

Geometry costs most of an augmentation, so it is done once per view and kept as uint8 in a
memory map; flips, colour and noise are cheap and vary at each reading (`augment.py`).
Box rows are float32 [x1, y1, x2, y2, class, ignore] in pixels of the view.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 448, 256
KEEP = 0.35  # a box that shows less than this share of itself becomes an ignore region
MIN_SIDE = 5.0  # nobody can say what a box of fewer pixels holds

Picture = NDArray[np.uint8]
Boxes = NDArray[np.float32]


def no_boxes() -> Boxes:
    return np.zeros((0, 6), np.float32)


def place(boxes: Boxes, window: tuple[float, float, float, float], out: Boxes | None) -> Boxes:
    """Move boxes from picture pixels to where `window` (x, y, w, h) lands in `out`.

    Args:
        boxes: rows in picture pixels.
        window: the part of the picture that is shown.
        out: [x, y, w, h] of the target in view pixels; the whole view when None.

    Returns:
        Clipped rows; those cut too hard or too small become ignore regions, empty ones go.
    """
    ox, oy, ow, oh = (0.0, 0.0, WIDTH, HEIGHT) if out is None else out
    x, y, w, h = window
    moved = boxes.copy()
    moved[:, [0, 2]] = (boxes[:, [0, 2]] - x) * (ow / w) + ox
    moved[:, [1, 3]] = (boxes[:, [1, 3]] - y) * (oh / h) + oy
    whole = np.maximum((moved[:, 2] - moved[:, 0]) * (moved[:, 3] - moved[:, 1]), 1e-6)
    moved[:, [0, 2]] = moved[:, [0, 2]].clip(ox, ox + ow)
    moved[:, [1, 3]] = moved[:, [1, 3]].clip(oy, oy + oh)
    sides = moved[:, 2:4] - moved[:, :2]
    shown = sides.prod(1) / whole
    bad = (shown < KEEP) | (sides.min(1) < MIN_SIDE)
    moved[:, 5] = np.maximum(moved[:, 5], bad)
    return moved[(sides.min(1) > 1.0) & (shown > 0.02)]


def stretched(picture: Picture, boxes: Boxes) -> tuple[Picture, Boxes]:
    """The product's own view: the whole picture, resized plainly."""
    height, width = picture.shape[:2]
    view = cv2.resize(picture, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)
    return np.asarray(view, np.uint8), place(boxes, (0, 0, width, height), None)


def window(
    rng: np.random.Generator,
    boxes: Boxes,
    size: tuple[int, int],
    zoom: tuple[float, float],
    aspect: float,
) -> tuple[float, float, float, float]:
    """A random part of a picture (width, height) `size`, mostly around one of its boxes."""
    width, height = size
    scale = float(rng.uniform(*zoom))
    shape = aspect * float(np.exp(rng.uniform(-0.25, 0.25)))
    w = min(width, max(width, height * shape) * scale)
    h = min(height, w / shape)
    w = min(w, h * shape * 1.3)
    x = float(rng.uniform(0, width - w)) if width > w else 0.0
    y = float(rng.uniform(0, height - h)) if height > h else 0.0
    real = boxes[boxes[:, 5] == 0]
    if len(real) and rng.random() < 0.8:
        x1, y1, x2, y2 = real[rng.integers(len(real)), :4]
        cx, cy = rng.uniform(x1, x2), rng.uniform(y1, y2)
        x = float(np.clip(cx - w * rng.uniform(0.25, 0.75), 0, width - w))
        y = float(np.clip(cy - h * rng.uniform(0.25, 0.75), 0, height - h))
    return x, y, w, h


def cut(
    picture: Picture,
    part: tuple[float, float, float, float],
    size: tuple[int, int],
) -> Picture:
    x, y, w, h = (round(v) for v in part)
    piece = picture[y : y + max(h, 2), x : x + max(w, 2)]
    how = cv2.INTER_AREA if piece.shape[1] > size[0] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(piece, size, interpolation=how), np.uint8)


def cropped(
    rng: np.random.Generator,
    picture: Picture,
    boxes: Boxes,
) -> tuple[Picture, Boxes]:
    """A part of the picture near the product's aspect."""
    height, width = picture.shape[:2]
    part = window(rng, boxes, (width, height), (0.45, 1.0), WIDTH / HEIGHT)
    return cut(picture, part, (WIDTH, HEIGHT)), place(boxes, part, None)


def mosaic(
    rng: np.random.Generator,
    items: list[tuple[Picture, Boxes]],
) -> tuple[Picture, Boxes]:
    """Four pictures in one view around a random cross: small things, mixed contexts."""
    cx = round(float(rng.uniform(0.35, 0.65)) * WIDTH)
    cy = round(float(rng.uniform(0.35, 0.65)) * HEIGHT)
    view = np.empty((HEIGHT, WIDTH, 3), np.uint8)
    rows = []
    corners = (
        (0, 0, cx, cy),
        (cx, 0, WIDTH - cx, cy),
        (0, cy, cx, HEIGHT - cy),
        (cx, cy, WIDTH - cx, HEIGHT - cy),
    )
    for (x, y, w, h), (picture, boxes) in zip(corners, items, strict=True):
        high, wide = picture.shape[:2]
        part = window(rng, boxes, (wide, high), (0.5, 1.0), w / h)
        view[y : y + h, x : x + w] = cut(picture, part, (w, h))
        rows.append(place(boxes, part, np.array([x, y, w, h], np.float32)))
    return view, np.concatenate(rows)
