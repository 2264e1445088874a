"""Where in a picture to detect: crops round what moves, what is followed, zones, or all. Pure.

A detector sees its small input. Somebody far away who is 70 pixels high in the picture is 25 in
there; in a crop he keeps his pixels. Crops have the shape of the input, so that nothing in them is
stretched otherwise than in whole pictures, and no pixel of it is spent on padding.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from edge.domain.observation import Box, Label
from edge.vision.detect.detector import Detection
from edge.vision.picture import Pixels

MAX_REGIONS = 3  # a picture, the whole picture included
WHOLE_S = 1.0  # the whole picture is looked at this often at least
SCALE = 1.0  # a crop has this many pixels for each of the detector's input at least
AROUND = 0.6  # of a box's longer side that a crop shows besides, on each side
ENOUGH = 0.5  # of the picture: a larger crop shows little more than the whole
JOINED = 1.15  # two crops become one if that is not larger than both by this factor
CUT_PX = 2.0  # a box so near to a crop's inner edge is cut off there
ALIKE = 0.45  # intersection over union from which two boxes of different looks are one thing, …
PART = 0.8  # … or this much of one that lies in the other
LIVELY_S = 2.5  # zones get a crop of their own where a picture came so short a time before
STANDING = 0.2  # of the picture's height: so far above a zone the heads of small people are …
BELOW = 0.01  # … and so far below it what they stand on


@dataclass(frozen=True, slots=True)
class Region:
    """Pixels [top:bottom, left:right] of a picture."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def area(self) -> int:
        return (self.right - self.left) * (self.bottom - self.top)

    def cut(self, picture: Pixels) -> Pixels:
        """The part of the picture; a view."""
        return picture[self.top : self.bottom, self.left : self.right]

    def holds(self, box: Box) -> bool:
        """Whether a box in pixels lies in it wholly."""
        return (
            self.left <= box[0]
            and self.top <= box[1]
            and box[2] <= self.right
            and box[3] <= self.bottom
        )


class Regions:
    """Plans one camera's looks.

    Args:
        width: of the detector's input, pixels.
        height: of the detector's input.
        zones: polygons in fractions of the picture.
    """

    def __init__(
        self, width: int, height: int, zones: Sequence[Sequence[tuple[float, float]]] = ()
    ) -> None:
        self._least = (math.ceil(SCALE * width), math.ceil(SCALE * height))
        self._zones = [_standing_in(zone) for zone in zones]
        self._whole_at = self._planned_at = -math.inf
        self._turn = self._zone_turn = 0

    def plan(
        self,
        size: tuple[int, int],
        moving: Sequence[Box],
        followed: Sequence[Box],
        t: float,
        allowed: int,
    ) -> list[Region]:
        """Where to look in a picture.

        Args:
            size: width, height of the picture.
            moving: what moves, the largest first; boxes as fractions of the picture.
            followed: what the tracker follows; each of them is looked at in every picture, or it
                would seem to be gone.
            t: seconds.
            allowed: how many regions the processor has time for, 1 at least.

        Returns:
            At least one region; the whole picture once in `WHOLE_S` at least.
        """
        whole = Region(0, 0, *size)
        allowed = min(max(1, allowed), MAX_REGIONS)
        crops, large = self._crops(size, [*followed, *moving])
        zones = self._of_zones(size, crops) if t - self._planned_at <= LIVELY_S else []
        self._planned_at = t
        kept = crops[:allowed]
        seen = all(any(crop.holds(_inside(box, size)) for crop in kept) for box in followed)
        looks = []
        if large or not (crops or zones) or not seen or t - self._whole_at >= WHOLE_S:
            self._whole_at = t
            looks.append(whole)
        room = allowed - len(looks)
        if followed:
            rest = crops if seen else self._rotated(crops, room)
            return [*looks, *rest[:room], *zones][:allowed]
        if room <= 1:
            return [*looks, *self._rotated([*zones, *crops], room)]
        return [*looks, *zones, *self._rotated(crops, room - len(zones))]

    def _of_zones(self, size: tuple[int, int], crops: Sequence[Region]) -> list[Region]:
        """The crop of a zone that no other crop shows, if there is one; of several in turn.

        In rain and before a dark mouth the gate does not see all that moves there, and small
        people are nothing in the whole picture.
        """
        boxes = [_inside(zone, size) for zone in self._zones]
        hidden = [box for box in boxes if not any(crop.holds(box) for crop in crops)]
        fitted = [self._fitted(box, size) for box in hidden]
        small = [crop for crop in fitted if crop.area <= ENOUGH * size[0] * size[1]]
        self._zone_turn += 1
        return [small[self._zone_turn % len(small)]] if small else []

    def _rotated(self, crops: list[Region], count: int) -> list[Region]:
        """So many of them; another time others."""
        if len(crops) <= count:
            return crops
        self._turn = (self._turn + 1) % len(crops)
        return [*crops[self._turn :], *crops[: self._turn]][:count]

    def _crops(self, size: tuple[int, int], boxes: Sequence[Box]) -> tuple[list[Region], bool]:
        """Few crops that show all boxes, and whether some were left out as nearly the whole."""
        crops: list[Region] = []
        large = False
        most = ENOUGH * size[0] * size[1]
        for box in boxes:
            x1, y1, x2, y2 = _inside(box, size)
            if any(crop.holds((x1, y1, x2, y2)) for crop in crops):
                continue
            more = AROUND * max(x2 - x1, y2 - y1)
            crop = self._fitted((x1 - more, y1 - more, x2 + more, y2 + more), size)
            for other in crops:
                both = self._fitted(_around(crop, other), size)
                if both.area <= JOINED * max(crop.area, other.area):
                    crops.remove(other)
                    crop = both
                    break
            if crop.area <= most:
                crops.append(crop)
            else:
                large = True
        return crops, large

    def _fitted(self, box: Box, size: tuple[int, int]) -> Region:
        """The smallest crop round a box with the input's shape, moved to lie in the picture."""
        wide, high = self._least
        scale = max(1.0, (box[2] - box[0]) / wide, (box[3] - box[1]) / high)
        wide, high = min(size[0], round(wide * scale)), min(size[1], round(high * scale))
        left = min(max(0, round((box[0] + box[2] - wide) / 2)), size[0] - wide)
        top = min(max(0, round((box[1] + box[3] - high) / 2)), size[1] - high)
        return Region(left, top, left + wide, top + high)


def merge(
    looks: Sequence[tuple[Region, Sequence[Detection]]],
    size: tuple[int, int],
    moving: Sequence[Box],
) -> list[Detection]:
    """The detections of several regions in pixels of the picture, each thing once.

    So much enlarged, posts and bushes look like somebody: in a crop only people who touch what
    moves are sure. Vehicles are large enough for whole pictures. Of two that are one thing the one
    stays that no inner edge cuts off, else the surer one. What is cut off below stands nobody
    knows where: it is left out.
    """
    whole, moves = Region(0, 0, *size), [_inside(box, size) for box in moving]
    wholly = any(region == whole for region, _ in looks)
    placed: list[tuple[bool, int, Detection]] = []
    for index, (region, found) in enumerate(looks):
        for item in found:
            x1, y1, x2, y2 = item.box
            box = (x1 + region.left, y1 + region.top, x2 + region.left, y2 + region.top)
            low = region.bottom < size[1] and box[3] > region.bottom - CUT_PX
            sure = item.sure and (region == whole or _believed(item.label, box, moves))
            # The place somebody has left looks faintly like somebody, once it is enlarged.
            ghost = wholly and region != whole and not item.sure
            if not low and not ghost:
                likely = item.sure and not sure
                found_here = replace(item, box=box, sure=sure, likely=likely)
                placed.append((_is_cut(box, region, size), index, found_here))
    placed.sort(key=lambda entry: (entry[0], -entry[2].score))
    kept: list[tuple[int, Detection]] = []
    for _, index, item in placed:
        told = any(
            index != look and item.label is other.label and _one(item.box, other.box)
            for look, other in kept
        )
        if not told:
            kept.append((index, item))
    return sorted((item for _, item in kept), key=lambda item: -item.score)


def _believed(label: Label, box: Box, moves: Sequence[Box]) -> bool:
    return label is Label.PERSON and any(
        box[0] < x2 and x1 < box[2] and box[1] < y2 and y1 < box[3] for x1, y1, x2, y2 in moves
    )


def _is_cut(box: Box, region: Region, size: tuple[int, int]) -> bool:
    return (
        (region.left > 0 and box[0] < region.left + CUT_PX)
        or (region.top > 0 and box[1] < region.top + CUT_PX)
        or (region.right < size[0] and box[2] > region.right - CUT_PX)
    )


def _one(box: Box, other: Box) -> bool:
    """Whether two boxes are much the same, or one lies mostly in the other."""
    wide = min(box[2], other[2]) - max(box[0], other[0])
    high = min(box[3], other[3]) - max(box[1], other[1])
    if wide <= 0 or high <= 0:
        return False
    areas = [(b[2] - b[0]) * (b[3] - b[1]) for b in (box, other)]
    shared = wide * high
    return shared > PART * min(areas) or shared > ALIKE * (sum(areas) - shared)


def _standing_in(zone: Sequence[tuple[float, float]]) -> Box:
    """What shows whoever stands in a zone."""
    across, along = zip(*zone, strict=True)
    return min(across), min(along) - STANDING, max(across), max(along) + BELOW


def _around(one: Region, other: Region) -> Box:
    return (
        min(one.left, other.left),
        min(one.top, other.top),
        max(one.right, other.right),
        max(one.bottom, other.bottom),
    )


def _inside(box: Box, size: tuple[int, int]) -> Box:
    """A box in fractions as pixels of the picture, cut off at its edges."""
    wide, high = size
    return (
        min(max(box[0], 0.0), 1.0) * wide,
        min(max(box[1], 0.0), 1.0) * high,
        min(max(box[2], 0.0), 1.0) * wide,
        min(max(box[3], 0.0), 1.0) * high,
    )
