"""Ten digits learned from a clock that ticks, and read again; no font is known beforehand. Pure.

The units of the seconds show each digit once in ten seconds: averaged by the second, everything
that does not follow them fades, and what is left are the ten glyphs. Which of them is the zero
tells the digit to their left, which changes only then. The other digits of the line are where
one of the ten fits.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

from edge.vision.picture import Pixels

Floats = npt.NDArray[np.float32]
Box = tuple[int, int, int, int]  # left, top, right, bottom

TEN = 10
WIDE = 640  # pixels to which strips are shrunk while the units are looked for
PHASES = (0.0, 0.25, 0.5, 0.75)  # of our second against the camera's: one is next to its change
EACH = 4  # looks at each digit until they are looked for
RATIO = 12.0  # variance between the digits against the variance within them
PLAIN = 8.0  # grey levels that digits differ by at least
SIZES = ((4, 64), (3, 60))  # of the units' box: heights, widths
SURE = 3.0  # times that the digit to the left changes more at the zero than at any other
FITS = 0.7  # correlation with a glyph from which there is a digit of a date
READS = 0.55  # the same of a time, and when it is read, …
APART = 0.04  # … and by how much the next best glyph fits less
LINE = 14  # digits at most: a date and a time


@dataclass(slots=True)
class Finder:
    """Looks for the units of the seconds in one strip of grey pictures, all of one shape."""

    shape: tuple[int, int]
    _sums: npt.NDArray[np.uint16] = field(init=False)  # of 257 looks a digit at most
    _squares: Floats = field(init=False)
    _counts: npt.NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        self._sums = np.zeros((len(PHASES), TEN, *self.shape), np.uint16)
        self._squares = np.zeros(self.shape, np.float32)
        self._counts = np.zeros((len(PHASES), TEN), np.int64)

    def take(self, strip: Pixels, t: float) -> None:
        """Take one look."""
        self._squares += np.square(strip, dtype=np.float32)
        for index, phase in enumerate(PHASES):
            second = second_of(t, phase)
            self._sums[index, second] += strip
            self._counts[index, second] += 1

    @property
    def ready(self) -> bool:
        """Whether every digit was seen often enough."""
        return bool(self._counts.min() >= EACH)

    def find(self) -> tuple[Box, float] | None:
        """The box of the units and the phase of the seconds; None where there is none."""
        best: tuple[float, Box, float] | None = None
        for index, phase in enumerate(PHASES):
            found = _box(self._ratio(index))
            if found is not None and (best is None or found[1] > best[0]):
                best = (found[1], found[0], phase)
        return None if best is None else (best[1], best[2])

    def _ratio(self, index: int) -> Floats:
        """How far each pixel follows the ten digits; 0 where they hardly differ."""
        counts = self._counts[index][:, None, None].astype(np.float32)
        sums, total = self._sums[index].astype(np.float32), self._counts[index].sum()
        mean = sums.sum(axis=0) / np.float32(total)
        between = ((sums / counts - mean) ** 2).mean(axis=0)
        within = (self._squares - (sums * sums / counts).sum(axis=0)) / np.float32(total - TEN)
        ratio = EACH * between / np.maximum(within, 1.0)
        return np.asarray(np.where(between >= PLAIN**2, ratio, 0), np.float32)


def second_of(t: float, phase: float) -> int:
    """Which of ten seconds it is."""
    return int(t + phase) % TEN


def _box(ratio: Floats) -> tuple[Box, float] | None:
    """The box of the piece that follows best, and how well it does in all."""
    mask = cv2.dilate((ratio >= RATIO).astype(np.uint8), np.ones((3, 3), np.uint8))
    count, labels, figures, _ = cv2.connectedComponentsWithStats(mask)
    best: tuple[Box, float] | None = None
    for label in range(1, count):
        left, top, wide, high, _area = (int(value) for value in figures[label])
        (low, tall), (narrow, broad) = SIZES
        if not (low <= high - 2 <= tall and narrow <= wide - 2 <= broad):
            continue
        weight = float(ratio[labels == label].clip(max=10 * RATIO).sum())
        if best is None or weight > best[1]:
            best = ((left + 1, top + 1, left + wide - 1, top + high - 1), weight)
    return best


class Learner:
    """Learns the glyphs from the line that the units end.

    Args:
        units: box of the units; its left and right in the line's own columns.
        shape: of the line, rows and columns.
        phase: of the seconds.
    """

    def __init__(self, units: tuple[int, int], shape: tuple[int, int], phase: float) -> None:
        self._left, self._right = units
        self._phase = phase
        self._glyphs = np.zeros((TEN, shape[0], self._right - self._left), np.float32)
        self._counts = np.zeros(TEN, np.int64)
        self._changes = np.zeros((TEN, shape[1]), np.float32)
        self._changed = np.zeros(TEN, np.int64)
        self._last: tuple[int, float, Floats] | None = None

    def take(self, line: Floats, t: float) -> None:
        """Take one look at the line."""
        second = second_of(t, self._phase)
        self._glyphs[second] += line[:, self._left : self._right]
        self._counts[second] += 1
        if self._last is not None:
            before, then, old = self._last
            if (before + 1) % TEN == second and t - then < 2:
                self._changes[second] += np.abs(line - old).mean(axis=0)
                self._changed[second] += 1
        self._last = (second, t, line)

    @property
    def ready(self) -> bool:
        """Whether every digit and every change was seen often enough."""
        return bool(self._counts.min() >= EACH and self._changed.min() >= EACH - 1)

    def glyphs(self) -> Floats | None:
        """TEN x rows x columns, from 0 to 9; None when the zero cannot be told."""
        width = self._right - self._left
        beside = slice(max(0, self._left - round(2.2 * width)), max(0, self._left - 1))
        changes = self._changes / self._changed[:, None]
        tens = changes[:, beside]
        if not tens.size:
            return None
        still = np.median(tens, axis=0)
        strength = np.clip(tens - still, 0, None).sum(axis=1)
        zero = int(strength.argmax())
        others = np.delete(strength, zero)
        if strength[zero] < SURE * max(float(others.max()), PLAIN):
            return None
        means = self._glyphs / self._counts[:, None, None].astype(np.float32)
        return np.asarray(np.roll(means, -zero, axis=0), np.float32)


class Line:
    """The digits of one line of text: where they are, and what they say.

    Args:
        glyphs: from `Learner`.
        units: left of the units' box in the line's columns.
    """

    def __init__(self, glyphs: Floats, units: int) -> None:
        flat = glyphs.reshape(TEN, -1)
        flat = flat - flat.mean(axis=1, keepdims=True)
        size = np.sqrt((flat * flat).sum(axis=1, keepdims=True))
        self._patterns = np.asarray(flat / np.maximum(size, 1e-3), np.float32)
        self._shape = glyphs.shape[1:]
        self._units = units
        self._fit: Floats | None = None
        self._looks = 0
        self.places: list[int] = []

    def look(self, line: Floats) -> None:
        """Take one look at where digits are."""
        columns = np.arange(self._units + 1)
        best = self._fits(line, columns).max(axis=1)
        self._fit = best if self._fit is None else self._fit + best
        self._looks += 1

    def settle(self) -> bool:
        """Decide where they are, from the units to the left; False when they are no time."""
        assert self._fit is not None
        fit = self._fit / np.float32(self._looks)
        time = _spaced(fit, self._units, self._shape[1])
        if time is None:
            return False
        self.places = time
        near = round(0.7 * (time[0] - time[1]))
        column = time[-1] - near
        while column >= 0 and len(self.places) < LINE:
            peak = max(0, column - near) + int(fit[max(0, column - near) : column + 1].argmax())
            if fit[peak] >= FITS and fit[peak] >= fit[max(0, peak - 1) : peak + 2].max():
                self.places.append(peak)
                column = peak - near
            else:
                column -= 1
        return True

    def read(self, line: Floats) -> list[int | None]:
        """The digits, from the units to the left; None for one that cannot be told."""
        fits = self._fits(line, np.array(self.places))
        ordered = np.sort(fits, axis=1)
        sure = (ordered[:, -1] >= READS) & (ordered[:, -1] - ordered[:, -2] >= APART)
        best = fits.argmax(axis=1)
        return [int(digit) if good else None for digit, good in zip(best, sure, strict=True)]

    def _fits(self, line: Floats, columns: npt.NDArray[np.int64]) -> Floats:
        """Correlation of each glyph with the line at each of these columns."""
        windows = np.lib.stride_tricks.sliding_window_view(line, self._shape)[0]
        parts = windows[np.clip(columns, 0, len(windows) - 1)].reshape(len(columns), -1)
        parts = parts - parts.mean(axis=1, keepdims=True)
        size = np.sqrt((parts * parts).sum(axis=1, keepdims=True))
        return np.asarray(parts @ self._patterns.T / np.maximum(size, 1.0), np.float32)


def _spaced(fit: Floats, units: int, width: int) -> list[int] | None:
    """Places of HH MM SS from the right: digits lie evenly, and so do the signs between pairs."""
    best: tuple[float, list[int]] | None = None
    near = np.maximum(fit, np.maximum(np.append(fit[1:], 0), np.append(0, fit[:-1])))
    for step in range(max(2, round(0.7 * width)), round(1.7 * width) + 1):
        for gap in range(step + 1, 2 * step):
            places = [units]
            for hop in (step, gap, step, gap, step):
                places.append(places[-1] - hop)
            if places[-1] < 0:
                break
            fits = near[places]
            score = float(fits.mean()) + float(fits.min())
            if fits.min() >= READS and (best is None or score > best[0]):
                best = (score, places)
    if best is None:
        return None
    return [
        max(range(max(0, place - 1), min(len(fit), place + 2)), key=lambda at: float(fit[at]))
        for place in best[1]
    ]


def strips(luma: Pixels, share: float) -> tuple[Pixels, int]:
    """Top and bottom strips one over the other, shrunk by a whole number, and that number."""
    height, width = luma.shape
    high = max(8, int(height * share))
    factor = max(1, -(-width // WIDE))
    parts = np.vstack([luma[:high], luma[height - high :]])
    size = (width // factor, parts.shape[0] // factor)
    shrunk = cv2.resize(parts, size, interpolation=cv2.INTER_AREA)
    return np.asarray(shrunk, np.uint8), factor


def strokes(line: Pixels) -> Floats:
    """A line of text without what is coarser than its strokes: walls and sky behind it."""
    size = max(3, line.shape[0] // 3 | 1)
    values = line.astype(np.float32)
    return np.asarray(values - cv2.blur(values, (size, size)), np.float32)
