from __future__ import annotations

import base64
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.domain.activity import Activity, ActivityKind, Phase
from edge.domain.observation import Measures, Quality
from edge.domain.record import RecordType
from edge.vision.picture import Pixels
from edge.vision.tamper.quality import FROZEN_S, LIT_S, SHAKEN_PX, PictureAnalyser
from edge.vision.tamper.reference import MAX_VIEWS
from edge.vision.tamper.sketch import SKETCH_BYTES
from edge.vision.tamper.taking import ASKED_S, FIRST_S
from tests.vision.commissioned import CAMERA, Camera, infrared, place

HERE = place(1)
CLOTH = np.full((180, 320), 22, np.uint8)
PAPER = np.full((180, 320), 150, np.uint8)
GLARE = np.full((180, 320), 242, np.uint8)


def _told(activities: list[Activity]) -> list[tuple[ActivityKind, Phase]]:
    """Starts and ends."""
    return [(a.kind, a.phase) for a in activities if a.phase is not Phase.GOES_ON]


def _kinds(activities: list[Activity]) -> list[ActivityKind]:
    return [kind for kind, phase in _told(activities) if phase is Phase.STARTED]


@pytest.fixture(scope="module")
def records() -> list[dict[str, object]]:
    """What the ledger knows of a camera that was commissioned by day."""
    camera = Camera()
    assert camera.see(HERE, int(FIRST_S) + 6, pace=3) == []
    (draft,) = camera.drafts
    assert draft.type is RecordType.CAMERA_REFERENCE
    return [dict(draft.data)]


@pytest.fixture
def camera(records: list[dict[str, object]]) -> Camera:
    camera = Camera()
    for data in records:
        camera.analyser.recall(data)
    camera.see(HERE, 10)
    return camera


def _blurred(picture: Pixels, sigma: float) -> Pixels:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.uint8)


def _blotted(share: float) -> Pixels:
    """Paint over so much of the glass, with a soft edge."""
    mask = np.zeros((180, 320), np.float32)
    mask[:, : int(320 * share)] = 1
    mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), 6), np.float32)
    return np.asarray(HERE * (1 - mask) + 90 * mask, np.uint8)


@pytest.mark.parametrize(
    ("shown", "kind"),
    [
        (CLOTH, ActivityKind.PICTURE_COVERED),
        (PAPER, ActivityKind.PICTURE_COVERED),
        (_blotted(0.75), ActivityKind.PICTURE_COVERED),
        (GLARE, ActivityKind.PICTURE_OVEREXPOSED),
        (place(1, shift=12), ActivityKind.PICTURE_MOVED),
        (place(1, shift=90), ActivityKind.PICTURE_MOVED),
        (place(2), ActivityKind.PICTURE_SWAPPED),
        (_blurred(HERE, 2.0), ActivityKind.PICTURE_BLURRED),
    ],
)
def test_what_is_done_to_a_camera_is_told_by_its_name_and_ends(camera, shown, kind):
    began = camera.clock.now()
    activities = camera.see(shown, 30)
    assert _kinds(activities) == [kind]
    assert 0 < activities[0].started.since(began) <= 12
    assert {"brightness", "agreement", "lost", "shift_px"} <= set(activities[0].detail)
    assert _told(camera.see(HERE, 15)) == [(kind, Phase.ENDED)]


def test_half_a_picture_without_structure_may_be_a_lorry_and_is_told_when_it_stays(camera):
    assert camera.see(_blotted(0.5), 200) == []
    assert camera.see(HERE, 20) == []
    assert _kinds(camera.see(_blotted(0.5), 270))[0] is ActivityKind.PICTURE_COVERED


def test_a_lamp_does_not_make_paint_undone(camera):
    paint = _blotted(0.5)
    lamp = np.clip(paint.astype(np.float32) * 1.6, 0, 255)
    lamp[:, :160] = 90
    dazzled = np.asarray(lamp, np.uint8)
    assert camera.see(paint, 150) + camera.see(dazzled, 40) == []
    assert _kinds(camera.see(paint, 60)) == [ActivityKind.PICTURE_COVERED]
    assert _told(camera.see(dazzled, 40)) == []
    assert _told(camera.see(HERE, 20)) == [(ActivityKind.PICTURE_COVERED, Phase.ENDED)]


def test_two_lorries_one_after_the_other_are_no_paint(camera):
    first, second = _blotted(0.5), _blotted(0.5)
    second[40:140, 20:140] = 130
    assert camera.see(first, 200) + camera.see(second, 200) + camera.see(first, 200) == []


def test_a_cover_is_told_in_seconds_and_goes_on_however_long(camera):
    activities = camera.see(CLOTH, 12)
    assert activities[0].stamp.since(activities[0].started) <= 4
    assert {a.phase for a in camera.see(CLOTH, 300, pace=3)} == {Phase.GOES_ON}


def test_two_covers_are_two_activities(camera):
    told = []
    for _ in range(2):
        told += _told(camera.see(CLOTH, 12))
        told += _told(camera.see(HERE, 12))
    kind = ActivityKind.PICTURE_COVERED
    assert told == [(kind, Phase.STARTED), (kind, Phase.ENDED)] * 2


def test_a_hand_that_passes_is_not_a_cover(camera):
    assert camera.see(CLOTH, 2) + camera.see(HERE, 10) == []


def test_a_night_without_lamps_that_comes_slowly_is_dark_not_covered(camera):
    def dusk(second: int) -> Pixels:
        part = max(0.03, 1 - second / 120)
        return np.asarray(16 + HERE * part * 0.9, np.uint8)

    assert _kinds(camera.see(dusk, 160)) == [ActivityKind.PICTURE_DARK]


def test_a_cover_that_lets_light_in_later_is_still_the_same_cover(camera):
    assert _kinds(camera.see(CLOTH, 10)) == [ActivityKind.PICTURE_COVERED]
    assert _told(camera.see(GLARE, 30) + camera.see(PAPER, 20)) == []


def test_a_moved_camera_that_is_covered_stays_moved_until_it_is_seen_again(camera):
    camera.see(place(1, shift=20), 30)
    assert _kinds(camera.see(CLOTH, 20)) == [ActivityKind.PICTURE_COVERED]
    assert (ActivityKind.PICTURE_MOVED, Phase.ENDED) in _told(camera.see(HERE, 15))


def test_a_creep_of_a_degree_a_minute_is_told_though_each_step_is_nothing(camera):
    activities = camera.see(lambda second: place(1, shift=second * 5 // 60), 200)
    assert _kinds(activities) == [ActivityKind.PICTURE_MOVED]


def test_the_camera_of_before_a_restart_is_not_forgotten_when_it_was_moved_meanwhile(records):
    camera = Camera()
    for data in records:
        camera.analyser.recall(data)
    assert _kinds(camera.see(place(1, shift=25), 20)) == [ActivityKind.PICTURE_MOVED]
    assert camera.drafts == []


@pytest.mark.parametrize("shown", [infrared(HERE), HERE // 3 + 120, HERE // 2])
def test_other_light_and_fog_at_once_do_not_cry(camera, shown):
    assert camera.see(shown, 90) == []
    assert camera.see(HERE, 30) == []


def test_a_truck_before_the_lens_for_minutes_does_not_cry_but_a_board_for_good_does(camera):
    truck = HERE.copy()
    truck[20:, :170] = place(7)[20:, :170]
    assert camera.see(truck, 300, pace=3) == []
    assert _kinds(camera.see(truck, 1500, pace=3)) == [ActivityKind.PICTURE_COVERED]


def test_exposure_that_hunts_and_somebody_close_by_do_not_cry(camera):
    def hunting(second: int) -> Pixels:
        return np.asarray(np.clip(HERE * (1 + 0.4 * (-1) ** second), 0, 255), np.uint8)

    close = HERE.copy()
    close[60:, 110:210] = place(8)[60:, 110:210]
    assert camera.see(hunting, 20) + camera.see(close, 60) == []


def test_another_light_gets_its_own_view_once_it_has_lasted(camera):
    night = infrared(HERE)
    assert camera.see(night, int(LIT_S + FIRST_S) + 60, pace=3) == []
    (draft,) = camera.drafts
    assert (draft.data["view"], draft.data["why"]) == (1, "other-light")
    assert camera.analyser.views == 2
    assert camera.see(HERE, 20) + camera.see(night, 20) == []


def test_another_light_that_does_not_last_gets_none(camera):
    for _ in range(4):
        camera.see(infrared(HERE), int(LIT_S) // 2, pace=3)
        camera.see(HERE, 10)
    assert camera.drafts == []


def test_there_are_only_so_many_views(records):
    camera = Camera()
    for number in range(MAX_VIEWS):
        camera.analyser.recall({**records[0], "view": number})
    assert camera.see(infrared(HERE), int(LIT_S + FIRST_S) + 60, pace=3) == []
    assert camera.drafts == []


def test_a_camera_covered_from_the_start_is_told_in_light_and_in_the_dark():
    assert _kinds(Camera().see(PAPER, 10)) == [ActivityKind.PICTURE_COVERED]
    assert _kinds(Camera().see(CLOTH, 30)) == [ActivityKind.PICTURE_DARK]
    folds = _blurred(CLOTH + (place(3) // 16), 12)
    camera = Camera()
    assert _kinds(camera.see(np.asarray(folds + 30, np.uint8), 80)) == [
        ActivityKind.PICTURE_COVERED
    ]
    assert camera.drafts == []


def test_covered_in_the_first_minute_is_told_against_the_reference_in_the_making():
    camera = Camera()
    camera.see(HERE, 12)
    assert _kinds(camera.see(CLOTH, 10)) == [ActivityKind.PICTURE_COVERED]
    camera.see(HERE, int(FIRST_S) + 20, pace=3)
    assert [draft.data["why"] for draft in camera.drafts] == ["first-start"]


def test_the_reference_is_taken_anew_when_asked_and_then_the_new_view_is_the_right_one(camera):
    turned = place(1, shift=40)
    assert _kinds(camera.see(turned, 20)) == [ActivityKind.PICTURE_MOVED]
    camera.analyser.retake("order")
    told = _told(camera.see(turned, int(ASKED_S) + 10))
    assert told == [(ActivityKind.PICTURE_MOVED, Phase.ENDED)]
    (draft,) = camera.drafts
    assert (draft.data["view"], draft.data["why"]) == (0, "order")
    assert _kinds(camera.see(HERE, 20)) == [ActivityKind.PICTURE_MOVED]


def test_a_reference_is_not_taken_of_a_cover_even_when_asked(camera):
    camera.analyser.retake("command")
    camera.see(CLOTH, 60)
    assert camera.drafts == []


def test_another_size_begins_the_taking_anew_and_later_it_is_told(camera):
    fresh = Camera()
    fresh.see(HERE, 60, pace=3)
    fresh.size = (640, 360)
    fresh.see(HERE, int(FIRST_S) + 6, pace=3)
    assert (fresh.drafts[0].data["width"], fresh.drafts[0].data["height"]) == (640, 360)
    camera.size = (640, 360)
    activities = camera.see(HERE, 12)
    assert _kinds(activities) == [ActivityKind.PICTURE_RESIZED]
    assert activities[0].detail == {"width": 640, "height": 360}


def test_a_shaken_mast_is_told_and_one_push_is_not(camera):
    steps = np.random.default_rng(3).integers(-4, 5, 60)
    camera.see(place(1, shift=3), 1)
    assert camera.see(HERE, 25) == []
    assert _kinds(camera.see(lambda second: place(1, shift=int(steps[second])), 40)) == [
        ActivityKind.PICTURE_SHAKING
    ]
    assert SHAKEN_PX < 2


def test_a_frozen_picture_is_told_and_ends_when_it_lives_again(camera):
    live = camera.measure(HERE)
    activities = []
    for second in range(20):
        activities += camera.tell(replace(live, still_s=float(second)))
    assert _told(activities) == [(ActivityKind.PICTURE_FROZEN, Phase.STARTED)]
    assert activities[0].detail == {"still_s": FROZEN_S}
    assert _told(camera.tell(live)) == [(ActivityKind.PICTURE_FROZEN, Phase.ENDED)]


def test_a_night_without_any_light_is_not_frozen(camera):
    camera.still_s = 500.0
    black = np.full((180, 320), 16, np.uint8)
    assert ActivityKind.PICTURE_FROZEN not in _kinds(camera.see(black, 30))


def test_after_a_silence_nothing_of_before_it_is_mixed_in(camera):
    camera.reconnect(30)
    assert camera.see(HERE, 10) == []
    camera.reconnect(30)
    assert _kinds(camera.see(CLOTH, 30)) == [ActivityKind.PICTURE_DARK]


def test_measures_that_are_not_good_are_not_judged(camera):
    cloth = camera.measure(CLOTH)
    for _ in range(20):
        assert camera.tell(cloth, Quality.BAD) == []


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"view": 0, "width": 1, "height": 1, "sketch": "%%"},
        {"view": 0, "width": 1, "height": 1, "sketch": base64.b64encode(b"x").decode()},
        {"view": "x", "width": 1, "height": 1, "sketch": base64.b64encode(bytes(SKETCH_BYTES))},
        {"view": 3, "width": 1, "height": 1, "sketch": base64.b64encode(bytes(SKETCH_BYTES))},
    ],
)
def test_a_record_of_another_version_is_no_reference_and_no_fault(data):
    analyser = PictureAnalyser(CAMERA)
    analyser.recall(data)
    assert analyser.views == 0


figures = st.builds(
    Measures,
    brightness=st.floats(0, 255),
    contrast=st.floats(0, 128),
    sharpness=st.floats(0, 1e5),
    still_s=st.floats(0, 100),
    dark=st.floats(0, 1),
    bright=st.floats(0, 1),
    shift_px=st.floats(0, 100),
    width=st.sampled_from([640.0, 1280.0]),
    height=st.just(720.0),
    sketch=st.builds(
        lambda seed: np.random.default_rng(seed).bytes(SKETCH_BYTES), st.integers(0, 9)
    )
    | st.just(b""),
)


@settings(max_examples=30, deadline=None)
@given(st.booleans(), st.lists(st.tuples(figures, st.integers(1, 15)), max_size=15))
def test_phases_alternate_whatever_is_measured(known, steps):
    camera = Camera()
    if known:
        sketch = base64.b64encode(np.random.default_rng(1).bytes(SKETCH_BYTES)).decode()
        camera.analyser.recall({"view": 0, "width": 640, "height": 720, "sketch": sketch})
    running: set[ActivityKind] = set()
    for measures, seconds in steps:
        for _ in range(seconds):
            for item in camera.tell(measures):
                assert item.stamp.since(item.started) >= 0
                assert (item.kind in running) == (item.phase is not Phase.STARTED)
                if item.phase is Phase.STARTED:
                    running.add(item.kind)
                elif item.phase is Phase.ENDED:
                    running.remove(item.kind)
