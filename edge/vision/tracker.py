"""Follows detected things from picture to picture. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from edge.clock import Stamp
from edge.domain.observation import Label, SeenObject

Box = tuple[float, float, float, float]

CONFIRM_HITS = 2  # a thing seen once may be a flicker
MIN_IOU = 0.15
REACH = 0.8  # without overlap: centres at most so many box diagonals apart …
SHAPE = 0.5  # … and areas at least this alike
COAST_STEPS = 3  # unseen for more pictures than this …
COAST_S = 1.0  # … and longer than this, a track is given up
MAX_TRACKS = 100


@dataclass(frozen=True, slots=True)
class Found:
    """One detection. `box` is x1, y1, x2, y2 as fractions of the picture."""

    label: Label
    score: float
    box: Box


@dataclass(slots=True)
class _Track:
    number: int
    found: Found
    seen: Stamp
    hits: int = 1
    missed: int = 0


class Tracker:
    """Gives each thing a number that stays with it.

    A thing is told from its second sighting on. A track that is not seen keeps its number for
    a short while (coasts) but is not told: what is told was seen in that very picture.
    """

    def __init__(self) -> None:
        self._tracks: list[_Track] = []
        self._next = 1

    @property
    def following(self) -> bool:
        """Whether anything, confirmed or not, is being followed."""
        return bool(self._tracks)

    def step(self, found: Iterable[Found], stamp: Stamp) -> tuple[SeenObject, ...]:
        """Take the detections of one picture; give the confirmed things seen in it."""
        fresh = list(found)
        pairs = [
            (affinity, t, f)
            for t, track in enumerate(self._tracks)
            for f, thing in enumerate(fresh)
            if (affinity := _affinity(track.found, thing)) > 0
        ]
        taken_tracks: set[int] = set()
        taken_found: set[int] = set()
        for _, t, f in sorted(pairs, key=lambda pair: (-pair[0], pair[1], pair[2])):
            if t in taken_tracks or f in taken_found:
                continue
            taken_tracks.add(t)
            taken_found.add(f)
            track = self._tracks[t]
            track.found, track.seen = fresh[f], stamp
            track.hits, track.missed = track.hits + 1, 0
        for t, track in enumerate(self._tracks):
            if t not in taken_tracks:
                track.missed += 1
        self._tracks = [track for track in self._tracks if _alive(track, stamp)]
        for f, thing in enumerate(fresh):
            if f not in taken_found and len(self._tracks) < MAX_TRACKS:
                self._tracks.append(_Track(self._next, thing, stamp))
                self._next += 1
        return tuple(
            SeenObject(track.number, track.found.label, track.found.score, track.found.box)
            for track in self._tracks
            if track.missed == 0 and track.hits >= CONFIRM_HITS
        )


def _alive(track: _Track, now: Stamp) -> bool:
    if track.missed == 0:
        return True
    if track.hits < CONFIRM_HITS and track.missed > 1:
        return False
    return track.missed <= COAST_STEPS or now.since(track.seen) <= COAST_S


def iou(a: Box, b: Box) -> float:
    """Intersection over union of two boxes; 0 when either has no area."""
    wide = min(a[2], b[2]) - max(a[0], b[0])
    high = min(a[3], b[3]) - max(a[1], b[1])
    if wide <= 0 or high <= 0:
        return 0.0
    shared = wide * high
    return shared / (_area(a) + _area(b) - shared)


def _area(box: Box) -> float:
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


def _affinity(old: Found, new: Found) -> float:
    """How likely both are one thing: 1..2 by overlap, below 1 by nearness, 0 not at all."""
    if old.label is not new.label:
        return 0.0
    overlap = iou(old.box, new.box)
    if overlap >= MIN_IOU:
        return 1.0 + overlap
    small, large = sorted((_area(old.box), _area(new.box)))
    if small <= 0 or small / large < SHAPE:
        return 0.0
    diagonal = ((old.box[2] - old.box[0]) ** 2 + (old.box[3] - old.box[1]) ** 2) ** 0.5
    across = (old.box[0] + old.box[2] - new.box[0] - new.box[2]) / 2
    along = (old.box[1] + old.box[3] - new.box[1] - new.box[3]) / 2
    apart: float = (across**2 + along**2) ** 0.5 / diagonal
    return max(0.0, 1.0 - apart / REACH)
