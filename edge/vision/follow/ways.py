"""The ways of seen things, told apart by more than their track's number. Pure.

A track breaks off behind a truck or in the dark and goes on under a new number. A new number that
begins where a lost way would be by now goes on with that way. Whether it did, and whether ways
met, is kept as a doubt that a count can tell.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from edge.clock import Stamp
from edge.domain.observation import SeenObject
from edge.vision.follow.footing import Position, where

RELINK_S = 1.5  # a way that was lost for longer is over …
REACH = 0.5  # … and one further from where it is expected than so many heights is another
BESIDE = 0.7  # heights within which two ways may be taken for each other
DOUBT_S = 3.0  # a way that broke, parted or met another one is doubted for this long
SETTLED_S = 1.0  # a way of this age is known
LOST_S = 0.5  # a way unseen for longer is lost; a shorter gap is a detector's
COURSE = 0.3  # share of the newest step in a course
FORGET_S = 10.0  # a number that was not seen for longer is forgotten …
MAX_WAYS = 300  # … and of more than so many the longest unseen


@dataclass(frozen=True, slots=True)
class Side:
    """A spot surely to the right of a line, or to its left.

    `left`: the newest picture shows it beyond the line, a little.
    """

    right: bool
    at: Position
    left: bool = False


class Way:
    """Where one thing goes.

    Attributes:
        foot: where it stands.
        high: height of its box.
        sides: by line, where it last surely was.
    """

    def __init__(self, item: SeenObject, stamp: Stamp) -> None:
        self.item, self.seen, self.foot = item, stamp, where(item)
        self.lost = False
        self.sides: dict[str, Side] = {}
        self._began = stamp
        self._doubted: Stamp | None = None
        self._course: Position | None = None

    @property
    def high(self) -> float:
        return self.item.box[3] - self.item.box[1]

    def doubt(self, now: Stamp) -> None:
        """It may have been taken for another one."""
        self._doubted = now

    def doubtful(self, now: Stamp) -> bool:
        """Whether it may lately have been taken for another one."""
        return self._doubted is not None and now.since(self._doubted) <= DOUBT_S

    def settled(self, now: Stamp) -> bool:
        """Whether it has been known for a while."""
        return now.since(self._began) >= SETTLED_S

    def expected(self, now: Stamp) -> Position:
        """Where it would be if it went on."""
        elapsed, (x, y) = now.since(self.seen), self._course or (0.0, 0.0)
        return self.foot[0] + x * elapsed, self.foot[1] + y * elapsed

    def step(self, item: SeenObject, stamp: Stamp) -> None:
        """It is seen as `item`."""
        here, elapsed = where(item), stamp.since(self.seen)
        if elapsed > 0:
            newest = ((here[0] - self.foot[0]) / elapsed, (here[1] - self.foot[1]) / elapsed)
            old, share = self._course or newest, COURSE
            self._course = (
                old[0] + share * (newest[0] - old[0]),
                old[1] + share * (newest[1] - old[1]),
            )
        self.item, self.seen, self.foot, self.lost = item, stamp, here, False


class Ways:
    """All ways of one camera's things."""

    def __init__(self) -> None:
        self._ways: dict[int, Way] = {}  # by the newest number of their track

    def step(self, objects: Sequence[SeenObject], stamp: Stamp) -> list[Way]:
        """The ways of what is seen in one picture, in their order."""
        seen = {item.track for item in objects}
        old = {number: way for number, way in self._ways.items() if number not in seen}
        for item in objects:
            way = self._ways.get(item.track) or self._resumed(item, old, stamp)
            if way is None:
                way = Way(item, stamp)
                if any(other.settled(stamp) for other in self._beside(way, seen, stamp)):
                    way.doubt(stamp)  # two who were seen as one part
            else:
                way.step(item, stamp)
            self._ways[item.track] = way
        for way in old.values():
            if way.lost or stamp.since(way.seen) <= LOST_S:
                continue
            way.lost = True
            for other in self._beside(way, seen, stamp):
                other.doubt(stamp)  # the lost one may be behind it
        self._forget(stamp)
        return [self._ways[item.track] for item in objects]

    def _resumed(self, item: SeenObject, old: dict[int, Way], stamp: Stamp) -> Way | None:
        """The lost way that a new number goes on with."""
        here, reach = where(item), REACH * (item.box[3] - item.box[1])
        near = [
            (apart, number)
            for number, way in old.items()
            if way.item.label is item.label
            and stamp.since(way.seen) <= RELINK_S
            and (apart := math.dist(way.expected(stamp), here)) <= reach
        ]
        if not near:
            return None
        way = old.pop(min(near)[1])
        del self._ways[way.item.track]
        way.doubt(stamp)
        return way

    def _beside(self, way: Way, seen: set[int], stamp: Stamp) -> Iterator[Way]:
        """Ways of other things of its kind that are seen close to where it is expected."""
        here = way.expected(stamp)
        for number in seen:
            other = self._ways.get(number)
            if (
                other is not None
                and other is not way
                and other.item.label is way.item.label
                and math.dist(other.foot, here) <= BESIDE * way.high
            ):
                yield other

    def _forget(self, stamp: Stamp) -> None:
        fresh = [entry for entry in self._ways.items() if stamp.since(entry[1].seen) <= FORGET_S]
        fresh.sort(key=lambda entry: entry[1].seen.mono_us)
        self._ways = dict(fresh[-MAX_WAYS:])
