"""Whether a polygon is one that a zone can be: its sides don't cross and it has an inside. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

Point = tuple[float, float]


def area(polygon: Sequence[Point]) -> float:
    """Area by the shoelace formula, in units of the points squared; never negative."""
    turned = [*polygon[1:], *polygon[:1]]
    pairs = zip(polygon, turned, strict=True)
    return abs(sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairs)) / 2


def crossing(polygon: Sequence[Point]) -> tuple[int, int] | None:
    """The first two sides that meet where they should not, or None.

    Sides are numbered from 0 by the corner they start at. Neighbours may share their corner
    and nothing else; others may not even touch.
    """
    count = len(polygon)
    sides = [(polygon[i], polygon[(i + 1) % count]) for i in range(count)]
    for i, j in combinations(range(count), 2):
        (a, b), (c, d) = sides[i], sides[j]
        if j == i + 1:
            bad = _folds_back(a, b, d)
        elif i == 0 and j == count - 1:
            bad = _folds_back(c, d, b)
        else:
            bad = _meet(a, b, c, d)
        if bad:
            return i, j
    return None


def _turn(a: Point, b: Point, c: Point) -> float:
    """Positive when a → b → c turns one way, negative the other, 0 when straight."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _folds_back(a: Point, corner: Point, b: Point) -> bool:
    """Whether a → corner → b goes back over itself, or a side has no length."""
    if corner in (a, b):
        return True
    ahead = (corner[0] - a[0]) * (b[0] - corner[0]) + (corner[1] - a[1]) * (b[1] - corner[1])
    return _turn(a, corner, b) == 0 and ahead < 0


def _meet(a: Point, b: Point, c: Point, d: Point) -> bool:
    """Whether the segments a-b and c-d have a point in common."""
    turns = _turn(a, b, c), _turn(a, b, d), _turn(c, d, a), _turn(c, d, b)
    if turns[0] * turns[1] < 0 and turns[2] * turns[3] < 0:
        return True
    return (
        (turns[0] == 0 and _within(a, b, c))
        or (turns[1] == 0 and _within(a, b, d))
        or (turns[2] == 0 and _within(c, d, a))
        or (turns[3] == 0 and _within(c, d, b))
    )


def _within(a: Point, b: Point, c: Point) -> bool:
    """Whether c, known to be on the line through a and b, lies between them."""
    return min(a[0], b[0]) <= c[0] <= max(a[0], b[0]) and min(a[1], b[1]) <= c[1] <= max(a[1], b[1])
