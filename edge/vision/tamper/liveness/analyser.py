"""From measures to "recording replayed", "photo", "without daylight", "wrong clock". Pure."""

from __future__ import annotations

from edge.clock import Stamp
from edge.domain.activity import Activity, ActivityKind
from edge.domain.observation import PictureQuality, Quality
from edge.errors import Refused
from edge.vision.spec import CameraSpec
from edge.vision.tamper.liveness.daylight import DaylightJudge
from edge.vision.tamper.liveness.photo import PhotoJudge
from edge.vision.tamper.liveness.repeats import REPEATED, REPEATED_NO_MORE
from edge.vision.tamper.liveness.timing import ClockJudge
from edge.vision.tamper.sketch import Sketch
from edge.vision.tamper.spell import Spell

CLOCK_OFF_S = 30.0  # a clock must be right for so long
PHOTO_OFF_S = 30.0  # a photo must be away for so long


class LivenessAnalyser:
    """One camera's liveness; what it cannot tell the challenge lamp must (`challenge.py`)."""

    def __init__(self, camera: CameraSpec) -> None:
        code = camera.code
        self._replayed = Spell(ActivityKind.PICTURE_REPLAYED, code, 0.0, 0.0)
        self._photo = Spell(ActivityKind.PICTURE_STILL_PHOTO, code, 0.0, PHOTO_OFF_S)
        self._dayless = Spell(ActivityKind.PICTURE_WITHOUT_DAYLIGHT, code, 0.0, 0.0)
        self._wrong = Spell(ActivityKind.PICTURE_CLOCK_WRONG, code, 0.0, CLOCK_OFF_S)
        self._clock = ClockJudge(camera.clock)
        self._judge = PhotoJudge()
        self._days = DaylightJudge()
        self._film = camera.url.startswith("file:")  # which is played in a loop, and may be
        self._begun: Stamp | None = None

    def anew(self) -> None:
        """What is there now is the place: a reference is taken."""
        self._judge = PhotoJudge()
        self._days = DaylightJudge()

    def step(self, quality: PictureQuality) -> list[Activity]:
        """Take one measure, in order of time; only good ones are judged."""
        if quality.quality is not Quality.GOOD:
            return []
        self._begun = self._begun or quality.stamp
        return [
            *self._repeated(quality),
            *self._photographed(quality),
            *self._without_daylight(quality),
            *self._misdated(quality),
        ]

    def _repeated(self, quality: PictureQuality) -> list[Activity]:
        measures = quality.measures
        limit = REPEATED_NO_MORE if self._replayed.active else REPEATED
        detail = {"looks": round(measures.repeats), "lag_s": round(measures.repeat_lag_s, 1)}
        holds = measures.repeats >= limit and not self._film
        return self._replayed.step(holds, quality.stamp, detail)

    def _photographed(self, quality: PictureQuality) -> list[Activity]:
        assert self._begun is not None
        try:
            sketch = Sketch.unpack(quality.measures.sketch)
        except Refused:
            return []
        t = quality.stamp.since(self._begun)
        photo = self._judge.step(sketch, t)
        signs = self._judge.signs
        detail: dict[str, float] = {}
        if signs is not None:
            detail = {
                "score": signs.score,
                "shift_px": signs.shift_px,
                "stretch_px": signs.stretch_px,
                "lift": signs.lift,
                "range": signs.range,
                "fine": signs.fine,
                "kin": signs.kin,
                "placed": int(signs.placed),
            }
        return self._photo.step(photo, quality.stamp, detail)

    def _without_daylight(self, quality: PictureQuality) -> list[Activity]:
        missing = self._days.step(quality.measures, quality.stamp) and not self._film
        return self._dayless.step(missing, quality.stamp, self._days.detail)

    def _misdated(self, quality: PictureQuality) -> list[Activity]:
        measures, clock = quality.measures, self._clock
        wrong = clock.step(measures.clock_s, measures.clock_date, quality.stamp)
        if self._film:
            return []
        detail: dict[str, str | float] = {
            "offset_s": round(clock.offset_s or 0.0),
            "why": clock.why,
        }
        return self._wrong.step(wrong, quality.stamp, detail)
