"""One thing that is followed: where it is expected, whether it is believed, when it is given up.

Pure. Lengths are fractions of the picture; reaches are in diagonals of the thing's own box, so
that near and far, a person walks about as many of them a second.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from edge.clock import Stamp
from edge.domain.observation import Box, Label, SeenObject
from edge.vision.follow.footing import Footing

CONFIRM_SURE = 2  # sure sightings; a thing surely seen once may be a flicker …
CONFIRM_GAP_S = 1.5  # … and so may two that are further apart than this …
CONFIRM_GAP_STEPS = 3  # … and than this many pictures
CONFIRM_MOVING = 5  # sightings of any score of something that moves consistently, …
MOVED = 0.5  # … by so many diagonals from where it began, …
STRAIGHT = 0.6  # … which is at least this share of all its steps together, …
LEAP = 0.65  # … and no step is more of it: from one post to the next is no walk
COAST_S = 1.5  # a track that is unseen for longer …
COAST_STEPS = 3  # … and in more pictures than this is given up, …
COAST_MOST_S = 3.5  # … or, however seldom pictures come, unseen in any for this long, …
HIDDEN_S = 3.0  # … one behind another thing after this long
RESTED_S = 20.0  # … and one that has stood still for long, after this long
FAINT_S = 10.0  # a track at rest without a sure sighting for this long is given up
SLACK = 0.45  # a detection further off than this many diagonals is not the thing, …
SPEED = {Label.PERSON: 1.6, Label.VEHICLE: 2.5}  # … and than so many a second since
ALIKE = 0.4  # of its usual height at least is a thing that is half hidden …
GROWN = 0.6  # … and at most this divided by it one that came out
SETTLED = 5  # sightings until which a track gives way to older ones
FAINT_IOU = 0.3  # a faint detection that is not likely must overlap this much what is expected
STILL = 0.25  # diagonals within which a thing is at rest
STILL_S = {Label.PERSON: 120.0, Label.VEHICLE: 30.0}  # at rest for this long is long
COVERED = 0.6  # of a box covered by another one: it is behind it, or a part of it


@dataclass(frozen=True, slots=True)
class Found:
    """One detection. `box` is x1, y1, x2, y2 as fractions of the picture; see `Detection`."""

    label: Label
    score: float
    box: Box
    sure: bool = True
    likely: bool = False


class Track:
    """One thing. `predict` before anything else of a picture, then `hit` or `miss`."""

    def __init__(self, number: int, found: Found, stamp: Stamp) -> None:
        self.number, self.found = number, found
        self.box = found.box  # where it is expected in this picture, or was found
        self.confirmed = False
        self.doubled = 0  # pictures in a row in which it was a part of another one
        self._seen_at = self._still_since = stamp
        self._sure_at = stamp  # when it was surely seen last, or began
        self._sures, self._hits, self._missed = int(found.sure), 1, 0
        self._unsure = 0  # pictures since
        self._hidden = False
        self._footing = Footing(found.box)
        self._start = self._rest = self._footing.foot
        self._way = self._leap = 0.0

    @property
    def seen(self) -> bool:
        """Whether it was found in the newest picture."""
        return self._missed == 0

    @property
    def restless(self) -> bool:
        """Whether it is more than a faint guess and has moved within the last minutes."""
        guess = not self.confirmed and not self._sures
        return not guess and self._still_s(self._seen_at) < STILL_S[self.found.label]

    def told(self, stamp: Stamp) -> SeenObject:
        """What a sighting says of it."""
        found = self.found
        still_s, foot = self._still_s(stamp), self._footing.foot
        return SeenObject(self.number, found.label, found.score, found.box, still_s, foot)

    def predict(self, stamp: Stamp) -> None:
        """Move the expected box on along its course."""
        self.box = self._footing.expected(stamp.since(self._seen_at))

    def cost(self, thing: Found, stamp: Stamp) -> float:
        """How unlikely `thing` is to be this one, 0..1; 1 is impossible."""
        size = self._footing.size
        if thing.label is not self.found.label or size <= 0:
            return 1.0
        elapsed = stamp.since(self._seen_at)
        if self._missed and elapsed > self._coast_s(COAST_MOST_S):
            return 1.0
        if not _alike(self.box, thing.box, ALIKE / (1 + elapsed)):
            return 1.0
        overlap = iou(self.box, thing.box)
        if not (thing.sure or thing.likely) and overlap < FAINT_IOU:
            return 1.0
        speed = SPEED[thing.label] * (0.5 if self._hits > 2 else 1.0)
        reach = size * (SLACK + speed * elapsed)
        apart = _apart(self.box, thing.box)
        if apart >= reach:
            return 1.0
        cost = 0.4 * (1 - overlap) + 0.4 * apart / reach + 0.1 * (1 - thing.score)
        return cost if self._hits >= SETTLED else cost + 0.1

    def hit(self, thing: Found, stamp: Stamp) -> None:
        """It was found as `thing`."""
        before = self._footing.foot
        self._footing.step(thing.box, stamp.since(self._seen_at))
        here = self._footing.foot
        self._count(stamp, sure=thing.sure)
        self._missed, self._hidden = 0, False
        step = math.dist(before, here)
        self._way, self._leap = self._way + step, max(self._leap, step)
        self.found, self.box, self._seen_at = thing, thing.box, stamp
        if math.dist(self._rest, here) > STILL * self._footing.size:
            self._rest, self._still_since = here, stamp
        self.confirmed = self.confirmed or self._sures >= CONFIRM_SURE or self._moves()

    def miss(self, *, hidden: bool) -> None:
        """It was not found; `hidden` when another thing stands where it is expected."""
        self._missed += 1
        self._unsure += 1
        self._hidden = self._hidden or hidden

    def gone(self) -> bool:
        """Whether its course has led it out of the picture."""
        x1, _, x2, y2 = self.box
        return not (0 < x1 + x2 < 2 and y2 > 0)

    def alive(self, now: Stamp) -> bool:
        """Whether to go on following it."""
        if self.seen:
            resting = now.since(self._still_since) > FAINT_S
            return not (resting and now.since(self._sure_at) > FAINT_S)
        if not self.confirmed and self._missed > 1:
            return False
        unseen_s = now.since(self._seen_at)
        if self._missed <= COAST_STEPS and unseen_s <= COAST_MOST_S:
            return True
        return unseen_s <= self._coast_s(HIDDEN_S if self._hidden else COAST_S)

    def _coast_s(self, usual: float) -> float:
        rested = self._still_s(self._seen_at) >= STILL_S[self.found.label]
        return max(usual, RESTED_S) if rested else usual

    def _count(self, stamp: Stamp, *, sure: bool) -> None:
        self._hits += 1
        self._unsure += 1
        if not sure:
            return
        late = self._unsure > CONFIRM_GAP_STEPS and stamp.since(self._sure_at) > CONFIRM_GAP_S
        self._sures = 1 if late else self._sures + 1
        self._sure_at, self._unsure = stamp, 0

    def _moves(self) -> bool:
        away = math.dist(self._start, self._footing.foot)
        return (
            self._hits >= CONFIRM_MOVING
            and away >= MOVED * self._footing.size
            and away >= STRAIGHT * self._way
            and away >= self._leap / LEAP
        )

    def _still_s(self, now: Stamp) -> float:
        return now.since(self._still_since)


def iou(a: Box, b: Box) -> float:
    """Intersection over union of two boxes; 0 when either has no area."""
    shared = _shared(a, b)
    return shared / (_area(a) + _area(b) - shared) if shared > 0 else 0.0


def covered(box: Box, other: Box) -> bool:
    """Whether most of `box` lies within `other`."""
    return _shared(box, other) > COVERED * _area(box)


def nested(a: Box, b: Box) -> float:
    """Share of the smaller box that lies within the larger one."""
    small = min(_area(a), _area(b))
    return _shared(a, b) / small if small > 0 else 0.0


def _shared(a: Box, b: Box) -> float:
    wide = min(a[2], b[2]) - max(a[0], b[0])
    high = min(a[3], b[3]) - max(a[1], b[1])
    return wide * high if wide > 0 and high > 0 else 0.0


def _area(box: Box) -> float:
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


def _alike(usual: Box, new: Box, least: float) -> bool:
    """Whether `new` can be what usually is `usual`: half hidden it may be, but hardly larger."""
    ratio = (new[3] - new[1]) / (usual[3] - usual[1]) if usual[3] > usual[1] else 0.0
    return least <= ratio <= GROWN / least


def _apart(a: Box, b: Box) -> float:
    """How far apart two boxes are, by the nearer of their upper and their lower edges."""
    down = min(abs(a[1] - b[1]), abs(a[3] - b[3]))
    return math.hypot((a[0] + a[2] - b[0] - b[2]) / 2, down)
