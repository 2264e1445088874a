"""A body that moves through a zone and that no detector names. Pure.

Detectors fail: in infrared light, from above, on somebody under a sheet. What the gate saw move is
followed here by itself. A body moves: for a while, by more than its own size, in one direction, not
faster than anybody runs. Rain, snow and insects don't; plants stay where they are; light has been
left out by the gate.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from itertools import pairwise

from edge.clock import Stamp
from edge.domain.activity import Activity, ActivityKind, Phase
from edge.domain.observation import Box, Quality, Sighting
from edge.vision.follow.footing import foot, where
from edge.vision.follow.zones import inside
from edge.vision.spec import CameraSpec, ZoneSpec

LASTING_S = 1.5  # a body has been moving for this long, …
MIN_HITS = 5  # … in so many pictures, so many of them …
SEEN = 0.5  # … which are this share of those since at least, …
ZONE_HITS = 3  # … in the zone, …
PATH = 1.0  # … and is this many of its sizes from where it was first seen, …
STRAIGHT = 0.5  # … which is at least this share of the way it went, …
LEAP = 0.65  # … and no step is more of it: two lit patches, one after the other, are no walk
FOOT = 0.5  # of that its foot goes along: a patch of shade that shrinks stays where it is
FASTEST = 3.0  # sizes a second: somebody who runs; insects, rain and falling snow are faster
SMALLEST = 0.035  # of the picture's height
LARGEST = 0.25  # of the picture's area; more is light or the camera itself
CROWD = 10  # pieces in one picture: weather, and none of them counts
REACH = 1.2  # sizes between two pictures of a body at most, besides …
REACH_S = 2.0  # … so many sizes a second
ALIKE = 0.25  # smaller against larger area of one body in two pictures, at least
COAST_S = 1.2  # a body that is not seen to move for longer is forgotten
TRAIL_S = 8.0  # what a body did before that is forgotten
STEP_S = 0.4  # a way is measured in steps of this length: edges of pieces tremble
NAMED_HITS = 2  # so often seen where the detector names something, a body is named
NAMED_S = 2.0  # what the detector named counts for this long, …
UNNAMED_S = 1.0  # … and a body that is away from it for longer has no name any more
SHADOW = 0.4  # of its size: so far around a named thing its shadow moves
SILENT_S = 10.0  # no unnamed motion begins in a zone so soon after something named was in it
EXIT_S = 5.0  # without any unnamed body for this long, it is over
REPORT_S = 10.0  # GOES_ON at most this often
SETTLING_S = 45.0  # a gate that has just begun does not know yet what the weather does here …
PAUSE_S = 12.0  # … and after a longer time without pictures it has begun anew
MAX_BODIES = 32
SHAPE = 16 / 9  # of the picture: x counts so much more than y


@dataclass(slots=True)
class _Body:
    """One thing that moves, and its way."""

    trail: deque[tuple[Stamp, Box]] = field(default_factory=deque)
    named: int = 0
    named_at: Stamp | None = None
    hits: int = 1
    looks: int = 1

    @property
    def box(self) -> Box:
        return self.trail[-1][1]

    @property
    def stamp(self) -> Stamp:
        return self.trail[-1][0]

    def hit(self, box: Box, stamp: Stamp) -> None:
        self.hits += 1
        self.trail.append((stamp, box))
        while stamp.since(self.trail[0][0]) > TRAIL_S:
            self.trail.popleft()

    def name(self, named: bool) -> None:
        """Whether the newest picture has something that is named where it is."""
        if named:
            self.named, self.named_at = self.named + 1, self.stamp
        elif self.named_at is not None and self.stamp.since(self.named_at) > UNNAMED_S:
            self.named, self.named_at = 0, None

    def distance(self, box: Box, stamp: Stamp) -> float:
        """In sizes; infinite where it cannot be this body."""
        small, large = sorted((_size(self.box), _size(box)))
        if small * small < ALIKE * large * large:
            return math.inf
        apart = math.dist(_middle(self.box), _middle(box)) / large
        return apart if apart <= REACH + REACH_S * stamp.since(self.stamp) else math.inf

    def walks(self) -> bool:
        """Whether it has moved as bodies do."""
        (first, start), (last, end) = self.trail[0], self.trail[-1]
        seconds = last.since(first)
        if len(self.trail) < MIN_HITS or seconds < LASTING_S or self.hits < SEEN * self.looks:
            return False
        size = sum(_size(box) for _, box in self.trail) / len(self.trail)
        if any(b[3] - b[1] < SMALLEST or _size(b) ** 2 > LARGEST * SHAPE for b in (start, end)):
            return False
        steps = [self.trail[0]]
        for stamp, box in self.trail:
            if stamp.since(steps[-1][0]) >= STEP_S:
                steps.append((stamp, box))
        way = [math.dist(_middle(a), _middle(b)) for (_, a), (_, b) in pairwise(steps)]
        net = math.dist(_middle(steps[0][1]), _middle(steps[-1][1]))
        straight = max(STRAIGHT * sum(way), max(way) / LEAP) <= net
        if _apart(foot(steps[0][1]), foot(steps[-1][1])) < FOOT * net:
            return False
        return PATH * size <= net <= FASTEST * size * seconds and straight

    def hits_in(self, zone: ZoneSpec) -> int:
        return sum(inside(foot(box), zone.polygon) for _, box in self.trail)


@dataclass(slots=True)
class _Zone:
    """Unnamed motion in one zone."""

    source: str
    spec: ZoneSpec
    named: Stamp | None = None  # when something named was last in it
    started: Stamp | None = None
    last: Stamp | None = None
    reported: Stamp | None = None

    def step(self, bodies: list[_Body], stamp: Stamp) -> list[Activity]:
        here = [
            body
            for body in bodies
            if body.stamp == stamp
            and body.named < NAMED_HITS
            and body.hits_in(self.spec) >= ZONE_HITS
            and inside(foot(body.box), self.spec.polygon)
        ]
        if self.started is None:
            walking = [body for body in here if body.walks()]
            silent = self.named is not None and stamp.since(self.named) <= SILENT_S
            if not walking or silent:
                return []
            self.started = walking[0].trail[0][0]
            self.last = self.reported = stamp
            return [self._activity(Phase.STARTED, stamp)]
        if self.named is not None and self.named == stamp:
            return self.end(stamp)
        if not here:
            return self.tick(stamp)
        self.last = stamp
        if self.reported is not None and stamp.since(self.reported) < REPORT_S:
            return []
        self.reported = stamp
        return [self._activity(Phase.GOES_ON, stamp)]

    def tick(self, now: Stamp) -> list[Activity]:
        if self.last is None or now.since(self.last) < EXIT_S:
            return []
        return self.end(self.last)

    def end(self, stamp: Stamp) -> list[Activity]:
        ended = self._activity(Phase.ENDED, stamp)
        self.started = self.last = self.reported = None
        return [ended]

    def _activity(self, phase: Phase, stamp: Stamp) -> Activity:
        started = self.started or stamp
        return Activity(
            kind=ActivityKind.UNNAMED_MOTION,
            source=self.source,
            place=self.spec.code,
            aspect=self.spec.kind.value,
            phase=phase,
            started=started,
            stamp=stamp,
            detail={"seconds": round(stamp.since(started), 1)},
        )


class MotionAnalyser:
    """Unnamed motion in all zones of one camera: UNNAMED_MOTION, one activity a zone."""

    def __init__(self, camera: CameraSpec) -> None:
        self._zones = [_Zone(camera.code, zone) for zone in camera.zone]
        self._bodies: list[_Body] = []
        self._named: deque[tuple[Stamp, Box]] = deque()
        self._begun: Stamp | None = None
        self._newest: Stamp | None = None

    def step(self, sighting: Sighting) -> list[Activity]:
        """Take one sighting, in order of time; without a detector's word nothing is named."""
        stamp = sighting.stamp
        objects = sighting.objects if sighting.quality is Quality.GOOD else ()
        self._named.extend((stamp, item.box) for item in objects)
        while self._named and stamp.since(self._named[0][0]) > NAMED_S:
            self._named.popleft()
        for zone in self._zones:
            if any(inside(where(item), zone.spec.polygon) for item in objects):
                zone.named = stamp
        if self._newest is None or stamp.since(self._newest) > PAUSE_S:
            self._begun = stamp
        self._newest = stamp
        settled = self._begun is not None and stamp.since(self._begun) >= SETTLING_S
        believed = settled and len(sighting.moving) <= CROWD
        self._follow(sighting.moving if believed else (), stamp)
        return [told for zone in self._zones for told in zone.step(self._bodies, stamp)]

    def tick(self, now: Stamp) -> list[Activity]:
        """Let time pass: what is not seen to move any more is over."""
        return [told for zone in self._zones for told in zone.tick(now)]

    def _follow(self, moving: tuple[Box, ...], stamp: Stamp) -> None:
        pairs = sorted(
            (distance, b, m)
            for b, body in enumerate(self._bodies)
            for m, box in enumerate(moving)
            if (distance := body.distance(box, stamp)) < math.inf
        )
        for body in self._bodies:
            body.looks += 1
        taken_bodies: set[int] = set()
        taken_boxes: set[int] = set()
        for _, b, m in pairs:
            if b not in taken_bodies and m not in taken_boxes:
                taken_bodies.add(b)
                taken_boxes.add(m)
                self._bodies[b].hit(moving[m], stamp)
        self._bodies = [body for body in self._bodies if stamp.since(body.stamp) <= COAST_S]
        for m, box in enumerate(moving):
            if m not in taken_boxes and len(self._bodies) < MAX_BODIES:
                self._bodies.append(_Body(deque([(stamp, box)])))
        for body in self._bodies:
            if body.stamp == stamp:
                body.name(any(_near(body.box, box) for _, box in self._named))


def _near(box: Box, named: Box) -> bool:
    """Whether the box touches a named thing or what lies around it."""
    more = SHADOW * max(named[2] - named[0], (named[3] - named[1]) / SHAPE)
    high = more * SHAPE
    return (
        box[0] < named[2] + more
        and box[2] > named[0] - more
        and box[1] < named[3] + high
        and box[3] > named[1] - high
    )


def _apart(one: tuple[float, float], other: tuple[float, float]) -> float:
    """In heights of the picture."""
    return math.hypot(SHAPE * (one[0] - other[0]), one[1] - other[1])


def _middle(box: Box) -> tuple[float, float]:
    """In heights of the picture."""
    return SHAPE * (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def _size(box: Box) -> float:
    """In heights of the picture: the side of a square as large as the box."""
    return math.sqrt(max(SHAPE * (box[2] - box[0]) * (box[3] - box[1]), 1e-9))
