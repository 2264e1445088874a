"""From picture measures to the activities "camera covered" and "picture frozen". Pure.

Covered is judged against what is usual for this camera, learned slowly, so that fog, dusk and
the infrared night, which come slowly or keep the scene's edges, do not cry.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from edge.clock import Stamp
from edge.domain.activity import Activity, ActivityKind, Phase
from edge.domain.observation import Measures, PictureQuality, Quality
from edge.vision.sketch import Sketch
from edge.vision.spec import CameraSpec

COVERED_S = 3.0  # a picture must be bad for this long to be covered …
UNCOVERED_S = 2.0  # … and good for this long to be so no more
FROZEN_S = 10.0  # stillness that a live sensor does not have
LIVELY_CONTRAST = 2.0  # grey levels; a picture all black has no noise to be missed
REPORT_S = 10.0  # GOES_ON at most this often
LEARN_S = 120.0  # time constant of what is usual
LEARN_PICTURES = 5  # the first pictures count more, until there is something usual
POOR_CONTRAST = 20.0  # grey levels; a picture richer than this is not covered
FALLEN = 0.4  # of the usual sharpness that a covered picture keeps at most, …
EDGES_GONE = 0.3  # … and the similarity with the reference below which its edges are gone
COLLAPSED = 0.08  # of the usual sharpness: so little that similarity need not be asked
RISEN = 0.6  # of the usual sharpness that shows the cover is off, …
EDGES_BACK = 0.5  # … or this similarity, as in the fog that came meanwhile
BLANK_CONTRAST = 4.0  # bright and this poor is covered, whatever was usual …
BLANK_SHARPNESS = 15.0
BLANK_BRIGHTNESS = 45.0  # … darkness this deep may be a night without lamps
GAP_S = 4.0  # after a longer silence the reference is a new one …
UNSURE_PICTURES = 10  # … and so its similarity says nothing for so many pictures


@dataclass(slots=True)
class _Spell:
    """An ongoing condition with a delay at its start and one at its end."""

    kind: ActivityKind
    source: str
    on_s: float
    off_s: float
    active: bool = False
    turned: Stamp | None = None  # since when the condition contradicts `active`
    started: Stamp | None = None
    reported: Stamp | None = None

    def step(self, holds: bool, now: Stamp, detail: Mapping[str, float]) -> list[Activity]:
        if holds != self.active:
            self.turned = self.turned or now
            if now.since(self.turned) < (self.off_s if self.active else self.on_s):
                return []
            return [self._turn(self.turned, now, detail)]
        self.turned = None
        if not self.active or self.reported is None or now.since(self.reported) < REPORT_S:
            return []
        self.reported = now
        return [self._activity(Phase.GOES_ON, now, detail)]

    def _turn(self, turned: Stamp, now: Stamp, detail: Mapping[str, float]) -> Activity:
        self.active, self.turned = not self.active, None
        if self.active:
            self.started = turned
            self.reported = now
            return self._activity(Phase.STARTED, now, detail)
        return self._activity(Phase.ENDED, turned, detail)

    def _activity(self, phase: Phase, stamp: Stamp, detail: Mapping[str, float]) -> Activity:
        started = self.started or stamp
        return Activity(self.kind, self.source, "", "", phase, started, stamp, dict(detail))


class PictureAnalyser:
    """One camera's picture quality. CAMERA_LOST comes from `SourceLost`, not from here."""

    def __init__(self, camera: CameraSpec) -> None:
        self._covered = _Spell(ActivityKind.PICTURE_COVERED, camera.code, COVERED_S, UNCOVERED_S)
        self._frozen = _Spell(ActivityKind.PICTURE_FROZEN, camera.code, 0.0, 0.0)
        self._sharpness = 0.0  # what is usual
        self._taken = 0
        self._unsure = 0
        self._similarity = 1.0
        self._sketch: Sketch | None = None
        self._newest: Stamp | None = None

    def step(self, quality: PictureQuality) -> list[Activity]:
        """Take one measure, in order of time; only good ones are judged."""
        if quality.quality is not Quality.GOOD:
            return []
        now, measures = quality.stamp, quality.measures
        elapsed = now.since(self._newest) if self._newest is not None else 0.0
        self._newest = now
        # Unplug, cover, plug in again: similarity with a picture of the cover is high.
        self._unsure = UNSURE_PICTURES if elapsed > GAP_S else max(0, self._unsure - 1)
        self._similarity = self._compare(measures)
        bad = self._still_bad(measures) if self._covered.active else self._turned_bad(measures)
        if not bad and not self._covered.active:
            self._learn(measures, elapsed)
        detail = {
            "brightness": round(measures.brightness, 1),
            "contrast": round(measures.contrast, 1),
            "sharpness": round(measures.sharpness, 1),
            "similarity": round(self._similarity, 3),
        }
        activities = self._covered.step(bad, now, detail)
        still_s = round(measures.still_s, 1)
        frozen = measures.still_s >= FROZEN_S and measures.contrast >= LIVELY_CONTRAST
        return activities + self._frozen.step(frozen, now, {"still_s": still_s})

    def _compare(self, measures: Measures) -> float:
        if not measures.sketch:
            return 1.0
        sketch = Sketch.unpack(measures.sketch)
        self._sketch = self._sketch or sketch
        a, b = self._sketch.edges, sketch.edges
        size = float(np.sqrt((np.abs(a) ** 2).sum() * (np.abs(b) ** 2).sum()))
        return float((a * b.conj()).real.sum()) / size if size > 1 else 0.0

    def _turned_bad(self, measures: Measures) -> bool:
        if (
            measures.contrast < BLANK_CONTRAST
            and measures.sharpness < BLANK_SHARPNESS
            and measures.brightness > BLANK_BRIGHTNESS
        ):
            return True
        if self._taken < LEARN_PICTURES or measures.contrast >= POOR_CONTRAST:
            return False
        if self._unsure:
            return measures.sharpness < COLLAPSED * self._sharpness
        return measures.sharpness < FALLEN * self._sharpness and self._similarity < EDGES_GONE

    def _still_bad(self, measures: Measures) -> bool:
        if self._taken < LEARN_PICTURES:  # covered from the start: nothing usual to return to
            return measures.contrast < POOR_CONTRAST
        if measures.sharpness >= RISEN * self._sharpness:
            return False
        some = measures.sharpness >= COLLAPSED * self._sharpness
        return not (some and self._similarity >= EDGES_BACK)

    def _learn(self, measures: Measures, elapsed: float) -> None:
        self._taken += 1
        share = 1 - math.exp(-max(0.0, elapsed) / LEARN_S)
        if self._taken <= LEARN_PICTURES:
            share = 1 / self._taken
        self._sharpness += share * (measures.sharpness - self._sharpness)
