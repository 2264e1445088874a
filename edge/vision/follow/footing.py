"""Where a followed thing stands and goes, however its box grows and shrinks. Pure.

Legs disappear behind others, people crouch, detectors cut boxes short. Where a box's height jumps,
either its top has moved (crouching) or its bottom (hidden legs); the edge that is where it was
expected is believed, and the other one is put where the thing's usual height has it.
"""

from __future__ import annotations

import math

from edge.domain.observation import Box, SeenObject

Position = tuple[float, float]

USUAL = 0.25  # a height that differs by less than this share is the thing's own
LEARN = 0.3  # share that a usual height takes of a new one …
LEARN_LARGE = 0.2  # … that one takes that is odd and larger …
LEARN_SMALL = 0.06  # … or smaller: more hides a body than enlarges it
COURSE = 0.3  # share of a surprise that turns the course
TURN_S = 1.5  # a course is expected to go on for so long at most


def foot(box: Box) -> Position:
    """The middle of a box's lower edge, just inside the picture.

    A person cut off by the picture's edge still stands in a zone that reaches to that edge.
    """
    x, y = (box[0] + box[2]) / 2, box[3]
    return min(max(x, 1e-6), 1 - 1e-6), min(max(y, 1e-6), 1 - 1e-6)


def where(item: SeenObject) -> Position:
    """Where a seen thing stands."""
    return item.foot or foot(item.box)


class Footing:
    """One thing's foot, size and course, in fractions of the picture and seconds."""

    def __init__(self, box: Box) -> None:
        self._x, self._y = (box[0] + box[2]) / 2, box[3]
        self._wide, self._high = box[2] - box[0], box[3] - box[1]
        self._course = (0.0, 0.0)
        self._steps = 0

    @property
    def foot(self) -> Position:
        """Where it stands, just inside the picture."""
        return foot((self._x, self._y, self._x, self._y))

    @property
    def size(self) -> float:
        """The diagonal of its usual box."""
        return math.hypot(self._wide, self._high)

    def expected(self, elapsed: float) -> Box:
        """Its usual box after `elapsed` seconds more of its course."""
        elapsed = min(elapsed, TURN_S)
        x, y = self._x + self._course[0] * elapsed, self._y + self._course[1] * elapsed
        return x - self._wide / 2, y - self._high, x + self._wide / 2, y

    def step(self, box: Box, elapsed: float) -> None:
        """It is seen as `box`, `elapsed` seconds after the last time."""
        ahead = self.expected(elapsed)
        high, x, y = box[3] - box[1], (box[0] + box[2]) / 2, box[3]
        learn = LEARN
        if abs(high - self._high) > USUAL * self._high:
            learn = LEARN_LARGE if high > self._high else LEARN_SMALL
            if abs(box[1] - ahead[1]) < abs(box[3] - ahead[3]):
                y = box[1] + self._high
        odd = (x - (ahead[0] + ahead[2]) / 2, y - ahead[3])
        if elapsed > 0:
            share = COURSE if self._steps else 1.0
            self._course = (
                self._course[0] + share * odd[0] / elapsed,
                self._course[1] + share * odd[1] / elapsed,
            )
        self._steps += 1
        self._x, self._y = x, y
        self._wide += LEARN * (box[2] - box[0] - self._wide)
        self._high += learn * (high - self._high)
