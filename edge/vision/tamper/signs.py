"""What a picture shows against the reference and against what was usual of late. Pure.

Two memories: of seconds, in which noise, rain and passers-by average out; and of minutes, which
follows dusk, fog and snow. What is missing counts against the second: fog takes the far edges
slowly, a cloth takes all at once. Where the camera looks counts against the reference only.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from edge.vision.tamper.reference import PLAIN, View, match, weights
from edge.vision.tamper.sketch import BLOCK_COLS, BLOCK_ROWS, Floats, Sketch

NOW_S = 2.5  # time constant of the edges that are seen now …
FINE_S = 1.0  # … of the fine structure, whose noise has no mean, …
USUAL_S = 600.0  # … and of what is usual
EXPECTED = 0.35  # presence from which a block's edges are expected …
LOST = 0.4  # … and the share of it below which they are lost, …
DEEP = 0.1  # … or wholly hidden, …
CLEAR = 0.85  # … and from which nothing lies before them: the light is told from these
ABSENT = 0.25  # presence below which a view's edges are not there, whatever is usual
OWN_LIGHT = 0.3  # octaves of energy by which a view's own light may differ from it
FLOOR = 6.0  # energy of fine structure that noise and compression may leave
STIR = 0.1  # of the mean brightness, by which a block changes where something moves
LATELY_LOOKS = 60  # paint comes within seconds, fog within minutes
_CALM = 8.0  # the same of coarse structure
_UNTOLD = 9.0
_MIN_KEPT = 12  # blocks that are needed to tell anything of the rest

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Signs:
    """Figures of one look; shares are 0..1 of the edges that were expected.

    Attributes:
        agreement: correlation with the best view's edges where they are.
        kinship: the same with the first view's.
        best: the same at any shift.
        certainty: how sure the shift is, deviations.
        shift_px: how far the picture is moved against that view, of 320 pixels.
        displaced: share of the picture's parts that are moved, each for itself.
        expected: share of the view's edges that were usual of late.
        lost: share of these that are lost.
        newly: share of what was there in that look of the last minute that is lost now.
        soft: share of what is lost that shows no fine structure of its own.
        stirred: share of what is wholly lost whose brightness changed since the look before.
        hidden: share of the view's edges that are not there in the view's own light; else 0.
        other_light: by how much the contrast of what is clear differs from what is usual, or
            differs from place to place; octaves of energy.
        new_light: the same against the look within the last minute of which least was lost.
        crisp: blocks with fine structure, against those of the view.
        fine: fine structure there is for the coarse one, against the view's: 1 is as sharp.
        tone: correlation of the coarse brightness with what is usual.
    """

    agreement: float
    kinship: float
    best: float
    certainty: float
    shift_px: float
    displaced: float
    expected: float
    lost: float
    newly: float
    soft: float
    stirred: float
    hidden: float
    other_light: float
    new_light: float
    crisp: float
    fine: float
    tone: float


class Memory:
    """What one camera showed in the last seconds, and what was usual in the last minutes."""

    def __init__(self) -> None:
        self.now: Sketch | None = None
        self._presence: Floats = np.ones((BLOCK_ROWS, BLOCK_COLS), np.float32)
        self._usual: Sketch | None = None
        self._elapsed = 0.0
        self._newest: Floats = self._presence
        self._change: Floats = np.zeros((BLOCK_ROWS, BLOCK_COLS), np.float32)
        self._lost = 0.0
        self._lately: deque[tuple[float, Floats]] = deque(maxlen=LATELY_LOOKS)

    def take(self, sketch: Sketch, elapsed: float) -> None:
        """Take a sketch, so many seconds after the one before."""
        self._elapsed = elapsed
        before = self.now
        if before is None:
            self.now, self._change = sketch, np.zeros_like(sketch.brightness)
            return
        self._change = sketch.brightness - before.brightness
        slow = _share(elapsed, NOW_S)
        self.now = replace(
            blend(before, sketch, _share(elapsed, FINE_S)),
            edges=blend(before, sketch, slow).edges,
        )

    def forget(self) -> None:
        """After a silence: what is seen next has nothing to do with what was seen last."""
        self.now = None
        self._lately.clear()

    def expect(self, views: Sequence[View]) -> None:
        """From now on all of these views is usual: after a start, or with another reference."""
        self._presence = np.ones((BLOCK_ROWS, BLOCK_COLS), np.float32)
        self._usual = views[0].sketch if views else None

    def compare(self, views: Sequence[View]) -> Signs:
        """What is seen now against `views`, of which there is one at least."""
        assert self.now is not None
        matches = [match(self.now.edges, view) for view in views]
        index = max(range(len(views)), key=lambda i: matches[i].agreement)
        best, view = matches[index], views[index]
        self._usual = self._usual or view.sketch
        self._newest = np.clip(np.max([each.presence for each in matches], axis=0), 0, 1.2)
        weight = weights(views[0].sketch.edges)
        known = weight >= PLAIN
        expected = known & (self._presence >= EXPECTED)
        gone = expected & (self._newest < LOST * self._presence)
        kept = expected & ~gone
        self._lost = _part(weight, gone, expected)
        usual = (0.0, self._usual.coarse)
        before, lately = min(self._lately, key=lambda look: look[0], default=usual)
        limit = self._limit()
        sharp = self.now.fine / np.float32(limit)
        absent = known & (self._newest < ABSENT)
        clear = expected & (self._newest >= CLEAR * self._presence)
        own_light = self._other_light(clear, view.sketch.coarse) < OWN_LIGHT
        return Signs(
            agreement=best.agreement,
            kinship=matches[0].agreement,
            best=best.best,
            certainty=best.certainty,
            shift_px=best.shift_px,
            displaced=best.displaced,
            expected=_part(weight, expected, known),
            lost=self._lost,
            newly=(self._lost - before) / max(1 - before, 1e-3),
            soft=_part(weight, gone & (sharp < 1), gone),
            stirred=self._stirred(expected & (self._newest < DEEP * self._presence)),
            hidden=_part(weight, absent, known) if own_light else 0.0,
            other_light=self._other_light(clear, self._usual.coarse),
            new_light=self._other_light(clear, lately),
            crisp=float((sharp >= 1).sum()) / max(1.0, float((view.sketch.fine >= limit).sum())),
            fine=self._fine(kept, view.sketch),
            tone=_correlation(self.now.brightness, self._usual.brightness),
        )

    def learn(self) -> None:
        """What was compared last is usual, a little."""
        assert self.now is not None
        share = _share(self._elapsed, USUAL_S)
        self._presence = self._presence + np.float32(share) * (self._newest - self._presence)
        self._usual = blend(self._usual or self.now, self.now, share)
        self._lately.append((self._lost, self.now.coarse))

    def _stirred(self, hidden: Mask) -> float:
        """Whatever moves there is not behind paint on the glass; light changes all of it."""
        if not hidden.any():
            return 0.0
        assert self.now is not None
        change = self._change[hidden]
        least = max(STIR * float(self.now.brightness.mean()), 1.0)
        return float((np.abs(change - np.median(change)) >= least).mean())

    def _limit(self) -> float:
        """Fine structure of a block from which there is some to speak of."""
        assert self._usual is not None
        some = self._usual.fine[self._usual.fine > FLOOR]
        return max(FLOOR, 0.2 * float(np.median(some))) if some.size else FLOOR

    def _other_light(self, clear: Mask, coarse: Floats) -> float:
        """A blot on the glass leaves the rest as it was; dusk, lamps and weather do not."""
        assert self.now is not None
        there = clear & (coarse > _CALM)
        if there.sum() < _MIN_KEPT:
            return _UNTOLD
        ratio = np.log2(np.maximum(self.now.coarse[there], 1) / coarse[there])
        middle = float(np.median(ratio))
        return max(abs(middle) / 2, float(np.median(np.abs(ratio - middle))))

    def _fine(self, kept: Mask, view: Sketch) -> float:
        """Median over what is left; 1 where too little is left to tell."""
        assert self.now is not None
        there = kept & (view.fine > FLOOR) & (view.coarse > _CALM) & (self.now.coarse > _CALM)
        if there.sum() < _MIN_KEPT:
            return 1.0
        now = self.now.fine[there] / self.now.coarse[there]
        return float(np.median(now / (view.fine[there] / view.coarse[there])))


def blend(old: Sketch, new: Sketch, share: float) -> Sketch:
    """A sketch that is `share` of the way from `old` to `new`."""
    part = np.float32(share)
    return Sketch(
        np.asarray(old.edges + part * (new.edges - old.edges), np.complex64),
        old.brightness + part * (new.brightness - old.brightness),
        old.fine + part * (new.fine - old.fine),
        old.coarse + part * (new.coarse - old.coarse),
    )


def _part(weight: Floats, mask: Mask, of: Mask) -> float:
    whole = float(weight[of].sum())
    return float(weight[mask].sum()) / whole if whole > 0 else 0.0


def _correlation(a: Floats, b: Floats) -> float:
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / size if size > 1 else 0.0


def _share(elapsed: float, constant: float) -> float:
    return 1 - math.exp(-max(0.0, elapsed) / constant)
