"""Directed lines: who crossed, which way. Pure.

A thing has crossed when its foot was surely on one side and is surely on the other; between the
two lies a strip in which it may linger, tremble and turn without being counted.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from edge.clock import Stamp
from edge.domain.activity import Activity, ActivityKind, Phase
from edge.domain.observation import SeenObject
from edge.vision.footing import Position, where
from edge.vision.spec import LineSpec

MARGIN = 0.1  # box heights on either side of a line that belong to neither …
MIN_MARGIN = 0.006  # … and at least this fraction of the picture
FORGET_S = 10.0  # a track's side is forgotten when it is not seen for this long


@dataclass(slots=True)
class _Side:
    """Where a track was last surely seen."""

    right: bool
    at: Position
    seen: Stamp


@dataclass(slots=True)
class Crossing:
    """One directed line: the side on which each track was last surely seen."""

    source: str
    line: LineSpec
    _sides: dict[int, _Side] = field(default_factory=dict)

    def step(self, seen: Sequence[SeenObject], stamp: Stamp) -> list[Activity]:
        crossed: list[Activity] = []
        for item in seen:
            here = where(item)
            distance = distance_right(self.line, here)
            margin = max(MARGIN * (item.box[3] - item.box[1]), MIN_MARGIN)
            if abs(distance) < margin:
                continue
            right = distance > 0
            before = self._sides.get(item.track)
            self._sides[item.track] = _Side(right, here, stamp)
            if before is not None and before.right != right and self._through(before.at, here):
                crossed += self._activities(item, "in" if right else "out", stamp)
        self._sides = {
            track: side for track, side in self._sides.items() if stamp.since(side.seen) <= FORGET_S
        }
        return crossed

    def _through(self, start: Position, end: Position) -> bool:
        """Whether the way from `start` to `end`, on both sides, meets the line between its ends."""
        return _side(start, end, self.line.start) * _side(start, end, self.line.end) <= 0

    def _activities(self, item: SeenObject, direction: str, stamp: Stamp) -> list[Activity]:
        return [
            Activity(
                kind=ActivityKind.LINE_CROSSED,
                source=self.source,
                place=self.line.code,
                aspect=direction,
                phase=phase,
                started=stamp,
                stamp=stamp,
                detail={
                    "label": item.label.value,
                    "track": item.track,
                    "score": round(item.score, 3),
                },
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
