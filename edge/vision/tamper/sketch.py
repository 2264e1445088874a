"""What of a picture is compared with the reference: a few kilobytes in place of the pixels. Pure.

A sketch says for each cell of a fixed grid which way the edges in it run, whatever the light,
and for each block of cells how bright it is and how much fine and coarse structure *stays* from
one look to the next: what two looks share is the scene, what they do not share is noise, rain,
insects and whoever walks by. The camera's process makes sketches (`Sketcher`); the daemon
compares them (`reference.py`) and takes nothing but a fixed number of bytes from it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from edge.errors import Refused
from edge.vision.picture import Pixels

Floats = npt.NDArray[np.float32]
Field = npt.NDArray[np.complex64]

WIDTH, HEIGHT = 320, 128  # every inner picture is brought to this size, whatever its shape
CELL, BLOCK = 4, 16  # pixels
ROWS, COLS = HEIGHT // CELL, WIDTH // CELL
BLOCK_ROWS, BLOCK_COLS = HEIGHT // BLOCK, WIDTH // BLOCK
_CELLS, _BLOCKS = ROWS * COLS, BLOCK_ROWS * BLOCK_COLS
SKETCH_BYTES = 2 * _CELLS + 3 * _BLOCKS
HALF = 12.0  # gradient of an edge that counts half: fog leaves some of it, noise little
_OCTAVE = 6.0  # steps of a coded energy for each doubling
_FULL = 127.0
SURE = 0.2  # response of the phase correlation from which a shift is believed …
RICH = 4.0  # … when most of the parts that vary by so many grey levels …
HALVED = 0.5  # … differ by this much less from the look before once that is shifted
_PART = 32  # pixels


@dataclass(frozen=True, slots=True, eq=False)
class Sketch:
    """A picture as far as the reference needs it.

    Attributes:
        edges: complex64, ROWS x COLS; twice the direction of the edges in a cell, and how much
            of the cell they fill (0..1): light, gain and reversed contrast change little of it.
        brightness: float32, BLOCK_ROWS x BLOCK_COLS; mean luma.
        fine: mean product of the Laplacian with the look's before, same shape; around 0 where
            there is nothing but noise.
        coarse: the same of the smoothed gradient.
    """

    edges: Field
    brightness: Floats
    fine: Floats
    coarse: Floats

    def pack(self) -> bytes:
        """The sketch in `SKETCH_BYTES` bytes."""
        parts = np.stack([self.edges.real, self.edges.imag])
        return b"".join(
            (
                np.clip(np.rint(parts * _FULL), -_FULL, _FULL).astype(np.int8).tobytes(),
                np.clip(np.rint(self.brightness), 0, 255).astype(np.uint8).tobytes(),
                _coded(self.fine).tobytes(),
                _coded(self.coarse).tobytes(),
            )
        )

    @classmethod
    def unpack(cls, data: bytes) -> Sketch:
        """The sketch that was packed; any bytes of the right number are one.

        Raises:
            Refused: they are more or fewer.
        """
        if len(data) != SKETCH_BYTES:
            raise Refused(f"a sketch of {len(data)} bytes in place of {SKETCH_BYTES}")
        parts = np.frombuffer(data, np.int8, 2 * _CELLS).reshape(2, ROWS, COLS) / np.float32(_FULL)
        edges = np.clip(parts[0], -1, 1) + 1j * np.clip(parts[1], -1, 1)
        shape = (3, BLOCK_ROWS, BLOCK_COLS)
        blocks = np.frombuffer(data, np.uint8, offset=2 * _CELLS).reshape(shape)
        return cls(
            edges.astype(np.complex64),
            blocks[0].astype(np.float32),
            _energy(blocks[1].view(np.int8)),
            _energy(blocks[2].view(np.int8)),
        )


class Sketcher:
    """Makes the sketches of one connection; remembers the look before."""

    def __init__(self) -> None:
        self._laplacian: Floats | None = None
        self._gradient: tuple[Floats, Floats] | None = None
        self._half: Floats | None = None
        self._window = cv2.createHanningWindow((WIDTH // 2, HEIGHT // 2), cv2.CV_32F)

    def step(self, part: Pixels) -> tuple[Sketch, float]:
        """Take the inner part of a grey picture, of any size.

        Returns:
            Its sketch, and by how many pixels of `WIDTH` the whole view moved since the one
            before; 0 where that cannot be told.
        """
        grey = np.asarray(cv2.resize(part, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), np.uint8)
        laplacian = np.asarray(cv2.Laplacian(grey, cv2.CV_32F), np.float32)
        smooth = cv2.GaussianBlur(grey, (5, 5), 0)
        across = np.asarray(cv2.Sobel(smooth, cv2.CV_32F, 1, 0), np.float32)
        along = np.asarray(cv2.Sobel(smooth, cv2.CV_32F, 0, 1), np.float32)
        before, (across0, along0) = self._laplacian, self._gradient or (across, along)
        self._laplacian, self._gradient = laplacian, (across, along)
        if before is None:
            before = laplacian
        sketch = Sketch(
            _edges(across, along),
            _means(grey.astype(np.float32), BLOCK),
            _means(laplacian * before, BLOCK),
            _means(across * across0 + along * along0, BLOCK),
        )
        return sketch, self._shift(grey)

    def _shift(self, grey: Pixels) -> float:
        half = _means(grey.astype(np.float32), 2)
        before, self._half = self._half, half
        if before is None:
            return 0.0
        windowed = before * self._window, half * self._window  # cv2 would do it in place
        (x, y), sure = cv2.phaseCorrelate(*windowed)
        moved = sure >= SURE and _whole(before, half, (x, y))
        return 2 * math.hypot(x, y) if moved else 0.0


def _whole(before: Floats, now: Floats, shift: tuple[float, float]) -> bool:
    """Whether most parts that show anything moved so: what drives by moves few, even in fog.

    Against the contrary shift, which smooths noise as much.
    """
    there, back = (_left(before, now, sign, shift) for sign in (1, -1))
    size = _PART // 2
    rich = _means(now * now, size) - _means(now, size) ** 2 >= RICH**2
    return int((rich & (there < HALVED * back)).sum()) * 2 > int(rich.sum())


def _left(before: Floats, now: Floats, sign: int, shift: tuple[float, float]) -> Floats:
    """What is left between two pictures in each part when the first is shifted."""
    matrix = np.array([[1, 0, sign * shift[0]], [0, 1, sign * shift[1]]], np.float32)
    size = (now.shape[1], now.shape[0])
    moved = cv2.warpAffine(before, matrix, size, borderMode=cv2.BORDER_REPLICATE)
    return _means(np.asarray((moved - now) ** 2, np.float32), _PART // 2)


def _edges(across: Floats, along: Floats) -> Field:
    """Doubled angles, so that light on either side of an edge is the same edge."""
    squared = across * across + along * along
    size = np.sqrt(squared)
    weight = 1 / (size * (size + np.float32(HALF)) + np.float32(1e-3))
    real = _means(np.asarray((across * across - along * along) * weight, np.float32), CELL)
    imag = _means(np.asarray(2 * across * along * weight, np.float32), CELL)
    return np.asarray(real + 1j * imag, np.complex64)


def _means(values: Floats, size: int) -> Floats:
    shape = (values.shape[1] // size, values.shape[0] // size)
    return np.asarray(cv2.resize(values, shape, interpolation=cv2.INTER_AREA), np.float32)


def _coded(energy: Floats) -> npt.NDArray[np.int8]:
    steps = np.copysign(_OCTAVE * np.log2(np.abs(energy) + 1), energy)
    return np.asarray(np.clip(np.rint(steps), -_FULL, _FULL), np.int8)


def _energy(coded: npt.NDArray[np.int8]) -> Floats:
    steps = np.clip(coded.astype(np.float32), -_FULL, _FULL)
    size = np.exp2(np.abs(steps) / np.float32(_OCTAVE)) - 1
    return np.asarray(np.copysign(size, steps), np.float32)
