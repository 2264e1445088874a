from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.clock import ManualClock
from edge.domain.observation import Label
from edge.vision.follow.track import COAST_S, Found, iou
from edge.vision.follow.tracker import MAX_TRACKS, Tracker

edges = st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
boxes = edges.map(lambda e: (min(e[0], e[2]), min(e[1], e[3]), max(e[0], e[2]), max(e[1], e[3])))


def _person(x: float, y: float = 0.5, score: float = 0.8) -> Found:
    return Found(Label.PERSON, score, (x, y, x + 0.05, y + 0.15))


def _walk(tracker: Tracker, clock: ManualClock, *pictures: list[Found]) -> list[list[int]]:
    return [[item.track for item in tracker.step(found, clock.advance(0.2))] for found in pictures]


def test_a_thing_is_told_from_its_second_sighting_on():
    told = _walk(Tracker(), ManualClock(), [_person(0.1)], [_person(0.12)], [_person(0.14)])
    assert told == [[], [1], [1]]


def test_a_flicker_is_never_told_and_not_remembered():
    tracker = Tracker()
    assert _walk(tracker, ManualClock(), [_person(0.1)], [], []) == [[], [], []]
    assert not tracker.following


def test_a_fast_walker_without_overlap_keeps_the_number():
    told = _walk(Tracker(), ManualClock(), [_person(0.1)], [_person(0.17)], [_person(0.24)])
    assert told == [[], [1], [1]]


def test_a_thing_too_far_away_or_of_another_size_is_another_thing():
    far = _walk(Tracker(), ManualClock(), [_person(0.1)], [_person(0.6)], [_person(0.6)])
    assert far == [[], [], [2]]
    large = Found(Label.PERSON, 0.8, (0.18, 0.3, 0.4, 0.9))
    assert _walk(Tracker(), ManualClock(), [_person(0.1)], [large], [large]) == [[], [], [2]]


def test_a_box_without_area_pairs_with_nothing():
    flat = Found(Label.PERSON, 0.8, (0.1, 0.5, 0.1, 0.5))
    assert _walk(Tracker(), ManualClock(), [flat], [flat], [flat]) == [[], [], []]


def test_a_person_does_not_become_a_vehicle():
    truck = Found(Label.VEHICLE, 0.8, _person(0.1).box)
    assert _walk(Tracker(), ManualClock(), [_person(0.1)], [truck], [truck]) == [[], [], [2]]


def test_two_people_who_meet_keep_their_numbers():
    told = _walk(
        Tracker(),
        ManualClock(),
        [_person(0.1), _person(0.4)],
        [_person(0.14), _person(0.36)],
        [_person(0.36), _person(0.14)],
    )
    assert told[1] == told[2] == [1, 2]


def test_a_short_occlusion_keeps_the_number_and_tells_nothing_meanwhile():
    gap: list[list[Any]] = [[]] * int(COAST_S / 0.2)
    told = _walk(Tracker(), ManualClock(), [_person(0.1)], [_person(0.1)], *gap, [_person(0.1)])
    assert told == [[], [1], *gap, [1]]


def test_a_long_absence_gives_a_new_number():
    gap: list[list[Found]] = [[]] * 10
    told = _walk(
        Tracker(),
        ManualClock(),
        [_person(0.1)],
        [_person(0.1)],
        *gap,
        [_person(0.1)],
        [_person(0.1)],
    )
    assert told[-1] == [2]


def test_following_says_whether_anything_is_followed():
    tracker, clock = Tracker(), ManualClock()
    assert not tracker.following
    tracker.step([_person(0.1)], clock.advance(0.2))
    assert tracker.following


def test_regions_are_told_where_what_is_confirmed_is_expected_and_no_flicker():
    tracker, clock = Tracker(), ManualClock()
    _walk(tracker, clock, [_person(0.1)], [_person(0.14), _person(0.7)])
    (box,) = tracker.boxes
    assert box == pytest.approx(_person(0.14).box)
    _walk(tracker, clock, [])
    assert tracker.boxes[0][0] == pytest.approx(0.18)


def test_a_thing_seen_twice_at_one_moment_keeps_its_course():
    tracker, clock = Tracker(), ManualClock()
    _walk(tracker, clock, [_person(0.1)], [_person(0.14)], [_person(0.18)])
    told = tracker.step([_person(0.19)], clock.now())
    assert [item.track for item in told] == [1]
    _walk(tracker, clock, [])
    assert tracker.boxes[0][0] == pytest.approx(0.23, abs=0.005)


def test_a_flood_of_detections_is_bounded():
    tracker, clock = Tracker(), ManualClock()
    flood = [_person(i / 1000, score=0.5) for i in range(5 * MAX_TRACKS)]
    for _ in range(3):
        told = tracker.step(flood, clock.advance(0.2))
    assert len(told) <= MAX_TRACKS


@given(boxes, boxes)
def test_overlap_is_symmetric_and_between_0_and_1(a, b):
    assert 0 <= iou(a, b) <= 1 + 1e-9
    assert iou(a, b) == iou(b, a)


@given(
    st.lists(
        st.lists(st.builds(Found, st.sampled_from(Label), st.floats(0, 1), boxes), max_size=6),
        max_size=12,
    )
)
def test_what_is_told_was_seen_in_that_picture_under_unique_numbers(pictures):
    tracker, clock = Tracker(), ManualClock()
    for found in pictures:
        told = tracker.step(found, clock.advance(0.2))
        seen = [(item.label, item.score, item.box) for item in found]
        assert all((item.label, item.score, item.box) in seen for item in told)
        assert len({item.track for item in told}) == len(told)


def _faint(found: Found) -> Found:
    return Found(found.label, 0.33, found.box, sure=False)


def test_one_sure_picture_never_confirms_alone_whatever_faint_ones_at_rest_follow():
    tracker, clock = Tracker(), ManualClock()
    tracker.step([_person(0.1)], clock.advance(0.2))
    for _ in range(30):
        assert tracker.step([_faint(_person(0.1))], clock.advance(0.2)) == ()


def test_faint_sightings_that_move_consistently_are_more_than_one_sure_one():
    tracker, clock = Tracker(), ManualClock()
    began = clock.now()
    told: tuple[Any, ...] = ()
    x = 0.1
    while not told:
        told = tracker.step([_faint(_person(x))], clock.advance(0.2))
        x += 0.02
    assert told[0].score == 0.33
    assert clock.now().since(began) <= 1.2


def test_what_trembles_faintly_is_never_told():
    tracker, clock = Tracker(), ManualClock()
    for i in range(100):
        shaking = _person(0.1 + 0.02 * (i % 3), y=0.5 + 0.02 * (i % 2))
        assert tracker.step([_faint(shaking)], clock.advance(0.2)) == ()
    assert not tracker.restless


def test_a_confirmed_thing_is_followed_through_faint_pictures():
    faint = [[_faint(_person(0.12 + i * 0.02))] for i in range(5)]
    told = _walk(Tracker(), ManualClock(), [_person(0.08)], [_person(0.1)], *faint)
    assert told == [[], *[[1]] * 6]


def test_a_faint_thing_somewhere_else_does_not_continue_a_track():
    told = _walk(
        Tracker(), ManualClock(), [_person(0.1)], [_person(0.1)], [_faint(_person(0.16))], []
    )
    assert told == [[], [1], [], []]


def _likely(found: Found) -> Found:
    return replace(_faint(found), likely=True)


def test_whoever_stops_is_known_again_by_a_likely_thing_near_by():
    def stopped(thing: Found) -> list[list[int]]:
        walked = [[_person(0.1 + 0.03 * i)] for i in range(4)]
        return _walk(Tracker(), ManualClock(), *walked, [], [], [], [thing])

    assert stopped(_likely(_person(0.21)))[-1] == [1]
    assert stopped(_faint(_person(0.21)))[-1] == []
    assert stopped(_likely(_person(0.8)))[-1] == []


def test_whoever_hurries_through_likely_pictures_is_told():
    def told(thing: Callable[[Found], Found]) -> list[list[int]]:
        hurried = [[thing(_person(0.1 + 0.06 * i))] for i in range(6)]
        return _walk(Tracker(), ManualClock(), *hurried)

    assert told(_likely)[-1] == [1]
    assert told(_faint)[-1] == []


def test_from_one_likely_post_to_the_next_is_no_walk():
    tracker, clock = Tracker(), ManualClock()
    for i in range(60):
        post = _likely(_person(0.1 + 0.09 * (i // 10 % 2)))
        assert tracker.step([post], clock.advance(0.2)) == ()


def test_two_sure_sightings_long_apart_with_faint_ones_between_do_not_confirm():
    tracker, clock = Tracker(), ManualClock()
    for _ in range(4):
        assert tracker.step([_person(0.1)], clock.advance(0.2)) == ()
        for _ in range(10):
            assert tracker.step([_faint(_person(0.1))], clock.advance(0.2)) == ()


def test_what_stays_without_a_sure_sighting_is_given_up():
    """Somebody left, and the chair behind them looks faintly like a person."""
    tracker, clock = Tracker(), ManualClock()
    for _ in range(3):
        tracker.step([_person(0.1)], clock.advance(0.2))
    told = [tracker.step([_faint(_person(0.1))], clock.advance(0.2)) for _ in range(80)]
    assert told[0]
    assert not told[-1]


def test_two_who_cross_at_a_walk_keep_their_numbers():
    tracker, clock = Tracker(), ManualClock()
    told: tuple[Any, ...] = ()
    for i in range(30):
        left, right = _person(0.1 + 0.02 * i), _person(0.7 - 0.02 * i, y=0.52)
        told = tracker.step([right, left] if i % 2 else [left, right], clock.advance(0.2))
    assert {item.track: item.box[0] > 0.5 for item in told} == {1: True, 2: False}


def test_three_abreast_keep_their_numbers_when_one_is_hidden_for_a_second():
    tracker, clock = Tracker(), ManualClock()
    told: tuple[Any, ...] = ()
    for i in range(20):
        seen = [_person(x, y=0.2 + 0.02 * i) for x in (0.3, 0.36, 0.42)]
        if 8 <= i < 13:
            del seen[1]
        told = tracker.step(seen, clock.advance(0.2))
    assert sorted((item.track, round(item.box[0], 2)) for item in told) == [
        (1, 0.3),
        (2, 0.36),
        (3, 0.42),
    ]


def test_whoever_is_behind_another_is_waited_for_longer():
    def after(pause: int) -> list[int]:
        tracker, clock = Tracker(), ManualClock()
        front, behind = _person(0.3), _person(0.5)
        for i in range(8):  # one walks up behind the other and stays there
            behind = _person(max(0.5 - 0.03 * i, 0.32))
            tracker.step([front, behind], clock.advance(0.2))
        for _ in range(pause):
            tracker.step([front], clock.advance(0.2))
        tracker.step([front, behind], clock.advance(0.2))
        return [item.track for item in tracker.step([front, behind], clock.advance(0.2))]

    assert after(10) == [1, 2]
    assert after(30) == [1, 3]


def test_a_part_of_a_body_is_no_other_thing():
    """Some detectors box the upper body as well."""
    tracker, clock = Tracker(), ManualClock()
    for i in range(20):
        whole = _person(0.1 + 0.01 * i)
        x1, y1, x2, y2 = whole.box
        part = Found(Label.PERSON, 0.6, (x1, y1, x2, y1 + 0.6 * (y2 - y1)))
        told = tracker.step([whole, part], clock.advance(0.2))
        assert [item.track for item in told] in ([], [1])


def test_somebody_before_a_vehicle_is_no_part_of_it():
    truck = Found(Label.VEHICLE, 0.9, (0.1, 0.2, 0.6, 0.8))
    told = _walk(Tracker(), ManualClock(), [truck, _person(0.3)], [truck, _person(0.3)])
    assert told[-1] == [1, 2]


def test_of_two_tracks_on_one_thing_the_older_goes_on():
    tracker, clock = Tracker(), ManualClock()
    for i in range(10):
        tracker.step([_person(0.1 + 0.01 * i), _person(0.4 - 0.02 * i)], clock.advance(0.2))
    told: tuple[Any, ...] = ()
    for _ in range(15):  # one has vanished; the detector boxes the other one twice
        twice = Found(Label.PERSON, 0.7, (0.2, 0.51, 0.25, 0.65))
        told = tracker.step([_person(0.2), twice], clock.advance(0.2))
    assert [item.track for item in told] == [1]


def test_a_body_seen_only_to_the_waist_stands_where_its_feet_are():
    tracker, clock = Tracker(), ManualClock()
    told: tuple[Any, ...] = ()
    for i in range(10):
        x1, y1, x2, y2 = _person(0.1 + 0.01 * i).box
        legs = 0.0 if i < 7 else 0.08
        told = tracker.step([Found(Label.PERSON, 0.8, (x1, y1, x2, y2 - legs))], clock.advance(0.2))
    assert told[0].foot[1] == pytest.approx(0.65, abs=0.01)


def test_whoever_crouches_stays_on_the_same_foot():
    tracker, clock = Tracker(), ManualClock()
    for i in range(10):
        x1, y1, x2, y2 = _person(0.1).box
        top = 0.0 if i < 5 else 0.08
        for item in tracker.step(
            [Found(Label.PERSON, 0.8, (x1, y1 + top, x2, y2))], clock.advance(0.2)
        ):
            assert item.foot is not None
            assert item.foot[1] == pytest.approx(0.65, abs=0.001)


@pytest.mark.parametrize(("label", "minutes"), [(Label.VEHICLE, 0.5), (Label.PERSON, 2.0)])
def test_what_has_long_stood_still_is_told_but_makes_nobody_restless(label, minutes):
    tracker, clock = Tracker(), ManualClock()
    assert not tracker.restless
    parked = Found(label, 0.8, (0.1, 0.5, 0.4, 0.8))
    for _ in range(int(minutes * 60) - 2):
        tracker.step([parked], clock.advance(1.0))
        assert tracker.restless
    for _ in range(10):
        (told,) = tracker.step([parked], clock.advance(1.0))
    assert not tracker.restless
    assert told.still_s >= minutes * 60
    for i in range(4):
        tracker.step(
            [Found(label, 0.8, (0.1 + 0.05 * i, 0.5, 0.4 + 0.05 * i, 0.8))], clock.advance(0.2)
        )
    assert tracker.restless


def test_what_has_long_stood_still_keeps_its_number_when_it_is_hidden_for_a_while():
    tracker, clock = Tracker(), ManualClock()
    parked = Found(Label.VEHICLE, 0.8, (0.1, 0.5, 0.4, 0.8))
    for _ in range(40):
        tracker.step([parked], clock.advance(1.0))
    for _ in range(60):
        assert tracker.step([], clock.advance(0.2)) == ()
    (told,) = tracker.step([parked], clock.advance(0.2))
    assert told.track == 1


def test_pictures_seconds_apart_are_enough_for_whoever_walks_on():
    tracker, clock = Tracker(), ManualClock()
    numbers = [
        [item.track for item in tracker.step([_person(0.1 + 0.1 * i)], clock.advance(2.0))]
        for i in range(5)
    ]
    assert numbers == [[], [1], [1], [1], [1]]


def test_what_a_flood_keeps_out_is_counted():
    dropped: Counter[str] = Counter()
    tracker = Tracker(dropped)
    apart = [Found(Label.PERSON, 0.8, (i / 200, 0.1, i / 200 + 0.004, 0.2)) for i in range(150)]
    tracker.step(apart, ManualClock().now())
    assert dropped == {"detections": 50}


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.floats(0.01, 12),
            st.lists(
                st.builds(
                    Found, st.sampled_from(Label), st.floats(0, 1), boxes, sure=st.booleans()
                ),
                max_size=6,
            ),
        ),
        max_size=15,
    )
)
def test_whatever_is_found_whenever_state_is_bounded_and_feet_are_in_the_picture(steps):
    tracker, clock = Tracker(), ManualClock()
    for pause, found in steps:
        for item in tracker.step(found, clock.advance(pause)):
            assert item.still_s >= 0
            assert item.foot is not None
            assert all(0 < part < 1 for part in item.foot)
    for _ in range(8):
        tracker.step([], clock.advance(10.0))
    assert not tracker.following


def test_whoever_has_walked_out_of_the_picture_is_not_the_next_one_to_come_in():
    tracker, clock = Tracker(), ManualClock()
    for i in range(6):
        tracker.step([_person(0.75 + 0.04 * i)], clock.advance(0.2))
    tracker.step([], clock.advance(0.2))
    assert not tracker.following


def test_after_an_empty_picture_seconds_ago_it_is_another_one():
    tracker, clock = Tracker(), ManualClock()
    tracker.step([_person(0.3)], clock.advance(2.0))
    tracker.step([_person(0.3)], clock.advance(2.0))
    tracker.step([], clock.advance(2.0))
    tracker.step([_person(0.3)], clock.advance(2.0))
    (told,) = tracker.step([_person(0.3)], clock.advance(2.0))
    assert told.track == 2
