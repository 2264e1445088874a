"""The clock that a camera writes into its picture: found, learned and read. Pure, bounded.

It takes about two minutes of a ticking clock. Where none is found, the search begins anew after
a while; nothing is judged meanwhile.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from edge.vision.picture import BORDER, Pixels
from edge.vision.tamper.liveness.digits import Box, Finder, Floats, Learner, Line, strips, strokes

LOOKING, NONE = -2.0, -1.0  # in place of the second of the day
GAP_S = 0.3  # between two looks while it is learned …
READ_S = 0.9  # … and when it is read
PATIENCE_S = 240.0  # a clock that was not learned by then is none …
AGAIN_S = 600.0  # … and looked for again after so long
SETTLE_LOOKS = 12  # at the line, to tell where the digits are
TRIAL_LOOKS = 12  # that must be read, …
TRIAL_READ = 8  # … of which so many must be a time that runs
MARGIN = 2  # pixels round the units' box
TIME, WHOLE = 6, 14  # digits of a time, and of a date and a time


@dataclass(frozen=True, slots=True)
class Shown:
    """What the clock in the picture says.

    Attributes:
        second: of the day; `LOOKING` while it is learned, `NONE` where none can be read.
        date: the eight digits before it as they stand, as a number; 0 where there are none.
    """

    second: float
    date: float


class ClockReader:
    """The clock of one connection's pictures."""

    def __init__(self) -> None:
        self._newest = -math.inf
        self._begin(-math.inf)

    def _begin(self, t: float) -> None:
        self._since = t
        self._resting_s = 0.0
        self._size: tuple[int, int] | None = None
        self._finder: Finder | None = None
        self._learner: Learner | None = None
        self._line: Line | None = None
        self._band: Box = (0, 0, 0, 0)
        self._units = (0, 0)
        self._phase = 0.0
        self._looks = 0
        self._trial: list[tuple[float, float | None]] = []
        self._reading = False
        self._shown = Shown(LOOKING, 0.0)

    def step(self, luma: Pixels, t: float) -> Shown:
        """Take the luma of a picture that is looked at."""
        if self._size != luma.shape:
            self._begin(t)
            self._size = luma.shape
        if t - self._newest >= (READ_S if self._reading else GAP_S):
            self._newest = t
            self._shown = self._look(luma, t)
        return self._shown

    def _look(self, luma: Pixels, t: float) -> Shown:
        if self._reading:
            assert self._line is not None
            return _time(self._line.read(self._part(luma)))
        if t - self._since > PATIENCE_S + self._resting_s:
            resting = not self._resting_s
            self._begin(t)
            self._size = luma.shape
            self._resting_s = AGAIN_S - PATIENCE_S if resting else 0.0
        if self._resting_s:
            return Shown(NONE, 0.0)
        if self._line is not None:
            self._try(self._line, self._part(luma), t)
        elif self._learner is not None:
            self._learn(self._learner, self._part(luma), t)
        else:
            self._find(luma, t)
        return Shown(LOOKING, 0.0)

    def _part(self, luma: Pixels) -> Floats:
        left, top, right, bottom = self._band
        return strokes(luma[top:bottom, left:right])

    def _find(self, luma: Pixels, t: float) -> None:
        strip, factor = strips(luma, BORDER)
        if self._finder is None:
            self._finder = Finder((strip.shape[0], strip.shape[1]))
        self._finder.take(strip, t)
        if not self._finder.ready:
            return
        found = self._finder.find()
        self._finder = None
        if found is None:
            return
        (left, top, right, bottom), self._phase = found
        # Back to the picture: strips lie one over the other there.
        high = max(8, int(luma.shape[0] * BORDER))
        lines = [edge * factor for edge in (top, bottom)]
        if lines[0] >= high:
            lines = [edge + luma.shape[0] - 2 * high for edge in lines]
        x1 = max(0, left * factor - MARGIN)
        x2 = min(luma.shape[1], right * factor + MARGIN)
        y1, y2 = max(0, lines[0] - MARGIN), min(luma.shape[0], lines[1] + MARGIN)
        start = max(0, x1 - 26 * (x2 - x1))
        self._band = (start, y1, x2, y2)
        self._units = (x1 - start, x2 - start)
        self._learner = Learner(self._units, (y2 - y1, x2 - start), self._phase)

    def _learn(self, learner: Learner, line: Floats, t: float) -> None:
        learner.take(line, t)
        if not learner.ready:
            return
        glyphs = learner.glyphs()
        self._learner = None
        if glyphs is not None:
            self._line = Line(glyphs, self._units[0])
            self._looks, self._trial = 0, []

    def _try(self, line: Line, part: Floats, t: float) -> None:
        """Find the digits' places; then read, and believe it only if it is a time that runs."""
        self._looks += 1
        if self._looks <= SETTLE_LOOKS:
            line.look(part)
            if self._looks == SETTLE_LOOKS and not line.settle():
                self._line = None
            return
        shown = _time(line.read(part)).second
        self._trial.append((t, shown if shown >= 0 else None))
        if len(self._trial) < TRIAL_LOOKS:
            return
        read = [(at, second) for at, second in self._trial if second is not None]
        running = sum(abs(second - read[0][1] - (at - read[0][0])) <= 1.5 for at, second in read)
        self._reading = running >= TRIAL_READ
        if not self._reading:
            self._line = None


def _time(digits: list[int | None]) -> Shown:
    """Digits from the units to the left as a time of day and a date."""
    known = [digit for digit in digits[:TIME] if digit is not None]
    if len(known) < TIME:
        return Shown(NONE, 0.0)
    s1, s10, m1, m10, h1, h10 = known
    hours, minutes, seconds = 10 * h10 + h1, 10 * m10 + m1, 10 * s10 + s1
    if hours > 23 or minutes > 59 or seconds > 59:
        return Shown(NONE, 0.0)
    before = [digit for digit in digits[TIME:WHOLE] if digit is not None]
    date = sum(digit * 10**place for place, digit in enumerate(before))
    complete = len(before) == WHOLE - TIME
    return Shown(float(3600 * hours + 60 * minutes + seconds), float(date) if complete else 0.0)
