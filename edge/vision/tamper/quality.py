"""From picture measures to activities: covered, moved, blurred, dark, frozen and so on. Pure.

Each picture is compared with the reference taken at commissioning (`reference.py`), which is
fixed and recorded; what is usual of late (`signs.py`) only softens what is missing. One thing is
found at a time (`finding.py`): a covered camera is not blurred and elsewhere as well.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from typing import Any

from edge.clock import Stamp
from edge.domain.activity import Activity, ActivityKind
from edge.domain.observation import Measures, PictureQuality, Quality
from edge.domain.record import Draft, RecordType
from edge.errors import Refused
from edge.vision.spec import CameraSpec
from edge.vision.tamper.finding import IN_DOUBT, Finding, Waiting, find
from edge.vision.tamper.reference import MAX_VIEWS, View
from edge.vision.tamper.signs import Memory, Signs
from edge.vision.tamper.sketch import Sketch
from edge.vision.tamper.spell import Spell
from edge.vision.tamper.taking import ASKED_S, FIRST_S, Taking, good

FROZEN_S = 5.0  # stillness that a live sensor does not have
LIVELY_CONTRAST = 2.0  # grey levels; a picture all black has no noise to be missed
OFF_S = 3.0  # a finding must be gone for this long to be over
GAP_S = 4.0  # after a longer silence nothing is known of the seconds before
FIRST_LOOKS = 5  # good looks after which a reference in the making is compared with
SUDDEN_LOOKS = 8  # looks within which a picture turns black when it is covered …
SUDDEN_BRIGHT = 70.0  # … from a mean luma above this; a night comes slowly
SHAKEN_PX, SHAKING_SHARE, SHAKING_LOOKS = 1.2, 0.5, 20
LIT_S = 300.0  # another light must have lasted this long before its view is taken …
KIN = 0.4  # … with edges that lie on the first view's so far, …
KNOWN = 0.8  # … and that agree with no view as much as this, …
NEARLY_ALL = 0.35  # … and of which no more than this share is lost
RESIZED_S = 5.0

_BLIND = frozenset(
    {
        ActivityKind.PICTURE_COVERED,
        ActivityKind.PICTURE_DARK,
        ActivityKind.PICTURE_OVEREXPOSED,
    }
)
_AWAY = frozenset({ActivityKind.PICTURE_MOVED, ActivityKind.PICTURE_SWAPPED})
_FOUND = (*sorted(_BLIND), ActivityKind.PICTURE_BLURRED, *sorted(_AWAY))


class PictureAnalyser:
    """One camera's picture quality. CAMERA_LOST comes from `SourceLost`, not from here."""

    def __init__(self, camera: CameraSpec) -> None:
        self._code = camera.code
        self._spells = {kind: Spell(kind, camera.code, 0.0, OFF_S) for kind in _FOUND}
        self._waiting = Waiting()
        self._frozen = Spell(ActivityKind.PICTURE_FROZEN, camera.code, 0.0, 0.0)
        self._shaking = Spell(ActivityKind.PICTURE_SHAKING, camera.code, 0.0, SHAKING_LOOKS / 2)
        self._resized = Spell(ActivityKind.PICTURE_RESIZED, camera.code, RESIZED_S, OFF_S)
        self._views: list[View] = []
        self._memory = Memory()
        self._taking: Taking | None = Taking(FIRST_S)
        self._why = "first-start"
        self._lit_s = 0.0
        self._newest: Stamp | None = None
        self._brightness: deque[float] = deque(maxlen=SUDDEN_LOOKS)
        self._shifts: deque[float] = deque(maxlen=SHAKING_LOOKS)
        self._drafts: list[Draft] = []

    @property
    def views(self) -> int:
        """How many looks of the place the reference knows; 0 while there is none."""
        return len(self._views)

    def retake(self, why: str) -> None:
        """Take the reference anew from what is seen now; until then the old one holds.

        Args:
            why: `order` or `command`.
        """
        self._taking, self._why = Taking(ASKED_S), why

    def recall(self, data: Mapping[str, Any]) -> None:
        """Take up a CAMERA_REFERENCE record's data after a restart, oldest first."""
        try:
            view, number = View.parse(data), int(data["view"])
        except (Refused, KeyError, TypeError, ValueError):
            return  # of another version: it will be taken anew, and that is a record
        if number not in {0, len(self._views)}:
            return
        self._views = [*self._views[:number], view]
        self._taking, self._why = None, "other-light"
        self._memory.expect(self._views)

    def taken(self) -> list[Draft]:
        """CAMERA_REFERENCE when a view was taken; ask after each measure."""
        drafts, self._drafts = self._drafts, []
        return drafts

    def step(self, quality: PictureQuality) -> list[Activity]:
        """Take one measure, in order of time; only good ones are judged."""
        if quality.quality is not Quality.GOOD:
            return []
        now, measures = quality.stamp, quality.measures
        elapsed = now.since(self._newest) if self._newest is not None else 1.0
        self._newest = now
        if elapsed > GAP_S:
            self._memory.forget()
            self._brightness.clear()
            self._shifts.clear()
        sketch = Sketch.unpack(measures.sketch) if measures.sketch else None
        signs = self._compare(sketch, elapsed)
        sudden = max(self._brightness, default=0.0) > SUDDEN_BRIGHT
        fit = sketch is None or good(measures, sketch)
        found = find(measures, signs, sudden=sudden, fit=fit)
        doubted = self._waiting.doubted(found, now)
        if found is IN_DOUBT:
            found = None
        if found is None and signs is not None:
            self._memory.learn()
        self._brightness.append(measures.brightness)
        activities = self._tell(found, doubted, now, _detail(measures, signs))
        activities += self._tell_others(found, now, measures)
        if sketch is not None and fit:
            self._take(found, signs, measures, sketch, elapsed, now)
        return activities

    def _compare(self, sketch: Sketch | None, elapsed: float) -> Signs | None:
        if sketch is None:
            return None
        self._memory.take(sketch, elapsed)
        views = self._views
        if not views and self._taking is not None and self._taking.looks >= FIRST_LOOKS:
            assert self._taking.view is not None
            views = [self._taking.view]
        return self._memory.compare(views) if views else None

    def _tell(
        self, found: Finding | None, doubted: bool, now: Stamp, detail: Mapping[str, float]
    ) -> list[Activity]:
        if found is None and not doubted:
            self._waiting.clear()
        over = found is not None and self._waiting.over(found, now)
        kind = self._settled(found.kind) if found is not None else None
        activities = []
        for spell in self._spells.values():
            holds: bool | None = spell.kind is kind
            if kind in _BLIND and spell.active and spell.kind not in _BLIND:
                holds = None  # what cannot be seen now may still be so
            if doubted and spell.kind is ActivityKind.PICTURE_COVERED:
                holds = None
            if holds:
                spell.on_s = 0.0 if over else math.inf
            activities += spell.step(holds, now, detail)
        return activities

    def _settled(self, kind: ActivityKind) -> ActivityKind:
        """What was told first keeps its name: a cloth that lets light in is still a cloth."""
        for group in (_BLIND, _AWAY):
            if kind in group:
                active = (name for name in sorted(group) if self._spells[name].active)
                return next(active, kind)
        return kind

    def _tell_others(self, found: Finding | None, now: Stamp, measures: Measures) -> list[Activity]:
        """What may be so beside a finding."""
        blind = found is not None and found.kind in _BLIND
        lively = not blind and measures.contrast >= LIVELY_CONTRAST
        frozen = measures.still_s >= FROZEN_S if lively else None
        still_s = {"still_s": round(measures.still_s, 1)}
        self._shifts.append(measures.shift_px)
        shaken = sum(shift >= SHAKEN_PX for shift in self._shifts) / SHAKING_LOOKS
        shaking = None if blind else shaken >= SHAKING_SHARE
        size = (round(measures.width), round(measures.height))
        known = (self._views[0].width, self._views[0].height) if self._views else size
        detail = {"width": size[0], "height": size[1]}
        return [
            *self._frozen.step(frozen, now, still_s),
            *self._shaking.step(shaking, now, {"shift_px": round(max(self._shifts), 1)}),
            *self._resized.step(size != known, now, detail),
        ]

    def _take(
        self,
        found: Finding | None,
        signs: Signs | None,
        measures: Measures,
        sketch: Sketch,
        elapsed: float,
        now: Stamp,
    ) -> None:
        """Let one good look count for the reference that is being taken, if one is."""
        if not self._views or self._why in {"order", "command"}:
            asked = self._why in {"order", "command"}
            if self._taking is not None and (asked or found is None):
                self._taking.take(measures, sketch, elapsed)
        elif signs is not None and found is None and self._other_light(signs):
            self._lit_s += min(elapsed, GAP_S)
            if self._lit_s >= LIT_S:
                self._taking = self._taking or Taking(FIRST_S)
                self._taking.take(measures, sketch, elapsed)
        else:
            self._lit_s, self._taking = 0.0, None
        if self._taking is not None and self._taking.done:
            self._fix(self._taking, now)

    def _other_light(self, signs: Signs) -> bool:
        if len(self._views) >= MAX_VIEWS:
            return False
        return signs.kinship >= KIN and signs.agreement < KNOWN and signs.lost < NEARLY_ALL

    def _fix(self, taking: Taking, now: Stamp) -> None:
        assert taking.view is not None
        if self._why == "other-light":
            self._views.append(taking.view)
        else:
            self._views = [taking.view]
            self._memory.expect(self._views)
        data = {
            "source": self._code,
            "view": len(self._views) - 1,
            "why": self._why,
            "looks": taking.looks,
            **taking.view.data(),
        }
        self._drafts.append(Draft(RecordType.CAMERA_REFERENCE, now, data))
        self._taking, self._why, self._lit_s = None, "other-light", 0.0


def _detail(measures: Measures, signs: Signs | None) -> dict[str, float]:
    """The figures that explain a finding."""
    detail = {
        "brightness": round(measures.brightness, 1),
        "contrast": round(measures.contrast, 1),
        "sharpness": round(measures.sharpness, 1),
    }
    if signs is not None:
        detail |= {
            "agreement": round(signs.agreement, 3),
            "lost": round(signs.lost, 3),
            "shift_px": round(signs.shift_px, 1),
            "fineness": round(signs.fine, 3),
        }
    return detail
