from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from edge.clock import ManualClock
from edge.domain.observation import Label
from edge.vision.track import COAST_S, Found, iou
from edge.vision.tracker import MAX_TRACKS, Tracker

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
