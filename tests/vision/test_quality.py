from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.clock import ManualClock
from edge.domain.activity import Activity, ActivityKind, Phase
from edge.domain.observation import Measures, PictureQuality, Quality
from edge.vision.quality import COVERED_S, FROZEN_S, PictureAnalyser
from edge.vision.spec import CameraSpec

CAMERA = CameraSpec(code="cam-1", url="file:///x")
DAY = Measures(brightness=110, contrast=52, sharpness=600, still_s=0)
INFRARED = replace(DAY, brightness=70, contrast=38, sharpness=250)
DARK = replace(DAY, brightness=12, contrast=6, sharpness=6)
FOG = replace(DAY, brightness=160, contrast=11, sharpness=25)
COVERED = replace(DAY, brightness=25, contrast=3, sharpness=4)


class _Camera:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.analyser = PictureAnalyser(CAMERA)

    def see(
        self, measures: Measures, seconds: int = 1, quality: Quality = Quality.GOOD
    ) -> list[Activity]:
        activities = []
        for _ in range(seconds):
            seen = PictureQuality("cam-1", self.clock.advance(1), quality, measures)
            activities += self.analyser.step(seen)
        return activities

    def drift(self, start: Measures, end: Measures, seconds: int) -> list[Activity]:
        activities = []
        for i in range(seconds):
            share = i / seconds
            between = {
                name: getattr(start, name) * (1 - share) + getattr(end, name) * share
                for name in ("brightness", "contrast", "sharpness")
            }
            activities += self.see(replace(start, **between))
        return activities


def _phases(activities: list[Activity]) -> list[Phase]:
    return [item.phase for item in activities]


@pytest.mark.parametrize("usual", [DAY, INFRARED])
def test_a_covered_camera_is_told_once_after_three_seconds(usual):
    camera = _Camera()
    assert camera.see(usual, 60) == []
    begun = camera.clock.now()
    (started,) = camera.see(COVERED, 9)
    assert started.kind is ActivityKind.PICTURE_COVERED
    assert started.phase is Phase.STARTED
    assert 0 < started.started.since(begun) <= 1
    assert COVERED_S <= started.stamp.since(begun) <= COVERED_S + 1
    assert set(started.detail) == {"brightness", "contrast", "sharpness", "similarity"}


def test_uncovering_ends_it_and_another_cover_is_another_activity():
    camera = _Camera()
    camera.see(DAY, 60)
    activities = []
    for _ in range(2):
        activities += camera.see(COVERED, 8)
        activities += camera.see(DAY, 8)
    assert _phases(activities) == [Phase.STARTED, Phase.ENDED] * 2


def test_a_long_cover_goes_on_however_long():
    camera = _Camera()
    camera.see(DAY, 60)
    phases = _phases(camera.see(COVERED, 3600))
    assert phases[0] is Phase.STARTED
    assert set(phases[1:]) == {Phase.GOES_ON}


def test_a_hand_that_passes_is_not_a_cover():
    camera = _Camera()
    camera.see(DAY, 60)
    assert camera.see(COVERED, 2) + camera.see(DAY, 5) == []


@pytest.mark.parametrize("usual", [DAY, INFRARED, DARK, FOG])
def test_no_usual_picture_cries_from_the_start(usual):
    assert _Camera().see(usual, 300) == []


@pytest.mark.parametrize("other", [INFRARED, DARK, FOG, DAY])
@pytest.mark.parametrize("usual", [DAY, INFRARED])
def test_the_lamps_going_on_or_off_and_fog_rolling_in_do_not_cry(usual, other):
    """Even at once: the scene's edges are still where they were."""
    camera = _Camera()
    camera.see(usual, 120)
    assert camera.see(other, 120) == []
    assert camera.see(usual, 120) == []


@pytest.mark.parametrize("other", [INFRARED, DARK, FOG])
def test_slow_change_does_not_cry(other):
    camera = _Camera()
    camera.see(DAY, 120)
    assert camera.drift(DAY, other, 900) == []
    assert camera.see(other, 300) == []


def test_a_bright_blank_picture_is_covered_even_from_the_start():
    camera = _Camera()
    paper = replace(COVERED, brightness=140)
    assert _phases(camera.see(paper, 8)) == [Phase.STARTED]
    assert _phases(camera.see(DAY, 5)) == [Phase.ENDED]


def test_a_cover_at_the_infrared_night_shows_by_what_is_missing():
    camera = _Camera()
    camera.see(INFRARED, 120)
    glare = replace(COVERED, brightness=220, contrast=9, sharpness=5)
    assert _phases(camera.see(glare, 8)) == [Phase.STARTED]


def test_a_camera_covered_while_it_is_unplugged_is_told():
    """The new connection's reference is the cover itself, so it finds everything similar."""
    camera = _Camera()
    camera.see(DAY, 60)
    camera.clock.advance(20)
    cover = COVERED
    activities = camera.see(cover, 8)
    assert _phases(activities) == [Phase.STARTED]
    assert Phase.ENDED not in _phases(camera.see(cover, 60))
    assert Phase.ENDED in _phases(camera.see(DAY, 5))


def test_a_camera_uncovered_in_fog_is_not_covered_any_more():
    camera = _Camera()
    camera.see(DAY, 60)
    camera.see(COVERED, 8)
    fog = replace(FOG, sharpness=100)
    assert _phases(camera.see(fog, 5)) == [Phase.ENDED]


def test_a_reconnection_alone_does_not_cry():
    camera = _Camera()
    camera.see(DAY, 60)
    camera.clock.advance(20)
    assert camera.see(DAY, 20) == []


def test_a_frozen_picture_is_told_and_ends_when_it_lives_again():
    camera = _Camera()
    camera.see(DAY, 20)
    activities = []
    for second in range(20):
        activities += camera.see(replace(DAY, still_s=float(second)))
    assert [(item.kind, item.phase) for item in activities] == [
        (ActivityKind.PICTURE_FROZEN, Phase.STARTED)
    ]
    assert activities[0].detail == {"still_s": FROZEN_S}
    assert _phases(camera.see(DAY, 3)) == [Phase.ENDED]


def test_a_night_without_any_light_is_not_frozen():
    camera = _Camera()
    black = replace(DAY, brightness=16, contrast=0.5, sharpness=0.2, still_s=500)
    assert camera.see(black, 30) == []


def test_a_picture_that_stays_frozen_goes_on():
    camera = _Camera()
    phases = _phases(camera.see(replace(DAY, still_s=60.0), 45))
    assert phases == [Phase.STARTED, *[Phase.GOES_ON] * 4]


def test_measures_that_are_not_good_are_not_judged():
    camera = _Camera()
    camera.see(DAY, 60)
    assert camera.see(replace(COVERED, still_s=99), 20, Quality.BAD) == []


figures = st.builds(
    replace,
    st.just(DAY),
    brightness=st.floats(0, 255),
    contrast=st.floats(0, 128),
    sharpness=st.floats(0, 1e5),
    still_s=st.floats(0, 100),
)


@given(st.lists(st.tuples(figures, st.integers(1, 15), st.sampled_from(Quality)), max_size=20))
def test_phases_alternate_whatever_is_measured(steps):
    camera = _Camera()
    running: set[ActivityKind] = set()
    for measures, seconds, quality in steps:
        for item in camera.see(measures, seconds, quality):
            assert item.stamp.since(item.started) >= 0
            assert (item.kind in running) == (item.phase is not Phase.STARTED)
            if item.phase is Phase.STARTED:
                running.add(item.kind)
            elif item.phase is Phase.ENDED:
                running.remove(item.kind)
