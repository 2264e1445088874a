"""Does the picture follow the day, as it did on the days before? Pure, bounded.

A photo under a lamp stays as bright as it is while the sun rises, and a recording of another
hour is dark by day and bright by night. Only where the camera's own last days show the same slow
rise or fall at the same hours is there anything to miss: a camera underground, or one that lamps
or its infrared keep as bright by night, is never judged. Hours are counted by time since boot from
the first look, so that neither a step of the wall clock nor another time zone moves a day.
"""

from __future__ import annotations

import statistics
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from edge.clock import Stamp
from edge.domain.observation import Measures

SLOT_MIN = 30  # minutes that are judged by their middle
SLOTS = 48  # of a day
SLOT_MINUTES_SEEN = 15  # a slot with fewer is a gap
STRETCH = 10  # slots, five hours: a rise or fall with an hour of what was before and is after
EDGE = 2  # slots: that hour
AROUND = 8  # slots on either side: a photo stays as it is, a lamp gives way to the sun by noon
KEPT_DAYS = 7
LEAST_DAYS = 3  # on which it rose or fell, before a day is judged …
SWING = 25.0  # … by so many grey levels on each of them …
ALIKE = 0.5  # … and at least by so much of what it did at most: no season that changes fast …
SETTLED = 0.25  # … of which usually no more than this share within the hour at either end …
SLOW_MIN = 6  # … and slowly: minutes on the way; a lamp takes one, the fastest dusk ten
WAY = (0.2, 0.8)  # of a rise or fall: on the way
FLAT = 0.1  # of the least usual swing: by more levels differ where it was missed, …
MOST_FLAT = 6.0  # … or by so many; so does contrast, as another light has another
NEAR = 0.25  # of the usual swing: so near to a usual level is that level
NIGHT = 50.0  # grey levels that are night; what exposure can hold by day is brighter …
NIGHT_SLOTS = 6  # … and is never as dark for three hours
FOLLOWS = 0.3  # of the way, in the usual direction: it follows the day again


@dataclass(frozen=True, slots=True)
class _Slot:
    """Half an hour: its number from the first look, its levels by minute, and their middle."""

    number: int
    minutes: Sequence[float]
    brightness: float
    contrast: float


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Five hours of one day, and what is around them. Levels are grey levels.

    Attributes:
        slot: its last slot.
        first: brightness in its first hour.
        last: brightness in its last hour.
        unsettled: by how much the brightness changed within either hour.
        on_way_min: minutes in which it was between first and last.
        before: brightness of three hours up to the end of the first.
        after: brightness of three hours from the beginning of the last.
        spread: of the brightness, or of the contrast where that is more, also around it.
    """

    slot: int
    first: float
    last: float
    unsettled: float
    on_way_min: int
    before: Sequence[float]
    after: Sequence[float]
    spread: float


@dataclass(frozen=True, slots=True)
class _Usual:
    """The same hours of the days before: levels as usual, and the least that they moved."""

    first: float
    last: float
    least: float
    days: int


class DaylightJudge:
    """One camera's days.

    Attributes:
        missing: today did not follow the days before; until it follows again.
        detail: figures that say so.
    """

    def __init__(self) -> None:
        self.missing = False
        self.detail: Mapping[str, str | float] = {}
        self._begun: Stamp | None = None
        self._minute = 0
        self._looks: tuple[int, float, float] = (0, 0.0, 0.0)  # of this minute, and their sums
        self._minutes: list[tuple[float, float]] = []  # of this slot
        self._slots: deque[_Slot] = deque(maxlen=STRETCH + 2 * AROUND)
        self._past: list[deque[_Stretch]] = [deque(maxlen=KEPT_DAYS) for _ in range(SLOTS)]
        self._usual: list[_Usual | None] = []  # of each slot, when it began to be missing

    def step(self, measures: Measures, now: Stamp) -> bool:
        """Take one look, in order of time; gives `missing`."""
        self._begun = self._begun or now
        minute = int(now.since(self._begun) // 60)
        if minute > self._minute:
            self._end_minute()
            if minute // SLOT_MIN > self._minute // SLOT_MIN:
                self._end_slot(self._minute // SLOT_MIN)
            self._minute = minute
        looks, brightness, contrast = self._looks
        self._looks = (looks + 1, brightness + measures.brightness, contrast + measures.contrast)
        return self.missing

    def _end_minute(self) -> None:
        looks, brightness, contrast = self._looks
        self._minutes.append((brightness / looks, contrast / looks))
        self._looks = (0, 0.0, 0.0)

    def _end_slot(self, number: int) -> None:
        minutes, self._minutes = self._minutes, []
        if len(minutes) < SLOT_MINUTES_SEEN:
            return
        brightness, contrast = zip(*minutes, strict=True)
        levels = statistics.median(brightness), statistics.median(contrast)
        self._slots.append(_Slot(number, brightness, *levels))
        if number - self._slots[0].number == STRETCH + 2 * AROUND - 1 == len(self._slots) - 1:
            self._judge(_stretch(self._slots))

    def _judge(self, today: _Stretch) -> None:
        """While it is missing, what was usual before stays so.

        Days that were missed are learned all the same: once it follows again, a place where a
        lamp outshines the day now and then is left alone until they are forgotten.
        """
        slot = today.slot % SLOTS
        past = self._past[slot]
        while past and past[0].slot < today.slot - KEPT_DAYS * SLOTS:
            past.popleft()
        usual = self._usual[slot] if self.missing else _usual(past)
        if usual is not None:
            self._compare(today, usual)
        past.append(today)

    def _compare(self, today: _Stretch, usual: _Usual) -> None:
        why = _why(today, usual)
        if not why:
            follows = _way(today.last, usual) - _way(today.first, usual) >= FOLLOWS
            self.missing = self.missing and not follows
            return
        if not self.missing:
            self._usual = [_usual(past) for past in self._past]
        self.missing = True
        self.detail = {
            "why": why,
            "first": round(today.first, 1),
            "last": round(today.last, 1),
            "spread": round(today.spread, 1),
            "usual_first": round(usual.first, 1),
            "usual_last": round(usual.last, 1),
            "days": usual.days,
        }


def _stretch(slots: Iterable[_Slot]) -> _Stretch:
    slots = list(slots)
    inner = slots[AROUND:-AROUND]
    levels = [slot.brightness for slot in slots]
    begin, end = levels[AROUND:][:EDGE], levels[:-AROUND][-EDGE:]
    first, last = statistics.mean(begin), statistics.mean(end)
    low, high = sorted(first + share * (last - first) for share in WAY)
    return _Stretch(
        slot=inner[-1].number,
        first=first,
        last=last,
        unsettled=max(_spread(begin), _spread(end)),
        on_way_min=sum(low < level < high for slot in inner for level in slot.minutes),
        before=levels[AROUND + EDGE - NIGHT_SLOTS : AROUND + EDGE],
        after=levels[-AROUND - EDGE :][:NIGHT_SLOTS],
        spread=max(_spread(levels), _spread([slot.contrast for slot in slots])),
    )


def _spread(levels: Sequence[float]) -> float:
    return max(levels) - min(levels)


def _usual(past: Sequence[_Stretch]) -> _Usual | None:
    """What every one of the days before did at these hours; None where that is no slow swing."""
    if len(past) < LEAST_DAYS:
        return None
    moves = [day.last - day.first for day in past]
    least = max(min(moves), min(-move for move in moves))  # in the direction of all
    most = max(abs(move) for move in moves)
    unsettled = statistics.median(day.unsettled for day in past)
    slow = min(day.on_way_min for day in past) >= SLOW_MIN
    if least < max(SWING, ALIKE * most) or unsettled > SETTLED * least or not slow:
        return None
    first = statistics.median(day.first for day in past)
    last = statistics.median(day.last for day in past)
    return _Usual(first, last, least, len(past))


def _way(level: float, usual: _Usual) -> float:
    """How far a level is on the usual way: 0 where that begins, 1 where it ends."""
    return (level - usual.first) / (usual.last - usual.first)


def _why(today: _Stretch, usual: _Usual) -> str:
    """How today misses the day; empty where it does not."""
    if today.spread <= min(FLAT * usual.least, MOST_FLAT):
        return "flat"
    near = NEAR * abs(usual.last - usual.first)
    if max(abs(today.first - usual.last), abs(today.last - usual.first)) <= near:
        return "against"
    rises = usual.last > usual.first
    by_day, night = (today.after, usual.first) if rises else (today.before, usual.last)
    dark = night <= NIGHT and all(abs(level - night) <= near for level in by_day)
    return "dark" if dark else ""
