from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.domain.observation import Label
from edge.vision.detect.detector import Detection
from edge.vision.detect.regions import MAX_REGIONS, Region, Regions, merge

SIZE = (1280, 720)
INPUT = (448, 256)
WHOLE = Region(0, 0, *SIZE)
FAR = (0.5, 0.5, 0.52, 0.6)
ELSEWHERE = (0.1, 0.2, 0.12, 0.3)
NEAR = (0.3, 0.2, 0.5, 0.95)


def _planned() -> Regions:
    """One that has just looked at a whole picture."""
    regions = Regions(*INPUT)
    assert regions.plan(SIZE, [], [], 0.0, 2) == [WHOLE]
    return regions


def test_where_nothing_moves_the_whole_picture_is_looked_at():
    regions = _planned()
    assert regions.plan(SIZE, [], [], 0.1, 3) == [WHOLE]


def test_somebody_far_away_gets_a_crop_in_the_inputs_shape_at_full_resolution():
    (crop,) = _planned().plan(SIZE, [FAR], [], 0.2, 2)
    assert (crop.right - crop.left, crop.bottom - crop.top) == INPUT
    assert crop.holds((0.5 * 1280, 0.5 * 720, 0.52 * 1280, 0.6 * 720))


def test_the_whole_picture_comes_round_while_things_move():
    regions = _planned()
    looks = [regions.plan(SIZE, [FAR], [], 0.2 * step, 2) for step in range(1, 12)]
    assert [WHOLE in look for look in looks].count(True) == 2
    assert all(len(look) == (2 if WHOLE in look else 1) for look in looks)


def test_near_things_are_looked_at_in_the_whole_picture():
    assert _planned().plan(SIZE, [NEAR], [], 0.2, 2) == [WHOLE]
    crops = _planned().plan(SIZE, [NEAR, ELSEWHERE], [], 0.2, 2)
    assert crops[0] == WHOLE
    assert len(crops) == 2


def test_things_side_by_side_share_a_crop():
    beside = (0.55, 0.5, 0.57, 0.6)
    assert len(_planned().plan(SIZE, [FAR, beside], [], 0.2, 3)) == 1


def test_a_joined_crop_holds_both_things():
    apart = (0.9, 0.45, 0.92, 0.55)
    crops = _planned().plan(SIZE, [FAR, apart], [], 0.2, 3)
    assert len(crops) == 2
    beside = (0.60, 0.45, 0.64, 0.62)
    (joined,) = _planned().plan(SIZE, [FAR, beside], [], 0.2, 3)
    for x1, y1, x2, y2 in (FAR, beside):
        assert joined.holds((x1 * 1280, y1 * 720, x2 * 1280, y2 * 720))


def test_with_time_for_one_crop_they_take_turns():
    regions = _planned()
    first = regions.plan(SIZE, [FAR, ELSEWHERE], [], 0.2, 1)
    second = regions.plan(SIZE, [FAR, ELSEWHERE], [], 0.4, 1)
    assert len(first) == len(second) == 1
    assert first != second


def test_what_is_followed_and_finds_no_room_makes_the_picture_whole():
    looks = _planned().plan(SIZE, [FAR], [ELSEWHERE, (0.85, 0.8, 0.87, 0.9)], 0.2, 1)
    assert looks == [WHOLE]


def test_a_small_picture_is_looked_at_whole():
    assert _planned().plan((352, 288), [FAR], [], 0.2, 3) == [Region(0, 0, 352, 288)]


MOUTH = [(0.3, 0.65), (0.5, 0.65), (0.55, 0.75), (0.25, 0.75)]
SMALL_BEYOND = (0.4 * 1280, 0.5 * 720, 0.43 * 1280, 0.66 * 720)  # who stands at its far edge


def test_a_zone_is_looked_at_closely_while_pictures_come_even_where_nothing_moves():
    regions = Regions(*INPUT, [MOUTH])
    assert regions.plan(SIZE, [], [], 0.0, 2) == [WHOLE]
    (zone,) = regions.plan(SIZE, [], [], 0.2, 2)
    assert zone.area < WHOLE.area / 4
    assert zone.holds(SMALL_BEYOND)
    looks = [regions.plan(SIZE, [], [], 0.2 * step, 2) for step in range(2, 13)]
    assert all(zone in look for look in looks)
    assert [WHOLE in look for look in looks].count(True) == 2


def test_a_picture_once_in_a_while_is_looked_at_whole_and_nothing_more():
    regions = Regions(*INPUT, [MOUTH])
    assert all(regions.plan(SIZE, [], [], 10.0 * step, 3) == [WHOLE] for step in range(5))


def test_a_zone_gives_way_to_what_is_followed_and_takes_turns_with_what_moves():
    regions = Regions(*INPUT, [MOUTH])
    regions.plan(SIZE, [], [], 0.0, 2)
    (zone,) = regions.plan(SIZE, [], [], 0.1, 2)
    assert zone not in regions.plan(SIZE, [], [FAR], 0.2, 1)
    assert len(regions.plan(SIZE, [], [FAR], 0.3, 2)) == 2
    looks = [regions.plan(SIZE, [ELSEWHERE], [], 0.4 + 0.1 * step, 1) for step in range(4)]
    assert [zone] in looks
    assert all(len(look) == 1 for look in looks)


def test_several_zones_take_turns_and_too_large_ones_are_left_to_the_whole_picture():
    other = [(x + 0.4, y - 0.3) for x, y in MOUTH]
    regions = Regions(*INPUT, [MOUTH, other, [(0, 0.1), (1, 0.1), (1, 1), (0, 1)]])
    regions.plan(SIZE, [], [], 0.0, 2)
    looks = [regions.plan(SIZE, [], [], 0.1 * step, 2) for step in range(1, 5)]
    assert all(len(look) == 1 for look in looks)
    assert len({look[0] for look in looks}) == 2


_box = st.builds(
    lambda x, y, w, h: (x, y, min(1.0, x + w), min(1.0, y + h)),
    st.floats(0, 0.99),
    st.floats(0, 0.99),
    st.floats(0.001, 0.6),
    st.floats(0.001, 0.9),
)


@settings(deadline=None)
@given(
    moving=st.lists(_box, max_size=16),
    followed=st.lists(_box, max_size=6),
    size=st.sampled_from([(1280, 720), (720, 1280), (640, 360), (320, 240), (64, 48)]),
    allowed=st.integers(-1, 9),
)
def test_looks_are_few_lie_in_the_picture_and_show_all_that_is_followed(
    moving, followed, size, allowed
):
    regions = Regions(*INPUT, [MOUTH])
    for step in range(8):
        looks = regions.plan(size, moving, followed, 0.2 * step, allowed)
        assert 1 <= len(looks) <= max(1, min(allowed, MAX_REGIONS))
        for look in looks:
            assert 0 <= look.left < look.right <= size[0]
            assert 0 <= look.top < look.bottom <= size[1]
            assert look.cut(np.zeros((size[1], size[0], 3), np.uint8)).size
        for x1, y1, x2, y2 in followed:
            box = (x1 * size[0], y1 * size[1], x2 * size[0], y2 * size[1])
            assert any(look.holds(box) for look in looks)
        assert step or Region(0, 0, *size) in looks


def _person(*box: float, score: float = 0.9) -> Detection:
    return Detection(Label.PERSON, score, box)  # type: ignore[arg-type]


CROP = Region(400, 200, 848, 456)
MOVING = [(0.3, 0.2, 0.7, 1.0)]


def test_a_thing_seen_in_crop_and_whole_picture_is_told_once_in_pixels_of_the_picture():
    found = merge(
        [(WHOLE, [_person(500, 300, 530, 390, score=0.5)]), (CROP, [_person(101, 99, 131, 191)])],
        SIZE,
        MOVING,
    )
    assert found == [_person(501, 299, 531, 391)]


def test_of_two_the_one_stays_that_no_edge_cuts_off():
    whole, cut = _person(380, 300, 430, 420, score=0.45), _person(0, 100, 30, 220, score=0.95)
    assert merge([(CROP, [cut]), (WHOLE, [whole])], SIZE, MOVING) == [whole]


@pytest.mark.parametrize("box", [(0, 100, 30, 220), (10, 0, 40, 80), (420, 100, 448, 220)])
def test_a_box_cut_off_beside_or_above_is_better_than_nothing(box):
    assert len(merge([(CROP, [_person(*box)])], SIZE, MOVING)) == 1


def test_whoever_is_cut_off_below_stands_nobody_knows_where():
    assert merge([(CROP, [_person(10, 100, 40, 256)])], SIZE, MOVING) == []
    low = Region(400, 464, 848, 720)
    assert len(merge([(low, [_person(10, 100, 40, 256)])], SIZE, MOVING)) == 1


def test_two_abreast_in_one_look_stay_two():
    pair = [_person(500, 300, 540, 400), _person(510, 300, 548, 400)]
    assert len(merge([(WHOLE, pair)], SIZE, MOVING)) == 2


def test_a_truck_and_the_person_before_it_stay_two():
    truck = Detection(Label.VEHICLE, 0.8, (300, 200, 700, 500))
    found = merge([(WHOLE, [truck]), (CROP, [_person(100, 100, 130, 190)])], SIZE, MOVING)
    assert [item.label for item in found] == [Label.PERSON, Label.VEHICLE]


def test_in_a_crop_only_people_who_move_are_sure():
    standing, walking = _person(10, 20, 40, 110), _person(200, 100, 230, 190)
    car = Detection(Label.VEHICLE, 0.9, (200, 100, 300, 150))
    moving = [(610 / 1280, 0.5, 620 / 1280, 0.6)]
    found = merge([(CROP, [standing, walking, car])], SIZE, moving)
    assert [item.sure for item in found] == [False, True, False]
    assert [item.likely for item in found] == [True, False, True]
    assert all(item.sure for item in merge([(WHOLE, [standing, walking, car])], SIZE, []))


def test_what_is_faint_in_a_crop_alone_is_nothing_when_the_whole_picture_was_seen_too():
    crop = Region(400, 200, 848, 456)
    faint = replace(_person(100, 50, 150, 200, score=0.35), sure=False)
    assert merge([(WHOLE, []), (crop, [faint])], SIZE, []) == []
    assert len(merge([(crop, [faint])], SIZE, [])) == 1
