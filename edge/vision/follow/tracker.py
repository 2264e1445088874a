"""Follows detected things from picture to picture. Pure.

Two bands of score, after ByteTrack's idea (Zhang et al., 2022, arXiv:2110.06864): sure
detections are paired with tracks first; faint ones only go on with a track where it is
expected. Other than there, a faint track may be confirmed too, by moving consistently: what
walks through five pictures is more than a post that once looked like a person.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from edge.clock import Stamp
from edge.domain.observation import Box, SeenObject
from edge.vision.follow.assign import assign
from edge.vision.follow.track import Found, Track, covered, nested

MAX_TRACKS = 100
DOUBLED = 4  # pictures in a row in which a track is a part of an older one
PART = 0.85  # of a box that lies within another one: both are one thing, or a part of it


class Tracker:
    """Gives each thing a number that stays with it.

    A thing is told from its second sure sighting on, or when it has moved consistently. A track
    that is not seen keeps its number for a short while (coasts) but is not told: what is told
    was seen in that very picture.

    Args:
        dropped: counts the detections that `MAX_TRACKS` keeps out.
    """

    def __init__(self, dropped: Counter[str] | None = None) -> None:
        self._tracks: list[Track] = []
        self._next = 1
        self._dropped: Counter[str] = Counter() if dropped is None else dropped

    @property
    def following(self) -> bool:
        """Whether anything, confirmed or not, is being followed."""
        return bool(self._tracks)

    @property
    def boxes(self) -> list[Box]:
        """Where all that is told is expected; fractions of the picture."""
        return [track.box for track in self._tracks if track.confirmed]

    @property
    def restless(self) -> bool:
        """Whether anything that was surely seen is followed and has not stood still for long."""
        return any(track.restless for track in self._tracks)

    def step(self, found: Iterable[Found], stamp: Stamp) -> tuple[SeenObject, ...]:
        """Take the detections of one picture; give the confirmed things seen in it."""
        fresh = list(found)
        sure = [thing for thing in fresh if thing.sure]
        faint = [thing for thing in fresh if not thing.sure and _apart(thing, sure)]
        for track in self._tracks:
            track.predict(stamp)
        self._tracks = [track for track in self._tracks if not track.gone()]
        known = [track for track in self._tracks if track.confirmed]
        unknown = [track for track in self._tracks if not track.confirmed]
        unseen, news = self._pair(known, sure, stamp)
        missed, rest = self._pair(unseen, faint, stamp)
        unseen, news = self._pair(unknown, news, stamp)
        lost, parts = self._pair(unseen, rest, stamp)
        missed += lost
        seen = [track.found.box for track in self._tracks if track not in missed]
        for track in missed:
            track.miss(hidden=any(covered(track.box, box) for box in seen))
        self._tracks = _single([track for track in self._tracks if track.alive(stamp)])
        self._begin([*news, *parts], stamp)
        return tuple(track.told(stamp) for track in self._tracks if track.confirmed and track.seen)

    def _pair(
        self, tracks: Sequence[Track], things: Sequence[Found], stamp: Stamp
    ) -> tuple[list[Track], list[Found]]:
        """Tracks without a detection, and detections without a track."""
        costs = {
            (t, f): cost
            for t, track in enumerate(tracks)
            for f, thing in enumerate(things)
            if (cost := track.cost(thing, stamp)) < 1
        }
        paired = assign(costs)
        for t, f in paired.items():
            tracks[t].hit(things[f], stamp)
        taken = set(paired.values())
        return (
            [track for t, track in enumerate(tracks) if t not in paired],
            [thing for f, thing in enumerate(things) if f not in taken],
        )

    def _begin(self, things: Iterable[Found], stamp: Stamp) -> None:
        for thing in things:
            if not _apart(thing, [track.found for track in self._tracks]):
                continue
            if len(self._tracks) >= MAX_TRACKS:
                self._dropped["detections"] += 1
                continue
            self._tracks.append(Track(self._next, thing, stamp))
            self._next += 1


def _single(tracks: Sequence[Track]) -> list[Track]:
    """Without the younger one of two tracks that are on one thing."""
    kept: list[Track] = []
    for track in tracks:  # the oldest first
        if track.seen:
            apart = _apart(track.found, [one.found for one in kept if one.seen])
            track.doubled = 0 if apart else track.doubled + 1
        if track.doubled < DOUBLED:
            kept.append(track)
    return kept


def _apart(thing: Found, others: Iterable[Found]) -> bool:
    """Whether `thing` is neither a part of another one of its kind nor several in one box."""
    return all(
        thing.label is not other.label or nested(thing.box, other.box) <= PART for other in others
    )
