"""From sightings to activities: who is in which zone, who crossed which line. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edge.clock import Stamp
from edge.domain.activity import Activity, ActivityKind, Phase
from edge.domain.observation import Label, SeenObject, Sighting
from edge.vision.follow.footing import Position, where
from edge.vision.follow.lines import Crossing
from edge.vision.follow.track import STILL_S
from edge.vision.follow.ways import Ways
from edge.vision.spec import CameraSpec, ZoneSpec

# The tracker tells a thing from its second sighting on, so being there takes three sightings
# over about half a second in all.
DWELL_S = 0.15  # told in the zone for this long, …
MIN_SIGHTINGS = 2  # … in at least so many pictures, is being there
GAP_S = 1.5  # a longer absence before that begins the count again
EXIT_S = 2.0  # not seen for this long, …
EXIT_SIGHTINGS = 3  # … in at least so many pictures, is gone
SILENCE_S = 5.0  # without any picture, or seen in none for this long, nothing can be said to go on
# What has long stood still (`track.STILL_S`) is looked at seldom:
STILL_EXIT_S = 15.0  # … so long it may be missed, …
STILL_SILENCE_S = 40.0  # … and so long there may be no picture
REPORT_S = 10.0  # GOES_ON at most this often

_KINDS = {
    Label.PERSON: ActivityKind.PERSON_IN_ZONE,
    Label.VEHICLE: ActivityKind.VEHICLE_IN_ZONE,
}


def inside(point: Position, polygon: Sequence[Position]) -> bool:
    """Whether `point` lies in `polygon` (even-odd rule)."""
    x, y = point
    odd = False
    previous = polygon[-1]
    for corner in polygon:
        (x1, y1), (x2, y2) = previous, corner
        if (y1 > y) != (y2 > y) and x < x1 + (y - y1) * (x2 - x1) / (y2 - y1):
            odd = not odd
        previous = corner
    return odd


@dataclass(slots=True)
class _Presence:
    """One kind of thing in one zone."""

    source: str
    zone: ZoneSpec
    label: Label
    first: Stamp | None = None
    last: Stamp | None = None
    sightings: int = 0
    absent: int = 0
    active: bool = False
    still: bool = False  # all that was here when it was last seen had long been still
    reported: Stamp | None = None
    count: int = 0
    most: int = 0
    score: float = 0.0

    def step(self, seen: Sequence[SeenObject], stamp: Stamp) -> list[Activity]:
        here = [
            item
            for item in seen
            if item.label is self.label and inside(where(item), self.zone.polygon)
        ]
        if here:
            return self._present(here, stamp)
        return self._absent(stamp)

    def _present(self, here: list[SeenObject], stamp: Stamp) -> list[Activity]:
        ended = self._interrupted(stamp)
        if self.first is None:
            self.first = stamp
        self.last = stamp
        self.absent = 0
        self.still = all(item.still_s >= STILL_S[item.label] for item in here)
        self.sightings += 1
        self.count = len(here)
        self.most = max(self.most, self.count)
        self.score = max(self.score, *(item.score for item in here))
        if not self.active:
            if self.sightings < MIN_SIGHTINGS or stamp.since(self.first) < DWELL_S:
                return ended
            self.active, self.reported = True, stamp
            return [self._activity(Phase.STARTED, self.first, stamp)]
        if self.reported is not None and stamp.since(self.reported) < REPORT_S:
            return []
        self.reported = stamp
        return [self._activity(Phase.GOES_ON, self.first, stamp)]

    def _absent(self, stamp: Stamp) -> list[Activity]:
        if self.first is None or self.last is None:
            return []
        self.absent += 1
        gone_s = stamp.since(self.last)
        if not self.active:
            over = gone_s >= GAP_S
        else:
            limit_s = STILL_EXIT_S if self.still else EXIT_S
            over = gone_s >= limit_s and self.absent >= EXIT_SIGHTINGS
        return self._end(self.first, self.last) if over else []

    def _interrupted(self, stamp: Stamp) -> list[Activity]:
        """End what was away for so long that this is another one.

        Where pictures are seconds apart, a single one without it can be all that parts two visits.
        """
        if self.first is None or self.last is None:
            return []
        gone_s = stamp.since(self.last)
        if self.active:
            over = gone_s >= self._silence_s and self.absent > 0
        else:
            over = gone_s > (GAP_S if self.absent else self._silence_s)
        return self._end(self.first, self.last) if over else []

    @property
    def _silence_s(self) -> float:
        return STILL_SILENCE_S if self.still else SILENCE_S

    def tick(self, now: Stamp) -> list[Activity]:
        """End by silence."""
        if self.first is None or self.last is None or now.since(self.last) < self._silence_s:
            return []
        return self._end(self.first, self.last)

    def _end(self, first: Stamp, last: Stamp) -> list[Activity]:
        ended = [self._activity(Phase.ENDED, first, last)] if self.active else []
        self.first = self.last = self.reported = None
        self.sightings = self.absent = self.count = self.most = 0
        self.score, self.active, self.still = 0.0, False, False
        return ended

    def _activity(self, phase: Phase, started: Stamp, stamp: Stamp) -> Activity:
        return Activity(
            kind=_KINDS[self.label],
            source=self.source,
            place=self.zone.code,
            aspect=self.zone.kind.value,
            phase=phase,
            started=started,
            stamp=stamp,
            detail={
                "count": self.most if phase is Phase.ENDED else self.count,
                "score": round(self.score, 3),
            },
        )


class ZoneAnalyser:
    """All zones and lines of one camera.

    PERSON_IN_ZONE and VEHICLE_IN_ZONE: one activity a zone however many are in it, `count` in
    the detail (the most at once when it ended). LINE_CROSSED is a moment: started and ended
    at once, one pair for each thing that crossed, the direction as aspect.
    """

    def __init__(self, camera: CameraSpec) -> None:
        self._presences = [
            _Presence(camera.code, zone, label) for zone in camera.zone for label in Label
        ]
        self._crossings = [Crossing(camera.code, line) for line in camera.line]
        self._ways = Ways()
        self._newest: Stamp | None = None

    def step(self, sighting: Sighting) -> list[Activity]:
        """Take one sighting, in order of time."""
        self._newest = sighting.stamp
        activities: list[Activity] = []
        for presence in self._presences:
            activities += presence.step(sighting.objects, sighting.stamp)
        ways = self._ways.step(sighting.objects, sighting.stamp)
        for crossing in self._crossings:
            activities += crossing.step(ways, sighting.stamp)
        return activities

    def tick(self, now: Stamp) -> list[Activity]:
        """Let time pass: when pictures stop coming, nothing can be said to go on."""
        if self._newest is None or now.since(self._newest) < SILENCE_S:
            return []
        return [activity for presence in self._presences for activity in presence.tick(now)]
