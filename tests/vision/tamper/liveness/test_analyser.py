"""From measures to activities about the life in a camera's pictures."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from edge.clock import ManualClock
from edge.domain.activity import Activity, ActivityKind, Phase
from edge.domain.observation import Measures, PictureQuality, Quality
from edge.vision.spec import CameraSpec
from edge.vision.tamper.liveness.analyser import PHOTO_OFF_S, LivenessAnalyser
from edge.vision.tamper.liveness.daylight import DaylightJudge
from edge.vision.tamper.liveness.photo import PhotoJudge, Signs
from edge.vision.tamper.liveness.repeats import REPEATED, REPEATED_NO_MORE
from edge.vision.tamper.sketch import SKETCH_BYTES

USUAL = Measures(100.0, 40.0, 200.0, 0.0)
SIGNS = Signs(3.0, 2.0, 9.0, 0.8, 0.5, 0.8, placed=True)


class Camera:
    def __init__(self, url: str = "rtsp://127.0.0.1/") -> None:
        self.clock = ManualClock()
        self.analyser = LivenessAnalyser(CameraSpec(code="cam", url=url))

    def see(self, quality: Quality = Quality.GOOD, **changes: Any) -> list[Activity]:
        measures = replace(USUAL, **changes)
        return self.analyser.step(PictureQuality("cam", self.clock.advance(1), quality, measures))


def test_a_recording_is_told_once_and_its_end():
    camera = Camera()
    assert camera.see(repeats=REPEATED - 1) == []
    (started,) = camera.see(repeats=REPEATED, repeat_lag_s=45.04)
    assert (started.kind, started.phase) == (ActivityKind.PICTURE_REPLAYED, Phase.STARTED)
    assert started.detail == {"looks": REPEATED, "lag_s": 45.0}
    assert camera.see(repeats=REPEATED_NO_MORE) == []
    (ended,) = camera.see(repeats=REPEATED_NO_MORE - 1)
    assert ended.phase is Phase.ENDED


def test_bad_measures_are_not_judged_and_a_film_for_trials_may_repeat_and_be_old():
    assert Camera().see(Quality.BAD, repeats=99.0) == []
    film = Camera("file:///film.mp4")
    for _ in range(20):
        assert film.see(repeats=99.0, clock_s=3.0) == []


def test_a_photo_is_told_with_the_signs_that_speak_for_it(monkeypatch: pytest.MonkeyPatch):
    camera, sketch = Camera(), bytes(SKETCH_BYTES)
    photo = True
    monkeypatch.setattr(PhotoJudge, "step", lambda *_: photo)
    monkeypatch.setattr(PhotoJudge, "signs", SIGNS)
    assert camera.see(sketch=b"x") == []
    (started,) = camera.see(sketch=sketch)
    assert (started.kind, started.phase) == (ActivityKind.PICTURE_STILL_PHOTO, Phase.STARTED)
    assert started.detail == {
        "score": 5,
        "shift_px": 3.0,
        "stretch_px": 2.0,
        "lift": 9.0,
        "range": 0.8,
        "fine": 0.5,
        "kin": 0.8,
        "placed": 1,
    }
    photo = False
    told = [item for _ in range(round(PHOTO_OFF_S) + 2) for item in camera.see(sketch=sketch)]
    assert told[-1].phase is Phase.ENDED


def test_without_edges_there_is_no_photo():
    camera = Camera()
    told = [camera.see(sketch=bytes(SKETCH_BYTES)) for _ in range(100)]
    assert not any(told)


def test_a_clock_that_is_wrong_is_told_with_its_distance_and_what_is_wrong():
    camera = Camera()
    told: list[Activity] = []
    for _ in range(8):
        now = camera.clock.now().wall_us / 1e6 + 1 + 8 * 3600
        told += camera.see(clock_s=float(np.floor((now - 3600) % 86_400)))
    (started,) = told
    assert (started.kind, started.phase) == (ActivityKind.PICTURE_CLOCK_WRONG, Phase.STARTED)
    assert started.detail == {"offset_s": -3600, "why": "offset"}


def test_a_picture_without_daylight_is_told_until_it_follows_again(
    monkeypatch: pytest.MonkeyPatch,
):
    camera, film, missing = Camera(), Camera("file:///film.mp4"), True
    monkeypatch.setattr(DaylightJudge, "step", lambda *_: missing)
    (started,) = camera.see()
    kind = ActivityKind.PICTURE_WITHOUT_DAYLIGHT
    assert (started.kind, started.phase) == (kind, Phase.STARTED)
    assert film.see() == []
    missing = False
    (ended,) = camera.see()
    assert ended.phase is Phase.ENDED


def test_with_a_new_reference_the_days_are_learned_anew(monkeypatch: pytest.MonkeyPatch):
    camera, judges = Camera(), set[int]()

    def step(judge: DaylightJudge, *_: object) -> bool:
        judges.add(id(judge))
        return len(judges) == 1

    monkeypatch.setattr(DaylightJudge, "step", step)
    assert camera.see()
    kept = camera.analyser
    before = [camera.see() for _ in range(3)]
    kept.anew()
    (ended,) = camera.see()
    assert ended.phase is Phase.ENDED
    assert not any(before)
