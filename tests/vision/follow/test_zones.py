from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.clock import ManualClock, Stamp
from edge.domain.activity import Activity, ActivityKind, Phase, ZoneKind
from edge.domain.observation import Label, Quality, SeenObject, Sighting
from edge.vision.follow.footing import foot
from edge.vision.follow.zones import (
    DWELL_S,
    EXIT_S,
    REPORT_S,
    SILENCE_S,
    STILL_SILENCE_S,
    ZoneAnalyser,
    inside,
)
from edge.vision.spec import CameraSpec, LineSpec, ZoneSpec
from tests.vision.follow.camera import Camera

ZONE = ZoneSpec(
    code="mouth",
    kind=ZoneKind.SHAFT_MOUTH,
    polygon=((0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8)),
)
LINE = LineSpec(code="sill", start=(0.2, 0.5), end=(0.8, 0.5))
CAMERA = CameraSpec(code="cam-1", url="file:///x", zone=(ZONE,), line=(LINE,))
PERSON_IN, OUT = (0.5, 0.6), (0.05, 0.9)


def _seen(x: float, y: float, track: int = 1, label: Label = Label.PERSON) -> SeenObject:
    return SeenObject(track, label, 0.8, (x - 0.02, y - 0.1, x + 0.02, y))


def _phases(activities: list[Activity]) -> list[tuple[ActivityKind, Phase]]:
    return [(item.kind, item.phase) for item in activities]


def test_a_person_who_dwells_in_a_zone_starts_one_activity_that_names_the_zone():
    camera = Camera(CAMERA)
    (started,) = camera.see(_seen(*PERSON_IN), times=10)
    assert started.kind is ActivityKind.PERSON_IN_ZONE
    assert started.phase is Phase.STARTED
    assert (started.source, started.place, started.aspect) == ("cam-1", "mouth", "shaft-mouth")
    assert started.stamp.since(started.started) >= DWELL_S
    assert started.detail == {"count": 1, "score": 0.8}


def test_confirmation_takes_less_than_a_second():
    camera = Camera(CAMERA)
    begun = camera.clock.now()
    while not (started := camera.see(_seen(*PERSON_IN))):
        pass
    assert started[0].stamp.since(begun) < 1


def test_one_sighting_is_not_enough():
    camera = Camera(CAMERA)
    assert camera.see(_seen(*PERSON_IN)) == []
    assert camera.see(times=20) == []


def test_two_glimpses_far_apart_are_not_a_dwelling():
    camera = Camera(CAMERA)
    assert camera.see(_seen(*PERSON_IN)) == []
    assert camera.see(_seen(*PERSON_IN), pause=8.0) == []


def test_a_vehicle_and_a_person_are_two_activities():
    camera = Camera(CAMERA)
    activities = camera.see(_seen(*PERSON_IN), _seen(0.4, 0.7, 2, Label.VEHICLE), times=5)
    assert {item.kind for item in activities} == {
        ActivityKind.PERSON_IN_ZONE,
        ActivityKind.VEHICLE_IN_ZONE,
    }


def test_several_people_are_one_activity_with_their_count():
    camera = Camera(CAMERA)
    (started,) = camera.see(_seen(*PERSON_IN), _seen(0.4, 0.6, 2), times=5)
    assert started.detail["count"] == 2
    camera.see(_seen(*PERSON_IN), _seen(0.4, 0.6, 2), _seen(0.3, 0.6, 3))
    (ended,) = camera.see(times=20)
    assert ended.detail["count"] == 3  # the most at once


def test_whoever_leaves_ends_it_at_the_moment_of_the_last_sighting():
    camera = Camera(CAMERA)
    camera.see(_seen(*PERSON_IN), times=5)
    last = camera.clock.now()
    (ended,) = camera.see(_seen(*OUT), times=20)
    assert ended.phase is Phase.ENDED
    assert ended.stamp == last
    assert camera.see(times=20) == []


def test_a_gap_shorter_than_the_hysteresis_does_not_end_it():
    camera = Camera(CAMERA)
    camera.see(_seen(*PERSON_IN), times=5)
    assert camera.see(times=int(EXIT_S / 0.2) - 1) == []
    assert camera.see(_seen(*PERSON_IN), times=5) == []


def test_two_visits_that_a_little_more_than_two_seconds_part_are_two_activities():
    camera = Camera(CAMERA)
    activities = []
    for _ in range(2):
        activities += camera.see(_seen(*PERSON_IN), times=10)
        activities += camera.see(times=12)
    assert [item.phase for item in activities] == [Phase.STARTED, Phase.ENDED] * 2


def test_at_a_slow_look_one_miss_does_not_end_it():
    """Somebody who stands still is looked at about once a second; detectors miss now and then."""
    camera = Camera(CAMERA)
    camera.see(_seen(*PERSON_IN), times=5)
    assert camera.see(times=2, pause=1.1) == []
    assert camera.see(_seen(*PERSON_IN), pause=1.1) == []


def test_a_long_stay_is_reported_now_and_then():
    camera = Camera(CAMERA)
    activities = camera.see(_seen(*PERSON_IN), times=160)
    assert [item.phase for item in activities] == [Phase.STARTED, *[Phase.GOES_ON] * 3]
    assert activities[2].stamp.since(activities[1].stamp) >= REPORT_S
    assert len({item.started for item in activities}) == 1


def test_silence_ends_it_by_the_clock():
    camera = Camera(CAMERA)
    camera.see(_seen(*PERSON_IN), times=5)
    last = camera.clock.now()
    assert camera.analyser.tick(camera.clock.advance(SILENCE_S - 0.5)) == []
    (ended,) = camera.analyser.tick(camera.clock.advance(1.0))
    assert (ended.phase, ended.stamp) == (Phase.ENDED, last)
    assert camera.analyser.tick(camera.clock.advance(10.0)) == []


def test_ticks_alone_say_nothing():
    assert ZoneAnalyser(CAMERA).tick(ManualClock().now()) == []


def test_a_silent_glimpse_is_forgotten_without_a_word():
    camera = Camera(CAMERA)
    camera.see(_seen(*PERSON_IN))
    assert camera.analyser.tick(camera.clock.advance(SILENCE_S)) == []


def test_whoever_is_cut_off_by_the_lower_edge_is_in_a_zone_that_reaches_it():
    whole = ZoneSpec(code="all", kind=ZoneKind.YARD, polygon=((0, 0), (1, 0), (1, 1), (0, 1)))
    assert inside(foot((0.4, 0.7, 0.6, 1.0)), whole.polygon)
    assert inside(foot((0.0, 0.7, 0.0, 1.0)), whole.polygon)


def test_visits_that_two_key_pictures_part_are_two_activities():
    """A picture every four seconds: the one without anybody is all there is to tell them apart."""
    camera = Camera(CAMERA)
    activities = []
    for _ in range(2):
        activities += camera.see(_seen(*PERSON_IN), times=4, pause=4.0)
        activities += camera.see(pause=4.0)
    activities += camera.see(_seen(*PERSON_IN), pause=4.0)
    assert [item.phase for item in activities] == [Phase.STARTED, Phase.ENDED] * 2


def test_pictures_seconds_apart_begin_one_activity():
    camera = Camera(CAMERA)
    (started,) = camera.see(_seen(*PERSON_IN), times=2, pause=4.0)
    assert started.phase is Phase.STARTED


def test_a_glimpse_with_an_empty_picture_after_it_begins_the_count_again():
    camera = Camera(CAMERA)
    camera.see(_seen(*PERSON_IN), pause=1.0)
    camera.see(pause=1.0)
    assert camera.see(_seen(*PERSON_IN), pause=1.0) == []


def test_what_is_parked_goes_on_though_it_is_looked_at_seldom_and_missed_now_and_then():
    camera = Camera(CAMERA)
    parked = SeenObject(1, Label.VEHICLE, 0.8, (0.4, 0.4, 0.6, 0.6), still_s=60.0)
    activities = camera.see(parked, times=5)
    activities += camera.see(times=50)  # somebody stands before it for ten seconds
    activities += camera.see(parked, times=2)
    for _ in range(5):
        activities += camera.see(parked, pause=10.0)
        activities += camera.analyser.tick(camera.clock.advance(9.0))
    kinds = {item.phase for item in activities}
    assert kinds == {Phase.STARTED, Phase.GOES_ON}
    ended = camera.see(times=80)
    assert [item.phase for item in ended] == [Phase.ENDED]


def test_when_pictures_stop_what_is_parked_ends_too():
    camera = Camera(CAMERA)
    parked = SeenObject(1, Label.VEHICLE, 0.8, (0.4, 0.4, 0.6, 0.6), still_s=60.0)
    camera.see(parked, times=5)
    assert camera.analyser.tick(camera.clock.advance(STILL_SILENCE_S - 1)) == []
    (ended,) = camera.analyser.tick(camera.clock.advance(2.0))
    assert ended.phase is Phase.ENDED


def test_a_person_who_walks_off_from_where_a_truck_is_parked_ends_in_two_seconds():
    camera = Camera(CAMERA)
    parked = SeenObject(1, Label.VEHICLE, 0.8, (0.4, 0.4, 0.6, 0.6), still_s=60.0)
    camera.see(parked, _seen(*PERSON_IN, 2), times=5)
    ended = camera.see(parked, times=12)
    assert [item.kind for item in ended if item.phase is Phase.ENDED] == [
        ActivityKind.PERSON_IN_ZONE
    ]


def test_a_foot_that_the_tracker_knows_better_decides():
    camera = Camera(CAMERA)
    hidden = SeenObject(1, Label.PERSON, 0.8, (0.48, 0.05, 0.52, 0.15), foot=(0.5, 0.3))
    (started,) = camera.see(hidden, times=5)
    assert started.kind is ActivityKind.PERSON_IN_ZONE


points = st.tuples(st.floats(0, 1), st.floats(0, 1))


@given(points, st.integers(3, 12), st.floats(0, 6.3))
def test_point_in_polygon_agrees_with_geometry_for_a_regular_polygon(point, corners, turn):
    around = [
        (
            0.5 + 0.4 * math.cos(turn + 2 * math.pi * i / corners),
            0.5 + 0.4 * math.sin(turn + 2 * math.pi * i / corners),
        )
        for i in range(corners)
    ]
    # Signed distances to all edges: a point within is on the same side of each.
    distances = [
        (x2 - x1) * (point[1] - y1) - (y2 - y1) * (point[0] - x1)
        for (x1, y1), (x2, y2) in zip(around, around[1:] + around[:1], strict=True)
    ]
    if min(map(abs, distances)) > 1e-6:  # on the very edge either answer is right
        assert inside(point, around) == (min(distances) > 0)


@given(
    st.lists(
        st.tuples(
            st.floats(0.01, 4.0),
            st.lists(st.tuples(points, st.integers(1, 4), st.sampled_from(Label)), max_size=4),
            st.booleans(),
        ),
        max_size=40,
    )
)
def test_every_activity_starts_goes_on_and_ends_in_this_order(steps):
    """Whatever is seen whenever: phases alternate a key, time never runs backwards."""
    clock, analyser = ManualClock(), ZoneAnalyser(CAMERA)
    running: dict[tuple[ActivityKind, str, str], Stamp] = {}

    def check(activities: list[Activity]) -> None:
        for item in activities:
            assert item.stamp.since(item.started) >= 0
            if item.phase is Phase.STARTED:
                assert item.key not in running
                running[item.key] = item.started
            else:
                assert running[item.key] == item.started
            if item.phase is Phase.ENDED:
                del running[item.key]

    for pause, things, tick in steps:
        now = clock.advance(pause)
        if tick:
            check(analyser.tick(now))
        objects = tuple(_seen(x, y, track, label) for (x, y), track, label in things)
        check(analyser.step(Sighting("cam-1", now, Quality.GOOD, objects)))
    check(analyser.tick(clock.advance(60)))
    assert not running


@pytest.mark.parametrize("kind", list(ZoneKind))
def test_the_aspect_is_the_kind_of_the_zone(kind):
    zone = ZoneSpec(code="z", kind=kind, polygon=ZONE.polygon)
    camera = Camera(CameraSpec(code="cam-1", url="file:///x", zone=(zone,)))
    assert [item.aspect for item in camera.see(_seen(*PERSON_IN), times=5)] == [kind.value]
