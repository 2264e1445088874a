from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.clock import ManualClock
from edge.domain.activity import Activity, ActivityKind, Phase
from edge.domain.observation import Label, Quality, SeenObject, Sighting
from edge.vision.follow.track import Found
from edge.vision.follow.tracker import Tracker
from edge.vision.follow.ways import MAX_WAYS, Ways
from edge.vision.follow.zones import ZoneAnalyser
from edge.vision.spec import CameraSpec, LineSpec
from tests.vision.follow.camera import Camera

LINE = LineSpec(code="sill", start=(0.2, 0.5), end=(0.8, 0.5))
CAMERA = CameraSpec(code="cam-1", url="file:///x", line=(LINE,))
HIGH = 0.1


def _seen(x: float, y: float, track: int = 1, label: Label = Label.PERSON) -> SeenObject:
    return SeenObject(track, label, 0.8, (x - 0.02, y - HIGH, x + 0.02, y))


def _told(activities: list[Activity]) -> list[tuple[str, int]]:
    return [
        (item.aspect, int(item.detail["track"]))
        for item in activities
        if item.phase is Phase.STARTED
    ]


def _ways(activities: list[Activity]) -> list[str]:
    return [way for way, _ in _told(activities)]


def test_walking_towards_the_viewer_over_a_line_to_the_right_is_in_and_back_is_out():
    """Start left, end right: the left hand points away from the viewer, up in the picture."""
    camera = Camera(CAMERA)
    activities = []
    for y in (0.40, 0.45, 0.55, 0.60, 0.52, 0.45, 0.40):
        activities += camera.see(_seen(0.5, y))
    assert [(item.kind, item.aspect, item.phase) for item in activities] == [
        (ActivityKind.LINE_CROSSED, "in", Phase.STARTED),
        (ActivityKind.LINE_CROSSED, "in", Phase.ENDED),
        (ActivityKind.LINE_CROSSED, "out", Phase.STARTED),
        (ActivityKind.LINE_CROSSED, "out", Phase.ENDED),
    ]
    assert activities[0].place == "sill"
    assert activities[0].detail == {"label": "person", "track": 1, "score": 0.8, "count": 1}


def test_several_abreast_are_one_crossing_each():
    camera = Camera(CAMERA)
    camera.see(_seen(0.4, 0.45), _seen(0.5, 0.45, 2), _seen(0.6, 0.55, 3))
    crossed = camera.see(_seen(0.4, 0.55), _seen(0.5, 0.55, 2), _seen(0.6, 0.45, 3))
    assert _told(crossed) == [("in", 1), ("in", 2), ("out", 3)]


def test_whoever_goes_in_and_comes_out_at_once_passes_the_other():
    camera = Camera(CAMERA)
    crossed = []
    for i in range(12):
        crossed += camera.see(_seen(0.45, 0.4 + 0.02 * i), _seen(0.55, 0.6 - 0.02 * i, 2))
    assert sorted(_told(crossed)) == [("in", 1), ("out", 2)]


def test_jitter_and_lingering_on_the_line_are_no_crossing():
    camera = Camera(CAMERA)
    ys = [0.45, *[0.495, 0.507, 0.492, 0.505] * 50, 0.45]
    assert not [item for y in ys for item in camera.see(_seen(0.5, y))]


def test_one_box_cut_wrong_is_no_crossing():
    camera = Camera(CAMERA)
    assert not [item for y in (0.47, 0.48, 0.52, 0.48, 0.47) for item in camera.see(_seen(0.5, y))]
    ys = (0.48, 0.52, 0.5, 0.52, 0.5, 0.48)
    assert not [item for y in ys for item in camera.see(_seen(0.5, y))]


def test_turning_back_short_of_the_line_counts_nothing_and_beyond_it_in_and_out():
    for far, ways in ((0.49, []), (0.56, ["in", "out"])):
        camera, crossed = Camera(CAMERA), []
        for y in (0.40, 0.45, far, far, 0.45, 0.40):
            crossed += camera.see(_seen(0.5, y))
        assert _ways(crossed) == ways


def test_walking_past_the_end_of_a_line_is_no_crossing():
    camera = Camera(CAMERA)
    camera.see(_seen(0.9, 0.45))
    assert camera.see(_seen(0.9, 0.55)) == []


def test_a_track_that_was_long_away_has_forgotten_its_side():
    camera = Camera(CAMERA)
    camera.see(_seen(0.5, 0.45))
    camera.see(times=3, pause=5.0)
    assert camera.see(_seen(0.5, 0.55)) == []


def test_a_track_that_breaks_on_the_line_goes_on_under_a_new_number_and_says_so():
    camera = Camera(CAMERA)
    for i in range(6):
        camera.see(_seen(0.5, 0.38 + 0.02 * i))
    camera.see(times=4)
    crossed = camera.see(_seen(0.5, 0.58, track=7)) + camera.see(_seen(0.5, 0.60, track=7))
    assert _told(crossed) == [("in", 7)]
    assert crossed[0].detail["uncertain"] is True


@pytest.mark.parametrize(
    ("track", "label", "x", "pause"),
    [
        (7, Label.VEHICLE, 0.5, 0.2),  # another kind of thing
        (7, Label.PERSON, 0.7, 0.2),  # somewhere else
        (7, Label.PERSON, 0.5, 3.0),  # too long after
    ],
)
def test_what_appears_beyond_the_line_has_not_crossed_it(track, label, x, pause):
    camera = Camera(CAMERA)
    for i in range(6):
        camera.see(_seen(0.5, 0.38 + 0.02 * i))
    crossed = camera.see(_seen(x, 0.58, track, label), pause=pause)
    assert crossed + camera.see(_seen(x, 0.62, track, label), times=3) == []


def test_whoever_crawls_in_behind_a_vehicle_is_no_phantom():
    """Seen only beyond the line, beside a vehicle that crossed: the vehicle alone is counted."""
    camera = Camera(CAMERA)
    crossed = []
    for i in range(8):
        crossed += camera.see(_seen(0.5, 0.40 + 0.03 * i, label=Label.VEHICLE))
    for i in range(5):
        truck = _seen(0.5, 0.64 + 0.03 * i, label=Label.VEHICLE)
        crossed += camera.see(truck, _seen(0.52, 0.63, 2))
    assert _told(crossed) == [("in", 1)]


def test_a_crossing_beside_one_who_vanished_is_uncertain():
    camera = Camera(CAMERA)
    for i in range(8):
        camera.see(_seen(0.50, 0.33 + 0.01 * i), _seen(0.53, 0.33 + 0.01 * i, 2))
    crossed = []
    for i in range(16):  # one of the pair is behind the other from now on
        crossed += camera.see(_seen(0.50, 0.41 + 0.01 * i))
    assert _ways(crossed) == ["in"]
    assert crossed[0].detail["uncertain"] is True


def test_a_crossing_of_one_who_parted_from_another_is_uncertain():
    camera = Camera(CAMERA)
    for i in range(8):
        camera.see(_seen(0.50, 0.35 + 0.01 * i))
    crossed = []
    for i in range(12):
        crossed += camera.see(_seen(0.50, 0.43 + 0.01 * i), _seen(0.53, 0.43 + 0.01 * i, 2))
    assert [(item.detail["track"], item.detail.get("uncertain")) for item in crossed[::2]] == [
        (1, None),
        (2, True),
    ]


def test_a_pair_that_came_together_is_certain():
    camera = Camera(CAMERA)
    crossed = []
    for i in range(12):
        crossed += camera.see(_seen(0.50, 0.43 + 0.01 * i), _seen(0.53, 0.43 + 0.01 * i, 2))
    assert [item.detail.get("uncertain") for item in crossed] == [None] * 4


def _box(x: float, y: float, high: float, label: Label = Label.PERSON) -> Found:
    return Found(label, 0.8, (x - high / 6, y - high, x + high / 6, y))


def _followed(pictures: list[list[Found]]) -> list[Activity]:
    """Through the tracker too."""
    tracker, camera = Tracker(), Camera(CAMERA)
    crossed = []
    for found in pictures:
        crossed += camera.see(*tracker.step(found, camera.clock.now()))
    return crossed


def test_crouching_before_the_line_and_getting_up_is_no_crossing():
    standing, crouching = [[_box(0.5, 0.485, 0.24)]] * 6, [[_box(0.5, 0.485, 0.13)]] * 6
    assert _followed([*standing, *crouching, *standing]) == []
    # … nor where the detector loses the legs beyond the line
    whole, cut = [[_box(0.5, 0.55, 0.24)]] * 6, [[_box(0.5, 0.43, 0.12)]] * 2
    assert _followed([*whole, *cut, *whole]) == []


def test_one_of_a_pair_who_is_hidden_on_the_line_is_counted():
    pictures = []
    for i in range(24):
        y = 0.40 + 0.01 * i
        pair = [_box(0.48, y, 0.2), _box(0.54, y - 0.01, 0.2)]
        pictures.append(pair[:1] if 8 <= i < 14 else pair)
    assert _ways(_followed(pictures)) == ["in", "in"]


def test_the_state_of_a_flood_of_tracks_is_bounded():
    ways, clock = Ways(), ManualClock()
    for i in range(5):
        crowd = [_seen(n / 100, 0.5, 1000 * i + n) for n in range(100)]
        ways.step(crowd, clock.advance(1.6))
    assert len(ways._ways) <= MAX_WAYS


walks = st.lists(
    st.tuples(st.floats(0.05, 2.0), st.floats(0.25, 0.75), st.floats(0.3, 0.7)), max_size=60
)


@settings(deadline=None)
@given(walks)
def test_however_one_track_wanders_ways_in_and_out_alternate(walk):
    """Within the line's ends a count never drifts from where somebody is."""
    camera, crossed = Camera(CAMERA), []
    for pause, x, y in walk:
        crossed += camera.see(_seen(x, y), pause=pause)
    ways = _ways(crossed)
    assert all(one != other for one, other in pairwise(ways))


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.floats(0.05, 4.0),
            st.dictionaries(
                st.integers(1, 5),
                st.tuples(st.floats(0, 1), st.floats(0, 1), st.sampled_from(Label)),
                max_size=4,
            ),
        ),
        max_size=25,
    )
)
def test_whatever_is_seen_no_picture_counts_more_than_it_shows(steps):
    camera = Camera(CAMERA)
    for pause, things in steps:
        seen = [_seen(x, y, number, label) for number, (x, y, label) in things.items()]
        crossed = camera.see(*seen, pause=pause)
        assert len(_told(crossed)) <= len(seen)
        assert {number for _, number in _told(crossed)} <= set(things)


def test_the_strip_of_a_line_that_stands_upright_goes_by_width():
    """Whoever is near fills the picture's height, not its width."""
    upright = LineSpec(code="sill", start=(0.5, 1.0), end=(0.5, 0.2))
    analyser, clock = (
        ZoneAnalyser(CameraSpec(code="c", url="file:///x", line=(upright,))),
        ManualClock(),
    )
    crossed = []
    for i in range(20):
        x = 0.4 + 0.01 * i
        seen = SeenObject(1, Label.PERSON, 0.8, (x - 0.1, 0.1, x + 0.1, 0.9))
        crossed += analyser.step(Sighting("c", clock.advance(0.2), Quality.GOOD, (seen,)))
    assert _told(crossed) == [("in", 1)]
    assert crossed[0].stamp.since(ManualClock().now()) < 3.2  # 0.03 beyond it
