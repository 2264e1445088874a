"""Measures of one camera's pictures: how bright, how rich, how sharp, how alive. Pure."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

from edge.domain.observation import Measures
from edge.vision.picture import Pixels, fitted

Floats = npt.NDArray[np.float32]

MEASURE_WIDTH = 320  # pixels; measures are comparable between cameras of any resolution
REFERENCE_S = 300.0  # how slowly the reference picture's edges are learned
LEARNABLE = 0.3  # less similar and poorer pictures are not learned
FLAT = 1.0  # spread of edge strength below which a picture has no edges to compare
BORDER = 0.12  # top and bottom strips where cameras write the time; they are not measured


def shrunk(luma: Pixels, width: int) -> Pixels:
    """A grey picture of the given width (or smaller) and the same shape; areas are averaged."""
    size = fitted(luma.shape[1], luma.shape[0], width)
    return np.asarray(cv2.resize(luma, size, interpolation=cv2.INTER_AREA), np.uint8)


def inner(picture: Pixels, border_share: float = BORDER) -> Pixels:
    """A picture without the strips where cameras write the time (a view)."""
    height = picture.shape[0]
    border = int(height * border_share)
    return picture[border : height - border]


class Reference:
    """The slowly learned edges of what the camera usually shows."""

    def __init__(self) -> None:
        self._edges: Floats | None = None
        self._t = 0.0

    def compare(self, grey: Pixels, t: float) -> float:
        """Correlation of this picture's edges with the reference, -1..1; then learn a little.

        1 while there is no reference with edges; 0 for a picture without any.
        """
        edges = _edges(grey)
        if self._edges is None or self._edges.shape != edges.shape:
            self._edges, self._t = edges, t
            return 1.0
        similarity = _correlation(self._edges, edges)
        if similarity < LEARNABLE and edges.std() < self._edges.std() / 2:
            return similarity  # a cover must not become what is usual
        share = 1 - math.exp(-max(0.0, t - self._t) / REFERENCE_S)
        self._edges += (edges - self._edges) * np.float32(share)
        self._t = t
        return similarity


def _edges(grey: Pixels) -> Floats:
    smooth = cv2.GaussianBlur(grey, (5, 5), 0).astype(np.float32)
    across = cv2.Sobel(smooth, cv2.CV_32F, 1, 0)
    along = cv2.Sobel(smooth, cv2.CV_32F, 0, 1)
    return np.asarray(cv2.magnitude(across, along), np.float32)


def _correlation(reference: Floats, edges: Floats) -> float:
    a, b = reference.astype(np.float64), edges.astype(np.float64)
    a, b = a - a.mean(), b - b.mean()
    spread_a, spread_b = float(a.std()), float(b.std())
    if spread_a < FLAT:
        return 1.0
    if spread_b < FLAT:
        return 0.0
    return _same(float(np.clip((a * b).mean() / (spread_a * spread_b), -1, 1)))


def _same(figure: float) -> float:
    """Without the last digits, in which sums differ by where in memory the pixels lie.

    A replay must give the same figures each time.
    """
    return round(figure, 4)


class Stillness:
    """Since when no two pictures differed at all, sensor noise included.

    Key pictures are compared, to the last bit: between them an encoder may skip a live
    sensor's noise or go on refining a still picture, but it begins each group anew. Of a
    still source most are equal; one that is not may be the encoder's change of quantiser, two
    in a row are not. The strips where cameras write the time are left out.
    """

    def __init__(self) -> None:
        self._key: Pixels | None = None
        self._since: float | None = None
        self._differed = False

    def step(self, luma: Pixels, t: float, since_key: int) -> float:
        """Take the luma of a decoded picture and how many pictures after its key it came.

        Returns:
            Seconds of stillness up to now.
        """
        if since_key == 0:
            rows = np.ascontiguousarray(inner(luma)[::2])
            equal = self._key is not None and np.array_equal(self._key, rows)
            if equal and self._since is None:
                self._since = t
            if not equal and self._differed:
                self._since = None
            self._key, self._differed = rows, not equal
        return 0.0 if self._since is None else max(0.0, t - self._since)


def measure(grey: Pixels, similarity: float, still_s: float) -> Measures:
    """Measures of the inner part of a grey picture that is `MEASURE_WIDTH` wide."""
    laplacian = cv2.Laplacian(grey, cv2.CV_64F)
    return Measures(
        brightness=_same(float(grey.mean())),
        contrast=_same(float(grey.std())),
        sharpness=_same(float(laplacian.var())),
        similarity=similarity,
        still_s=still_s,
    )
