"""Directed lines: who crossed, which way. Pure.

A thing has crossed when its foot was surely on one side and is surely on the other; between the
two lies a strip in which it may linger, tremble and turn without being counted.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from edge.clock import Stamp
from edge.domain.activity import Activity, ActivityKind, Phase
from edge.domain.observation import Box
from edge.vision.follow.footing import Position
from edge.vision.follow.ways import Side, Way
from edge.vision.spec import LineSpec

MARGIN = 0.1  # of a box's extent across a line, on either side of it, belong to neither …
MIN_MARGIN = 0.006  # … and at least this fraction of the picture
FAR = 0.3  # of that extent beyond the line up to which one picture alone may be a box cut short


@dataclass(frozen=True, slots=True)
class Crossing:
    """One directed line."""

    source: str
    line: LineSpec

    def step(self, ways: Iterable[Way], stamp: Stamp) -> list[Activity]:
        """What the ways of the things seen in one picture cross."""
        return [activity for way in ways for activity in self._crossed(way, stamp)]

    def _crossed(self, way: Way, stamp: Stamp) -> list[Activity]:
        distance, sides, code = distance_right(self.line, way.foot), way.sides, self.line.code
        extent, before = across(self.line, way.item.box), sides.get(code)
        if abs(distance) < max(MARGIN * extent, MIN_MARGIN):
            if before is not None:
                sides[code] = replace(before, left=False)
            return []
        right = distance > 0
        little = abs(distance) < FAR * extent
        if before is not None and before.right != right and little and not before.left:
            sides[code] = replace(before, left=True)
            return []
        sides[code] = Side(right, way.foot)
        if before is None or before.right == right or not self._through(before.at, way.foot):
            return []
        return self._activities(way, "in" if right else "out", stamp)

    def _through(self, start: Position, end: Position) -> bool:
        """Whether the way from `start` to `end`, on both sides, meets the line between its ends."""
        return _side(start, end, self.line.start) * _side(start, end, self.line.end) <= 0

    def _activities(self, way: Way, direction: str, stamp: Stamp) -> list[Activity]:
        detail: dict[str, str | int | float | bool] = {
            "label": way.item.label.value,
            "track": way.item.track,
            "score": round(way.item.score, 3),
            "count": 1,
        }
        if way.doubtful(stamp):
            detail["uncertain"] = True
        return [
            Activity(
                kind=ActivityKind.LINE_CROSSED,
                source=self.source,
                place=self.line.code,
                aspect=direction,
                phase=phase,
                started=stamp,
                stamp=stamp,
                detail=detail,
            )
            for phase in (Phase.STARTED, Phase.ENDED)
        ]


def _side(start: Position, end: Position, point: Position) -> float:
    """Positive to the right of somebody who walks from start to end, negative to the left.

    The picture's y grows downwards, over the ground towards the viewer.
    """
    (x1, y1), (x2, y2) = start, end
    return (x2 - x1) * (point[1] - y1) - (y2 - y1) * (point[0] - x1)


def distance_right(line: LineSpec, point: Position) -> float:
    """How far `point` lies to the right of the line; negative to its left."""
    return _side(line.start, line.end, point) / math.dist(line.start, line.end)


def across(line: LineSpec, box: Box) -> float:
    """A box's extent at right angles to the line: its height where the line is level."""
    (x1, y1), (x2, y2) = line.start, line.end
    wide, high = box[2] - box[0], box[3] - box[1]
    return (abs(y2 - y1) * wide + abs(x2 - x1) * high) / math.dist(line.start, line.end)
