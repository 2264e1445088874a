"""Is this the place, or a photo of the place held before the lens? Pure.

Noise cannot tell: a photo is seen through the same sensor. But nobody holds a photo exactly
where the place was: it is a little aside, turned, nearer or farther (`shift_px`, `stretch_px`),
its blacks are grey and its range is small (`lift`, `range`), and it is nearer than the lens is
focused (`fine`). A camera that was pushed is elsewhere too, but keeps blacks and sharpness; fog
lifts the blacks, but moves nothing; whoever cleans the lens is gone afterwards. So place and tone
are compared, after something changed the whole picture, with what was there before it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge.vision.tamper.signs import blend
from edge.vision.tamper.sketch import CELL, COLS, ROWS, WIDTH, Field, Floats, Sketch

BEFORE_S = 90.0  # time constant of what was there before
LEARN_LOOKS = 10  # looks until that is known
DISTURBED = 0.9  # of the usual agreement: below it something changed the whole picture …
DISTURBED_LOOKS = 3  # … when it lasts for so many looks
BLIND = 0.25  # of the usual agreement: there was something before the lens
CALM = 0.75  # agreement of a look with the one before, against the usual, when all has settled
SETTLED_LOOKS = 12  # calm looks that are joined before they are compared
GIVE_UP_S = 900.0  # after so long what is there now is taken for the place
SAME_PLACE = 0.65  # agreement after moving it into place, against the usual, that a photo has, …
UNPLACED = 0.8  # … and where nobody was seen to put it there: fog and rain tear places apart, too,
ALL_SIGNS = 0.7  # … but do not show all signs of place and tone
STILL_THERE = 0.3  # … and that the place has, in whatever weather
TWICE = 2  # comparisons in a row that must speak for a photo: fog and passers-by move on
SHIFT_PX = 1.0  # of 320; encoders, noise and lens shift less
STRETCH_PX = 1.2
LIFT = 6.0  # grey levels by which black is lighter
RANGE = 0.93  # of the range between dark and light that is left
MOST_STRETCH_PX = 25.0  # a photo that hangs worse is no photo but a camera that was turned
SOFT = 0.7  # of the fine structure that is left
ENOUGH = 3  # signs of five, one of the place and one of the tone among them
GAP_S = 4.0  # after a longer silence anything may have been put before the lens
_SHARE = (0.05, 0.15, 0.3, 0.5, 0.7, 0.85, 0.95)
_TILES = (2, 4)
_REACH = 6  # cells within which a tile is looked for
_POOR = 6.0  # energy of a tile's edges from which its place can be told
_FINE, _COARSE = 6.0, 8.0  # energies that noise and compression may leave
_MIN_BLOCKS = 10


@dataclass(frozen=True, slots=True)
class Signs:
    """What is there now against what was there before.

    Attributes:
        shift_px: how far it is moved, of a picture 320 wide.
        stretch_px: by how much more its edges are moved than its middle: size, turn, slant.
        lift: grey levels by which its dark parts are lighter.
        range: of the brightness's range that is left.
        fine: of the fine structure that is left.
        kin: agreement at the best shift, against the usual.
        placed: there was something before the lens in between, or no picture.
    """

    shift_px: float
    stretch_px: float
    lift: float
    range: float
    fine: float
    kin: float
    placed: bool

    @property
    def in_place(self) -> bool:
        """Whether it is the place, where it was."""
        lies = self.shift_px < SHIFT_PX and self.stretch_px < STRETCH_PX
        return lies and self.kin >= STILL_THERE

    @property
    def score(self) -> int:
        """How many of five signs speak for a photo; 0 unless one of place and one of tone do."""
        place = (self.shift_px >= SHIFT_PX) + (self.stretch_px >= STRETCH_PX)
        tone = (self.lift >= LIFT and self.range <= RANGE) + (self.fine <= SOFT)
        kin = SAME_PLACE if self.placed else ALL_SIGNS if place + tone == 4 else UNPLACED
        if self.kin < kin or self.stretch_px > MOST_STRETCH_PX:
            return 0
        return place + tone + self.placed if place and tone else 0


class PhotoJudge:
    """One camera's judgement, a look a second."""

    def __init__(self) -> None:
        self._before: Sketch | None = None
        self._learned = 0
        self._usual = 1.0  # agreement of a look with what was there before
        self._last: Sketch | None = None
        self._low = 0
        self._disturbed_s: float | None = None  # since when
        self._placed = False
        self._after: list[Sketch] = []
        self._signs: Signs | None = None
        self._times = 0  # comparisons in a row that speak for a photo
        self._t = -math.inf

    @property
    def signs(self) -> Signs | None:
        """Of the newest comparison; None while nothing has changed the picture."""
        return self._signs

    def step(self, sketch: Sketch, t: float) -> bool | None:
        """Take one look at `t` seconds: whether it is a photo, None while that is not known."""
        elapsed, self._t = min(t - self._t, BEFORE_S), t
        last, self._last = self._last, sketch
        if self._before is None or last is None:
            self._before = sketch
            return None
        if self._learned < LEARN_LOOKS:
            self._learn(sketch, elapsed)
            return False
        agreement = agreed(sketch.edges, self._before.edges)
        self._watch(agreement, elapsed, t)
        if self._disturbed_s is None:
            self._learn(sketch, elapsed, agreement)
            return False
        if t - self._disturbed_s > GIVE_UP_S and not (self._signs and self._signs.score):
            self._forget()
            return False
        return self._compare(sketch, last)

    def _watch(self, agreement: float, elapsed: float, t: float) -> None:
        """Notice that something changed the whole picture."""
        self._low = self._low + 1 if agreement < DISTURBED * self._usual else 0
        gap = elapsed > GAP_S
        if self._disturbed_s is None and (self._low >= DISTURBED_LOOKS or gap):
            self._disturbed_s, self._placed = t, gap
        if self._low and agreement < BLIND * self._usual:
            self._placed = True
            self._after.clear()

    def _compare(self, sketch: Sketch, last: Sketch) -> bool | None:
        assert self._before is not None
        if agreed(sketch.edges, last.edges) < CALM * self._usual**2:
            self._after.clear()
            return None
        self._after.append(sketch)
        if len(self._after) < SETTLED_LOOKS:
            return None if self._signs is None else self._times >= TWICE
        now = _joined(self._after)
        self._after.clear()
        self._signs = compared(self._before, now, self._usual, placed=self._placed)
        self._times = self._times + 1 if self._signs.score >= ENOUGH else 0
        if self._times:
            return self._times >= TWICE
        if self._signs.in_place:
            self._before = now  # it was the light, the weather, or somebody who has gone
            self._calm_again()
        return False

    def _calm_again(self) -> None:
        self._disturbed_s, self._signs, self._placed, self._low = None, None, False, 0
        self._times = 0
        self._after.clear()

    def _forget(self) -> None:
        self._calm_again()
        self._before, self._learned = self._last, 0

    def _learn(self, sketch: Sketch, elapsed: float, agreement: float | None = None) -> None:
        assert self._before is not None
        self._learned += 1
        if agreement is None:
            share = 1 / (self._learned + 1)
            agreement = agreed(sketch.edges, self._before.edges)
            self._usual += (agreement - self._usual) * max(share, 0.1)
        elif self._low:
            return
        else:
            share = 1 - math.exp(-elapsed / BEFORE_S)
            self._usual += (agreement - self._usual) * share
        self._before = blend(self._before, sketch, share)


def compared(before: Sketch, now: Sketch, usual: float, *, placed: bool) -> Signs:
    """Signs of what is there now (mean of several looks) against what was there before."""
    shift, stretch, best = displaced(now.edges, before.edges)
    low, span = _levels(before.brightness)
    low_now, span_now = _levels(now.brightness)
    left = span_now / span if span > 1 else 1.0
    return Signs(
        shift_px=round(shift, 2),
        stretch_px=round(stretch, 2),
        lift=round(low_now - low, 1),
        range=round(left, 3),
        fine=round(_fine(before, now), 3),
        kin=round(min(best / max(usual, 0.05), 1.5), 3),
        placed=placed,
    )


def agreed(edges: Field, known: Field) -> float:
    """Correlation of two fields of edges, -1..1; 0 where one has none."""
    size = math.sqrt(_power(edges) * _power(known))
    if size < 1:
        return 0.0
    return float((edges.real * known.real + edges.imag * known.imag).sum()) / size


def displaced(edges: Field, known: Field) -> tuple[float, float, float]:
    """How a field lies against a known one.

    Returns:
        Shift of its middle and how much more its edges are moved, pixels of a picture 320
        wide; and the mean correlation of its tiles where they lie best.
    """
    height, width = ROWS // _TILES[0], COLS // _TILES[1]
    rows: list[tuple[float, float, float, float, float]] = []
    for top in range(0, ROWS, height):
        for left in range(0, COLS, width):
            found = _found(edges, known, (top, left, height, width))
            if found is not None:
                dy, dx, best = found
                y = top + height / 2 - ROWS / 2
                x = left + width / 2 - COLS / 2
                rows.append((y, x, dy, dx, best))
    if len(rows) < 4:
        return 0.0, 0.0, 0.0
    table = np.array(rows)
    weight = np.sqrt(np.clip(table[:, 4], 0.02, 1))[:, None]
    plane = np.column_stack([np.ones(len(rows)), table[:, 0], table[:, 1]])
    fit, *_ = np.linalg.lstsq(plane * weight, table[:, 2:4] * weight, rcond=None)
    shift = CELL * float(np.hypot(*fit[0]))
    stretch = float(np.sqrt((fit[1:] ** 2).sum())) * WIDTH / 2
    return shift, stretch, float(np.average(table[:, 4]))


def _found(
    edges: Field, known: Field, tile: tuple[int, int, int, int]
) -> tuple[float, float, float] | None:
    """Where the known tile lies in the new edges: rows, columns, correlation."""
    top, left, height, width = tile
    pattern = known[top : top + height, left : left + width]
    if _power(pattern) < _POOR:
        return None
    wide = np.zeros((height + 2 * _REACH, width + 2 * _REACH), np.complex64)
    y1, y2 = max(top - _REACH, 0), min(top + height + _REACH, ROWS)
    x1, x2 = max(left - _REACH, 0), min(left + width + _REACH, COLS)
    wide[y1 - top + _REACH : y2 - top + _REACH, x1 - left + _REACH : x2 - left + _REACH] = edges[
        y1:y2, x1:x2
    ]
    windows = np.lib.stride_tricks.sliding_window_view(wide, (height, width))
    products = np.einsum("abij,ij->ab", windows, pattern.conj(), optimize=True).real
    powers = np.einsum("abij,abij->ab", windows, windows.conj(), optimize=True).real
    surface = products / np.sqrt(np.maximum(powers, 1.0) * _power(pattern))
    row, col = (int(i) for i in np.unravel_index(int(surface.argmax()), surface.shape))
    dy = row - _REACH + _between(surface[:, col], row)
    dx = col - _REACH + _between(surface[row], col)
    return dy, dx, float(surface[row, col])


def _between(line: npt.NDArray[np.floating], at: int) -> float:
    """Top of a parabola through three values."""
    if not 0 < at < len(line) - 1:
        return 0.0
    left, top, right = (float(value) for value in line[at - 1 : at + 2])
    curve = left - 2 * top + right
    return min(max(0.5 * (left - right) / curve, -0.5), 0.5) if curve < 0 else 0.0


def _levels(brightness: Floats) -> tuple[float, float]:
    """How bright the dark parts are, and how far the bright ones are from them."""
    marks = np.quantile(brightness, _SHARE)
    return float(marks[:2].mean()), float(marks[-2:].mean() - marks[:2].mean())


def _fine(before: Sketch, now: Sketch) -> float:
    """Fine structure for the coarse one, against before; 1 where that cannot be told."""
    old = _sharpness(before)
    new = _sharpness(now)
    return new / old if old > 0 and new > 0 else 1.0


def _sharpness(sketch: Sketch) -> float:
    there = (sketch.coarse > _COARSE) & (sketch.fine > _FINE)
    if int(there.sum()) < _MIN_BLOCKS:
        return 0.0
    return float(np.median(sketch.fine[there] / sketch.coarse[there]))


def _power(edges: Field) -> float:
    return float((edges.real**2 + edges.imag**2).sum())


def _joined(sketches: list[Sketch]) -> Sketch:
    count = np.float32(len(sketches))
    return Sketch(
        np.asarray(sum(one.edges for one in sketches) / count, np.complex64),
        np.asarray(sum(one.brightness for one in sketches) / count, np.float32),
        np.asarray(sum(one.fine for one in sketches) / count, np.float32),
        np.asarray(sum(one.coarse for one in sketches) / count, np.float32),
    )
