"""What is wrong with a picture: one finding at a time, the gravest first. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

from edge.clock import Stamp
from edge.domain.activity import ActivityKind
from edge.domain.observation import Measures
from edge.vision.tamper.signs import Signs

BLACK = 0.85  # share of nearly black from which a picture may be dark …
DIM = 40.0  # … and the mean luma below which it is
WHITE = 0.35  # share of nearly white from which a picture may be over-exposed …
GLARING = 200.0  # … or the mean luma
BLIND = 0.7  # share of the expected edges that a dark or white picture lacks at least
HIDDEN = 0.8  # share of the expected edges that a covered picture lacks
POOR = 0.45  # blocks with fine structure, against the view's, that a cover has at most
ELSEWHERE = 0.2  # agreement below which a picture with edges enough shows something else …
GONE = 0.45  # … when this share of the expected edges is lost; newly, in glare: snow is white
MOVED_PX = 7.0  # of 320: 1.4 degrees of a camera that sees 62 …
NUDGED_PX = 3.0  # … or less, when it stays so; wind and weather shift by half a pixel
SURE_BEST, SURE_CERTAINTY = 0.3, 6.0  # of a shift that is believed
PLAINLY = 0.1  # by how much the shifted agreement exceeds the other
TWISTED, AKIN = 0.5, 0.6  # parts moved each for itself, in a picture that agrees no better
TURNED, ASTRAY = 0.25, 0.3  # fewer such parts, where little agrees …
AMISS = 0.6  # … and the more is lost the fewer they are: the shares of both together
SMEARED = 0.3  # sharpness, against the view's, of a picture out of focus …
SAME = 0.3  # … that agrees with it so far
BLOTTED = 0.3  # share of the expected edges that a blot on the glass hides at least …
SOFT = 0.6  # … and how much of that shows no structure of its own
LITTLE, MORE = 0.8, 1.3  # fine structure left beside a blot: so much at most, or that less lost
MOSTLY, EVEN = 0.55, 0.82  # paint if so much was hidden within a minute and is so soft
HALF = 0.5  # a blot this large changes the exposure of the rest: its light is not asked
STIRRED = 0.1  # share of what is hidden where something moves; before paint nothing does
SAME_LIGHT = 0.3  # octaves by which the rest may differ from what was before or is usual
BEHIND = 0.35  # share of the view's edges that a board or a truck hides
BLANK_CONTRAST = 4.0  # a picture this poor shows nothing, whatever was there before
NOTHING = 0.15  # share of the view's edges that are still expected when next to all is lost

DOUBT_S = 60.0  # a cloud, a lamp, an exposure that hunts

QUICK_S, PARTLY_S, UNFIT_S, STANDING_S, SLOW_S = 3.0, 12.0, 60.0, 240.0, 1200.0


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong, and for how long it must be so to be believed."""

    kind: ActivityKind
    wait_s: float


IN_DOUBT = Finding(ActivityKind.PICTURE_COVERED, math.inf)
"""A part is hidden as by paint, but in a light in which that says nothing."""


class Waiting:
    """Whether what is found has been so for long enough.

    A finding that needs less time is also one that needs more, but not the other way round.
    """

    def __init__(self) -> None:
        self._kind: ActivityKind | None = None
        self._since: dict[float, Stamp] = {}  # for each time to wait
        self._newest: Stamp | None = None

    def over(self, found: Finding, now: Stamp) -> bool:
        """Take a finding, look for look."""
        if found.kind is not self._kind:
            self.clear()
        self._kind, self._newest = found.kind, now
        quicker = [since for wait_s, since in self._since.items() if wait_s <= found.wait_s]
        slower = {wait_s: since for wait_s, since in self._since.items() if wait_s > found.wait_s}
        self._since = {**slower, found.wait_s: max(quicker, key=now.since, default=now)}
        return any(now.since(since) >= wait_s for wait_s, since in self._since.items())

    def doubted(self, found: Finding | None, now: Stamp) -> bool:
        """Whether what was found may still be so, though it cannot be told in this light."""
        lately = self._newest is not None and now.since(self._newest) <= DOUBT_S
        return found is IN_DOUBT and lately

    def clear(self) -> None:
        """Nothing is found, or something else."""
        self._kind, self._since, self._newest = None, {}, None


def find(
    measures: Measures, signs: Signs | None, *, sudden: bool, fit: bool = True
) -> Finding | None:
    """Judge one look.

    Args:
        measures: of the picture.
        signs: how it compares with the reference; None while there is none.
        sudden: it was much brighter a few seconds ago.
        fit: it is good enough to become a reference.
    """
    lost, newly = (signs.lost, signs.newly) if signs is not None else (1.0, 1.0)
    if measures.dark >= BLACK and measures.brightness <= DIM and lost >= BLIND:
        if sudden:
            return Finding(ActivityKind.PICTURE_COVERED, QUICK_S)
        return Finding(ActivityKind.PICTURE_DARK, PARTLY_S)
    white = measures.bright >= WHITE
    glaring = (white or measures.brightness >= GLARING) and lost >= BLIND
    if (white and newly >= GONE) or glaring:
        return Finding(ActivityKind.PICTURE_OVEREXPOSED, PARTLY_S)
    if signs is None:
        blank = measures.contrast < BLANK_CONTRAST
        if blank or not fit:  # covered since before the first look
            return Finding(ActivityKind.PICTURE_COVERED, QUICK_S if blank else UNFIT_S)
        return None
    return _hidden(signs) or _elsewhere(signs) or _partly(signs)


def _hidden(signs: Signs) -> Finding | None:
    if signs.lost < HIDDEN or signs.crisp >= POOR:
        return None
    return Finding(ActivityKind.PICTURE_COVERED, QUICK_S)


def _elsewhere(signs: Signs) -> Finding | None:
    sure = signs.best >= SURE_BEST and signs.certainty >= SURE_CERTAINTY
    if sure and signs.shift_px >= MOVED_PX and signs.best >= signs.agreement + PLAINLY:
        return Finding(ActivityKind.PICTURE_MOVED, 6.0)
    if signs.displaced >= TWISTED and signs.agreement < AKIN:
        return Finding(ActivityKind.PICTURE_MOVED, 6.0)
    if signs.agreement < ELSEWHERE and signs.lost >= GONE and signs.crisp >= POOR:
        return Finding(ActivityKind.PICTURE_SWAPPED, PARTLY_S)
    turned = signs.displaced >= TURNED and signs.displaced + signs.lost >= AMISS
    turned = turned and signs.agreement < ASTRAY and signs.crisp >= POOR
    nudged = sure and NUDGED_PX <= signs.shift_px < MOVED_PX
    return Finding(ActivityKind.PICTURE_MOVED, UNFIT_S) if turned or nudged else None


def _partly(signs: Signs) -> Finding | None:
    if signs.agreement >= SAME and signs.fine < SMEARED:
        return Finding(ActivityKind.PICTURE_BLURRED, 8.0)
    crisp = min(LITTLE, MORE - signs.lost)
    blotted = signs.lost >= BLOTTED and signs.soft >= SOFT and signs.crisp < crisp
    blotted &= signs.stirred < STIRRED
    if blotted and signs.newly >= MOSTLY and signs.soft >= EVEN:
        return Finding(ActivityKind.PICTURE_COVERED, PARTLY_S)
    if blotted and _stays(signs):
        return Finding(ActivityKind.PICTURE_COVERED, STANDING_S)
    if blotted:
        return IN_DOUBT
    if signs.hidden >= BEHIND or signs.expected < NOTHING:
        return Finding(ActivityKind.PICTURE_COVERED, SLOW_S)
    return None


def _stays(signs: Signs) -> bool:
    """Whether what hides a part is no fog and no lamp. A lorry's side drives on, and then moves."""
    came = signs.newly >= BLOTTED and signs.new_light < SAME_LIGHT
    return came or signs.newly >= HALF or signs.other_light < SAME_LIGHT
