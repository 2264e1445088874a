"""The cells of a detector's grids."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from edge.vision.detect.formats.base import Decoded

STRIDES = (8, 16, 32)


@lru_cache(maxsize=8)
def cells(width: int, height: int, strides: tuple[int, ...] = STRIDES) -> Decoded:
    """Column and row (A, 2) and stride (A, 1) of every cell, finest grid first, row by row."""
    places, sizes = [], []
    for stride in strides:
        ys, xs = np.mgrid[: height // stride, : width // stride]
        places.append(np.stack([xs.ravel(), ys.ravel()], axis=-1).astype(np.float32))
        sizes.append(np.full((xs.size, 1), stride, np.float32))
    return np.concatenate(places), np.concatenate(sizes)


def count(width: int, height: int, strides: tuple[int, ...] = STRIDES) -> int:
    """How many cells there are."""
    return sum((width // stride) * (height // stride) for stride in strides)
