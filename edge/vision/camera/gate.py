"""The motion gate: does a small grey picture differ from what is usual here? Pure.

It must not go blind silently. Its thresholds follow the noise and unrest it measures without a
ceiling; when they stand so high that a person would not open it, it says BLIND. Learning is
bounded in time; whoever stands still is the business of the look-anyway pictures.

A piece that differs opens the gate for a moment. Only one that is there at the next look as
well, within a walker's reach, is told as moving: insects and flakes are gone by then.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np

from edge.domain.observation import Box
from edge.vision.camera.usual import Floats, Marks, Usual
from edge.vision.picture import Pixels, inner

Masks = Sequence[Sequence[tuple[float, float]]]  # polygons in fractions of the picture

GATE_WIDTH = 160  # pixels of the longer side
CALIBRATE_PICTURES = 4  # learning ends after so many pictures …
CALIBRATE_S = 5.0  # … or after this long, whichever is first
BORDER = 0.08  # strips at the top and bottom, where cameras write the time, are not looked at
BLUR = 1.2  # pixels; a person is larger, a grain of noise is not
MIN_BLOB = 0.0006  # of the picture that must differ in one piece, …
BLOB_FACTOR = 2.0  # … or this many times the usual piece (rain, snow), …
MAX_BLOB = 0.0025  # … but never more than this: a person of an eighth of its height
PIECES = 4  # weather has many pieces, a visit few: the fourth largest is the usual one
PIECES_S = 20.0  # time constant of the usual piece
LIGHT_EDGES = 20  # so many pixels of edges tell whether a piece is only lit differently, …
LIGHT_ALIKE = 0.8  # … when on the mean their directions have a cosine of this
MAX_MOVING = 16  # boxes told, the largest first
SCENE_SHARE = 0.4  # when more differs than this, it is another scene (light, cover)
HOLD_S = 2.0  # open for this long after the last motion …
HINT_S = 0.5  # … and for this long after a piece that no other look has confirmed
MEMORY_S = 1.5  # a piece confirms another that came so much earlier at most, or a look before
REACH_S = 3.0  # looks farther apart than this give no more reach
REACH = 1.5  # of its height that a body moves in a second, as walkers and lorries do, …
SLACK = 3.0  # … and pixels besides
# The person who must open the gate: so high, and so far from the ground in grey levels. Half of
# that contrast is left on an area of its own size when the picture is smoothed.
SEEN_HEIGHT = 0.12
SEEN_CONTRAST = 24.0
SEEN_LIMIT = SEEN_CONTRAST / 2
BLIND_SHARE = 0.5  # of what is watched: where more has higher limits, the gate is blind
STROBE_SCENES = 3  # another scene so often …
STROBE_S = 20.0  # … within this time: each look begins anew and nothing is seen


class GateState(StrEnum):
    """What the gate says; `CALIBRATING` and `BLIND` say nothing about motion."""

    OPEN = "open"
    QUIET = "quiet"
    CALIBRATING = "calibrating"
    BLIND = "blind"


@dataclass(frozen=True, slots=True)
class _Piece:
    """A connected piece that differs: its box in pixels, and how many of them differ."""

    left: int
    top: int
    right: int
    bottom: int
    area: int

    def gap(self, other: _Piece) -> float:
        """Pixels between the two boxes; 0 where they touch."""
        across = max(0, self.left - other.right, other.left - self.right)
        along = max(0, self.top - other.bottom, other.top - self.bottom)
        return math.hypot(across, along)


class Gate:
    """One camera's gate. Feed it pictures in order of time, at any rate.

    Args:
        masks: polygons in fractions of the picture in which nothing is looked at.

    Attributes:
        moving: boxes (x1, y1, x2, y2 in fractions of the picture) of what moved at this look
            and the one before, largest first.
        threshold: grey levels that a typical pixel must differ by: the gate's health figure.
        sight: share of what is watched in which a person of `SEEN_HEIGHT` opens the gate.
    """

    def __init__(self, masks: Masks = ()) -> None:
        self._masks = masks
        self._usual: Usual | None = None
        self._watched: Marks = np.zeros((0, 0), np.bool_)
        self._whole = (0, 0, 0)  # rows and columns of the picture, rows of its upper strip
        self._pieces: deque[tuple[float, list[_Piece]]] = deque()
        self._back: deque[tuple[float, list[_Piece]]] = deque(maxlen=1)  # of `look_back`
        self._usual_piece = 0.0
        self._begun = self._t = 0.0
        self._taken = 0
        self._moved = self._hinted = -math.inf
        self._scenes: deque[float] = deque(maxlen=STROBE_SCENES)
        self.moving: tuple[Box, ...] = ()
        self.threshold = 0.0
        self.sight = 1.0

    def step(self, grey: Pixels, t: float) -> GateState:
        """Take a grey picture at `t` seconds (never going back)."""
        part = inner(grey, BORDER)
        smooth = cv2.GaussianBlur(part, (5, 5), BLUR).astype(np.float32)
        elapsed, self._t = max(0.0, t - self._t), t
        if self._usual is None or self._watched.shape != smooth.shape:
            self._watched = self._unmasked(grey.shape, part.shape)
            self._begin(smooth, t)
            return GateState.CALIBRATING
        expected = self._usual.expected(smooth)
        deviation = np.abs(smooth - expected)
        limit = self._usual.limit()
        moving = (deviation > limit) & self._watched
        self._taken += 1
        calibrating = self._taken <= CALIBRATE_PICTURES and t - self._begun < CALIBRATE_S
        watched = max(1, int(self._watched.sum()))
        if int(moving.sum()) / watched > SCENE_SHARE and not calibrating:
            self._scenes.append(t)
            self._begin(smooth, t)
            self._moved = t
            return self._state(t, calibrating=False)
        self._usual.learn(smooth, deviation, moving, elapsed)
        self._health(limit)
        if not calibrating:
            self._judge(moving, (expected, smooth), t, elapsed)
        return self._state(t, calibrating)

    def look_back(self, grey: Pixels, t: float) -> tuple[Box, ...]:
        """What moves in a picture of before the last step, as `moving`; nothing is learned of it.

        Feed it such pictures in order of time: each confirms the next one.
        """
        part = inner(grey, BORDER)
        if self._usual is None or self._watched.shape != part.shape:
            return ()
        smooth = cv2.GaussianBlur(part, (5, 5), BLUR).astype(np.float32)
        expected = self._usual.lit(smooth)
        moving = (np.abs(smooth - expected) > self._usual.limit()) & self._watched
        if int(moving.sum()) > SCENE_SHARE * max(1, int(self._watched.sum())):
            return ()
        pieces = self._of_size(_pieces(moving), moving, (expected, smooth))
        sure = [piece for piece in pieces if _confirmed(piece, t, self._back)]
        self._back.append((t, pieces))
        return tuple(self._box(piece) for piece in sure[:MAX_MOVING])

    def _unmasked(self, whole: tuple[int, ...], part: tuple[int, ...]) -> Marks:
        rows, columns = whole[:2]
        top = (rows - part[0]) // 2
        self._whole = (rows, columns, top)
        mask = np.zeros((rows, columns), np.uint8)
        for polygon in self._masks:
            corners = np.asarray(polygon, np.float32) * np.array((columns, rows), np.float32)
            cv2.fillPoly(mask, [np.round(corners).astype(np.int32)], 1)
        return np.asarray(mask[top : top + part[0]] == 0, np.bool_)

    def _begin(self, smooth: Floats, t: float) -> None:
        self._usual = Usual(smooth)
        self._begun, self._taken = t, 1
        self._pieces.clear()
        self.moving = ()

    def _health(self, limit: Floats) -> None:
        seen = np.sort(limit[self._watched][::3])
        self.threshold = float(seen[seen.size // 2]) if seen.size else 255.0
        self.sight = float(np.searchsorted(seen, SEEN_LIMIT, "right")) / max(1, seen.size)

    def _judge(
        self, moving: Marks, pictures: tuple[Floats, Floats], t: float, elapsed: float
    ) -> None:
        """Which pieces move, and whether that opens the gate."""
        size = self._watched.size
        pieces = _pieces(moving)
        fourth = pieces[PIECES - 1].area / size if len(pieces) >= PIECES else 0.0
        rate = max(1 / self._taken, 1 - math.exp(-elapsed / PIECES_S))
        self._usual_piece += rate * (min(fourth, MAX_BLOB) - self._usual_piece)
        pieces = self._of_size(pieces, moving, pictures)
        while len(self._pieces) > 1 and t - self._pieces[0][0] > MEMORY_S:
            self._pieces.popleft()
        sure = [piece for piece in pieces if _confirmed(piece, t, self._pieces)]
        if pieces:
            self._hinted = t
        self._pieces.append((t, pieces))
        if sure:
            self._moved = t
        self.moving = tuple(self._box(piece) for piece in sure[:MAX_MOVING])

    def _of_size(
        self, pieces: list[_Piece], moving: Marks, pictures: tuple[Floats, Floats]
    ) -> list[_Piece]:
        """Those that are larger than the weather's, and no light."""
        least = moving.size * min(max(MIN_BLOB, BLOB_FACTOR * self._usual_piece), MAX_BLOB)
        return [
            piece
            for piece in pieces[: 2 * MAX_MOVING]
            if piece.area >= least and not _is_light(piece, moving, *pictures, self.threshold)
        ]

    def _box(self, piece: _Piece) -> Box:
        rows, columns, top = self._whole
        return (
            piece.left / columns,
            (piece.top + top) / rows,
            piece.right / columns,
            (piece.bottom + top) / rows,
        )

    def _state(self, t: float, calibrating: bool) -> GateState:
        strobing = len(self._scenes) == STROBE_SCENES and t - self._scenes[0] <= STROBE_S
        if strobing:
            return GateState.BLIND
        if t - self._moved <= HOLD_S or t - self._hinted <= HINT_S:
            return GateState.OPEN
        if calibrating:
            return GateState.CALIBRATING
        return GateState.BLIND if self.sight < 1 - BLIND_SHARE else GateState.QUIET


def _confirmed(piece: _Piece, t: float, looks: Iterable[tuple[float, list[_Piece]]]) -> bool:
    """Whether something that may be this piece was there before."""
    height = piece.bottom - piece.top
    return any(
        piece.gap(other) <= SLACK + REACH * height * min(t - then, REACH_S)
        for then, others in looks
        if then < t
        for other in others
    )


def _is_light(
    piece: _Piece, moving: Marks, before: Floats, after: Floats, threshold: float
) -> bool:
    """Whether the same edges are seen in the piece as before: a lamp, a headlight, a shadow.

    A body hides what is behind it. Light changes how strong an edge is, not where it leads.
    """
    where = np.s_[
        max(0, piece.top - 1) : piece.bottom + 1, max(0, piece.left - 1) : piece.right + 1
    ]
    (x1, y1), (x2, y2) = _slopes(before[where]), _slopes(after[where])
    strong = (np.hypot(x1, y1) > threshold / 2) & moving[where]
    if int(strong.sum()) < LIGHT_EDGES:
        return False
    alike = (x1 * x2 + y1 * y2) / np.maximum(np.hypot(x1, y1) * np.hypot(x2, y2), 1e-6)
    return float(alike[strong].mean()) > LIGHT_ALIKE


def _slopes(picture: Floats) -> tuple[Floats, Floats]:
    """Grey levels a pixel across and along."""
    return (
        np.asarray(cv2.Sobel(picture, cv2.CV_32F, 1, 0, scale=1 / 8), np.float32),
        np.asarray(cv2.Sobel(picture, cv2.CV_32F, 0, 1, scale=1 / 8), np.float32),
    )


def _pieces(moving: Marks) -> list[_Piece]:
    """Connected pieces, largest first; parts of one body lie a pixel or two apart."""
    # Single pixels are noise; a thing covers at least two by two.
    mask = cv2.morphologyEx(moving.astype(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
    if not mask.any():
        return []
    joined = cv2.dilate(mask, np.ones((5, 3), np.uint8))
    count, labels, figures, _ = cv2.connectedComponentsWithStats(joined)
    areas = np.bincount(labels[mask > 0], minlength=count)
    found = []
    for index in np.argsort(-areas[1:], kind="stable")[: 4 * MAX_MOVING] + 1:
        left, top, wide, high = (int(v) for v in figures[index, :4])
        found.append(_Piece(left + 1, top + 2, left + wide - 1, top + high - 2, int(areas[index])))
    return found
