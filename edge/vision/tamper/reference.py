"""What a camera showed when it was commissioned, and how a picture compares with it. Pure.

A reference has one view for each look of the same place (day, infrared night, snow): each is
the mean of many sketches. The first is fixed; others are added only where their edges lie on
the first one's, so that a camera cannot be led away step by step.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.errors import Refused
from edge.vision.tamper.sketch import (
    BLOCK,
    BLOCK_COLS,
    BLOCK_ROWS,
    CELL,
    COLS,
    ROWS,
    Field,
    Floats,
    Sketch,
)

MAX_VIEWS = 4
FLAT = 8.0  # energy of a view's edges below which there is nothing to compare
PLAIN = 0.4  # energy of the edges in a block below which nothing can be lost there
ALIGNED = 3  # cells by which a view is moved before blocks are compared, at most
CLEAR = 0.35  # correlation from which a part of the picture is recognised …
NEARBY = 6  # … within so many cells of its place
_BESIDE = 6  # cells round the place of the first peak that are no background of it


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """One look of the place.

    Attributes:
        sketch: mean over its taking.
        width: of the camera's picture, pixels.
        height: of it.
    """

    sketch: Sketch
    width: int
    height: int

    def data(self) -> dict[str, Any]:
        """As JSON data of a record."""
        packed = base64.b64encode(self.sketch.pack()).decode()
        return {"width": self.width, "height": self.height, "sketch": packed}

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> View:
        """From a record's data. Raises Refused for a record of another version."""
        try:
            packed = base64.b64decode(data["sketch"], validate=True)
            return cls(Sketch.unpack(packed), int(data["width"]), int(data["height"]))
        except (KeyError, TypeError, ValueError, binascii.Error) as error:
            raise Refused(f"no reference of a camera ({error})") from error


@dataclass(frozen=True, slots=True, eq=False)
class Match:
    """How a picture compares with a view.

    Attributes:
        agreement: correlation of the edges where they are, -1..1.
        best: the highest correlation at any shift.
        certainty: how far `best` stands out of what other shifts give, in deviations.
        shift: rows and columns of cells by which the picture is moved, at `best`.
        displaced: share of the parts of the picture that are moved by themselves, as where the
            camera was turned round its axis or its zoom was changed.
        presence: BLOCK_ROWS x BLOCK_COLS; how much of the view's edges is there, about 0..1.
    """

    agreement: float
    best: float
    certainty: float
    shift: tuple[float, float]
    displaced: float
    presence: Floats

    @property
    def shift_px(self) -> float:
        """How far the picture is moved, pixels of a picture 320 wide."""
        return CELL * float(np.hypot(*self.shift))


def match(edges: Field, view: View) -> Match:
    """Compare edges (ROWS x COLS) with a view's.

    Correlation over all shifts of fields of doubled angles (orientation correlation after
    Fitch, Kadyrov, Christmas and Kittler, 2002), here of the means over cells.
    """
    known = view.sketch.edges
    flat = known - known.mean()
    own = edges - edges.mean()
    size = float(np.sqrt(power(own) * power(flat)))
    if power(flat) < FLAT or size < FLAT / 4:
        return Match(0.0, 0.0, 0.0, (0.0, 0.0), 0.0, np.zeros((BLOCK_ROWS, BLOCK_COLS), np.float32))
    surface = np.fft.ifft2(np.fft.fft2(own) * np.conj(np.fft.fft2(flat))).real / size
    row, col = (int(i) for i in np.unravel_index(int(surface.argmax()), surface.shape))
    best = float(surface[row, col])
    shift = (
        _signed(row, ROWS) + _between(surface[:, col], row),
        _signed(col, COLS) + _between(surface[row], col),
    )
    near = max(abs(_signed(row, ROWS)), abs(_signed(col, COLS))) <= ALIGNED
    aligned = np.roll(known, (row, col), (0, 1)) if near else known
    agreement = best if max(abs(shift[0]), abs(shift[1])) < 1 else float(surface[0, 0])
    return Match(
        agreement,
        best,
        _certainty(surface, row, col),
        shift,
        _displaced(edges, known),
        _presence(edges, aligned),
    )


def power(edges: Field) -> float:
    """How much edge there is in a field, in cells."""
    return float((edges.real**2 + edges.imag**2).sum())


def weights(edges: Field) -> Floats:
    """Energy of the edges in each block."""
    return _blocks(np.asarray(edges.real**2 + edges.imag**2, np.float32))


def _displaced(edges: Field, known: Field) -> float:
    """Each part for itself; those that show nothing known have no say."""
    own, view = _parts(edges), _parts(known)
    sizes = np.sqrt((np.abs(own) ** 2).sum((1, 2)) * (np.abs(view) ** 2).sum((1, 2)))
    surfaces = np.fft.ifft2(np.fft.fft2(own) * np.conj(np.fft.fft2(view))).real
    surfaces /= np.maximum(sizes, 1.0)[:, None, None]
    rows, cols = surfaces.shape[1:]
    peaks = surfaces.reshape(len(surfaces), -1).argmax(axis=1)
    best = surfaces.reshape(len(surfaces), -1).max(axis=1)
    far = np.hypot(
        (peaks // cols + rows // 2) % rows - rows // 2,
        (peaks % cols + cols // 2) % cols - cols // 2,
    )
    moved = (best >= CLEAR) & (far > 1) & (far <= NEARBY) & (best >= surfaces[:, 0, 0] + 0.1)
    return float(moved.mean())


def _parts(cells: Field) -> Field:
    """ROWS x COLS as eight parts, each without its mean."""
    parts = cells.reshape(2, ROWS // 2, 4, COLS // 4).transpose(0, 2, 1, 3)
    flat = parts.reshape(8, ROWS // 2, COLS // 4)
    return np.asarray(flat - flat.mean(axis=(1, 2), keepdims=True), np.complex64)


def _presence(edges: Field, known: Field) -> Floats:
    found = _blocks(np.asarray((edges * known.conj()).real, np.float32))
    return np.asarray(found / np.maximum(weights(known), np.float32(PLAIN)), np.float32)


def _blocks(cells: Floats) -> Floats:
    size = BLOCK // CELL
    parts = cells.reshape(BLOCK_ROWS, size, BLOCK_COLS, size)
    return np.asarray(parts.sum(axis=(1, 3)), np.float32)


def _signed(index: int, count: int) -> int:
    return index if index <= count // 2 else index - count


def _between(line: npt.NDArray[np.float64], at: int) -> float:
    """Where between cells the peak lies: the top of a parabola through three of them."""
    left, top, right = line[at - 1], line[at], line[(at + 1) % len(line)]
    curve = left - 2 * top + right
    return float(np.clip(0.5 * (left - right) / curve, -0.5, 0.5)) if curve < 0 else 0.0


def _certainty(surface: npt.NDArray[np.float64], row: int, col: int) -> float:
    rows = (np.arange(ROWS) - row + ROWS // 2) % ROWS - ROWS // 2
    cols = (np.arange(COLS) - col + COLS // 2) % COLS - COLS // 2
    away = (np.abs(rows)[:, None] > _BESIDE) | (np.abs(cols)[None, :] > _BESIDE)
    others = surface[away]
    spread = 1.4826 * float(np.median(np.abs(others - np.median(others))))
    return float((surface[row, col] - np.median(others)) / max(spread, 1e-3))
